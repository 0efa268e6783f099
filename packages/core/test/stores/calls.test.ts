/** Recent calls: a ring that is read page by page while new calls arrive. */
import { OUTCOMES } from '../../src/record.js';
import { callRing } from '../../src/stores/calls.js';
import { memoryStore } from '../../src/stores/memory.js';
import { QueryError, type CallsQuery } from '../../src/stores/store.js';
import { callRecord } from '../state-fixture.js';
import type { CallRecord } from '../../src/record.js';

function ringOf(
  capacity: number,
  count: number,
  of: (i: number) => Partial<CallRecord> = () => ({}),
) {
  const ring = callRing(capacity);
  const add = (from: number, to: number) => {
    for (let i = from; i < to; i += 1) ring.add([callRecord({ id: `call-${i}`, ...of(i) })]);
  };
  add(0, count);
  const ids = (query: CallsQuery = {}) =>
    ring.page(query).calls.map(({ id }) => Number(id.slice('call-'.length)));
  /** All pages, one after the other, with `between` called before each but the first. */
  const pages = (query: CallsQuery, between: () => void = () => undefined) => {
    const found: number[][] = [];
    let before: string | undefined;
    do {
      if (before !== undefined) between();
      found.push(ids({ ...query, before }));
      before = ring.page({ ...query, before }).next ?? undefined;
    } while (before !== undefined);
    return found;
  };
  return { ring, add, ids, pages };
}

describe('the ring', () => {
  it('has the last to finish first', () => {
    const { ring, ids } = ringOf(10, 3);
    expect(ids()).toEqual([2, 1, 0]);
    expect(ring.page({})).toMatchObject({ next: null, kept: 3, capacity: 10, dropped: 0 });
  });

  it('lets the oldest make room, and counts them', () => {
    const { ring, ids } = ringOf(4, 11);
    expect(ids()).toEqual([10, 9, 8, 7]);
    expect(ring.page({})).toMatchObject({ next: null, kept: 4, capacity: 4, dropped: 7 });
  });

  it('of no capacity keeps nothing, and still counts', () => {
    const { ring, ids } = ringOf(0, 5);
    expect(ids()).toEqual([]);
    expect(ring.page({})).toEqual({ calls: [], next: null, kept: 0, capacity: 0, dropped: 5 });
  });

  it('gives the records themselves', () => {
    const ring = callRing(2);
    const call = callRecord();
    ring.add([call]);
    expect(ring.page({}).calls[0]).toBe(call);
  });
});

describe('pages', () => {
  it('are of 50 calls unless asked otherwise, and end with null', () => {
    const { ids, pages } = ringOf(1_000, 120);
    expect(ids()).toHaveLength(50);
    expect(pages({}).map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(pages({ limit: 60 }).map(({ length }) => length)).toEqual([60, 60]);
    expect(pages({ limit: 200 }).map(({ length }) => length)).toEqual([120]);
  });

  it('show each call once, although new calls arrive in between', () => {
    const { add, pages } = ringOf(1_000, 10);
    let count = 10;
    const arrive = () => add(count, (count += 7));
    expect(pages({ limit: 3 }, arrive)).toEqual([[9, 8, 7], [6, 5, 4], [3, 2, 1], [0]]);
  });

  it('end when what would follow had to make room', () => {
    const { add, pages } = ringOf(10, 10);
    let count = 10;
    const arrive = () => add(count, (count += 4));
    expect(pages({ limit: 3 }, arrive)).toEqual([
      [9, 8, 7],
      [6, 5, 4],
    ]);
  });

  it('of a filter have only matching calls, and a next only if another one matches', () => {
    const { ring, pages } = ringOf(100, 12, (i) => ({ userId: i % 3 === 0 ? 'ada' : 'bob' }));
    expect(pages({ user: 'ada', limit: 3 })).toEqual([[9, 6, 3], [0]]);
    expect(ring.page({ user: 'ada', limit: 4 }).next).toBeNull();
    expect(ring.page({ user: 'nobody' })).toMatchObject({ calls: [], next: null, kept: 12 });
  });
});

describe('filters', () => {
  const strange = ['(other)', '__proto__', null];
  const { ids } = ringOf(100, 8, (i) => ({
    model: i % 2 === 0 ? 'm' : 'n',
    feature: i < 4 ? 'chat' : 'search',
    userId: strange[i % 3] ?? null,
    outcome: OUTCOMES[i % OUTCOMES.length] ?? 'ok',
  }));

  it.each<[CallsQuery, number[]]>([
    [{ model: 'n' }, [7, 5, 3, 1]],
    [{ feature: 'chat', model: 'm' }, [2, 0]],
    [{ outcome: 'refused' }, [1]],
    [{ user: '(unattributed)' }, [5, 2]],
    [{ user: '\\(other)' }, [6, 3, 0]],
    [{ user: '(other)' }, []],
    [{ user: '__proto__', model: 'n' }, [7, 1]],
    [{ model: 'toString' }, []],
  ])('%j use the names of the snapshot', (query, found) => {
    expect(ids(query)).toEqual(found);
  });
});

describe('a question that makes no sense', () => {
  const { ring } = ringOf(10, 3);

  it.each([0, -1, 201, 1.5, NaN, Infinity])('is refused: limit %p', (limit) => {
    expect(() => ring.page({ limit })).toThrow(QueryError);
    expect(() => ring.page({ limit })).toThrow(
      `[claude-metrics] calls: limit must be an integer from 1 to 200, got ${limit}.`,
    );
  });

  it.each(['', 'next', '-1', '1.5', '9'.repeat(16), '1e3'])('is refused: before %p', (before) => {
    expect(() => ring.page({ before })).toThrow(QueryError);
    expect(() => ring.page({ before })).toThrow(/before must be the "next" of an earlier page/);
  });

  it('is refused in few words, however long it was', () => {
    expect(() => ring.page({ before: 'x'.repeat(10_000) })).toThrow(/got "x{32}"\.$/);
  });

  it('but a cursor of the future is just the beginning', () => {
    expect(ring.page({ before: '999999' }).calls).toHaveLength(3);
    expect(ring.page({ before: '0' }).calls).toEqual([]);
  });
});

describe('the memory store', () => {
  it('keeps 1,000 recent calls, or as many as it is told', async () => {
    const calls = Array.from({ length: 1_200 }, (_, i) => callRecord({ id: `call-${i}` }));
    for (const [store, capacity] of [
      [memoryStore(), 1_000],
      [memoryStore({ maxCalls: 7 }), 7],
    ] as const) {
      await store.addCalls?.(calls);
      expect(await store.calls?.({ limit: 1 })).toMatchObject({
        ...{ kept: capacity, capacity, dropped: 1_200 - capacity },
        calls: [{ id: 'call-1199' }],
      });
    }
  });
});
