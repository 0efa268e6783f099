/** Forgetting a person: nothing of ours says any more that there was one, and no sum changes. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Anthropic } from '@anthropic-ai/sdk';
import { emptyFolder } from '../../../scripts/empty-folder.cjs';
import { alert, createMonitor, memoryStore, type MonitorOptions } from '../src/index.js';
import { sqliteStore } from '../src/stores/sqlite.js';
import type { Monitor } from '../src/monitor.js';
import type { Store } from '../src/stores/store.js';
import { QUESTION } from './capture/sdk.js';

const KEY = 'a key of thirty-two characters!!';
const OLD_KEY = 'the key of thirty-two before now';
const ADA = 'canary-ada-77';
const NOW = Date.parse('2026-11-24T10:00:30Z');
const MINUTE = 60_000;
const folder = emptyFolder();
const open: Monitor[] = [];
let files = 0;

afterEach(async () => {
  for (const monitor of open.splice(0)) await monitor.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function rig(options: MonitorOptions = {}) {
  const time = { now: NOW };
  const monitor = createMonitor({
    ...{ log: false, onNotice: () => {}, channels: [] },
    clock: { now: () => time.now, monotonic: () => time.now - NOW },
    budgets: [{ name: 'users', usd: 100, per: 'day', of: 'user', action: 'warn' }],
    alerts: [alert.errorRateAbove(0.5, { by: 'user', minCalls: 1 }), alert.budgetAbove(0.001)],
    ...options,
  });
  open.push(monitor);
  const call = (userId: string, messageId: string) =>
    monitor.record({
      ...{ model: 'claude-sonnet-5', usage: { input_tokens: 1_000_000 }, userId, messageId },
      ...{ feature: 'f', outcome: 'error', status: 500, sessionId: `session of ${userId}` },
      ...{ tags: { name: userId } },
    });
  return { time, monitor, call };
}

const file = () => {
  const place = join(folder, `${(files += 1)}`);
  mkdirSync(place);
  return join(place, 'metrics.db');
};

/** All that can be asked of a monitor. */
async function everythingOf(monitor: Monitor): Promise<string> {
  const parts = [
    ...[await monitor.snapshot(), await monitor.calls({ limit: 200 }), await monitor.alerts()],
    ...[monitor.adjustments(), monitor.health(), monitor.paused()],
  ];
  return JSON.stringify(parts);
}

/** Everything of hers that there can be. */
async function live({ monitor, call, time }: ReturnType<typeof rig>, id = ADA): Promise<void> {
  call(id, 'msg_ada');
  call('bob', 'msg_bob');
  time.now += MINUTE;
  call(id, 'msg_ada_2');
  await monitor.feedback({ messageId: 'msg_ada', action: 'accept' });
  await monitor.feedback({ messageId: 'msg_bob', action: 'reject', userId: id });
  await monitor.adjust({ budget: 'users', scope: id, usd: 1, reason: 'test' });
  await monitor.evaluateAlerts();
}

const stores: readonly [string, () => Store][] = [
  ['memory', () => memoryStore()],
  ['SQLite', () => sqliteStore({ file: file() })],
];

describe.each(stores)('with a store in %s', (_, make) => {
  it('takes a name out of calls, figures, budgets, alerts and feedback, and says how much', async () => {
    const it = rig({ store: make() });
    await live(it);
    const before = await it.monitor.snapshot();
    expect(await everythingOf(it.monitor)).toContain(ADA);
    const forgotten = await it.monitor.forgetUser(ADA);
    expect(forgotten).toMatchObject({ calls: 2, accounts: 1, alerts: 2, feedback: 4 });
    expect(forgotten.cells).toBeGreaterThanOrEqual(4);
    expect(await everythingOf(it.monitor)).not.toContain(ADA);
    const { totals, byUser } = await it.monitor.snapshot();
    expect(totals).toEqual(before.totals);
    expect(new Map(byUser.map(({ key, calls }) => [key, calls]))).toEqual(
      new Map([
        ['(erased)', 2],
        ['bob', 1],
      ]),
    );
  });

  it('takes it out of what has not been told the store yet', async () => {
    const { monitor, call } = rig({ store: make(), alerts: [] });
    call(ADA, 'msg_1');
    expect(await monitor.forgetUser(ADA)).toMatchObject({ calls: 1, cells: 4 });
    expect(await everythingOf(monitor)).not.toContain(ADA);
  });

  it('changes nothing when it is asked again, or for somebody unknown', async () => {
    const it = rig({ store: make() });
    await live(it);
    await it.monitor.forgetUser(ADA);
    const nothing = { cells: 0, calls: 0, accounts: 0, alerts: 0, feedback: 0 };
    for (const id of [ADA, 'nobody', 7, '(erased)']) {
      const { cells, calls, accounts, alerts } = await it.monitor.forgetUser(id);
      expect({ ...nothing, cells, calls, accounts, alerts }).toEqual(nothing);
    }
    expect((await it.monitor.snapshot()).byUser.map(({ key }) => key).sort()).toEqual([
      ...['(erased)', 'bob'],
    ]);
  });

  it('finds a pseudonym by the id, also one of a former key, and the id of before there was a key', async () => {
    const store = make();
    // One process after another, over what the one before has left.
    const kept: Store = { ...store, close: () => undefined };
    for (const userIds of [undefined, { hmac: OLD_KEY }, { hmac: KEY }] as const) {
      const { monitor, call } = rig({ store: kept, userIds, alerts: [] });
      call(ADA, 'msg_1');
      await monitor.snapshot();
      await monitor.close();
    }
    const { monitor } = rig({ store, userIds: { hmac: KEY, former: [OLD_KEY] }, alerts: [] });
    const names = (await monitor.snapshot()).byUser.map(({ key }) => key);
    expect(names).toHaveLength(3);
    expect(await monitor.forgetUser(ADA)).toMatchObject({ calls: 3 });
    const all = await everythingOf(monitor);
    for (const name of [ADA, ...names]) expect(all).not.toContain(name);
  });
});

