/** What is added to the spans of the real SDK, and when it is too late for it. */
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { context, trace } from '@opentelemetry/api';
import Anthropic from '@anthropic-ai/sdk';
import { answers, createSimulator, type Simulator } from '@claude-metrics/testing';
import { createMonitor, type Monitor } from '../../src/monitor.js';
import { otelExporter } from '../../src/exporters/otel.js';
import { newMetrics, newTraces, quiet } from './otel-fixture.js';
import { QUESTION, SDKS } from '../capture/sdk.js';
import type { CallRecord, Sink } from '../../src/record.js';
import type { MonitorOptions } from '../../src/monitor-options.js';

let simulator: Simulator;
beforeAll(async () => void (simulator = await createSimulator()));
beforeEach(() => simulator.respond(() => answers.text('Paris')));
afterAll(() => simulator.close());

const CONTEXT = { userId: 'ada@example.com', feature: 'chat' };

function setUp({ traced = true, ...more }: MonitorOptions & { traced?: boolean } = {}) {
  const traces = newTraces();
  const records: CallRecord[] = [];
  const monitor = createMonitor({
    ...quiet,
    ...more,
    sinks: [
      otelExporter({ metrics: newMetrics().provider }),
      { name: 'test', record: (call) => void records.push(call) },
      ...(more.sinks ?? []),
    ],
  });
  const client = clientOf(monitor, traced ? { tracerProvider: traces.provider } : false);
  const ask = () => monitor.withContext(CONTEXT, () => client.messages.create(QUESTION));
  const stream = () =>
    monitor.withContext(CONTEXT, () => client.messages.create({ ...QUESTION, stream: true }));
  return { monitor, client, records, traces, ask, stream };
}

function clientOf(monitor: Monitor, openTelemetry: object | false) {
  return monitor.observe(
    new Anthropic({
      ...{ apiKey: 'test', baseURL: simulator.url, maxRetries: 1 },
      openTelemetry,
    } as never),
  );
}

/** What is ours on the only span there is. */
function oursOn(traces: ReturnType<typeof newTraces>): Record<string, unknown> {
  const spans = traces.spans();
  expect(spans.map((span) => span.instrumentationScope.name)).toEqual([
    'com.anthropic.sdk.typescript',
  ]);
  return Object.fromEntries(
    Object.entries(spans[0]!.attributes).filter(([name]) => /^(claude_metrics|user)\./.test(name)),
  );
}

/** `printf ada@example.com | sha256sum | cut -c 1-32` */
const ADA = { 'user.hash': 'b5fc85e55755f9e0d030a10ab4429b6b', 'claude_metrics.feature': 'chat' };

function told(call: CallRecord | undefined) {
  return {
    ...ADA,
    'claude_metrics.call_id': call?.id,
    'claude_metrics.outcome': call?.outcome,
    'claude_metrics.price_status': call?.priceStatus,
    ...(call?.cost && {
      'claude_metrics.cost': call.cost.usd,
      'claude_metrics.cost_nano_usd': call.cost.nanoUsd,
    }),
  };
}

describe.each(['with', 'without'])("the SDK's own span, %s a context manager", (how) => {
  beforeAll(() => {
    if (how === 'with') context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  });
  afterAll(() => context.disable());

  it('has the cost, the user as a hash and the feature of an answer', async () => {
    const { monitor, records, traces, ask } = setUp();
    await ask();
    expect(records[0]?.cost?.nanoUsd).toBeGreaterThan(0);
    expect(oursOn(traces)).toEqual(told(records[0]));
    expect(JSON.stringify(traces.spans()[0]?.attributes)).not.toContain('ada');
    await monitor.close();
  });

  it('has them of a stream that was read to its end', async () => {
    const { monitor, records, traces, stream } = setUp();
    for await (const _event of await stream());
    expect(records[0]?.cost?.nanoUsd).toBeGreaterThan(0);
    expect(oursOn(traces)).toEqual(told(records[0]));
    await monitor.close();
  });

  it('has them of the helper for streams', async () => {
    const { monitor, client, records, traces } = setUp();
    await monitor.withContext(CONTEXT, () => client.messages.stream(QUESTION).finalMessage());
    expect(oursOn(traces)).toEqual(told(records[0]));
    await monitor.close();
  });

  it('has user and feature, but no cost, of a stream that was left early: it ended with the break', async () => {
    const { monitor, records, traces, stream } = setUp();
    for await (const _event of await stream()) break;
    await simulator.idle();
    expect(records[0]?.outcome).toBe('cancelled');
    expect(oursOn(traces)).toEqual(ADA);
    await monitor.close();
  });

  it('has them of a failure after its retries', async () => {
    const { monitor, records, traces, ask } = setUp();
    simulator.respond(() => answers.rateLimited({ retryAfter: 0 }));
    await expect(ask()).rejects.toThrow('429');
    expect(records[0]?.attempts).toHaveLength(2);
    expect(oursOn(traces)).toEqual(told(records[0]));
    await monitor.close();
  });

  it('has them of a connection that was lost', async () => {
    const { monitor, records, traces, ask } = setUp();
    simulator.respond(() => answers.reset());
    await expect(ask()).rejects.toThrow('terminated');
    expect(records[0]?.error?.kind).toBe('connection');
    expect(oursOn(traces)).toEqual(told(records[0]));
    await monitor.close();
  });

  it('has them of a call that a budget refused', async () => {
    const budgets = [{ name: 'tiny', usd: 0.000_001, per: 'hour', action: 'block' }] as const;
    const { monitor, records, traces, ask } = setUp({ budgets });
    await expect(ask()).rejects.toThrow('tiny');
    expect(records[0]?.outcome).toBe('blocked');
    expect(oursOn(traces)).toEqual(told(records[0]));
    await monitor.close();
  });
});

