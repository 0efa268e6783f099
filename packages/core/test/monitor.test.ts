import Anthropic from '@anthropic-ai/sdk';
import { answers, createSimulator, type Simulator } from '@claude-metrics/testing';
import { setContext, withContext } from '../src/context.js';
import { createMonitor, type Monitor } from '../src/monitor.js';
import type { MonitorOptions } from '../src/monitor-options.js';
import type { CallRecord, Sink } from '../src/record.js';
import { until } from './capture/run.js';
import { QUESTION, type Client } from './capture/sdk.js';

let simulator: Simulator;
let client: Client;
let monitor: Monitor;
let records: CallRecord[];
let said: string[];
let failed: string[];

beforeAll(async () => {
  simulator = await createSimulator();
});
afterAll(() => simulator.close());
beforeEach(() => {
  simulator.reset();
  client = new Anthropic({ apiKey: 'sk-ant-test', baseURL: simulator.url });
  records = [];
  said = [];
  failed = [];
  start();
});
afterEach(() => monitor.close());

function start(options: MonitorOptions = {}): Monitor {
  monitor = createMonitor({
    log: false,
    onNotice: (text) => said.push(text),
    onError: (_error, step) => failed.push(step),
    ...options,
  });
  monitor.on({ name: 'test', record: (call) => void records.push(call) });
  return monitor;
}

const boom = (): never => {
  throw new Error('broken');
};

describe('a call', () => {
  it('is one frozen record, JSON-safe, without a word of the conversation', async () => {
    simulator.enqueue({ content: 'The answer is a secret.', thinking: 'A private thought.' });
    monitor.observe(client);
    const request = { ...QUESTION, system: 'A hidden instruction.', metadata: { user_id: 'u-77' } };
    const message = await withContext(
      { userId: 'ada', feature: 'capitals', sessionId: 's1', tags: { plan: 'pro' } },
      () => client.messages.create(request),
    );
    const [record] = records;
    expect(record).toMatchObject({
      messageId: message.id,
      requestId: message._request_id,
      model: QUESTION.model,
      servedModel: QUESTION.model,
      provider: 'anthropic',
      operation: 'messages',
      userId: 'ada',
      feature: 'capitals',
      sessionId: 's1',
      tags: { plan: 'pro' },
      usage: message.usage,
      status: 200,
      serviceTier: 'standard',
    });
    expect(record?.rateLimit?.requests?.limit).toEqual(expect.any(Number));
    expect(deeplyFrozen(record)).toBe(true);
    const text = JSON.stringify(record);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ ...record })));
    for (const secret of ['France', 'secret', 'private', 'hidden', 'u-77', 'sk-ant']) {
      expect(text).not.toContain(secret);
    }
  });

  it('keeps apart when headers, first event, thinking and text came', async () => {
    let now = 0;
    start({ clock: { now: () => 1_780_000_000_000, monotonic: () => (now += 1) } });
    monitor.observe(client);
    simulator.enqueue({ content: 'word '.repeat(30), thinking: 'Let me think.' });
    await client.messages.stream(QUESTION).finalMessage();
    const { marks, ttftMs, callMs, lastAttemptMs, at } = records[0]!;
    const order = [
      0,
      marks.headersMs,
      marks.firstEventMs,
      marks.firstThinkingMs,
      marks.firstTextMs,
    ];
    expect(order).toEqual([...order].sort((a, b) => Number(a) - Number(b)));
    expect(new Set(order).size).toBe(order.length);
    expect(ttftMs).toBe(marks.firstThinkingMs);
    expect(callMs).toBeGreaterThan(marks.firstTextMs!);
    expect(lastAttemptMs).toBe(callMs);
    expect(at).toBe(1_780_000_000_000);
  });

  it('tells the pause before a retry from the attempts', async () => {
    monitor.observe(client);
    simulator.enqueue({ ...answers.overloaded(), headers: { 'retry-after-ms': '30' } });
    await client.messages.create(QUESTION);
    const { attempts, callMs, lastAttemptMs } = records[0]!;
    expect(attempts.map(({ status, errorKind }) => [status, errorKind])).toEqual([
      [529, 'overloaded'],
      [200, null],
    ]);
    expect(attempts[0]?.waitMs).toBe(0);
    expect(attempts[1]?.waitMs).toBeGreaterThanOrEqual(29);
    expect(callMs).toBeGreaterThan(lastAttemptMs + 29);
    expect(new Set(attempts.map(({ requestId }) => requestId)).size).toBe(2);
  });

  it('that nobody ever reads is abandoned, once the monitor is closed', async () => {
    monitor.observe(client);
    void client.messages.create(QUESTION);
    const unread = await client.messages.create({ ...QUESTION, stream: true });
    await until(() => simulator.requests.every(({ status }) => status === 200));
    await until(() => simulator.requests.length === 2);
    await monitor.close();
    expect(records.map(({ outcome }) => outcome)).toEqual(['abandoned', 'abandoned']);
    expect(records.every(({ priceStatus }) => priceStatus === 'unpriced')).toBe(true);
    unread.controller.abort();
  });

  it('made after close() passes unrecorded', async () => {
    monitor.observe(client);
    await monitor.close();
    expect((await client.messages.create(QUESTION)).type).toBe('message');
    expect(records).toEqual([]);
  });
});

