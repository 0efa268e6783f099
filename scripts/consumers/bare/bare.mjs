// Core without the SDK, which is an optional peer: it loads both ways and prices a usage.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as esm from '@claude-metrics/core';

const require = createRequire(import.meta.url);
assert.throws(() => require.resolve('@anthropic-ai/sdk'), { code: 'MODULE_NOT_FOUND' });
for (const core of [esm, require('@claude-metrics/core')]) {
  const monitor = core.createMonitor({ log: false });
  assert.ok(core.costOf({ input_tokens: 1, output_tokens: 1 }, 'claude-sonnet-4-5').nanoUsd > 0);
  await monitor.close();
}
