/** From records to the store: nothing lost, nothing counted twice, whatever store and clock do. */
import fc from 'fast-check';
import { blankCell, FAMILIES, mergeCell, SUM } from '../src/cell.js';
import { memoryStore } from '../src/stores/memory.js';
import {
  anyCall,
  callRecord,
  costing,
  DAY,
  exactOfCalls,
  exactOfCells,
  MINUTE,
  NOW,
  QUARTER,
  rigOf,
  type Rig,
} from './state-fixture.js';
import type { Cell, Family, Store } from '../src/stores/store.js';

const EVERY = Object.keys(FAMILIES) as Family[];
type Mode = 'ok' | 'throws' | 'rejects' | 'waits';

/** A memory store that fails as told, before it has merged anything, and counts its merges. */
function brittleStore() {
  const inner = memoryStore();
  let ending: ((error?: Error) => void) | undefined;
  const state = {
    mode: 'ok' as Mode,
    merges: 0,
    running: 0,
    /** Ends the merge that waits: well, or with an error. */
    end: (error?: Error) => ending?.(error),
  };
  const store: Store = {
    ...inner,
    merge(cells, now) {
      state.merges += 1;
      if (state.mode === 'throws') throw new Error('store is down');
      if (state.mode === 'rejects') return Promise.reject(new Error('store is down'));
      if (state.mode === 'ok') return inner.merge(cells, now);
      state.running += 1;
      return new Promise<void>((resolve, reject) => {
        ending = (error) => {
          state.running -= 1;
          if (error) reject(error);
          else resolve(inner.merge(cells, now));
        };
      });
    },
  };
  return { state, store };
}

const read = (rig: Rig, family: Family, bucketMs = MINUTE) =>
  rig.ledger.cells({ from: 0, to: Infinity, bucketMs, families: [family] });
const callsOf = (cells: readonly Cell[]) =>
  cells.reduce((sum, { sums }) => sum + sums[SUM.calls]!, 0);
