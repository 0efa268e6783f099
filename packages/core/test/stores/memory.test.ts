/** The memory store: what it keeps, for how long, and that it is bounded in every direction. */
import fc from 'fast-check';
import { createBucket, DEFAULT_CAPS, mergeIntoBucket } from '../../src/bucket.js';
import { createCell, SUM } from '../../src/cell.js';
import { memoryStore, type MemoryStoreOptions } from '../../src/stores/memory.js';
import { pack } from '../../src/stores/packed.js';
import { sketchToJSON } from '../../src/sketch.js';
import {
  anyCall,
  callRecord,
  costing,
  DAY,
  exactOfCalls,
  exactOfCells,
  failed,
  MINUTE,
  NOW,
  QUARTER,
  rigOf,
} from '../state-fixture.js';
import type { Cell, Family, Store } from '../../src/stores/store.js';

const HOUR = 60 * MINUTE;
const ALL: readonly Family[] = ['total', 'feature-model', 'user-model', 'user-feature'];
const ALWAYS = { from: 0, to: Infinity };

async function cellsOf(store: Store, bucketMs = MINUTE, families = ALL): Promise<readonly Cell[]> {
  return store.read({ ...ALWAYS, bucketMs, families });
}

/** Everything the cells say, in an order of its own: an open bucket has another than a packed one. */
function contentOf(cells: readonly Cell[]): unknown[] {
  const rows = cells.map(({ sketches, ...cell }) =>
    JSON.stringify([cell, sketches && Object.values(sketches).map(sketchToJSON)]),
  );
  return rows.sort();
}

const callsOf = (cells: readonly Cell[]) =>
  cells.reduce((sum, { sums }) => sum + (sums[SUM.calls] ?? NaN), 0);

/** Bytes of the buckets before `now`, as the store weighs them when it packs them. */
async function packedBytes(store: Store, now: number): Promise<number> {
  let bytes = 0;
  for (const { bucketMs } of store.resolutions) {
    const buckets = new Map<number, ReturnType<typeof createBucket>>();
    for (const cell of await cellsOf(store, bucketMs)) {
      if (cell.at + bucketMs + MINUTE > now) continue;
      const bucket = buckets.get(cell.at) ?? createBucket(cell.at, bucketMs, DEFAULT_CAPS);
      buckets.set(cell.at, bucket);
      mergeIntoBucket(bucket, cell);
    }
    for (const bucket of buckets.values()) bytes += pack(bucket).size;
  }
  return bytes;
}

/** A rig over a memory store that has seen `minutes` minutes of `perMinute` users each. */
async function busy(minutes: number, perMinute: number, options: MemoryStoreOptions = {}) {
  const rig = rigOf({ store: memoryStore(options) });
  for (let minute = 0; minute < minutes; minute += 1) {
    rig.clock.now = NOW + minute * MINUTE;
    for (let i = 0; i < perMinute; i += 1) {
      const number = minute * perMinute + i;
      // Every hundredth user, wherever it comes, is a heavy one.
      const heavy = number % 100 === 37;
      const userId = `${heavy ? 'heavy' : 'light'}-${number}`;
      rig.ledger.record(costing(heavy ? 1_000_000 : 10, { at: rig.clock.now, userId }));
    }
  }
  rig.clock.now += 20 * MINUTE;
  rig.ledger.record(costing(0, { at: rig.clock.now, userId: 'last' }));
  await rig.ledger.flush();
  return rig;
}

