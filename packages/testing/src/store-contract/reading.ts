import { addressesIn, anyCell, plainCell } from './cells.js';
import { expectThat } from './expectation.js';
import { bookOf, expectCells } from './figures.js';
import { NOW, startOf, widthsOf, type Cases } from './stage.js';

/** A reading gives what was asked for, and nothing else. */

export const readingCases: Cases = {
  async 'reads each family by itself, and several together'(stage) {
    const { core, families, random } = stage;
    const opened = await stage.open();
    const cells = addressesIn(stage, opened).map((each) => anyCell(core, random, each));
    await opened.merge(cells);
    const asked = [...families.map((family) => [family]), families.slice(0, 2), families.slice(1)];
    for (const some of [...asked, families.toReversed()]) {
      const book = bookOf(
        core,
        cells.filter(({ family }) => some.includes(family)),
      );
      expectCells(core, await opened.read({ families: some }), book, `families ${some.join()}`);
    }
  },

  async 'reads from a time on, and up to a time but not with it'(stage) {
    const { core, families } = stage;
    const opened = await stage.open();
    for (const bucketMs of widthsOf(opened.store)) {
      const now = startOf(NOW, bucketMs);
      const cells = [0, 1, 2, 3, 4].map((back) => {
        const at = now - back * bucketMs;
        return plainCell(core, { family: families[0]!, bucketMs, at, key: ['', ''] });
      });
      await opened.merge(cells);
      for (const [from, to] of [
        [now - 3 * bucketMs, now - bucketMs],
        [now - 3 * bucketMs + 1, now - bucketMs + 1],
        [now - 3 * bucketMs - 1, now - bucketMs - 1],
        [now - 2 * bucketMs, now - 2 * bucketMs + 1],
        [0, now],
        [now, now + 100 * bucketMs],
        [now - 10 * bucketMs, now + 10 * bucketMs],
      ] as const) {
        const inside = cells.filter(({ at }) => at >= from && at < to);
        const given = await opened.read({ bucketMs, from, to });
        const what = `from ${from} to ${to} (now is ${NOW}), in buckets of ${bucketMs} ms`;
        expectCells(core, given, bookOf(core, inside), what);
      }
    }
  },

  async 'reads each width of buckets by itself, and of others nothing'(stage) {
    const { core, random } = stage;
    const opened = await stage.open();
    const cells = addressesIn(stage, opened).map((each) => anyCell(core, random, each));
    await opened.merge(cells);
    for (const bucketMs of [...widthsOf(opened.store), 12_345, 1, 0, 86_400_000_000]) {
      const book = bookOf(
        core,
        cells.filter((cell) => cell.bucketMs === bucketMs),
      );
      const what = `buckets of ${bucketMs} ms`;
      expectCells(core, await opened.read({ bucketMs }), book, what);
    }
  },

  async 'an empty range, no family and an empty store give nothing'(stage) {
    const { core, random } = stage;
    const opened = await stage.open();
    expectCells(core, await opened.read(), bookOf(core), 'a store that was just opened');
    await opened.merge(addressesIn(stage, opened).map((each) => anyCell(core, random, each)));
    for (const [what, query] of [
      ['no family', { families: [] }],
      ['a family that does not exist', { families: ['nobody-knows-this'] }],
      ['a range of no time', { from: NOW, to: NOW }],
      ['a range that ends before it begins', { from: NOW, to: 0 }],
      ['a range long ago', { from: 0, to: 1_000_000 }],
    ] as const) {
      const given = await opened.read(query);
      expectThat(given.length === 0, `${what}: expected no cells, the store gave ${given.length}`);
    }
  },
};
