/** A monitor and where its figures and its money live: one store, a file, or one for each purpose. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import { SUM } from '../src/cell.js';
import { createMonitor, type Monitor } from '../src/monitor.js';
import type { MonitorOptions } from '../src/monitor-options.js';
import { memoryStore } from '../src/stores/memory.js';
import { sqliteStore } from '../src/stores/sqlite.js';
import type { Store, StoreProblem } from '../src/stores/store.js';
import { ASK, PRICES, spends } from './budgets/capture-stage.js';
import { sharedMoney } from './budgets/shared-money.js';

let simulator: Simulator;
let folder: string;
let file: string;
const monitors: Monitor[] = [];

beforeAll(async () => {
  simulator = await createSimulator({ respond: spends(400) });
});
afterAll(() => simulator.close());
beforeEach(() => {
  simulator.reset();
  folder = mkdtempSync(join(tmpdir(), 'claude-metrics-stores-'));
  file = join(folder, 'claude-metrics.db');
});
afterEach(async () => {
  await Promise.all(monitors.splice(0).map((monitor) => monitor.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** It stands still, at a time that the file takes for the present: no period ends during a test. */
const present = Date.now();
const clock = { now: () => present, monotonic: () => performance.now() };

/** Four calls fit, one after the other: each can cost 5 cents, and does cost 2. */
const budgets = [{ usd: 0.11, per: 'day' }] as const;

function start(options: MonitorOptions) {
  const monitor = createMonitor({
    log: false,
    clock,
    prices: PRICES,
    onNotice: () => {},
    onError: () => {},
    ...options,
  });
  monitors.push(monitor);
  const client = monitor.observe(new Anthropic({ apiKey: 'k', baseURL: simulator.url }));
  return { monitor, ask: () => client.messages.create(ASK) };
}

const failure = (made: Promise<unknown>) =>
  made.then(
    () => null,
    (error: unknown) => error,
  );

describe('the path of a file', () => {
  it('keeps figures, calls and the money of budgets beyond the process', async () => {
    const first = start({ store: file, budgets });
    for (let i = 0; i < 3; i += 1) await first.ask();
    await first.monitor.close();
    const second = start({ store: file, budgets });
    await second.ask();
    // 8 cents are spent, and a call could cost 5.
    expect(await failure(second.ask())).toMatchObject({ status: 429, spentUsd: 0.08 });
    const { totals, budgets: reports } = await second.monitor.snapshot();
    expect(totals).toMatchObject({ calls: 5 });
    expect(reports[0]?.scopes[0]).toMatchObject({ spentUsd: 0.08 });
    expect((await second.monitor.calls()).calls).toHaveLength(5);
    expect(simulator.requests).toHaveLength(4);
  });

  it('is one ledger and one limit for all processes that have it open', async () => {
    const [a, b] = [start({ store: file, budgets }), start({ store: file, budgets })];
    const made = await Promise.all([a, b, a, b, a, b].map(({ ask }) => failure(ask())));
    expect(made.filter((error) => error === null)).toHaveLength(2);
    expect(made.filter((error) => error !== null)).toEqual(
      Array.from({ length: 4 }, () => expect.objectContaining({ reason: 'limit' }) as unknown),
    );
    await a.monitor.snapshot();
    expect((await b.monitor.snapshot()).totals).toMatchObject({ calls: 6 });
    expect(simulator.requests).toHaveLength(2);
  });

  it('and corrections are for all of them', async () => {
    const [a, b] = [start({ store: file, budgets }), start({ store: file, budgets })];
    await a.monitor.adjust({ budget: 'all-day', usd: 0.1, reason: 'spent elsewhere' });
    expect(await b.monitor.canSpend(ASK)).toMatchObject({ verdict: 'block', reason: 'limit' });
    expect(await failure(b.ask())).toMatchObject({ status: 429 });
  });
});