/** Lets promises that are settled be heard. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('totals', () => {
  it('are the sums of the records, in every family and resolution, under any cap', async () => {
    const calls = fc.array(anyCall(30, 30, DAY), { minLength: 1, maxLength: 80 });
    const caps = fc.record({ features: fc.nat(4), users: fc.nat(4) });
    await fc.assert(
      fc.asyncProperty(calls, caps, async (list, cap) => {
        const rig = rigOf({ caps: cap });
        rig.record(...list);
        const exact = exactOfCalls(list);
        for (const bucketMs of [MINUTE, QUARTER]) {
          for (const family of EVERY) {
            const cells = await read(rig, family, bucketMs);
            expect(exactOfCells(cells)).toEqual(exact);
            expect(cells.every(({ at }) => at % bucketMs === 0)).toBe(true);
          }
        }
        expect(rig.health.report()).toMatchObject({ ok: true, dropped: {} });
      }),
      { numRuns: 40 },
    );
  });

  it('do not depend on the order of the records', async () => {
    const calls = fc.array(anyCall(6, 6, QUARTER, 1e12), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(calls, async (list) => {
        const [one, other] = [rigOf(), rigOf()];
        one.record(...list);
        other.record(...[...list].reverse());
        expect(await other.snapshot()).toEqual(await one.snapshot());
      }),
      { numRuns: 40 },
    );
  });

  it('keep the heaviest user, although he came last', async () => {
    const rig = rigOf({ caps: { features: 2, users: 3 } });
    for (let i = 0; i < 50; i += 1) rig.record(costing(i, { userId: `user-${i}` }));
    const cells = await read(rig, 'user-model');
    expect(cells.map(({ key }) => key[0])).toContain('user-49');
    expect(cells.length).toBeLessThanOrEqual(7);
    expect(callsOf(cells)).toBe(50);
  });
});

describe('names', () => {
  it('that are reserved belong to nobody who is called like that', async () => {
    const rig = rigOf({ caps: { features: 200, users: 2 } });
    const names = ['(other)', '(unattributed)', null, 'light', '__proto__'];
    // One name more than twice the cap is when the lightest are merged.
    rig.record(...names.map((name, i) => costing(99 - i, { userId: name, feature: name })));
    rig.record(costing(1, { userId: '(other)', model: '(other)' }));
    const keys = async (family: Family) => (await read(rig, family)).map(({ key }) => key.join());
    const model = 'claude-sonnet-5-5';
    expect(new Set(await keys('user-model'))).toEqual(
      new Set([
        ...[`(other),${model}`, `\\(other),${model}`, '\\(other),\\(other)'],
        `\\(unattributed),${model}`,
      ]),
    );
    expect(new Set(await keys('feature-model'))).toEqual(
      new Set([
        ...[`\\(other),${model}`, `\\(unattributed),${model}`, `(unattributed),${model}`],
        ...[`light,${model}`, `__proto__,${model}`, 'summarise,\\(other)'],
      ]),
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('the time of a call', () => {
  /** Calls of each bucket, by its distance from that of `NOW`. */
  async function callsBy(bucketMs: number, rig: Rig): Promise<Record<string, number>> {
    const found: Record<string, number> = {};
    for (const { at, sums } of await read(rig, 'total', bucketMs)) {
      const distance = Math.ceil((at - NOW) / bucketMs);
      found[distance] = (found[distance] ?? 0) + sums[SUM.calls]!;
    }
    return found;
  }

  it('is when it started, however late it is recorded', async () => {
    const rig = rigOf();
    rig.record(callRecord(), callRecord({ at: NOW - MINUTE }));
    rig.clock.now += 20 * MINUTE;
    rig.record(callRecord(), callRecord({ at: rig.clock.now }), callRecord({ at: NOW - QUARTER }));
    expect(await callsBy(MINUTE, rig)).toEqual({ '-15': 1, '-1': 1, '0': 2, '20': 1 });
    expect(await callsBy(QUARTER, rig)).toEqual({ '-1': 2, '0': 2, '1': 1 });
  });

  it('is now for one that starts in the future, or at no time', async () => {
    const rig = rigOf();
    rig.record(...[NOW + 1, NOW + QUARTER, NaN, Infinity].map((at) => callRecord({ at })));
    expect(await callsBy(MINUTE, rig)).toEqual({ '0': 4 });
  });

  it('is the one of the clock, also of one that is set back and forth', async () => {
    const rig = rigOf();
    rig.record(callRecord());
    rig.clock.now = NOW - 30 * MINUTE;
    // The first of these started before the clock was set back: in the future, it seems.
    rig.record(callRecord(), callRecord({ at: rig.clock.now }));
    rig.clock.now = NOW + 5 * MINUTE;
    rig.record(callRecord({ at: rig.clock.now }), callRecord({ at: NOW - 30 * MINUTE }));
    expect(await callsBy(MINUTE, rig)).toEqual({ '-30': 3, '0': 1, '5': 1 });
    expect(rig.health.report()).toMatchObject({ ok: true, dropped: {} });
  });

  it('from before all that is kept is too old: the call is dropped, and that is counted', async () => {
    const rig = rigOf({ store: memoryStore({ historyRetentionMs: DAY }) });
    rig.record(...[NOW - DAY, NOW - DAY - 1, 0, -1].map((at) => callRecord({ at })));
    expect(rig.health.report().dropped).toEqual({ 'ledger.tooOld': 3 });
    expect(await callsBy(QUARTER, rig)).toEqual({ [-DAY / QUARTER]: 1 });
  });
});