describe('what throws on our side', () => {
  const counted = { 'sink:bad': { count: 1, lastMessage: 'Error: broken' } };
  it.each<[string, Partial<Sink>, object]>([
    ['throws', { record: boom }, counted],
    ['rejects', { record: () => Promise.reject(new Error('broken')) }, counted],
    ['never resolves', { record: () => new Promise<void>(() => {}) }, {}],
  ])('a sink that %s changes nothing for the caller', async (_, sink, faults) => {
    monitor.on({ name: 'bad', record: () => {}, ...sink });
    monitor.observe(client);
    expect((await client.messages.create(QUESTION)).type).toBe('message');
    await until(() => records.length === 1);
    expect(monitor.health().faults).toEqual(faults);
  });

  it('a logger, a name and an onError that throw are counted, and the call goes on', async () => {
    start({ log: boom, onError: boom, onNotice: boom });
    monitor.observe(client);
    const hostile = { toString: boom } as unknown as string;
    const answer = await withContext({ userId: boom, feature: hostile }, () =>
      client.messages.create({ ...QUESTION, model: 'no-such-model' }),
    );
    expect(answer.type).toBe('message');
    expect(Object.keys(monitor.health().faults).sort()).toEqual([
      'context.feature',
      'context.userId',
      'onNotice',
      'sink:log',
    ]);
    const snapshot = await monitor.snapshot();
    expect(snapshot.health.faults['sink:log']?.count).toBe(1);
    expect(snapshot.totals.calls).toBe(1);
  });

  it('is told to onError once a kind', async () => {
    monitor.on({ name: 'bad', record: boom });
    monitor.observe(client);
    for (let i = 0; i < 3; i += 1) await client.messages.create(QUESTION);
    expect(failed).toEqual(['sink:bad']);
    expect(monitor.health().faults['sink:bad']?.count).toBe(3);
  });

  it('does not keep close() waiting', async () => {
    monitor.on({ name: 'slow', record() {}, close: () => new Promise<void>(() => {}) });
    monitor.on({ name: 'bad', record() {}, close: boom });
    await monitor.close({ timeoutMs: 1 });
    expect(monitor.health().faults['close:bad']?.count).toBe(1);
  });
});

describe('two monitors', () => {
  it('share no call: the one of the context gets it, else the one of the client', async () => {
    const other = createMonitor({ log: false });
    const theirs: string[] = [];
    other.on({ name: 'test', record: ({ id }) => void theirs.push(id) });
    monitor.observe(other.observe(client));
    await other.withContext({ userId: 'o' }, () => client.messages.create(QUESTION));
    await monitor.withContext({ userId: 'm' }, () => client.messages.create(QUESTION));
    await client.messages.create(QUESTION);
    expect([records.length, theirs.length]).toEqual([1, 2]);
    await other.close();
  });
});

