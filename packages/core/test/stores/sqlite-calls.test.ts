/** Recent calls in the file: they wait a moment, and are then there for good, page by page. */
import { OUTCOMES } from '../../src/record.js';
import { memoryStore } from '../../src/stores/memory.js';
import { QueryError, type CallsQuery } from '../../src/stores/store.js';
import { callRecord, DAY, MINUTE, NOW } from '../state-fixture.js';
import {
  cellsFor,
  cleanUp,
  drivers,
  freshFile,
  inside,
  storeAt,
  whileLocked,
} from './sqlite-fixture.js';
import type { CallRecord } from '../../src/record.js';
import type { SqliteStore } from '../../src/stores/sqlite.js';
import type { StoreProblem } from '../../src/stores/store.js';

afterAll(cleanUp);

const numbered = (from: number, to: number, of: (i: number) => Partial<CallRecord> = () => ({})) =>
  Array.from({ length: to - from }, (_, i) =>
    callRecord({ id: `call-${from + i}`, ...of(from + i) }),
  );
const idsOf = async (store: SqliteStore, query: CallsQuery = {}) =>
  (await store.calls(query)).calls.map(({ id }) => Number(id.slice('call-'.length)));

describe.each(drivers)('over %s', (driver) => {
  const countIn = (file: string) =>
    inside(driver, file, (db) => db.get<{ n: number }>('SELECT count(*) AS n FROM calls')?.n);

  it('come back as they were, frozen, the last to end first', async () => {
    const store = storeAt(freshFile(), { driver });
    const calls = [
      callRecord({ tags: { __proto__: 'x', '\ud800': '\0' }, userId: '\ud800', at: NOW + 0.25 }),
      callRecord({ error: { kind: 'timeout', type: 't', message: '"\n' }, outcome: 'error' }),
    ];
    store.addCalls(calls);
    const page = await store.calls({});
    expect(page.calls).toEqual([...calls].reverse());
    expect(Object.isFrozen(page.calls[0]?.tokens)).toBe(true);
  });

  it('are shown by page, filter and cursor as the ring in memory shows them', async () => {
    const of = (i: number): Partial<CallRecord> => ({
      userId: i % 3 === 0 ? null : `user-${i % 7}`,
      feature: i % 5 === 0 ? '(other)' : `feature-${i % 2}`,
      model: `model-${i % 4}`,
      outcome: OUTCOMES[i % OUTCOMES.length]!,
    });
    const store = storeAt(freshFile(), { driver, maxCalls: 100 });
    const memory = memoryStore({ maxCalls: 100 });
    for (const some of [numbered(0, 130, of), numbered(130, 139, of)]) {
      store.addCalls(some);
      await memory.addCalls!(some);
      await store.calls({});
    }
    const queries: CallsQuery[] = [
      {},
      { limit: 7 },
      { user: '(unattributed)', limit: 5 },
      { user: 'user-4', feature: 'feature-1' },
      { feature: '\\(other)', outcome: 'ok', limit: 2 },
      { model: 'model-3', limit: 4 },
      { user: 'nobody' },
    ];
    for (const query of queries) {
      let mine: string | null | undefined;
      let theirs: string | null | undefined;
      do {
        const page = await store.calls({ ...query, before: mine ?? undefined });
        const expected = await memory.calls!({ ...query, before: theirs ?? undefined });
        expect({ ...page, next: null }).toEqual({ ...expected, next: null });
        expect(page.next === null).toBe(expected.next === null);
        mine = page.next;
        theirs = expected.next;
      } while (mine !== null);
    }
  });

  it('refuses the limits and cursors that memory refuses, in the same words', async () => {
    const store = storeAt(freshFile(), { driver });
    const memory = memoryStore();
    for (const query of [
      { limit: 0 },
      { limit: 201 },
      { limit: 1.5 },
      { before: 'x' },
      { before: '' },
    ]) {
      const refusal = await store.calls(query).then(
        () => null,
        (error: unknown) => error,
      );
      expect(refusal).toBeInstanceOf(QueryError);
      expect(() => memory.calls!(query)).toThrow((refusal as QueryError).message);
    }
  });

  it('are in the file after the next merge, and after close()', async () => {
    const file = freshFile();
    const store = storeAt(file, { driver });
    store.addCalls(numbered(0, 120));
    await store.merge(await cellsFor([callRecord()]), NOW, 'a');
    expect(countIn(file)).toBe(120);
    store.addCalls(numbered(120, 130));
    await store.close();
    expect(countIn(file)).toBe(130);
  });

  it('are in the file a second later, if no merge comes, without keeping the process', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance', 'nextTick'] });
    try {
      const file = freshFile();
      const store = storeAt(file, { driver });
      store.addCalls(numbered(0, 10));
      expect(jest.getTimerCount()).toBe(1);
      await jest.advanceTimersByTimeAsync(999);
      expect(countIn(file)).toBe(0);
      await jest.advanceTimersByTimeAsync(1);
      expect(countIn(file)).toBe(10);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('wait while the file is locked, and what is too many is counted and told', async () => {
    const file = freshFile();
    const problems: StoreProblem[] = [];
    const onProblem = (problem: StoreProblem) => void problems.push(problem);
    const store = storeAt(file, { driver, maxCalls: 10_000, lockTimeoutMs: 0, onProblem });
    await whileLocked(driver, file, async () => {
      store.addCalls(numbered(0, 4_000));
      store.addCalls(numbered(4_000, 5_500));
      store.addCalls(numbered(5_500, 5_600));
      await expect(store.calls({})).rejects.toMatchObject({ reason: 'busy' });
    });
    expect(problems).toEqual([
      { kind: 'drop', name: 'sqlite.calls', count: 500 },
      { kind: 'drop', name: 'sqlite.calls', count: 100 },
    ]);
    expect(await store.calls({ limit: 1 })).toMatchObject({ kept: 5_000, dropped: 600 });
    expect(await idsOf(store, { limit: 2 })).toEqual([4_999, 4_998]);
  });

  it('keep their numbers and cursors over a restart, with fewer of them kept', async () => {
    const file = freshFile();
    const before = storeAt(file, { driver, maxCalls: 1_000 });
    before.addCalls(numbered(0, 600));
    const { next } = await before.calls({ limit: 10 });
    await before.close();
    const store = storeAt(file, { driver, maxCalls: 100 });
    store.addCalls(numbered(600, 680));
    expect(await idsOf(store, { limit: 2, before: next! })).toEqual([589, 588]);
    store.addCalls(numbered(680, 800));
    expect(await store.calls({})).toMatchObject({ kept: 100, capacity: 100, dropped: 700 });
    expect(await idsOf(store, { limit: 200 })).toHaveLength(100);
  });

  it('keeps none if told so, and counts them', async () => {
    const store = storeAt(freshFile(), { driver, maxCalls: 0 });
    store.addCalls(numbered(0, 50));
    const page = { calls: [], next: null, kept: 0, capacity: 0, dropped: 50 };
    expect(await store.calls({})).toEqual(page);
  });

  it('go when they are older than they are kept for', async () => {
    const store = storeAt(freshFile(), { driver, callRetentionMs: DAY });
    store.addCalls(numbered(0, 300, (i) => ({ at: NOW - 2 * DAY + i * 10 * MINUTE })));
    await store.merge(await cellsFor([callRecord()]), NOW);
    const { kept, dropped } = await store.calls({});
    expect({ kept, dropped }).toEqual({ kept: 156, dropped: 144 });
  });

  it('after close() are not taken any more, which is told', async () => {
    const problems: StoreProblem[] = [];
    const store = storeAt(freshFile(), { driver, onProblem: (problem) => problems.push(problem) });
    await store.close();
    store.addCalls(numbered(0, 3));
    expect(problems).toEqual([{ kind: 'drop', name: 'sqlite.calls', count: 3 }]);
    await expect(store.calls({})).rejects.toThrow('is closed');
  });
});