describe('a call', () => {
  it('adds to the distributions of its feature and of the total, in every resolution', async () => {
    const rig = rigOf({ caps: { features: 2, users: 2 } });
    for (let i = 1; i <= 200; i += 1) {
      rig.record(
        callRecord({ at: NOW - (i % 3) * MINUTE, feature: `feature-${i % 50}`, callMs: i }),
      );
    }
    for (const bucketMs of [MINUTE, QUARTER]) {
      for (const family of ['total', 'feature-model'] as const) {
        const whole = blankCell(true);
        for (const cell of await read(rig, family, bucketMs)) mergeCell(whole, cell);
        const { count, min, max } = whole.sketches!.callMs;
        expect([count, min, max]).toEqual([200, 1, 200]);
      }
    }
  });

  it('of an amount that is none counts, without it', async () => {
    const rig = rigOf();
    rig.record(callRecord({ cost: { ...callRecord().cost!, nanoUsd: NaN } }));
    expect((await rig.snapshot()).totals).toMatchObject({ calls: 1, cost: { nanoUsd: 0 } });
    expect(rig.health.report().dropped).toEqual({ 'ledger.amount': 1 });
  });
});

describe('flushing', () => {
  it('happens when the clock enters another minute, and before a reading', async () => {
    const { state, store } = brittleStore();
    const rig = rigOf({ store });
    rig.record(callRecord(), callRecord());
    expect(state.merges).toBe(0);
    rig.clock.now += MINUTE;
    rig.record(callRecord({ at: rig.clock.now }));
    expect(state.merges).toBe(1);
    expect(callsOf(await read(rig, 'total'))).toBe(3);
    expect(state.merges).toBe(2);
    await read(rig, 'total');
    expect(state.merges).toBe(2);
  });

  it('leaves the minute open for the calls to come', async () => {
    const rig = rigOf();
    for (let i = 1; i <= 3; i += 1) {
      rig.record(callRecord());
      expect(callsOf(await read(rig, 'total'))).toBe(i);
    }
  });

  it('does not wait for the clock when late calls open many buckets', () => {
    const { state, store } = brittleStore();
    const rig = rigOf({ store });
    for (let i = 0; i < 100; i += 1) rig.record(callRecord({ at: NOW - i * MINUTE }));
    expect(state.merges).toBeGreaterThanOrEqual(2);
  });

  it('of a slow store runs once at a time, and calls go on meanwhile', async () => {
    const { state, store } = brittleStore();
    state.mode = 'waits';
    const rig = rigOf({ store });
    for (let i = 0; i < 5; i += 1) {
      rig.record(callRecord({ at: rig.clock.now }));
      rig.clock.now += MINUTE;
    }
    const reading = read(rig, 'total');
    expect([state.merges, state.running]).toEqual([1, 1]);
    state.mode = 'ok';
    state.end();
    expect(callsOf(await reading)).toBe(5);
    expect(state.merges).toBe(2);
  });

  it('is part of closing, and the store is closed after it', async () => {
    const { state, store } = brittleStore();
    const mergesAtClose: number[] = [];
    const rig = rigOf({ store: { ...store, close: () => void mergesAtClose.push(state.merges) } });
    rig.record(callRecord());
    await rig.ledger.close();
    expect(mergesAtClose).toEqual([1]);
  });

  it('is in buckets of the widths that the store has, the finest first', () => {
    const given: Cell[] = [];
    const resolutions = [10_000, 20_000].map((bucketMs) => ({ bucketMs, retentionMs: DAY }));
    const rig = rigOf({
      store: { ...memoryStore(), resolutions, merge: (cells) => void given.push(...cells) },
    });
    rig.record(callRecord(), callRecord({ at: NOW - 1 }), callRecord({ at: NOW - 10_000 }));
    void rig.ledger.flush();
    const totals = given.filter(({ family }) => family === 'total');
    const found = totals.map(({ bucketMs, at, sums }) => [bucketMs, at - NOW, sums[SUM.calls]]);
    expect(found).toEqual([
      [10_000, 0, 1],
      [10_000, -10_000, 2],
      [20_000, -10_000, 1],
      [20_000, -10_000, 2],
    ]);
  });
});

