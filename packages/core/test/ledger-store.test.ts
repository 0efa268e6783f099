/** From cells to the store: nothing lost, nothing counted twice, whatever the store does. */
import fc from 'fast-check';
import { SUM } from '../src/cell.js';
import { memoryStore } from '../src/stores/memory.js';
import { brittleStore, callsOf, EVERY, read, settle, type Mode } from './ledger-fixture.js';
import {
  anyCall,
  callRecord,
  DAY,
  exactOfCalls,
  exactOfCells,
  MINUTE,
  NOW,
  QUARTER,
  rigOf,
} from './state-fixture.js';
import type { Cell, Store } from '../src/stores/store.js';

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

  it('is brought the same batch again under the same name, and then what came meanwhile', async () => {
    const { state, store } = brittleStore();
    const rig = rigOf({ store });
    state.mode = 'waits';
    rig.record(callRecord({ userId: 'ada' }));
    const flushed = rig.ledger.flush();
    rig.record(callRecord({ userId: 'bob' }));
    state.end(new Error('lost connection'));
    await flushed;
    state.mode = 'ok';
    await rig.ledger.flush();
    const [first, again, next] = state.batches;
    expect(state.batches).toHaveLength(3);
    expect(again).toEqual(first);
    expect(next?.name).not.toBe(first?.name);
    const users = (batch: typeof next) => new Set(batch?.cells.map(({ key }) => key[0]));
    expect(users(again)).toContain('ada');
    expect(users(again)).not.toContain('bob');
    expect(users(next)).toContain('bob');
  });

  it('whose answer was lost on its way counts nothing twice', async () => {
    const inner = memoryStore();
    const seen = new Set<string>();
    let isHeard = false;
    const store: Store = {
      ...inner,
      async merge(cells, now, name = '') {
        if (!seen.has(name)) await inner.merge(cells, now);
        seen.add(name);
        if (!isHeard) throw new Error('timed out');
      },
    };
    const rig = rigOf({ store });
    rig.record(callRecord());
    await rig.ledger.flush();
    rig.record(callRecord());
    await rig.ledger.flush();
    isHeard = true;
    expect(callsOf(await read(rig, 'total'))).toBe(2);
    expect(seen.size).toBe(2);
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
    // The first minute is the batch that the store was brought; 240 wait behind it.
    expect(dropped).toEqual({ 'ledger.calls': 3 * (300 - 241) });
    expect(faults['ledger.flush']?.count).toBe(state.merges);
    state.mode = 'ok';
    expect(callsOf(await read(rig, 'total', QUARTER))).toBe(3 * 241);
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
