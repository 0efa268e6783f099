import { addressesIn, anyCell, plainCell } from './cells.js';
import { expectThat, failureOf } from './expectation.js';
import { bookOf, expectCells } from './figures.js';
import {
  DAY,
  MINUTE,
  NOW,
  startOf,
  widthsOf,
  type Cases,
  type Opened,
  type Stage,
} from './stage.js';
import type { ContractCell } from './subject.js';

/** A batch that was brought is not added again, however often and by whom it is brought. */
export const batchCases: Cases = {
  async 'the same batch again adds nothing, whatever came between'(stage) {
    const { core, random } = stage;
    const opened = await stage.open();
    const batches = batchesOf(stage, opened, 12);
    for (const [name, cells] of batches) await opened.merge(cells, name);
    for (let i = 0; i < 40; i += 1) {
      const [name, cells] = random.pick(batches);
      await opened.merge(cells, name);
    }
    const book = bookOf(core, ...batches.map(([, cells]) => cells));
    expectCells(core, await opened.read(), book, '12 batches, each brought several times');
  },

  async 'names that differ by little are different batches'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const names = [
      'a-1',
      'a-10',
      'a-1 ',
      'A-1',
      'a-01',
      '__proto__',
      'constructor',
      `${'z'.repeat(48)}`,
    ];
    const cells = batchesOf(stage, opened, names.length).map(([, each]) => each);
    for (const [i, name] of names.entries()) await opened.merge(cells[i]!, name);
    for (const [i, name] of names.entries()) await opened.merge(cells[i]!, name);
    expectCells(core, await opened.read(), bookOf(core, ...cells), '8 batches, each brought twice');
  },

  async 'the same batch brought several times at once counts once'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const batches = batchesOf(stage, opened, 8);
    await Promise.all(
      [...batches, ...batches, ...batches].map(([name, cells]) => opened.merge(cells, name)),
    );
    const book = bookOf(core, ...batches.map(([, cells]) => cells));
    expectCells(core, await opened.read(), book, '8 batches, each brought three times at once');
  },

  async 'a batch is known for a day'(stage) {
    const { core, clock } = stage;
    const opened = await stage.open();
    const batches = batchesOf(stage, opened, 3);
    for (const [name, cells] of batches) await opened.merge(cells, name);
    const hourly: ContractCell[] = [];
    const width = Math.max(...widthsOf(opened.store));
    for (let hour = 1; hour < 24; hour += 1) {
      clock.now = NOW + hour * 60 * MINUTE;
      const at = startOf(clock.now, width);
      const cell = plainCell(core, { family: 'total', bucketMs: width, at, key: ['', ''] });
      hourly.push(cell);
      await opened.merge([cell], `hour-${hour}`);
    }
    clock.now = NOW + DAY - MINUTE;
    for (const [name, cells] of batches) await opened.merge(cells, name);
    const wide = (cell: ContractCell) => cell.bucketMs === width;
    const book = bookOf(core, ...batches.map(([, cells]) => cells.filter(wide)), hourly);
    const given = await opened.read({ bucketMs: width });
    expectCells(core, given, book, 'batches that were brought again 23:59 hours later');
  },

  async 'a batch that failed is added when it is brought again whole'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const [[name, cells]] = batchesOf(stage, opened, 1) as [[string, ContractCell[]]];
    const bad = { ...cells[0]!, sums: null as unknown as number[] };
    const failure = await failureOf(() => opened.merge([...cells.slice(0, 3), bad], name));
    expectThat(
      failure !== null,
      'a batch with a cell without sums: expected that merge rejects it',
    );
    for (let i = 0; i < 2; i += 1) await opened.merge(cells, name);
    expectCells(core, await opened.read(), bookOf(core, cells), 'a batch that failed at first');
  },
};

/** Batches by name, of cells that have some addresses in common. */
export function batchesOf(
  stage: Stage,
  opened: Opened,
  count: number,
): (readonly [string, ContractCell[]])[] {
  const { core, random } = stage;
  const addresses = addressesIn(stage, opened);
  return Array.from({ length: count }, (_, i) => {
    const cells = random.shuffled(addresses).slice(0, 6);
    return [`7f3e-${i.toString(36)}`, cells.map((each) => anyCell(core, random, each))] as const;
  });
}
