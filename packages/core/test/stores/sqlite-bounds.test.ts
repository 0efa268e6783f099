/** Nothing in the file grows for ever: buckets go when they are old, names when they are too many. */
import { statSync } from 'node:fs';
import { createCell, OTHER, SUM } from '../../src/cell.js';
import {
  callRecord,
  costing,
  DAY,
  exactOfCalls,
  exactOfCells,
  MINUTE,
  NOW,
  QUARTER,
} from '../state-fixture.js';
import {
  allCells,
  cellsFor,
  cleanUp,
  contentOf,
  drivers,
  freshFile,
  inside,
  storeAt,
} from './sqlite-fixture.js';
import type { Cell, Family, Store } from '../../src/stores/store.js';

afterAll(cleanUp);

const HOUR = 60 * MINUTE;
const startOf = (time: number, width: number) => Math.floor(time / width) * width;
const namesOf = (cells: readonly Cell[]) => new Set(cells.map(({ key }) => key[0]));
const read = (store: Store, bucketMs: number, families: readonly Family[]) =>
  store.read({ from: 0, to: Infinity, bucketMs, families });

/** A total of one call in the bucket that has this time. */
function totalAt(time: number, bucketMs: number): Cell {
  const cell = createCell('total', bucketMs, startOf(time, bucketMs), ['', '']);
  cell.sums[SUM.calls] = 1;
  return cell;
}

