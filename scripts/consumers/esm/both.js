// Core that is imported and required in one process is one; two copies of it have one context.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as core from '@claude-metrics/core';

const require = createRequire(import.meta.url);
assert.equal(require('@claude-metrics/core').withContext, core.withContext, 'this is one module');

const dist = join(dirname(require.resolve('@claude-metrics/core/package.json')), 'dist');
copyFileSync(join(dist, 'index.cjs'), join(dist, 'copy.cjs'));
const copy = require(join(dist, 'copy.cjs'));

assert.notEqual(copy.withContext, core.withContext, 'these are two copies');
core.withContext({ userId: 'ada' }, () => assert.equal(copy.getContext()?.userId, 'ada'));
copy.withContext({ userId: 'bob' }, () => assert.equal(core.getContext()?.userId, 'bob'));
assert.equal(copy.getContext(), undefined);
