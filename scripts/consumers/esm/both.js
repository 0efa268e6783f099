// An ESM and a CommonJS copy of core in one process are two modules with one context.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as esm from '@claude-metrics/core';

const require = createRequire(import.meta.url);
const installed = dirname(require.resolve('@claude-metrics/core/package.json'));
// By path: a plain require would give the ESM copy on a Node that knows `module-sync`.
const cjs = require(join(installed, 'dist', 'index.cjs'));

assert.notEqual(esm.withContext, cjs.withContext, 'these are two copies');
esm.withContext({ userId: 'ada' }, () => assert.equal(cjs.getContext()?.userId, 'ada'));
cjs.withContext({ userId: 'bob' }, () => assert.equal(esm.getContext()?.userId, 'bob'));
assert.equal(cjs.getContext(), undefined);

const required = require('@claude-metrics/core');
assert.equal(required.withContext, esm.withContext, 'require gives the copy that import gave');