describe('a store for each purpose', () => {
  it('figures go to one, money to the other', async () => {
    const money = sharedMoney();
    const a = start({ store: { cells: memoryStore(), budgets: money }, budgets });
    await a.ask();
    await a.monitor.close();
    expect([...money.money.values()]).toMatchObject([{ spent: 20_000_000, held: 0 }]);
    const b = start({ store: { cells: memoryStore(), budgets: sqliteStore({ file }) }, budgets });
    await b.ask();
    expect((await b.monitor.snapshot()).budgets[0]?.scopes[0]).toMatchObject({ spentUsd: 0.02 });
  });

  it('a feature that is paused is paused for all, and after a restart', async () => {
    const a = start({ store: file });
    a.monitor.pause('chat', 'It answers nonsense.');
    await a.monitor.close();
    const b = start({ store: { cells: memoryStore(), budgets: sqliteStore({ file }) } });
    while (b.monitor.paused().length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(b.monitor.paused()).toMatchObject([{ feature: 'chat', reason: 'It answers nonsense.' }]);
    const asked = b.monitor.withContext({ feature: 'chat' }, () => failure(b.ask()));
    expect(await asked).toMatchObject({ status: 503, reason: 'paused' });
  });

  it('and both are heard', () => {
    const money: Store = { ...memoryStore(), budgets: sharedMoney() };
    money.onProblem = (tell) => tell({ kind: 'notice', name: 'money.lru', text: 'It may vanish.' });
    const { monitor } = start({ store: { cells: memoryStore(), budgets: money }, budgets });
    expect(monitor.health().notices).toEqual(['It may vanish.']);
  });

  it('a store of budgets that fails is in health, and what it may not refuse goes on', async () => {
    const money = sharedMoney();
    money.fault = () => 'before';
    const warn = [{ usd: 0.01, per: 'day', action: 'warn' }] as const;
    const a = start({ store: { cells: memoryStore(), budgets: money }, budgets: warn });
    await a.ask();
    await a.monitor.close();
    expect(a.monitor.health().faults['budgets.store']).toMatchObject({
      lastMessage: 'Error: the store is down',
    });
    const b = start({ store: { cells: memoryStore(), budgets: money }, budgets });
    expect(await failure(b.ask())).toMatchObject({ status: 503, reason: 'unavailable' });
    const [call] = (await b.monitor.calls()).calls;
    expect(call).toMatchObject({ outcome: 'blocked', error: { kind: 'spend_limit' } });
  });

  it.each([5, {}, { cells: {} }, { cells: memoryStore(), budgets: memoryStore() }, ''])(
    'and %j is no store',
    (store) => {
      expect(() => createMonitor({ store: store as never })).toThrow(
        /createMonitor: options\.store must be .*cells/,
      );
    },
  );
});

it('finds the call that feedback is about, also of another process and days later', async () => {
  const a = start({ store: file });
  a.monitor.record({ model: 'claude-dear', messageId: 'msg_1', feature: 'chat', userId: 'ada' });
  await a.monitor.close();
  const later = { now: () => present + 3 * 86_400_000, monotonic: clock.monotonic };
  const b = start({ store: file, clock: later });
  expect(await b.monitor.feedback({ messageId: 'msg_1', action: 'accept' })).toBe(true);
  expect(await b.monitor.feedback({ messageId: 'msg_2', action: 'accept' })).toBe(false);
  const from = present - 900_000;
  const { byFeature } = await b.monitor.snapshot({ from, to: present + 900_000 });
  expect(byFeature).toMatchObject([{ key: 'chat', feedback: { accept: 1 } }]);
  await b.monitor.close();
});

it('brings what waits to the store within a minute, also when no call follows', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance'] });
  try {
    const { monitor } = start({ store: file });
    monitor.record({ model: 'claude-dear' });
    await monitor.snapshot();
    monitor.record({ model: 'claude-dear' });
    const calls = async () => {
      const other = sqliteStore({ file });
      const query = { from: 0, to: Infinity, bucketMs: 60_000, families: ['total'] } as const;
      const [cell] = await other.read(query);
      await other.close();
      return cell?.sums[SUM.calls];
    };
    expect(await calls()).toBe(1);
    jest.advanceTimersByTime(60_000);
    while ((await calls()) === 1) await new Promise((resolve) => setImmediate(resolve));
    expect(await calls()).toBe(2);
  } finally {
    jest.useRealTimers();
  }
});

it('says what a store cannot do, and what it has to say of itself', () => {
  const { merge, read, resolutions } = memoryStore();
  const bare: Store = { name: 'bare', merge, read, resolutions };
  const problems: StoreProblem[] = [
    { kind: 'notice', name: 'bare.moved', text: 'It was moved.' },
    { kind: 'fault', name: 'bare.write', error: new Error('full') },
    { kind: 'drop', name: 'bare.calls', count: 3 },
  ];
  bare.onProblem = (listener) => problems.forEach(listener);
  const { monitor } = start({ store: bare, budgets });
  expect(monitor.health()).toMatchObject({
    faults: { 'bare.write': { count: 1 } },
    dropped: { 'bare.calls': 3 },
    notices: [
      'It was moved.',
      'The store "bare" keeps no recent calls, and cannot forget a user, and has no budgets: every ' +
        'process has the limits for itself.',
    ],
  });
});