describe('attribution', () => {
  it('is that of the moment of the call, in timers, streams and parallel work', async () => {
    monitor.observe(client);
    const work = async (userId: string) => {
      setContext({ userId });
      await new Promise((resolve) => setTimeout(resolve, 1));
      const stream = await client.messages.create({ ...QUESTION, stream: true });
      for await (const _ of stream) await Promise.resolve();
      await Promise.all([client.messages.create(QUESTION), client.beta.messages.create(QUESTION)]);
    };
    await Promise.all(
      ['a', 'b', 'c'].map((userId) => withContext({ feature: `of ${userId}` }, () => work(userId))),
    );
    const pairs = records.map(({ userId, feature }) => `${userId} ${feature}`).sort();
    expect(pairs).toEqual(['a', 'b', 'c'].flatMap((id) => Array(3).fill(`${id} of ${id}`)));
  });

  it('of a stream is that of who asked for it, whoever reads it', async () => {
    monitor.observe(client);
    const stream = await withContext({ userId: 'asked' }, () =>
      client.messages.create({ ...QUESTION, stream: true }),
    );
    await withContext({ userId: 'read' }, async () => {
      for await (const _ of stream);
    });
    expect(records.map(({ userId }) => userId)).toEqual(['asked']);
  });
});

describe('batches', () => {
  it('cost half, belong to whoever made them, and count once however often they are read', async () => {
    monitor.observe(client);
    const params = QUESTION;
    const batch = await withContext({ userId: 'ada', feature: 'nightly' }, () =>
      client.messages.batches.create({
        requests: ['one', 'two'].map((custom_id) => ({ custom_id, params })),
      }),
    );
    for (let i = 0; i < 2; i += 1) {
      for await (const _ of await client.messages.batches.results(batch.id));
    }
    const [created, ...results] = records;
    expect(created).toMatchObject({
      operation: 'batches',
      priceStatus: 'free',
      model: params.model,
    });
    expect(results).toHaveLength(2);
    for (const result of results) {
      expect(result).toMatchObject({
        operation: 'batch_results',
        userId: 'ada',
        feature: 'nightly',
        serviceTier: 'batch',
      });
      const [line] = result.cost!.lines;
      expect(line).toMatchObject({ class: 'uncachedInput', nanoUsdPerUnit: 1_000 });
    }
  });
});

describe('bad input', () => {
  it.each<[unknown, RegExp]>([
    [{ logg: false }, /there is no option "logg"\. Options are: instrument, log/],
    [
      { log: 'yes' },
      /options\.log must be true or false, or a function, or a logger .*, got "yes"/,
    ],
    [{ abandonAfterMs: 1 }, /options\.abandonAfterMs must be an integer from 1000 .*, got 1\./],
    [{ sinks: [{}] }, /options\.sinks must be an array, each item an object with record\(\)/],
    [null, /options must be an object, got null/],
  ])('createMonitor(%j) throws', (options, message) => {
    expect(() => createMonitor(options as MonitorOptions)).toThrow(message);
  });

  it('observe() of something else, on() of no sink and record() of no model throw', () => {
    expect(() => monitor.observe({})).toThrow(/expected a client of @anthropic-ai\/sdk 0.103/);
    expect(() => monitor.on({} as Sink)).toThrow(/expected a sink \(\{ name, record\(call\) \}\)/);
    expect(() => monitor.record({} as never)).toThrow(/record: model must be a model id/);
    expect(() => monitor.record({ model: 'm', at: NaN })).toThrow(/record: at must be a Date/);
  });
});

describe('a model without a price', () => {
  it('is unpriced, said once, and makes the totals "at least"', async () => {
    monitor.observe(client);
    const request = { ...QUESTION, model: 'claude-sonnet-5-5-next' };
    await client.messages.create(request);
    await client.messages.create(request);
    await client.messages.create(QUESTION);
    expect(records[0]).toMatchObject({ cost: null, unpricedReason: 'unknown_model' });
    expect(said).toEqual([expect.stringContaining('"claude-sonnet-5-5-next"')]);
    const { totals, coverage } = await monitor.snapshot();
    expect(totals.cost).toMatchObject({ complete: false, nanoUsd: records[2]?.cost?.nanoUsd });
    expect(coverage).toMatchObject({
      unpriced: { unknown_model: 2 },
      unpricedModels: ['claude-sonnet-5-5-next'],
    });
  });
});

describe('unobserved calls', () => {
  it('are counted, recorded ones and other requests are not', async () => {
    const strange = new Anthropic({ apiKey: 'k', baseURL: simulator.url });
    monitor.observe(client);
    await client.messages.create(QUESTION);
    await strange.messages.create(QUESTION);
    await strange.messages.countTokens({ model: QUESTION.model, messages: QUESTION.messages });
    await fetch(`${simulator.url}/elsewhere`);
    expect((await monitor.snapshot()).coverage.unobserved).toBe(1);
  });
});

function deeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(deeplyFrozen);
}
