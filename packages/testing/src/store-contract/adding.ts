import { addressesIn, anyCell, cellAt, lineOf, LINES, plainCell, type Address } from './cells.js';
import { expectThat, show } from './expectation.js';
import { bookOf, expectCells, expectFigures, sumOf } from './figures.js';
import type { Cases } from './stage.js';
import type { ContractCell, ContractSketch } from './subject.js';

/** What comes in is what comes out: to the last digit, in any order and grouping. */

/** The bound of core is 48, and a line of `(other)` for each class. */
const MAX_LINES = 64;

export const addingCases: Cases = {
  async 'gives back exactly what it was brought: every sum, rare count, line and sketch'(stage) {
    const opened = await stage.open();
    const cells = addressesIn(stage, opened).map((each) => anyCell(stage.core, stage.random, each));
    const book = bookOf(stage.core, cells);
    await opened.merge(cells);
    expectCells(stage.core, await opened.read(), book, 'cells merged once');
  },

  async 'adds to what it has, whatever the order and the grouping'(stage) {
    const { core, random } = stage;
    const first = await stage.open();
    const addresses = addressesIn(stage, first);
    const cells = [...Array(6)].flatMap(() => addresses.map((each) => anyCell(core, random, each)));
    const book = bookOf(core, cells);
    for (const most of [1, 5, 40]) {
      const opened = most === 1 ? first : await stage.open();
      for (const group of random.grouped(random.shuffled(cells), most)) await opened.merge(group);
      const what = `${cells.length} cells, shuffled, up to ${most} in a merge`;
      expectCells(core, await opened.read(), book, what);
    }
  },

  async 'adds the same cells again, if they have no name or another'(stage) {
    const { core, random } = stage;
    const opened = await stage.open();
    const cells = addressesIn(stage, opened).map((each) => anyCell(core, random, each));
    for (const batch of [undefined, undefined, 'batch-1', 'batch-10']) {
      await opened.merge(cells, batch);
    }
    const book = bookOf(core, cells, cells, cells, cells);
    expectCells(core, await opened.read(), book, 'the same cells in four merges');
  },

  async 'keeps sums of money exact beyond 2^53 nano-dollars'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const rests = [999_999_999_999_999, 1, 999_999_999_999_998, 3, 500_000_000_000_001];
    const cells = addressesIn(stage, opened).flatMap((address) =>
      [...rests, ...rests, ...rests].map((nanoUsd, i) => {
        const cell = plainCell(core, address, { nanoUsd });
        cell.sums[core.SUM['nanoUsdCarry']!] = cell.amounts[2] = 12 * i;
        return cell;
      }),
    );
    const book = bookOf(core, cells);
    for (const cell of cells) await opened.merge([cell]);
    const given = await opened.read();
    expectCells(core, given, book, 'cells whose money passes 2^53 nano-dollars');
    const rest = Math.max(...given.map(({ sums }) => sums[core.SUM['nanoUsd']!] ?? NaN));
    expectThat(
      rest < 1e15,
      `nanoUsd: expected less than 1e15 beside a carry, the store gave ${rest}`,
    );
  },

  async 'counts every rare slot by itself, feedback included'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const [address] = addressesIn(stage, opened) as [Address];
    const cells = Array.from({ length: core.RARE.length }, (_, slot) => {
      const cell = cellAt(core, address);
      cell.rare = Array.from({ length: core.RARE.length }, (_, i) => (i === slot ? slot + 1 : 0));
      return cell;
    });
    const book = bookOf(core, cells);
    for (const cell of cells) await opened.merge([cell]);
    expectCells(core, await opened.read(), book, 'a cell for each rare slot, added to one');
  },

  async 'keeps lines apart by everything that they were priced by'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const cells = addressesIn(stage, opened).flatMap((address) =>
      [...LINES, ...LINES].map((line, i) => plainCell(core, address, { nanoUsd: i + 1, line })),
    );
    const book = bookOf(core, cells);
    for (const group of stage.random.grouped(cells, 9)) await opened.merge(group);
    expectCells(core, await opened.read(), book, 'lines that differ in one thing each');
  },

  async 'keeps a bounded number of lines in a cell, and their sums exact'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const [address] = addressesIn(stage, opened) as [Address];
    const cells = [...Array(200).keys()].map((i) =>
      plainCell(core, address, { line: lineOf(`model-${i}`, 'output'), nanoUsd: 10 + i }),
    );
    for (let i = 0; i < cells.length; i += 20) await opened.merge(cells.slice(i, i + 20));
    const [given] = await opened.read();
    const lines = given?.lines.length ?? 0;
    expectThat(
      lines <= MAX_LINES,
      `lines of a cell of 200 models: expected ${MAX_LINES} at most, the store gave ${lines}`,
    );
    const bare = (cell: ContractCell) => sumOf(core, [{ ...cell, lines: [], amounts: [] }]);
    const quantity = given?.amounts.reduce((sum, each, i) => sum + (i % 3 === 0 ? each : 0), 0);
    const nanoUsd = given?.amounts.reduce((sum, each, i) => sum + (i % 3 === 1 ? each : 0), 0);
    const all = { ...plainCell(core, address, { calls: 200, nanoUsd: 21_900 }) };
    expectFigures(bare(given ?? cellAt(core, address)), bare(all), 'a cell of 200 models');
    expectThat(
      quantity === 200 && nanoUsd === 21_900,
      `lines of a cell of 200 models: expected 200 units and 21900 nano-dollars in all, the store ` +
        `gave ${quantity} and ${nanoUsd}`,
    );
  },

  async 'adds sketches bucket by bucket, with their bounds, zeros and what was ignored'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const address = addressesIn(stage, opened).find(
      ({ family }) => core.FAMILIES[family]?.sketches,
    );
    expectThat(address !== undefined, 'core: expected a family with sketches');
    const groups = [[100.125, 100.5, 101.0625], [], [200.75, Infinity], [0.001], [1e-300, 1e300]];
    groups.push(Array.from({ length: 60 }, (_, i) => 1_000 + 40 * i));
    groups.push([0, -5, NaN]);
    const cells: ContractCell[] = [];
    for (const values of groups) {
      const cell = cellAt(core, address);
      for (const sketch of Object.values(cell.sketches ?? {}) as ContractSketch[]) {
        for (const value of values) core.recordValue(sketch, value);
      }
      cells.push(cell);
      const book = bookOf(core, cells);
      await opened.merge([cell]);
      expectCells(core, await opened.read(), book, `sketches, up to those of ${show(values)}`);
    }
  },

  async 'merging nothing changes nothing'(stage) {
    const { core, random } = stage;
    const opened = await stage.open();
    await opened.merge([]);
    expectCells(core, await opened.read(), bookOf(core), 'a merge of no cells');
    const cells = addressesIn(stage, opened).map((each) => anyCell(core, random, each));
    await opened.merge(cells);
    await opened.merge([], 'nothing');
    expectCells(core, await opened.read(), bookOf(core, cells), 'cells, and a merge of none');
  },

  async 'gives cells that another store takes, and that add up to the same there'(stage) {
    const { core, random } = stage;
    const [from, to] = [await stage.open(), await stage.open()];
    const cells = addressesIn(stage, from).map((each) => anyCell(core, random, each));
    for (const group of random.grouped([...cells, ...cells], 7)) await from.merge(group);
    await to.merge(await from.read());
    await to.merge(await from.read());
    const book = bookOf(core, cells, cells, cells, cells);
    expectCells(core, await to.read(), book, 'what one store gave, brought to another twice');
  },
};
