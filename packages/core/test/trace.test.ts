import { AsyncLocalStorage } from 'node:async_hooks';
import {
  context,
  ROOT_CONTEXT,
  trace,
  type Context,
  type ContextManager,
  type Span,
  type TracerProvider,
} from '@opentelemetry/api';
import { SDKS, QUESTION } from './capture/sdk.js';
import { createMonitor } from '../src/monitor.js';
import type { CallRecord } from '../src/record.js';
import { activeSpan } from '../src/trace.js';

/** The active span, as the real `@opentelemetry/api` knows it, and records that carry its ids. */

const IDS = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const API = Symbol.for('opentelemetry.js.api.1');
const [CURRENT] = SDKS;

/** What an application's OpenTelemetry SDK registers. */
function asyncContexts(): ContextManager {
  const storage = new AsyncLocalStorage<Context>();
  return {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, fn, thisArg, ...args) =>
      storage.run(active, () => fn.apply(thisArg as never, args)),
    bind: (_active, target) => target,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  };
}

const spanOf = (ids: { traceId: string; spanId: string }): Span =>
  trace.wrapSpanContext({ ...ids, traceFlags: 1 });

function inSpan<T>(ids: typeof IDS, fn: () => T): T {
  return context.with(trace.setSpan(ROOT_CONTEXT, spanOf(ids)), fn);
}

describe('with a context manager', () => {
  beforeAll(() => void context.setGlobalContextManager(asyncContexts()));
  afterAll(() => context.disable());

  it('the ids are those of the active span, also after await', async () => {
    await inSpan(IDS, async () => {
      expect(activeSpan()).toEqual(IDS);
      await Promise.resolve();
      expect(activeSpan()).toEqual(IDS);
      const inner = { ...IDS, spanId: '1111111111111111' };
      expect(inSpan(inner, activeSpan)).toEqual(inner);
    });
  });

  it('there are none outside a span', () => {
    expect(activeSpan()).toBeNull();
  });

  it('a span that is not recorded by anybody has none', () => {
    const invalid = { traceId: '0'.repeat(32), spanId: '0'.repeat(16) };
    expect(inSpan(invalid, activeSpan)).toBeNull();
  });

  it('a record carries those of the span that was active when the call was made', async () => {
    const { monitor, records, client } = setUp();
    await inSpan(IDS, () => client.messages.create(QUESTION));
    await client.messages.create(QUESTION);
    await monitor.close();
    expect(records.map(idsOf)).toEqual([IDS, { traceId: null, spanId: null }]);
  });

  it("a record carries those of the SDK's own span, where the SDK traces", async () => {
    const own = { ...IDS, spanId: '2222222222222222' };
    const tracer = {
      startSpan: () => Object.assign(spanOf(own), { isRecording: () => true }),
      startActiveSpan: () => {
        throw new Error('not used by the SDK');
      },
    };
    const tracerProvider: TracerProvider = { getTracer: () => tracer };
    const { monitor, records, client } = setUp({ openTelemetry: { tracerProvider } });
    await inSpan(IDS, () => client.messages.create(QUESTION));
    await monitor.close();
    expect(records.map(idsOf)).toEqual([own]);
  });
});

describe('without a context manager', () => {
  it('there is no span to find', () => {
    expect(inSpan(IDS, activeSpan)).toBeNull();
  });
});

describe('with something else under the name of OpenTelemetry', () => {
  const shared = globalThis as { [API]?: unknown };
  const before = shared[API];
  const put = (api: unknown) => Object.assign(globalThis, { [API]: api });
  const active = (value: unknown) => ({ context: { active: () => value } });
  const span = (ids: unknown) => active({ getValue: () => ({ spanContext: () => ids }) });
  afterEach(() => (before === undefined ? delete shared[API] : put(before)));

  it.each([
    ['nothing', undefined],
    ['a number', 7],
    ['no context', {}],
    ['no active context', { context: {} }],
    ['a context without values', active({})],
    ['no span', active({ getValue: () => undefined })],
    ['a span without a context', active({ getValue: () => ({}) })],
    ['a span context without ids', span({})],
    ['a span context that is none', span(undefined)],
    ['ids that are no text', span({ traceId: 7, spanId: 8 })],
  ])('there is no span: %s', (_, api) => {
    put(api);
    expect(activeSpan()).toBeNull();
  });

  it('that throws, a call goes on as it would, and the fault is counted', async () => {
    const { monitor, client } = setUp({ openTelemetry: false });
    put({
      context: {
        active() {
          throw new Error('broken');
        },
      },
    });
    const message = await client.messages.create(QUESTION);
    expect(message.id).toBe('msg_1');
    const faults = Object.values(monitor.health().faults);
    expect(faults).toEqual([{ count: 1, lastMessage: 'Error: broken' }]);
    await monitor.close();
  });
});

/** A client of the real SDK that is observed, and answered by a `fetch` of ours. */
function setUp(options: object = {}) {
  const records: CallRecord[] = [];
  const monitor = createMonitor({ log: false, onNotice: () => {}, onError: () => {} });
  monitor.on({ name: 'test', record: (call) => void records.push(call) });
  const answer = { id: 'msg_1', type: 'message', role: 'assistant', content: [], usage: {} };
  const Anthropic = CURRENT!.Anthropic;
  const client = monitor.observe(
    new Anthropic({
      apiKey: 'test',
      fetch: () => Promise.resolve(Response.json(answer)),
      ...options,
    }),
  );
  return { monitor, records, client };
}

function idsOf({ traceId, spanId }: CallRecord) {
  return { traceId, spanId };
}
