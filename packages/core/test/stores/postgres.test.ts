/** What the Postgres store keeps where, for how long, and what others who ask the tables see. */
import { types } from 'pg';
import { SUM } from '../../src/cell.js';
import { postgresStore } from '../../src/stores/postgres.js';
import { callRecord, rigOf } from '../state-fixture.js';
import {
  callsIn,
  cellOf,
  DAY,
  FAMILIES,
  HOUR,
  MINUTE,
  NOW,
  QUARTER,
  readAll,
  setPresent,
  storeOn,
} from './postgres-fixture.js';
import { describePostgres, startServer, type PostgresServer } from './postgres-server.js';
import type { Exchange } from '../../src/stores/budget-store.js';

describe('postgresStore()', () => {
  const pool = { connect: () => undefined };

  it.each([
    [{ pool: 'postgres://' }, /options\.pool must be an object with connect\(\)/],
    [{ pool, schema: 'Bad-Name' }, /options\.schema must be a name of lower-case letters/],
    [{ pool, schema: 'pg_catalog' }, /options\.schema must be .*not pg_/],
    [{ pool, schema: 'a'.repeat(41) }, /options\.schema must be/],
    [{ pool, maxCalls: -1 }, /options\.maxCalls must be an integer from 0 to/],
    [{ pool, timeoutMs: 10 }, /options\.timeoutMs must be an integer from 100/],
    [{ pool, minuteRetentionMs: 1 }, /options\.minuteRetentionMs must be/],
    [{ pool, historyRetentionMs: Infinity }, /options\.historyRetentionMs must be/],
    [{ pool, callRetentionMs: 0 }, /options\.callRetentionMs must be/],
    [{ pool, onProblem: 'log' }, /options\.onProblem must be a function/],
    [{ pool, onDrop: () => undefined }, /there is no option "onDrop"/],
    [{}, /options\.pool must be a Pool of `pg`, got undefined/],
    [undefined, /options\.pool must be a Pool of `pg`, got undefined/],
  ])('refuses %o', (options, words) => {
    expect(() => postgresStore(options as never)).toThrow(words);
    expect(() => postgresStore(options as never)).toThrow(/^\[claude-metrics\] postgresStore: /);
  });
});