describe.each(drivers)('over %s', (driver) => {
  const rowsIn = (file: string, table: string) =>
    inside(driver, file, (db) => db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)!.n);

  describe('time', () => {
    it('takes minutes and quarter-hours when they are older than they are kept for', async () => {
      const store = storeAt(freshFile(), {
        driver,
        minuteRetentionMs: HOUR,
        historyRetentionMs: 5 * HOUR,
      });
      const times = Array.from({ length: 40 }, (_, i) => NOW - i * QUARTER);
      const cells = times.flatMap((time) => [totalAt(time, MINUTE), totalAt(time, QUARTER)]);
      await store.merge(cells, NOW);
      const ages = async (width: number) =>
        (await read(store, width, ['total'])).map(({ at }) => startOf(NOW, width) - at);
      expect(Math.max(...(await ages(MINUTE)))).toBe(HOUR);
      expect(Math.max(...(await ages(QUARTER)))).toBe(5 * HOUR);
      expect(await ages(QUARTER)).toHaveLength(21);
    });

    it('takes a little each minute: a clock that jumps a year ahead and back costs little', async () => {
      const store = storeAt(freshFile(), { driver });
      const cells = Array.from({ length: 500 }, (_, i) => totalAt(NOW - i * QUARTER, QUARTER));
      await store.merge(cells, NOW);
      await store.merge([], NOW + 365 * DAY);
      await store.merge([], NOW + MINUTE);
      const left = await read(store, QUARTER, ['total']);
      expect(left).toHaveLength(500 - 64);
      expect(Math.max(...left.map(({ at }) => at))).toBe(startOf(NOW, QUARTER));
      for (let i = 1; i <= 8; i += 1) await store.merge([], NOW + 365 * DAY + i * MINUTE);
      expect(await read(store, QUARTER, ['total'])).toEqual([]);
    });

    it('takes nothing from a clock that was set back to 1970', async () => {
      const store = storeAt(freshFile(), { driver });
      const cells = [totalAt(NOW, MINUTE), totalAt(NOW, QUARTER)];
      await store.merge(cells, NOW);
      for (let i = 0; i < 5; i += 1) await store.merge([], i * MINUTE);
      expect(contentOf(await allCells(store))).toEqual(contentOf(cells));
    });

    it('takes the names of batches after a day, and what a dead process had staged', async () => {
      const store = storeAt(freshFile(), { driver });
      await store.merge([totalAt(NOW, MINUTE)], NOW, 'old');
      inside(driver, store.file, (db) => {
        db.run('INSERT INTO staged (batch, part, at, rows) VALUES (?, 0, ?, ?)', 'dead', NOW, 'x');
      });
      await store.merge([totalAt(NOW, MINUTE)], NOW + DAY, 'new');
      expect(rowsIn(store.file, 'batches')).toBe(2);
      expect(rowsIn(store.file, 'staged')).toBe(1);
      await store.merge([], NOW + DAY + MINUTE);
      expect(rowsIn(store.file, 'batches')).toBe(1);
      expect(rowsIn(store.file, 'staged')).toBe(0);
    });

    it('gives the room back to the disk', async () => {
      const store = storeAt(freshFile(), { driver });
      const calls = Array.from({ length: 1_500 }, (_, i) => callRecord({ userId: `user-${i}` }));
      for (let i = 0; i < 8; i += 1) {
        const now = NOW + i * QUARTER;
        const some = calls.map((call) => ({ ...call, at: now }));
        await store.merge(await cellsFor(some, now), now);
      }
      const checkpoint = () =>
        inside(driver, store.file, (db) => db.all('PRAGMA wal_checkpoint(TRUNCATE)'));
      checkpoint();
      const full = statSync(store.file).size;
      const later = NOW + 91 * DAY;
      for (let i = 0; i < 20; i += 1) await store.merge([], later + i * MINUTE);
      expect(await allCells(store)).toEqual([]);
      expect(rowsIn(store.file, 'cells')).toBe(0);
      checkpoint();
      expect(full).toBeGreaterThan(4_000_000);
      expect(statSync(store.file).size).toBeLessThan(1_500_000);
    });
  });

  describe('names', () => {
    it('of a bucket are folded at twice the cap: the heaviest stay, and every sum', async () => {
      const store = storeAt(freshFile(), { driver });
      const calls = Array.from({ length: 4_000 }, (_, i) =>
        costing(i % 100 === 37 ? 1_000_000 + i : 10, {
          userId: `user-${i}`,
          feature: `feature-${i % 1_000}`,
        }),
      );
      for (let i = 0; i < calls.length; i += 500) {
        // A process of its own each time: one alone would have folded them before.
        await store.merge(await cellsFor(calls.slice(i, i + 500)), NOW + i * MINUTE);
      }
      await store.merge([], NOW + 10_000 * MINUTE);
      for (const family of ['user-model', 'user-feature', 'feature-model'] as const) {
        const cells = await read(store, QUARTER, [family]);
        expect(exactOfCells(cells)).toEqual(exactOfCalls(calls));
        const names = namesOf(cells);
        expect(names.size).toBeLessThanOrEqual(family === 'feature-model' ? 801 : 2_001);
        expect(names.has(OTHER)).toBe(true);
      }
      const heavy = calls.filter((_, i) => i % 100 === 37).map(({ userId }) => userId!);
      const users = namesOf(await read(store, QUARTER, ['user-model']));
      expect(heavy.filter((name) => !users.has(name))).toEqual([]);
    });

    it('of a user are kept or folded as a whole: models and features add up to the same', async () => {
      const store = storeAt(freshFile(), { driver });
      for (let i = 0; i < 3; i += 1) {
        const calls = Array.from({ length: 450 * 3 }, (_, k) =>
          costing(k, {
            userId: `user-${i}-${k % 450}`,
            feature: `f-${k % 3}`,
            model: `m-${k % 2}`,
          }),
        );
        await store.merge(await cellsFor(calls), NOW + i * MINUTE);
      }
      await store.merge([], NOW + HOUR);
      const byName = async (family: Family) => {
        const sums = new Map<string, number>();
        for (const { key, sums: slots } of await read(store, QUARTER, [family])) {
          sums.set(key[0], (sums.get(key[0]) ?? 0) + slots[SUM.nanoUsd]!);
        }
        return sums;
      };
      expect(await byName('user-model')).toEqual(await byName('user-feature'));
    });

    it('stay when they are few, however often the bucket is looked at', async () => {
      const store = storeAt(freshFile(), { driver });
      const calls = Array.from({ length: 700 }, (_, i) =>
        callRecord({ userId: `user-${i % 350}`, feature: `f-${i % 7}`, model: `m-${i % 4}` }),
      );
      const cells = await cellsFor(calls);
      for (let i = 0; i < 4; i += 1) await store.merge(cells, NOW + i * MINUTE);
      const users = namesOf(await read(store, QUARTER, ['user-model']));
      expect(users.size).toBe(350);
    });
  });

  it('a file of more than maxBytes keeps the new names, and every sum of the old', async () => {
    const store = storeAt(freshFile(), { driver, maxBytes: 4_000_000 });
    const calls = Array.from({ length: 24 }, (_, i) =>
      Array.from({ length: 400 }, (__, k) =>
        costing(10 + k, {
          at: NOW + i * QUARTER,
          userId: `user-${i}-${k}`,
          feature: `f-${k % 40}`,
        }),
      ),
    );
    for (const [i, some] of calls.entries()) {
      const now = NOW + i * QUARTER;
      await store.merge(await cellsFor(some, now), now, `batch-${i}`);
    }
    const last = NOW + calls.length * QUARTER;
    for (let i = 0; i < 30; i += 1) await store.merge([], last + i * MINUTE);
    const used = inside(driver, store.file, (db) => {
      db.all('PRAGMA wal_checkpoint(TRUNCATE)');
      return db.get<{ bytes: number }>(
        `SELECT (page_count - freelist_count) * page_size AS bytes
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
      )!.bytes;
    });
    expect(used).toBeLessThanOrEqual(4_000_000);
    for (const family of ['total', 'user-model', 'user-feature', 'feature-model'] as const) {
      const cells = await read(store, QUARTER, [family]);
      expect(exactOfCells(cells)).toEqual(exactOfCalls(calls.flat()));
    }
    const users = await read(store, QUARTER, ['user-model']);
    const namesAt = (i: number) =>
      users.filter(({ at }) => at === startOf(NOW + i * QUARTER, QUARTER)).length;
    expect(namesAt(0)).toBeLessThan(100);
    expect(namesAt(23)).toBe(400);
  });
});
