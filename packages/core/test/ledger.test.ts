/** From records to cells: nothing lost, nothing counted twice, whatever the clock does. */
import fc from 'fast-check';
import { blankCell, mergeCell, SUM } from '../src/cell.js';
import { memoryStore } from '../src/stores/memory.js';
import { callsOf, EVERY, read } from './ledger-fixture.js';
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
import type { Family } from '../src/stores/store.js';

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