describe('with a context manager', () => {
  beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager()));
  afterAll(() => context.disable());

  it('the span of a request is left alone, where the SDK makes none', async () => {
    const { monitor, records, traces, ask } = setUp({ traced: false });
    const tracer = traces.provider.getTracer('application');
    const span = tracer.startSpan('GET /');
    await context.with(trace.setSpan(context.active(), span), ask);
    span.end();
    expect(records[0]?.spanId).toBe(span.spanContext().spanId);
    expect(traces.spans().map(({ name, attributes }) => [name, attributes])).toEqual([
      ['GET /', {}],
    ]);
    await monitor.close();
  });

  it("the SDK's span is known by its scope as well", async () => {
    const { monitor, records, traces } = setUp({ traced: false });
    const span = traces.provider
      .getTracer('com.anthropic.sdk.typescript.bedrock')
      .startSpan('call');
    await context.with(trace.setSpan(context.active(), span), () => passOne(monitor));
    span.end();
    const { attributes } = traces.spans()[0]!;
    expect(attributes['claude_metrics.cost_nano_usd']).toBe(records[0]?.cost?.nanoUsd);
    await monitor.close();
  });

  it('no span is made for an SDK that makes none', async () => {
    const { monitor, traces } = setUp();
    const Oldest = SDKS.at(-1)!.Anthropic;
    const client = monitor.observe(new Oldest({ apiKey: 'test', baseURL: simulator.url }));
    await client.messages.create(QUESTION);
    expect(traces.spans()).toEqual([]);
    await monitor.close();
  });

  it('calls that share a span add up on it', async () => {
    const { monitor, records, traces } = setUp({ traced: false });
    const span = traces.provider.getTracer('com.anthropic.sdk.typescript').startSpan('call');
    await context.with(trace.setSpan(context.active(), span), async () => {
      await passOne(monitor);
      await passOne(monitor);
    });
    span.end();
    const sum = records.reduce((all, { cost }) => all + (cost?.nanoUsd ?? NaN), 0);
    expect(records).toHaveLength(2);
    expect(traces.spans()[0]?.attributes['claude_metrics.cost_nano_usd']).toBe(sum);
    await monitor.close();
  });

  it('a span whose attributes throw changes nothing for the call, and is counted', async () => {
    const { monitor, client, records } = setUp({ traced: false });
    const span = Object.assign(
      trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 }),
      {
        instrumentationScope: { name: 'com.anthropic.sdk.typescript' },
        isRecording: () => true,
        setAttributes() {
          throw new Error('broken');
        },
      },
    );
    const active = trace.setSpan(context.active(), span);
    const message = await context.with(active, () => client.messages.create(QUESTION));
    expect(message.content).toMatchObject([{ text: 'Paris' }]);
    expect(records).toHaveLength(1);
    expect(monitor.health().faults).toEqual({
      'sink:otel': { count: 2, lastMessage: 'Error: broken' },
    });
    await monitor.close();
  });

  it('every sink that asks is told of the span, when a call begins and when it has ended', async () => {
    const heard: unknown[] = [];
    const sink: Sink = {
      name: 'mine',
      record: () => undefined,
      span: (_, { userId }, call) => void heard.push([userId, call?.outcome ?? null]),
    };
    const { monitor, ask } = setUp({ sinks: [sink] });
    await ask();
    expect(heard).toEqual([
      ['ada@example.com', null],
      ['ada@example.com', 'ok'],
    ]);
    await monitor.close();
  });
});

/** One call through the middleware alone, as a client of another package would make it. */
async function passOne(monitor: Monitor): Promise<void> {
  const body = { ...QUESTION };
  const answer = await monitor.middleware()(
    { url: 'https://api.anthropic.com/v1/messages' },
    () =>
      Promise.resolve(
        Response.json({
          ...{ id: 'msg_1', type: 'message', role: 'assistant', content: [] },
          ...{ model: QUESTION.model, usage: { input_tokens: 10, output_tokens: 5 } },
        }),
      ),
    { options: { method: 'post', path: '/v1/messages', body } },
  );
  await answer.json();
}