describe('one file for several processes', () => {
  it('has no byte of the name left, nor do the others show it once they have looked', async () => {
    const place = file();
    const options = { alerts: [alert.errorRateAbove(0.5, { by: 'user', minCalls: 1 })] } as const;
    const [leads, follows] = [1, 2].map(() =>
      rig({ ...options, store: sqliteStore({ file: place }) }),
    );
    await live(leads!);
    follows!.time.now = leads!.time.now;
    await follows!.monitor.evaluateAlerts();
    expect(await everythingOf(follows!.monitor)).toContain(ADA);
    const forgotten = await follows!.monitor.forgetUser(ADA);
    expect(forgotten.alerts).toBe(1);
    expect(forgotten.remaining.join()).toContain('Call forgetUser() again in a minute');
    await leads!.monitor.evaluateAlerts();
    expect(JSON.stringify(await leads!.monitor.alerts())).not.toContain(ADA);
    await leads!.monitor.forgetUser(ADA);
    for (const { monitor } of [leads!, follows!]) {
      expect(await everythingOf(monitor)).not.toContain(ADA);
    }
    for (const monitor of open.splice(0)) await monitor.close();
    const there = readdirSync(join(place, '..')).map((name) =>
      readFileSync(join(place, '..', name)),
    );
    expect(Buffer.concat(there).includes(ADA)).toBe(false);
    expect(Buffer.concat(there).includes('bob')).toBe(true);
  });
});

describe('a call under way', () => {
  it('is told of, and its money does not bring the name back into budgets', async () => {
    const place = file();
    const { monitor } = rig({
      store: sqliteStore({ file: place }),
      budgets: [{ name: 'users', usd: 100, per: 'day', of: 'user' }],
      alerts: [],
    });
    const { promise: sent, resolve: send } = settled();
    const { promise: answered, resolve: answer } = settled();
    const body = { type: 'message', id: 'msg_1', model: 'claude-sonnet-5', content: [] };
    const usage = { input_tokens: 1_000, output_tokens: 1_000 };
    const client = monitor.observe(
      new Anthropic({
        ...{ apiKey: 'k', maxRetries: 0 },
        async fetch() {
          send();
          await answered;
          const headers = { 'content-type': 'application/json' };
          return new Response(JSON.stringify({ ...body, role: 'assistant', usage }), { headers });
        },
      }),
    );
    const call = monitor.withContext({ userId: ADA }, () => client.messages.create(QUESTION));
    await Promise.all([sent, Promise.race([call, sent])]);
    const { accounts, remaining } = await monitor.forgetUser(ADA);
    expect(accounts).toBe(1);
    expect(remaining[0]).toMatch(
      /^1 calls are under way in this process.*Call forgetUser\(\) again/,
    );
    answer();
    await call;
    expect((await monitor.snapshot()).byUser.map(({ key }) => key)).toEqual([ADA]);
    await monitor.close();
    const again = sqliteStore({ file: place });
    const from = Date.parse('2026-11-24T00:00:00Z');
    const page = await again.budgets.accounts({ budget: 'users', from, limit: 10 });
    expect(page).toEqual({ accounts: [], count: 0 });
    await again.close();
  });
});

function settled(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

describe('what cannot be', () => {
  it('is told in words: no id, and a store that cannot forget', async () => {
    const { monitor } = rig();
    for (const id of ['', null, {}] as never[]) {
      await expect(monitor.forgetUser(id)).rejects.toThrow(
        /^\[claude-metrics\] monitor\.forgetUser: expected the id of a user, got/,
      );
    }
    const { forgetUser: _, ...store } = { ...memoryStore(), name: 'files' };
    await expect(rig({ store }).monitor.forgetUser(ADA)).rejects.toThrow(
      'the store "files" cannot forget a user, for it has no method forgetUser()',
    );
  });

  it('is told when the store does not answer; all else is forgotten, and it can be asked again', async () => {
    const store = memoryStore();
    let down = true;
    const failing: Store = {
      ...store,
      merge(cells, now) {
        if (down) throw new Error('the store is down');
        return store.merge(cells, now);
      },
    };
    const it = rig({ store: failing, onError: () => {} });
    it.call(ADA, 'msg_1');
    await expect(it.monitor.forgetUser(ADA)).rejects.toMatchObject({
      message: expect.stringContaining('not all could be erased. Call it again'),
      cause: new Error('the store does not take what waits in this process'),
    });
    down = false;
    expect(await it.monitor.forgetUser(ADA)).toMatchObject({ calls: 1, cells: 4 });
    expect(await everythingOf(it.monitor)).not.toContain(ADA);
  });
});