describe('what it keeps', () => {
  it('are minutes for 3 hours and quarter-hours for 30 days, unless told', () => {
    expect(memoryStore()).toMatchObject({
      name: 'memory',
      resolutions: [
        { bucketMs: MINUTE, retentionMs: 3 * HOUR },
        { bucketMs: QUARTER, retentionMs: 30 * DAY },
      ],
    });
    const shorter = memoryStore({ minuteRetentionMs: HOUR, historyRetentionMs: DAY });
    expect(shorter.resolutions.map(({ retentionMs }) => retentionMs)).toEqual([HOUR, DAY]);
  });

  it('is a copy: cells that change afterwards change nothing', async () => {
    const store = memoryStore();
    const cell = createCell('user-model', MINUTE, 0, ['ada', 'm']);
    cell.sums[SUM.calls] = 1;
    await store.merge([cell], 0);
    cell.sums[SUM.calls] = 100;
    expect(callsOf(await cellsOf(store))).toBe(1);
    await store.merge([cell], 0);
    expect(callsOf(await cellsOf(store))).toBe(101);
  });

  it('is read by range, resolution and family: `from` inclusive, `to` exclusive', async () => {
    const rig = await busy(5, 1);
    const start = Math.floor(NOW / MINUTE) * MINUTE;
    const range = { from: start + MINUTE, to: start + 4 * MINUTE };
    const read = (bucketMs: number, families = ALL) =>
      rig.store.read({ ...range, bucketMs, families }) as readonly Cell[];
    const total = read(MINUTE, ['total']);
    expect(total.map(({ at }) => at - start)).toEqual([MINUTE, 2 * MINUTE, 3 * MINUTE]);
    expect(read(MINUTE)).toHaveLength(4 * 3);
    expect(read(QUARTER)).toEqual([]);
    expect(read(12_345)).toEqual([]);
  });

  it('is the same whether its buckets are open or packed, to the last digit', async () => {
    const names = ['Ω', '日本語', '\u{1f600}', '\ud800', '"\\\n', '__proto__', 'é', ''];
    const calls = fc.array(anyCall(20, 10), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(calls, async (some) => {
        const rig = rigOf();
        rig.record(...some, ...names.map((userId) => callRecord({ userId, feature: userId })));
        rig.record(callRecord({ model: '日本', serviceTier: null, speed: 'fast' }), failed(null));
        await rig.ledger.flush();
        const open = contentOf(await cellsOf(rig.store));
        await rig.store.merge([], NOW + HOUR);
        expect(contentOf(await cellsOf(rig.store))).toEqual(open);
      }),
      { numRuns: 30 },
    );
  });

  it('adds late calls to the bucket that was packed long ago', async () => {
    const calls = [callRecord(), callRecord({ userId: 'late', callMs: 7_200_000 })];
    const rig = rigOf();
    rig.record(calls[0]!);
    rig.clock.now = NOW + 2 * HOUR;
    rig.record(callRecord({ at: rig.clock.now }), calls[1]!);
    await rig.ledger.flush();
    for (const bucketMs of [MINUTE, QUARTER]) {
      const at = Math.floor(NOW / bucketMs) * bucketMs;
      for (const family of ALL) {
        const query = { from: at, to: at + 1, bucketMs, families: [family] };
        expect(exactOfCells(await rig.store.read(query))).toEqual(exactOfCalls(calls));
      }
    }
  });
});

describe('time', () => {
  it('takes minutes after their retention, and leaves the quarter-hours', async () => {
    const rig = rigOf({ store: memoryStore({ minuteRetentionMs: 10 * MINUTE }) });
    for (let minute = 0; minute < 40; minute += 1) {
      rig.clock.now = NOW + minute * MINUTE;
      rig.record(callRecord({ at: rig.clock.now }));
    }
    await rig.ledger.flush();
    const minutes = await cellsOf(rig.store, MINUTE, ['total']);
    expect(Math.min(...minutes.map(({ at }) => at))).toBeGreaterThanOrEqual(NOW + 27 * MINUTE);
    expect(minutes.length).toBeGreaterThanOrEqual(10);
    expect(callsOf(await cellsOf(rig.store, QUARTER, ['total']))).toBe(40);
  });

  it('takes everything after the retention of history, also of an application that idled', async () => {
    const rig = rigOf({ store: memoryStore({ historyRetentionMs: DAY }) });
    rig.record(callRecord());
    await rig.ledger.flush();
    await rig.store.merge([], NOW + DAY);
    expect(await cellsOf(rig.store, QUARTER, ['total'])).toHaveLength(1);
    await rig.store.merge([], NOW + DAY + QUARTER);
    expect(await cellsOf(rig.store, QUARTER)).toEqual([]);
    expect(await cellsOf(rig.store, MINUTE)).toEqual([]);
  });

  it('that jumps a day ahead and back takes nothing', async () => {
    const rig = await busy(10, 1);
    const before = contentOf(await cellsOf(rig.store));
    await rig.store.merge([], rig.clock.now + DAY);
    await rig.store.merge([], rig.clock.now);
    expect(contentOf(await cellsOf(rig.store))).toEqual(before);
  });

  it('of a wrong future goes first when there is no room', async () => {
    const store = memoryStore({ minuteRetentionMs: 5 * MINUTE });
    const start = Math.floor(NOW / MINUTE) * MINUTE;
    const cellAt = (at: number) => createCell('total', MINUTE, at, ['', '']);
    const ats = [0, 1, 2, 3, 4, 500, 600].map((minute) => start + minute * MINUTE);
    await store.merge(ats.map(cellAt), start + 10 * MINUTE);
    expect((await cellsOf(store)).map(({ at }) => at)).toEqual(ats.slice(0, 5));
  });
});

