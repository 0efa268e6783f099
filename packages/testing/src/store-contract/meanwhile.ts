import { plainCell } from './cells.js';
import { expectGiven, expectThat } from './expectation.js';
import { addressOf, bookOf, expectCells, figuresOf, sumOf } from './figures.js';
import { NOW, startOf, widthsOf, type Cases, type Opened, type Stage } from './stage.js';
import type { ContractCell } from './subject.js';

/** Reading while others merge: a cell is whole, and what was promised is there. */

const NANO_USD = 1_000_003;

export const meanwhileCases: Cases = {
  async 'a cell is never read half added'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const cells = sameCells(stage, opened);
    const merging = [...Array(30).keys()].map((i) => opened.merge(cells, `batch-${i}`));
    const reading = merging.map(async (merged, i) => {
      if (i % 3 !== 0) await merged;
      return opened.read();
    });
    for (const given of await Promise.all(reading)) {
      for (const cell of given) {
        const calls = cell.sums[core.SUM['calls']!] ?? NaN;
        const address = { ...cell, key: cell.key };
        const whole = plainCell(core, address, { calls, nanoUsd: calls * NANO_USD });
        expectCells(core, [cell], bookOf(core, [whole]), `a cell of ${calls} calls, while merging`);
      }
    }
    await Promise.all(merging);
    const all = bookOf(core, ...Array.from({ length: 30 }, () => cells));
    expectCells(core, await opened.read(), all, '30 batches that were brought at once');
  },

  async 'what a merge has promised is in every reading that begins after it'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const cells = sameCells(stage, opened);
    let promised = 0;
    const bring = async (i: number) => {
      await opened.merge(cells, `batch-${i}`);
      promised += 1;
      const least = promised;
      const given = await opened.read();
      const calls = sumOf(core, given).get('calls') ?? 0n;
      expectThat(
        calls >= BigInt(least * cells.length),
        `calls after ${least} merges: expected ${least * cells.length} at least, the store gave ` +
          `${calls}`,
      );
    };
    await Promise.all([...Array(20).keys()].map(bring));
    expectGiven(promised, 20, 'merges that were done');
  },

  async 'one reading after the other never gives less'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const cells = sameCells(stage, opened);
    let last = new Map<string, bigint>();
    for (let i = 0; i < 12; i += 1) {
      const merged = opened.merge(cells, `batch-${i}`);
      const given = await opened.read();
      const calls = new Map(given.map((cell) => [addressOf(cell), callsOf(stage, cell)]));
      for (const [address, before] of last) {
        const now = calls.get(address) ?? 0n;
        expectThat(
          now >= before,
          `calls of ${address}: expected ${before} at least, as before, the store gave ${now}`,
        );
      }
      last = calls;
      await merged;
    }
    expectGiven(sumOf(core, await opened.read()).get('calls'), BigInt(12 * cells.length), 'calls');
  },
};

/** One cell of each family and width: a call that costs the same everywhere. */
function sameCells({ core, families }: Stage, { store }: Opened): ContractCell[] {
  return widthsOf(store).flatMap((bucketMs) =>
    families.map((family) => {
      const key = family === 'total' ? (['', ''] as const) : (['ada', 'chat'] as const);
      const address = { family, bucketMs, at: startOf(NOW, bucketMs), key };
      return plainCell(core, address, { nanoUsd: NANO_USD });
    }),
  );
}

function callsOf({ core }: Stage, cell: ContractCell): bigint {
  return BigInt(figuresOf(core, cell).get('calls') ?? 0n);
}
