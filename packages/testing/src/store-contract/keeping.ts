import { addressesIn, anyCell, plainCell } from './cells.js';
import { expectGiven, expectThat, expectWorks, failureOf, show } from './expectation.js';
import { bookOf, expectCells } from './figures.js';
import type { Cases } from './stage.js';
import type { ContractCell, ContractSketch } from './subject.js';

/** What is kept is the store's own: all cells of a merge or none, and nobody else's to change. */

export const keepingCases: Cases = {
  async 'keeps a copy: cells that change afterwards change nothing'(stage) {
    const { core, random } = stage;
    const opened = await stage.open();
    const brought: ContractCell[] = [];
    for (const time of ['first', 'second']) {
      const cells = addressesIn(stage, opened).map((each) => anyCell(core, random, each));
      brought.push(...structuredClone(cells));
      await opened.merge(cells);
      cells.forEach(spoil);
      const what = `cells that their owner changed after the ${time} merge`;
      expectCells(core, await opened.read(), bookOf(core, brought), what);
    }
  },

  async 'leaves the cells that it was brought as they are'(stage) {
    const { core, random } = stage;
    const opened = await stage.open();
    const cells = addressesIn(stage, opened).map((each) => anyCell(core, random, each));
    const copies = structuredClone(cells);
    for (let i = 0; i < 3; i += 1) await opened.merge(cells);
    cells.forEach((cell, i) => expectGiven(cell, copies[i], 'a cell that was merged three times'));
  },

  async 'reading changes nothing, nor does adding up what was read'(stage) {
    const { core, random } = stage;
    const opened = await stage.open();
    const cells = addressesIn(stage, opened).map((each) => anyCell(core, random, each));
    const book = bookOf(core, cells);
    await opened.merge(cells);
    for (let i = 1; i <= 3; i += 1) {
      const given = await opened.read();
      expectCells(core, given, book, `reading number ${i}`);
      expectCells(core, given, bookOf(core, given), `adding up reading number ${i}`);
    }
  },

  async 'takes all cells of a merge or none'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const [address] = addressesIn(stage, opened).filter(({ family }) => family !== 'total');
    expectThat(address !== undefined, 'core: expected a family with names');
    const expected: ContractCell[] = [];
    for (const [what, spoilt] of Object.entries(BAD)) {
      const good = [1, 2].map((i) => {
        const key = [`${what} ${i}`, 'good'] as const;
        return plainCell(core, { ...address, key }, { nanoUsd: i });
      });
      const bad = { ...plainCell(core, { ...address, key: ['bad', 'bad'] }), ...spoilt };
      const failure = await failureOf(() =>
        opened.merge([good[0]!, bad as ContractCell, good[1]!]),
      );
      if (failure === null) expected.push(...good);
      const outcome = failure === null ? 'took' : `refused (${show(failure)})`;
      const problem = `cells around one with ${what}, which the store ${outcome}`;
      const { bucketMs } = address;
      await expectWorks(() => opened.read({ bucketMs }), `reading ${problem}`);
      const given = (await opened.read({ bucketMs })).filter(({ key }) => key[1] === 'good');
      expectCells(core, given, bookOf(core, expected), problem);
    }
  },

  async 'a merge that was refused leaves what was there as it was'(stage) {
    const { core, random } = stage;
    const opened = await stage.open();
    const cells = addressesIn(stage, opened).map((each) => anyCell(core, random, each));
    await opened.merge(cells);
    const bad = { ...cells[cells.length - 1]!, lines: null, sums: null };
    const failure = await failureOf(() => opened.merge([...cells, bad as unknown as ContractCell]));
    expectThat(failure !== null, 'a cell without sums and lines: expected that merge refuses it');
    const book = bookOf(core, cells);
    expectCells(core, await opened.read(), book, 'cells, brought again with a bad one behind them');
    await opened.merge(cells);
    const twice = bookOf(core, cells, cells);
    expectCells(core, await opened.read(), twice, 'the same cells again, without the bad one');
  },
};

/** What makes a cell none. A store may refuse it, or take the others without it. */
const BAD: Readonly<Record<string, object>> = {
  'no sums': { sums: null },
  'no key': { key: null },
  'no lines': { lines: null },
  'a time that is none': { at: NaN },
  'a family that nobody knows': { family: 'nobody-knows-this' },
  'a width that the store does not have': { bucketMs: 12_345, at: 12_345 * 100_000_000 },
};

function spoil(cell: ContractCell): void {
  cell.sums.fill(1_000_000);
  cell.rare?.fill(1_000_000);
  cell.rare ??= [];
  cell.amounts.fill(1_000_000);
  (cell.lines as unknown[]).length = 0;
  for (const sketch of Object.values(cell.sketches ?? {}) as ContractSketch[]) {
    sketch.count = sketch.zeros = sketch.ignored = 1_000_000;
    sketch.min = sketch.max = sketch.offset = -1;
    sketch.counts.fill(1_000_000);
    sketch.keys?.fill(1);
  }
}
