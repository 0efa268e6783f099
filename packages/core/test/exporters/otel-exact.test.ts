/**
 * What OpenTelemetry receives is what `/snapshot` says, to the token and the nano-dollar: calls of
 * every kind, made with the real SDK while it traces, counted with the real OpenTelemetry SDK, for
 * exporters of both kinds.
 */
import Anthropic from '@anthropic-ai/sdk';
import { context as otelContext } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import { createMonitor } from '../../src/monitor.js';
import { otelExporter } from '../../src/exporters/otel.js';
import {
  countOf,
  having,
  newMetrics,
  newTraces,
  quiet,
  sumOf,
  type Attributes,
  type Point,
} from './otel-fixture.js';
import { makeVariedCalls, MODELS } from './varied-calls.js';
import type { CallRecord } from '../../src/record.js';
import type { Totals } from '../../src/snapshot.js';

const CALLS = 600;
const FEATURES = ['chat', 'summarise', 'POST /rooms/:room', null, '(other)'];
const USAGE = 'gen_ai.client.inference.usage.';

let simulator: Simulator;
beforeAll(async () => {
  otelContext.setGlobalContextManager(new AsyncLocalStorageContextManager());
  simulator = await createSimulator();
});
afterAll(async () => {
  otelContext.disable();
  await simulator.close();
});

function expectSame(points: readonly Point[], totals: Totals, of: Attributes = {}): void {
  const { tokens, cost, outcomes } = totals;
  const sum = (name: string) => sumOf(points, name, of);
  const input = tokens.uncachedInput + tokens.cacheRead + tokens.cacheWrite5m + tokens.cacheWrite1h;
  expect({
    input: sum(`${USAGE}input_tokens`),
    cacheRead: sum(`${USAGE}cache_read.input_tokens`),
    cacheWrite: sum(`${USAGE}cache_write.input_tokens`),
    output: sum(`${USAGE}output_tokens`),
    thinking: sum(`${USAGE}reasoning.output_tokens`),
    nanoUsd: sum('claude_metrics.cost_nano_usd'),
  }).toEqual({
    input: BigInt(input),
    cacheRead: BigInt(tokens.cacheRead),
    cacheWrite: BigInt(tokens.cacheWrite5m + tokens.cacheWrite1h),
    output: BigInt(tokens.output),
    thinking: BigInt(tokens.thinking),
    nanoUsd: BigInt(cost.nanoUsd),
  });
  const usd = having(points, 'claude_metrics.cost', of).reduce((all, each) => all + each.sum, 0);
  expect(Math.round(usd * 1e9)).toBe(cost.nanoUsd);
  const duration = 'gen_ai.client.operation.duration';
  expect(countOf(points, duration, of)).toBe(totals.calls);
  for (const [outcome, count] of Object.entries(outcomes)) {
    expect(countOf(points, duration, { ...of, 'claude_metrics.outcome': outcome })).toBe(count);
  }
}

it('hundreds of calls of every kind are the same for both kinds of exporters and in the snapshot', async () => {
  const delta = newMetrics();
  const cumulative = newMetrics(false);
  const traces = newTraces();
  const calls: CallRecord[] = [];
  const monitor = createMonitor({
    ...quiet,
    sinks: [
      { name: 'test', record: (call) => void calls.push(call) },
      otelExporter({ metrics: delta.provider, tokenUsage: true }),
      otelExporter({ metrics: cumulative.provider }),
    ],
  });
  const flush = async (): Promise<void> => {
    await Promise.all([delta.flush(), cumulative.flush()]);
  };
  const client = monitor.observe(
    new Anthropic({
      ...{ apiKey: 'test', baseURL: simulator.url, maxRetries: 0 },
      openTelemetry: { tracerProvider: traces.provider },
    }),
  );
  const varied = { seed: 11, calls: CALLS, features: FEATURES, pause: flush };
  await makeVariedCalls({ monitor, client, simulator, ...varied });
  const { totals, byModel, byFeature, coverage } = await monitor.snapshot({ rangeMs: 3_600_000 });
  await flush();
  expect(totals.calls).toBe(CALLS);
  expect(totals.cost.nanoUsd).toBeGreaterThan(1e9);
  expect(totals.tokens.thinking).toBeGreaterThan(1_000);
  expect(Object.values(totals.outcomes).filter((count) => count > 0).length).toBeGreaterThan(4);
  for (const points of [delta.points(), cumulative.points()]) {
    expectSame(points, totals);
    expect(byModel).toHaveLength(MODELS.length);
    for (const { key, ...group } of byModel) {
      expectSame(points, group, { 'gen_ai.request.model': key });
    }
    expect(byFeature).toHaveLength(FEATURES.length);
    for (const { key, ...group } of byFeature) {
      expectSame(points, group, { 'claude_metrics.feature': key });
    }
    const errors = Object.entries(totals.errors);
    expect(errors.length).toBeGreaterThan(3);
    expect(coverage.unpriced.unknown_model).toBeGreaterThan(0);
    for (const [reason, count] of Object.entries(coverage.unpriced)) {
      const of = { 'claude_metrics.unpriced_reason': reason };
      expect(sumOf(points, 'claude_metrics.unpriced_calls', of)).toBe(BigInt(count));
    }
    const firstChunks = countOf(points, 'gen_ai.client.operation.time_to_first_chunk');
    expect(firstChunks).toBe(totals.latency?.ttftMs?.count);
    expect(firstChunks).toBeGreaterThan(CALLS / 5);
  }
  for (const [type, counter] of [
    ['input', 'input_tokens'],
    ['output', 'output_tokens'],
  ] as const) {
    const old = sumOf(delta.points(), 'gen_ai.client.token.usage', { 'gen_ai.token.type': type });
    expect(old).toBe(sumOf(delta.points(), `${USAGE}${counter}`));
  }
  expect(having(cumulative.points(), 'gen_ai.client.token.usage')).toEqual([]);

  // One span a call, and each is the SDK's; costs of answers that were read to their end are on them.
  const spans = traces.spans();
  expect(spans).toHaveLength(CALLS);
  expect(new Set(spans.map((span) => span.instrumentationScope.name))).toEqual(
    new Set(['com.anthropic.sdk.typescript']),
  );
  const bySpan = new Map(spans.map((span) => [span.spanContext().spanId, span.attributes]));
  let told = 0;
  for (const call of calls) {
    const { 'claude_metrics.cost_nano_usd': nanoUsd, ...attributes } =
      bySpan.get(call.spanId!) ?? {};
    expect(attributes['claude_metrics.feature']).toBe(call.feature ?? undefined);
    expect(attributes['user.hash']).toMatch(/^[0-9a-f]{32}$/);
    if (call.tags.breaks === 'true') continue;
    expect(attributes['claude_metrics.outcome']).toBe(call.outcome);
    expect(nanoUsd).toBe(call.cost?.nanoUsd);
    told += 1;
  }
  expect(told).toBeGreaterThan(calls.length * 0.8);
  await monitor.close();
});
