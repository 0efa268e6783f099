/**
 * What Prometheus receives is what `/snapshot` says, to the token and the nano-dollar: calls of every
 * kind, made with the real SDK, counted with the real prom-client, read with a strict parser.
 */
import Anthropic from '@anthropic-ai/sdk';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import { prometheusExporter } from '../../src/exporters/prometheus.js';
import { createMonitor } from '../../src/monitor.js';
import { newRegistry } from './prometheus-fixture.js';
import { parseOpenMetrics, parseText, sumOf, type Families } from './prometheus-parser.js';
import { makeVariedCalls, MODELS } from './varied-calls.js';
import type { Totals } from '../../src/snapshot.js';

const CALLS = 1_000;
const FEATURES = ['chat', 'summarise', 'POST /rooms/:room', null, '(other)', 'a,model:b'];

let simulator: Simulator;
beforeAll(async () => void (simulator = await createSimulator()));
afterAll(() => simulator.close());

function expectSame(families: Families, totals: Totals, labels: Record<string, string> = {}): void {
  const sum = (name: string, more = {}, scale = 1) =>
    sumOf(families, `claude_${name}`, { ...labels, ...more }, scale);
  const { tokens, outcomes } = totals;
  expect(sum('requests_total')).toBe(BigInt(totals.calls));
  for (const [outcome, count] of Object.entries(outcomes)) {
    expect(sum('requests_total', { outcome })).toBe(BigInt(count));
  }
  expect(sum('cost_usd_total', {}, 1e9)).toBe(BigInt(totals.cost.nanoUsd));
  expect(sum('retries_total')).toBe(BigInt(totals.retries));
  expect({
    uncachedInput: sum('tokens_total', { type: 'uncached_input' }),
    cacheRead: sum('tokens_total', { type: 'cache_read' }),
    cacheWrite5m: sum('tokens_total', { type: 'cache_write_5m' }),
    cacheWrite1h: sum('tokens_total', { type: 'cache_write_1h' }),
    output: sum('tokens_total', { type: 'output' }),
    thinking: sum('thinking_tokens_total'),
  }).toEqual(Object.fromEntries(Object.entries(tokens).map(([name, n]) => [name, BigInt(n)])));
}

it('a thousand calls of every kind are the same in both formats and in the snapshot', async () => {
  const text = newRegistry();
  const open = newRegistry(true);
  const monitor = createMonitor({
    log: false,
    onNotice() {},
    sinks: [text, open].map((registry) => prometheusExporter({ registry })),
  });
  const client = monitor.observe(
    new Anthropic({ apiKey: 'test', baseURL: simulator.url, maxRetries: 0 }),
  );
  const varied = { seed: 7, calls: CALLS, features: FEATURES };
  await makeVariedCalls({ monitor, client, simulator, ...varied });
  const { totals, byModel, byFeature, coverage } = await monitor.snapshot({ rangeMs: 3_600_000 });
  for (const families of [
    parseText(await text.metrics()),
    parseOpenMetrics(await open.metrics()),
  ]) {
    expect(totals.calls).toBe(CALLS);
    expect(Object.values(totals.outcomes).filter((count) => count > 0).length).toBeGreaterThan(4);
    expectSame(families, totals);
    expect(byModel).toHaveLength(MODELS.length);
    for (const { key, ...group } of byModel) expectSame(families, group, { model: key });
    expect(byFeature).toHaveLength(FEATURES.length);
    for (const { key, ...group } of byFeature) expectSame(families, group, { feature: key });

    const errors = Object.entries(totals.errors);
    expect(errors.length).toBeGreaterThan(3);
    for (const [category, count] of errors) {
      expect(sumOf(families, 'claude_errors_total', { category })).toBe(BigInt(count));
    }
    for (const [reason, count] of Object.entries(coverage.unpriced)) {
      const found = sumOf(families, 'claude_unpriced_requests_total', { reason });
      expect(found).toBe(BigInt(count));
    }
    expect(coverage.unpriced.unknown_model).toBeGreaterThan(0);
    const { callMs, ttftMs } = totals.latency ?? {};
    expect(observed(families, 'request_duration')).toBe(callMs?.count);
    expect(observed(families, 'time_to_first_token')).toBe(ttftMs?.count);
    expect(ttftMs?.count).toBeGreaterThan(CALLS / 5);
  }
  await monitor.close();
});

function observed(families: Families, name: string): number {
  const counts = (families.get(`claude_${name}_seconds`)?.series ?? []).filter((series) =>
    series.name.endsWith('_count'),
  );
  return counts.reduce((sum, { value }) => sum + value, 0);
}