describe('a store that fails', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: anyCall(4, 4, 20 * MINUTE).map((call) => ({ call })) },
    { weight: 2, arbitrary: fc.nat(3).map((minutes) => ({ minutes })) },
    {
      weight: 2,
      arbitrary: fc.constantFrom<Mode>('ok', 'throws', 'rejects').map((mode) => ({ mode })),
    },
    { weight: 1, arbitrary: fc.constant({ flush: true }) },
  );

  it('and recovers has lost nothing and counts nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { state, store } = brittleStore();
        const rig = rigOf({ store, caps: { features: 3, users: 3 } });
        const recorded = [];
        for (const each of steps) {
          if ('call' in each) {
            rig.record(each.call);
            recorded.push(each.call);
          } else if ('minutes' in each) rig.clock.now += each.minutes * MINUTE;
          else if ('mode' in each) state.mode = each.mode;
          else await rig.ledger.flush();
        }
        await settle();
        state.mode = 'ok';
        for (const family of EVERY) {
          expect(exactOfCells(await read(rig, family))).toEqual(exactOfCalls(recorded));
        }
        expect(rig.health.report().dropped).toEqual({});
      }),
      { numRuns: 60 },
    );
  });

  it('while it is merging leaves also the calls of that time', async () => {
    const { state, store } = brittleStore();
    const rig = rigOf({ store });
    state.mode = 'waits';
    rig.record(callRecord());
    const flushed = rig.ledger.flush();
    rig.record(callRecord(), callRecord());
    state.end(new Error('lost connection'));
    await flushed;
    state.mode = 'ok';
    expect(callsOf(await read(rig, 'total'))).toBe(3);
    expect(rig.health.report().faults).toEqual({
      'ledger.flush': { count: 1, lastMessage: 'Error: lost connection' },
    });
  });

  it('is told of as many names as any other, however many came meanwhile', async () => {
    const { state, store } = brittleStore();
    const rig = rigOf({ store, caps: { features: 2, users: 2 } });
    const users = (from: number) =>
      Array.from({ length: 4 }, (_, i) => costing(from + i, { userId: `user-${from + i}` }));
    state.mode = 'waits';
    rig.record(...users(0));
    const flushed = rig.ledger.flush();
    rig.record(...users(4));
    state.end(new Error('lost connection'));
    await flushed;
    state.mode = 'ok';
    const cells = await read(rig, 'user-model');
    expect(cells.map(({ key }) => key[0]).sort()).toEqual(['(other)', 'user-6', 'user-7']);
    expect(callsOf(cells)).toBe(8);
  });

  it('for good is asked once a minute, and holds a bounded number of minutes', async () => {
    const { state, store } = brittleStore();
    state.mode = 'throws';
    const rig = rigOf({ store });
    for (let minute = 0; minute < 300; minute += 1) {
      rig.clock.now = NOW + minute * MINUTE;
      const call = callRecord({ at: rig.clock.now });
      rig.record(call, call, call);
    }
    expect(state.merges).toBeLessThanOrEqual(300);
    const { dropped, faults } = rig.health.report();
    expect(dropped).toEqual({ 'ledger.calls': 3 * (300 - 240) });
    expect(faults['ledger.flush']?.count).toBe(state.merges);
    state.mode = 'ok';
    expect(callsOf(await read(rig, 'total', QUARTER))).toBe(3 * 240);
  });

  it.each<[string, () => void | Promise<void>]>([
    [
      'throws',
      () => {
        throw new Error('full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('full'))],
  ])('to keep a recent call (it %s) still has its figures', async (_, addCalls) => {
    const rig = rigOf({ store: { ...memoryStore(), addCalls } });
    rig.record(callRecord(), callRecord());
    expect((await rig.snapshot()).totals.calls).toBe(2);
    expect(rig.health.report().faults).toEqual({
      'ledger.addCalls': { count: 2, lastMessage: 'Error: full' },
    });
  });

  it('to read says so to whoever asked', async () => {
    const read = () => Promise.reject(new Error('no such table'));
    const rig = rigOf({ store: { ...memoryStore(), read } });
    await expect(rig.snapshot()).rejects.toThrow('no such table');
  });
});
