/** The SQLite store over every driver that is here: cells go in, add up, and come out as they were. */
import fc from 'fast-check';
import { createCell, SUM } from '../../src/cell.js';
import { memoryStore } from '../../src/stores/memory.js';
import {
  anyCall,
  callRecord,
  costing,
  exactOfCalls,
  exactOfCells,
  failed,
  MINUTE,
  NOW,
  QUARTER,
  rigOf,
} from '../state-fixture.js';
import {
  allCells,
  cellsFor,
  cleanUp,
  contentOf,
  drivers,
  EVERY,
  freshFile,
  storeAt,
} from './sqlite-fixture.js';
import { settle } from '../ledger-fixture.js';
import type { Cell } from '../../src/stores/store.js';

afterAll(cleanUp);

const HOUR = 60 * MINUTE;
const callsOf = (cells: readonly Cell[]) =>
  cells.reduce((sum, { sums }) => sum + (sums[SUM.calls] ?? NaN), 0);

it('has a driver to be tested with', () => {
  expect(drivers.length).toBeGreaterThan(0);
});

describe.each(drivers)('over %s', (driver) => {
  const fresh = () => storeAt(freshFile(), { driver });

  it('is named, knows its file, and keeps minutes and quarter-hours', () => {
    const file = freshFile();
    expect(storeAt(file, { driver })).toMatchObject({
      name: 'sqlite',
      file,
      driver,
      resolutions: [
        { bucketMs: MINUTE, retentionMs: 3 * HOUR },
        { bucketMs: QUARTER, retentionMs: 90 * 24 * HOUR },
      ],
    });
  });

  it('holds what memory holds, whatever came and in how many batches', async () => {
    const batches = fc.array(fc.array(anyCall(20, 10, HOUR), { minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(batches, async (some) => {
        const store = fresh();
        const memory = memoryStore();
        for (const calls of some) {
          const cells = await cellsFor(calls);
          await store.merge(cells, NOW);
          await memory.merge(cells, NOW);
        }
        expect(contentOf(await allCells(store))).toEqual(contentOf(await allCells(memory)));
        const total = await store.read({ from: 0, to: NOW, bucketMs: MINUTE, families: ['total'] });
        expect(exactOfCells(total)).toEqual(exactOfCalls(some.flat()));
        await store.close();
      }),
      { numRuns: 25 },
    );
  });

  it('holds the same whatever the order in which batches came', async () => {
    const batches = await Promise.all(
      [1, 2, 3, 4].map((seed) => cellsFor(fc.sample(anyCall(5, 3, HOUR), { numRuns: 20, seed }))),
    );
    const contents: string[][] = [];
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const store = fresh();
      for (const i of order) await store.merge(batches[i]!, NOW, `batch-${i}`);
      contents.push(contentOf(await allCells(store)));
    }
    expect(contents[1]).toEqual(contents[0]);
    expect(contents[2]).toEqual(contents[0]);
  });

  it('keeps every name apart, also those that are no valid text', async () => {
    const names = [
      'Ω',
      '日本語',
      '\u{1f600}',
      '\ud800',
      '\ud801',
      '\0',
      '"\\\n\t',
      '__proto__',
      '',
    ];
    const cells = await cellsFor([
      ...names.map((name) => callRecord({ userId: name, feature: name, model: name })),
      callRecord({ serviceTier: null, speed: 'fast', inferenceGeo: 'us' }),
      failed(null),
    ]);
    const store = fresh();
    await store.merge(cells, NOW);
    expect(contentOf(await allCells(store))).toEqual(contentOf(cells));
    await store.merge(cells, NOW);
    const users = await store.read({
      from: 0,
      to: NOW,
      bucketMs: MINUTE,
      families: ['user-model'],
    });
    expect(new Set(users.map(({ key }) => key[0])).size).toBe(names.length + 1);
  });

  it('adds money beyond 2⁵³ nano-dollars without losing one', async () => {
    const store = fresh();
    const calls = Array.from({ length: 40 }, (_, i) => costing(7_999_999_999_999_999 - i));
    for (const call of calls) await store.merge(await cellsFor([call]), NOW);
    const [total] = await store.read({ from: 0, to: NOW, bucketMs: QUARTER, families: ['total'] });
    expect(exactOfCells([total!])).toEqual(exactOfCalls(calls));
  });

  it('is read by range, resolution and family: `from` inclusive, `to` exclusive', async () => {
    const store = fresh();
    const start = Math.floor(NOW / MINUTE) * MINUTE;
    const calls = [0, 1, 2, 3, 4].map((i) => callRecord({ at: start + i * MINUTE }));
    await store.merge(await cellsFor(calls, start + HOUR), NOW);
    const range = { from: start + MINUTE, to: start + 4 * MINUTE };
    const total = await store.read({ ...range, bucketMs: MINUTE, families: ['total'] });
    expect(total.map(({ at }) => at - start)).toEqual([MINUTE, 2 * MINUTE, 3 * MINUTE]);
    expect(await store.read({ ...range, bucketMs: MINUTE, families: EVERY })).toHaveLength(12);
    expect(await store.read({ ...range, bucketMs: QUARTER, families: EVERY })).toEqual([]);
    expect(await store.read({ ...range, bucketMs: 12_345, families: EVERY })).toEqual([]);
    expect(await store.read({ ...range, bucketMs: MINUTE, families: [] })).toEqual([]);
  });

  it('leaves out cells of a width that it does not keep', async () => {
    const store = fresh();
    await store.merge([createCell('total', 12_345, 0, ['', ''])], NOW);
    expect(await store.read({ from: 0, to: 1, bucketMs: 12_345, families: EVERY })).toEqual([]);
  });

  it('copies what it keeps', async () => {
    const store = fresh();
    const cell = createCell('user-model', MINUTE, NOW - (NOW % MINUTE), ['ada', 'm']);
    cell.sums[SUM.calls] = 1;
    await store.merge([cell], NOW);
    cell.sums[SUM.calls] = 100;
    expect(callsOf(await allCells(store))).toBe(1);
  });

  it('counts a batch once, however often it is brought', async () => {
    const store = fresh();
    const small = await cellsFor([callRecord()]);
    const large = await cellsFor(manyUsers(300));
    for (let i = 0; i < 3; i += 1) {
      await store.merge(small, NOW, 'small');
      await store.merge(large, NOW, 'large');
    }
    await Promise.all([store.merge(large, NOW, 'twice'), store.merge(large, NOW, 'twice')]);
    await store.merge(small, NOW, 'other');
    expect(callsOf(await totals(store))).toBe(1 + 300 + 300 + 1);
  });

  it('adds a batch without a name each time', async () => {
    const store = fresh();
    const large = await cellsFor(manyUsers(300));
    await store.merge(large, NOW);
    await store.merge(large, NOW);
    expect(callsOf(await totals(store))).toBe(600);
  });

  it('shows all of a batch or nothing while it is being written', async () => {
    const store = fresh();
    const other = storeAt(store.file, { driver });
    let merging = true;
    const done = store
      .merge(await cellsFor(manyUsers(500)), NOW, 'large')
      .finally(() => (merging = false));
    const seen = new Set<string>();
    while (merging) {
      await settle();
      const counts = EVERY.map(async (family) => callsOf(await allCells(other, [family])));
      // Each reading is of one moment; four readings are of four.
      for (const count of await Promise.all(counts)) seen.add(String(count));
      const all = await allCells(other);
      seen.add(String(callsOf(all) / EVERY.length));
    }
    await done;
    expect([...seen].filter((count) => !['0', '500', '1000'].includes(count))).toEqual([]);
    expect(contentOf(await allCells(other))).toEqual(contentOf(await allCells(store)));
  });

  it('has after a restart what it had before, and adds to it', async () => {
    const file = freshFile();
    const calls = fc.sample(anyCall(10, 5, HOUR), { numRuns: 60, seed: 7 });
    const cells = await cellsFor(calls);
    const before = storeAt(file, { driver });
    await before.merge(cells, NOW, 'a');
    const content = contentOf(await allCells(before));
    await before.close();
    const after = storeAt(file, { driver });
    expect(contentOf(await allCells(after))).toEqual(content);
    await after.merge(cells, NOW, 'a');
    expect(contentOf(await allCells(after))).toEqual(content);
    await after.merge(cells, NOW, 'b');
    expect(exactOfCells(await totals(after))).toEqual(exactOfCalls([...calls, ...calls]));
  });

  it('works under a ledger: snapshots say the same as over memory', async () => {
    const calls = fc.sample(anyCall(10, 5, HOUR), { numRuns: 100, seed: 11 });
    const rig = rigOf({ store: fresh() });
    const memory = rigOf();
    rig.record(...calls);
    memory.record(...calls);
    for (const query of [{}, { rangeMs: 2 * HOUR, by: 'user' as const }]) {
      expect(await rig.snapshot(query)).toEqual(await memory.snapshot(query));
    }
    await rig.ledger.close();
  });

  function totals(store: Parameters<typeof allCells>[0]) {
    return store.read({ from: 0, to: NOW, bucketMs: MINUTE, families: ['total'] });
  }
});

function manyUsers(count: number) {
  return Array.from({ length: count }, (_, i) => callRecord({ userId: `user-${i}` }));
}