describe('its bounds', () => {
  it('keep the sums of a long history when names and percentiles have to go', async () => {
    const rig = rigOf({ store: memoryStore({ maxBytes: 1_000_000 }) });
    for (let i = 0; i < 6_000; i += 1) {
      rig.clock.now = NOW + Math.floor(i / 10) * QUARTER;
      const names = { feature: `f${i % 5}`, model: `m${i % 2}`, callMs: 100 + 37 * i };
      rig.record(costing(1, { at: rig.clock.now, ...names }));
    }
    expect((await rig.snapshot({ rangeMs: 7 * DAY })).totals.calls).toBe(6_000);
  });

  it('keep the names of the last hours longest', async () => {
    const rig = rigOf({ store: memoryStore({ maxBytes: 1_000_000 }) });
    for (let i = 0; i < 6_000; i += 1) {
      rig.clock.now = NOW + Math.floor(i / 10) * QUARTER;
      rig.record(costing(1, { at: rig.clock.now, feature: `f${i % 5}` }));
    }
    const { byFeature } = await rig.snapshot({ rangeMs: DAY });
    const named = byFeature.filter(({ key }) => key !== '(other)');
    expect(named.map(({ key }) => key).sort()).toEqual(['f0', 'f1', 'f2', 'f3', 'f4']);
  });

  it('hold 30,000 users in a quarter of an hour to the cap, the heaviest kept, sums exact', async () => {
    const rig = await busy(10, 3_000);
    const minutes = await cellsOf(rig.store, MINUTE, ['user-model']);
    const quarter = await cellsOf(rig.store, QUARTER, ['user-model']);
    expect(minutes.length).toBeLessThanOrEqual(10 * (2 * DEFAULT_CAPS.users + 1) + 1);
    expect(quarter.length).toBeLessThanOrEqual(2 * DEFAULT_CAPS.users + 2);
    for (const cells of [minutes, quarter]) {
      expect(callsOf(cells)).toBe(30_001);
      expect(exactOfCells(cells)['nanoUsd']).toBe(300n * 1_000_000n + 29_700n * 10n);
      expect(cells.filter(({ key }) => key[0].startsWith('heavy-'))).toHaveLength(300);
    }
  });

  it('weigh text at a byte a character, whatever alphabet the names are in', () => {
    const bucket = createBucket(0, MINUTE, DEFAULT_CAPS);
    mergeIntoBucket(bucket, createCell('user-model', MINUTE, 0, ['日本語', '\u{1f600}']));
    const text = [...pack(bucket).texts.values()].join('');
    expect(text).toContain('\\u65e5');
    expect(Buffer.byteLength(text)).toBe(pack(bucket).size);
  });

  it('hold all packed buckets below maxBytes, with exact sums and the heaviest kept', async () => {
    const maxBytes = 1_000_000;
    const [bounded, free] = [await busy(30, 1_000, { maxBytes }), await busy(30, 1_000)];
    expect(await packedBytes(free.store, free.clock.now)).toBeGreaterThan(3 * maxBytes);
    expect(await packedBytes(bounded.store, bounded.clock.now)).toBeLessThanOrEqual(maxBytes);
    for (const bucketMs of [MINUTE, QUARTER]) {
      for (const family of ALL) {
        const exact = exactOfCells(await cellsOf(free.store, bucketMs, [family]));
        expect(exact['calls']).toBe(30_001n);
        expect(exactOfCells(await cellsOf(bounded.store, bucketMs, [family]))).toEqual(exact);
      }
    }
    const users = await cellsOf(bounded.store, MINUTE, ['user-model']);
    const named = users.filter(({ key }) => key[0] !== '(other)');
    expect(named.filter(({ key }) => key[0].startsWith('heavy-'))).toHaveLength(300);
    expect(named.length).toBeLessThan(15_000);
  });

  it('keep the last calls, as many as asked for', async () => {
    const store = memoryStore({ maxCalls: 3 });
    await store.addCalls?.(['1', '2', '3', '4'].map((id) => callRecord({ id })));
    const page = await store.calls?.({});
    expect(page?.calls.map(({ id }) => id)).toEqual(['4', '3', '2']);
    expect(page).toMatchObject({ capacity: 3, dropped: 1 });
    expect(await memoryStore().calls?.({})).toMatchObject({ capacity: 1_000 });
  });

  it.each([
    [{ maxCalls: -1 }, 'options.maxCalls must be an integer from 0 to 1000000, got -1'],
    [{ maxBytes: 10 }, 'options.maxBytes must be an integer from 1000000 to 4000000000, got 10'],
    [{ minuteRetentionMs: 1 }, 'options.minuteRetentionMs must be an integer from 300000'],
    [{ historyRetentionMs: 0.5 }, 'options.historyRetentionMs must be an integer from 3600000'],
    [{ maxbytes: 1 }, 'there is no option "maxbytes"'],
  ])('are told at once when they cannot be: %j', (options, reason) => {
    expect(() => memoryStore(options as MemoryStoreOptions)).toThrow(TypeError);
    expect(() => memoryStore(options as MemoryStoreOptions)).toThrow(reason);
  });
});
