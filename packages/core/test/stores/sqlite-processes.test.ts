/** Several real processes, one file: nothing is lost, and a process that is killed leaves whole batches. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SUM } from '../../src/cell.js';
import { MINUTE, NOW } from '../state-fixture.js';
import {
  allCells,
  cleanUp,
  drivers,
  EVERY,
  freshFile,
  programsOf,
  storeAt,
} from './sqlite-fixture.js';
import type { SqliteStore } from '../../src/stores/sqlite.js';
import type { Cell, Family } from '../../src/stores/store.js';

afterAll(cleanUp);

const AT = Math.floor(NOW / MINUTE) * MINUTE;
/** Cells of `count` users: a program's own copy of it makes the same. */
const CELLS = `
  const cellsOf = (count, from = 0) => ['total', 'user-model'].flatMap((family) =>
    Array.from({ length: count }, (_, i) => {
      const key = family === 'total' ? ['', ''] : ['user-' + (from + i), 'm'];
      const cell = core.createCell(family, ${MINUTE}, ${AT}, key);
      cell.sums[core.SUM.calls] = 1;
      cell.sums[core.SUM.nanoUsd] = 7;
      return cell;
    }));`;

async function sumsOf(store: SqliteStore, family: Family) {
  const cells = await allCells(store, [family]);
  const sum = (slot: number) => cells.reduce((all, { sums }: Cell) => all + sums[slot]!, 0);
  return { calls: sum(SUM.calls), nanoUsd: sum(SUM.nanoUsd) };
}

describe.each(drivers)('over %s', (driver) => {
  const run = programsOf(driver);

  it('two processes that write 1,000 batches each at once lose nothing', async () => {
    const file = freshFile();
    const source = `${CELLS}
      const store = core.sqliteStore({ file: args[0], driver, lockTimeoutMs: 60_000 });
      for (let i = 0; i < 1_000; i += 1) {
        await store.merge(cellsOf(3, i % 50), ${NOW}, args[1] + '-' + i);
        store.addCalls([{ id: args[1] + i, at: ${NOW}, model: 'm', feature: null, userId: null, outcome: 'ok' }]);
      }
      await store.close();`;
    const codes = await Promise.all(
      ['a', 'b'].map(async (name) => (await once(run(source, file, name), 'exit'))[0] as number),
    );
    expect(codes).toEqual([0, 0]);
    const store = storeAt(file, { driver });
    for (const family of ['total', 'user-model'] as const) {
      expect(await sumsOf(store, family)).toEqual({ calls: 6_000, nanoUsd: 42_000 });
    }
    expect(await store.calls({})).toMatchObject({ kept: 2_000, dropped: 0 });
  });

  it.each([2, 7, 13])(
    'a process that is killed in its work, after batch %i, leaves whole batches',
    async (count) => {
      const file = freshFile();
      const size = 400;
      const child = run(
        `${CELLS}
        const store = core.sqliteStore({ file: args[0], driver });
        for (let i = 0; ; i += 1) {
          const merged = store.merge(cellsOf(${size}, i), ${NOW}, 'batch-' + i);
          console.log(i);
          await merged;
        }`,
        file,
      );
      let begun = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        begun = Number(line);
        if (begun === count) child.kill('SIGKILL');
      }
      const store = storeAt(file, { driver });
      const total = await sumsOf(store, 'total');
      expect(total).toEqual(await sumsOf(store, 'user-model'));
      expect(total.calls % size).toBe(0);
      // What was told as merged is there; of the batches begun after it, one at most may be.
      expect(total.calls / size).toBeGreaterThanOrEqual(begun);
      expect(total.calls / size).toBeLessThanOrEqual(begun + 1);
      // The next process makes cells of what the killed one had staged, and loses nothing on the way.
      await store.merge([], NOW);
      expect(await sumsOf(store, 'total')).toEqual(total);
      expect(await sumsOf(store, 'user-model')).toEqual(total);
    },
  );

  it('a process with nothing left to do ends, although its store is open', async () => {
    const child = run(
      `${CELLS}
      const store = core.sqliteStore({ file: args[0], driver });
      await store.merge(cellsOf(2), ${NOW});
      store.addCalls([{ id: 'x', at: ${NOW}, model: 'm', feature: null, userId: null, outcome: 'ok' }]);`,
      freshFile(),
    );
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

it('knows the families that the programs write', () => {
  expect(EVERY).toEqual(expect.arrayContaining(['total', 'user-model']));
});