describePostgres('the Postgres store', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  /** A store whose schema is there, at the time of the tests. */
  async function ready(options = {}) {
    const opened = storeOn(server, options);
    await opened.store.notes.note('makes the schema');
    await setPresent(opened.pool, opened.schema, NOW);
    return opened;
  }

  it('asks nothing of the server before its first use', async () => {
    const { pool, store } = storeOn(server);
    await store.close();
    expect(pool.totalCount).toBe(0);
  });

  it('leaves the pool open', async () => {
    const { pool, store } = await ready();
    await store.close();
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('shows people the same sums that the ledger reads', async () => {
    const { store, ask } = await ready();
    const cell = cellOf('user-model', ['ada', 'm'], { calls: 3, nanoUsd: 5 });
    cell.sums[SUM.nanoUsdCarry] = 12_345;
    cell.sums[SUM.output] = 77;
    for (let i = 0; i < 3; i += 1) await store.merge([cell], NOW);
    const [row] = await ask('SELECT *, nano_usd::text AS nano FROM $schema.user_models');
    expect(row).toMatchObject({ user_id: 'ada', model: 'm', calls: '9', output_tokens: '231' });
    expect(row!['nano']).toBe('37035000000000000015');
    expect((await readAll(store))[0]!.sums[SUM.output]).toBe(231);
  });

  it('reads the same when the application has numbers and JSON read otherwise', async () => {
    const { store } = storeOn(server, {
      pool: server.pool({ types: { ...types, getTypeParser: numbersBigger } }),
    });
    await store.merge([cellOf('total', ['', ''], { calls: 3 })], NOW, 'a');
    store.addCalls([callRecord()]);
    expect(await callsIn(store)).toBe(3);
    expect((await store.calls({})).calls[0]).toEqual(callRecord());
    expect((await store.budgets.exchange(taking('ada', 1))).accounts[0]).toMatchObject({
      held: 10,
    });
  });

  it('keeps cells in partitions of a day and of a month, and drops them when they are old', async () => {
    const { store, pool, schema, ask } = await ready({ historyRetentionMs: 70 * DAY });
    const old = [MINUTE, QUARTER].map((bucketMs) => cellOf('total', ['', ''], { bucketMs }));
    await store.merge(old, NOW);
    const partitions = async () => {
      const rows = await ask(
        `SELECT inhrelid::regclass::text AS name FROM pg_inherits
          WHERE inhparent::regclass::text LIKE '$schema.%cells_%' AND inhrelid::regclass::text NOT LIKE '%pkey'
          ORDER BY 1`,
      );
      return rows.map(({ name }) => String(name).replace(/^.*cells_/, ''));
    };
    expect(await partitions()).toEqual([
      ...['minute_20261124', 'minute_20261125', 'quarter_202611', 'quarter_202612'],
    ]);
    const later = NOW + 10 * DAY;
    await setPresent(pool, schema, later);
    await store.merge([cellOf('total', ['', ''], { at: later })], later);
    expect(await partitions()).toEqual([
      ...['minute_20261204', 'minute_20261205', 'quarter_202611', 'quarter_202612'],
      'quarter_202701',
    ]);
    const end = NOW + 78 * DAY;
    await setPresent(pool, schema, end);
    await store.merge([cellOf('total', ['', ''], { at: end })], end);
    expect(await partitions()).toEqual([
      ...['minute_20270210', 'minute_20270211', 'quarter_202612', 'quarter_202701'],
      ...['quarter_202702', 'quarter_202703'],
    ]);
    expect(await callsIn(store)).toBe(2);
  });

  it('does not fail a merge for upkeep that failed, and tells of it', async () => {
    const { store, problems, ask } = await ready();
    await store.merge([cellOf('total', ['', ''])], NOW);
    await ask('ALTER TABLE $schema.batches RENAME COLUMN added_at TO added');
    await ask('ALTER TABLE $schema.batches ADD COLUMN added_at text');
    await store.merge([cellOf('total', ['', ''])], NOW + 2 * HOUR);
    expect(await callsIn(store)).toBe(2);
    expect(problems).toMatchObject([{ kind: 'fault', name: 'postgres.upkeep' }]);
  });

  it('drops nothing because of one process whose clock runs ahead', async () => {
    const { store, schema, pool } = await ready();
    const wrong = storeOn(server, { schema, pool }).store;
    await store.merge([cellOf('total', ['', ''])], NOW);
    await wrong.merge([], NOW + 3_000 * DAY);
    await wrong.merge([cellOf('total', ['', ''], { at: NOW + 3_000 * DAY })], NOW + 3_000 * DAY);
    await store.merge([], NOW + HOUR);
    expect(await callsIn(store)).toBe(2);
  });

  it('keeps calls for their time, by the server, and counts those that went', async () => {
    const { store, schema, pool } = await ready({ callRetentionMs: 2 * DAY });
    for (let day = 0; day < 5; day += 1) {
      await setPresent(pool, schema, NOW + day * DAY);
      store.addCalls([callRecord({ id: `a${day}` }), callRecord({ id: `b${day}` })]);
      await store.calls({});
    }
    await store.merge([], NOW);
    const page = await store.calls({});
    expect(page.calls.map(({ id }) => id)).toEqual(['b4', 'a4', 'b3', 'a3', 'b2', 'a2']);
    expect(page).toMatchObject({ kept: 6, capacity: 100_000, dropped: 4 });
  });

  it('gives the room of calls beyond the bound back', async () => {
    const { store, ask } = await ready({ maxCalls: 3 });
    const some = Array.from({ length: 8 }, (_, i) => callRecord({ id: `c${i}` }));
    store.addCalls(some);
    const page = await store.calls({});
    expect(page.calls.map(({ id }) => id)).toEqual(['c7', 'c6', 'c5']);
    expect(page).toMatchObject({ kept: 3, capacity: 3, dropped: 5 });
    await store.merge([], NOW);
    expect(await ask('SELECT count(*)::text AS n FROM $schema.calls')).toEqual([{ n: '3' }]);
  });

  it('writes calls by itself after a second', async () => {
    const { store, ask } = await ready();
    const written = async () => (await ask('SELECT id FROM $schema.calls')).length;
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      store.addCalls([callRecord()]);
      jest.advanceTimersByTime(999);
      expect(await written()).toBe(0);
      jest.advanceTimersByTime(1);
      while ((await written()) === 0);
    } finally {
      jest.useRealTimers();
    }
    expect(await written()).toBe(1);
  });

  it('forgets a user in cells and calls, and leaves no byte of the id in the tables', async () => {
    const { store, ask } = await ready();
    const rig = rigOf({ store });
    const id = 'canary-5f1c9a77';
    rig.record(callRecord({ userId: id, sessionId: id, tags: { who: id } }), callRecord());
    await rig.ledger.flush();
    store.addCalls([callRecord({ userId: id, sessionId: id, tags: { who: id } }), callRecord()]);
    await store.budgets.exchange(taking('m', 1, { scope: id, personal: true }));
    const found = await store.forgetUser(id);
    expect(found).toEqual({ cells: 4, calls: expect.any(Number) as number });
    expect(found.calls).toBeGreaterThan(0);
    expect(await store.budgets.forgetUser(id)).toBe(1);
    const tables = await ask(
      `SELECT relname::text AS name FROM pg_class
        WHERE relnamespace = '$schema'::regnamespace AND relkind = 'r'`,
    );
    for (const { name } of tables) {
      const text = `SELECT count(*)::text AS n FROM $schema.${String(name)} t WHERE t::text LIKE '%${id}%'`;
      expect([name, await ask(text)]).toEqual([name, [{ n: '0' }]]);
    }
  });

  it('keeps names of batches for two days, by the server', async () => {
    const { store, schema, pool, ask } = await ready();
    const cells = [cellOf('total', ['', ''])];
    await store.merge(cells, NOW, 'batch');
    await setPresent(pool, schema, NOW + 2 * DAY - HOUR);
    await store.merge(cells, NOW + 2 * DAY - HOUR, 'batch');
    expect(await callsIn(store)).toBe(1);
    await setPresent(pool, schema, NOW + 2 * DAY + HOUR);
    await store.merge([], NOW + 2 * DAY + HOUR);
    expect(await ask('SELECT id FROM $schema.batches')).toEqual([]);
  });

  it('lets go of members, claims and accounts when their time has come', async () => {
    const { store, schema, pool, ask } = await ready();
    await store.budgets.exchange(taking('ada', 1, { to: NOW + DAY }));
    await store.notes.claim('alerts', 'ada', HOUR);
    const counts = async () => {
      await store.budgets.accounts({ budget: 'none', from: 0, limit: 1 });
      const [row] = await ask(`SELECT (SELECT count(*) FROM $schema.members)::int AS members,
        (SELECT count(*) FROM $schema.leases)::int AS leases,
        (SELECT count(*) FROM $schema.accounts)::int AS accounts,
        (SELECT count(*) FROM $schema.claims)::int AS claims`);
      return row;
    };
    expect(await counts()).toEqual({ members: 1, leases: 1, accounts: 1, claims: 1 });
    await setPresent(pool, schema, NOW + 2 * HOUR);
    expect(await counts()).toEqual({ members: 1, leases: 0, accounts: 1, claims: 0 });
    await setPresent(pool, schema, NOW + DAY + HOUR);
    expect(await counts()).toEqual({ members: 0, leases: 0, accounts: 1, claims: 0 });
    await setPresent(pool, schema, NOW + 8 * DAY - HOUR);
    expect(await counts()).toMatchObject({ accounts: 1 });
    await setPresent(pool, schema, NOW + 8 * DAY + HOUR);
    expect(await counts()).toMatchObject({ accounts: 0 });
  });

  it('keeps the last 10,000 adjustments, and tells how many had to go', async () => {
    const { store, problems, ask, pool, schema } = await ready();
    const adjustments = Array.from({ length: 2_600 }, (_, at) => {
      return { account: 0, nanoUsd: 1, at, reason: 'test' };
    });
    for (let number = 1; number <= 4; number += 1) {
      await store.budgets.exchange({ ...taking('ada', number), adjustments });
    }
    await setPresent(pool, schema, NOW + 2 * MINUTE);
    await store.budgets.exchange(taking('ada', 5));
    expect(await ask('SELECT count(*)::int AS n FROM $schema.adjustments')).toEqual([
      { n: 10_000 },
    ]);
    expect(problems).toEqual([{ kind: 'drop', name: 'postgres.adjustments', count: 400 }]);
  });

  it('lists adjustments of any time', async () => {
    const { store } = await ready();
    const times = [NaN, Infinity, 9e15, -5, 0, NOW];
    const adjustments = times.map((at) => ({ account: 0, nanoUsd: 1, at, reason: 'test' }));
    await store.budgets.exchange({ ...taking('ada', 1), adjustments });
    const listed = (await store.budgets.adjustments(9)).map(({ at }) => at);
    expect(listed).toEqual([NOW, 0, 0, Date.UTC(10_000, 0, 1) - 1, 0, 0]);
  });

  it('writes no call where none is to be kept', async () => {
    const { store, ask } = storeOn(server, { maxCalls: 0 });
    store.addCalls([callRecord(), callRecord()]);
    const page = { calls: [], next: null, kept: 0, capacity: 0, dropped: 2 };
    expect(await store.calls({})).toEqual(page);
    expect(await ask('SELECT 1 FROM $schema.calls')).toEqual([]);
    await store.close();
  });

  it('refuses a note that is too long, and keeps the thousand that were put last', async () => {
    const { store, ask } = await ready();
    await expect(store.notes.putNote('a', 'x'.repeat(2 ** 20 + 1))).rejects.toThrow(/Shorten it/);
    await ask(
      `INSERT INTO $schema.notes
        SELECT i::text, i::text, '', $schema.present() - i * interval '1 second'
        FROM generate_series(1, 1000) i`,
    );
    await store.notes.putNote('b', 'x');
    expect(await store.notes.note('b')).toBe('x');
    const rows = await ask('SELECT id FROM $schema.notes');
    expect(rows).toHaveLength(1_000);
    expect(rows).not.toContainEqual({ id: '1000' });
  });

  it.each([
    ['a family of nobody', { family: 'nobody' }],
    ['a time before all time', { at: -MINUTE }],
    ['a time beyond all years', { at: 9e15 }],
    ['a sum that is no number', { sums: Array.from({ length: 16 }, () => NaN) }],
  ])('refuses %s before anything is added', async (_, spoilt) => {
    const { store } = await ready();
    const bad = { ...cellOf('total', ['', '']), ...spoilt } as never;
    await expect(store.merge([cellOf('total', ['', '']), bad], NOW)).rejects.toThrow(
      /Nothing was added/,
    );
    expect(await readAll(store)).toEqual([]);
  });

  it('keeps names apart that are longer than an index takes', async () => {
    const { store } = await ready();
    const names = [1, 2].map((i) => '\u{1f600}'.repeat(3_000) + i);
    await store.merge(
      names.map((name) => cellOf('user-model', [name, name])),
      NOW,
    );
    expect(await readAll(store, QUARTER, FAMILIES)).toHaveLength(2);
  });

  it('is told at once what went wrong before anybody listened', async () => {
    const store = postgresStore({ pool: server.pool({ host: '/nowhere' }) });
    store.addCalls([callRecord()]);
    await store.close();
    const heard: unknown[] = [];
    store.onProblem((problem) => heard.push(problem));
    expect(heard).toMatchObject([
      { kind: 'fault', name: 'postgres.calls' },
      { kind: 'drop', name: 'postgres.calls', count: 1 },
    ]);
  });
});

/** As an application may have it. */
const numbersBigger = ((oid: number) => {
  if (oid === types.builtins.TEXT) return (text: string) => text;
  return () => new Date(0);
}) as never;

function taking(member: string, number: number, address = {}): Exchange {
  const account = { budget: 'all', scope: null, personal: false, from: NOW, to: 4e12, ...address };
  return {
    ...{ member, number, ttlMs: HOUR, accounts: [account] },
    ...{ postings: [], adjustments: [], gifts: [] },
    takings: [[{ account: 0, limit: 1e9, need: 10, wish: 0 }]],
  };
}
