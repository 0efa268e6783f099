import { mergeCell, mergeSums, moneyAt, SUM } from '../../../core/src/cell.js';
import { brings, type Case } from './wrong.js';
import type { Line } from '../../../core/src/stores/store.js';

/** Wrong in adding cells up. */
export const ADDING: readonly Case[] = [
  [
    'loses the carry of money',
    {
      parts: {
        add(into, from) {
          const { nanoUsdCarry } = SUM;
          const carry = into.sums[nanoUsdCarry]!;
          mergeCell(into, from);
          into.sums[nanoUsdCarry] = carry;
        },
      },
    },
    [/^keeps sums of money exact/, /^adds to what it has/],
  ],
  [
    'keeps money in one double',
    {
      wrap: ({ read }) => ({
        async read(query) {
          const cells = await read(query);
          for (const { sums } of cells) {
            const money = moneyAt(sums, SUM.nanoUsd);
            sums[SUM.nanoUsdCarry] = Math.floor(money / 1e15);
            sums[SUM.nanoUsd] = Number(BigInt(money) % 10n ** 15n);
          }
          return cells;
        },
      }),
    },
    [/^keeps sums of money exact/],
  ],
  [
    'replaces what it has',
    { parts: { add: (into, from) => Object.assign(into, structuredClone(from)) } },
    [/^adds to what it has/, /^adds the same cells again/, /^two views merging/],
  ],
  [
    'adds the same cells only once, whatever they are called',
    {
      wrap({ merge }) {
        const seen = new Set<string>();
        return {
          async merge(cells, now, batch) {
            const text = JSON.stringify(cells);
            if (!seen.has(text)) await merge(cells, now, batch);
            seen.add(text);
          },
        };
      },
    },
    [/^adds the same cells again/],
  ],
  [
    'has no room for feedback',
    brings((cell) => ({
      ...cell,
      rare: cell.rare && cell.rare.map((value, slot) => (slot < cell.rare!.length - 4 ? value : 0)),
    })),
    [/^counts every rare slot/, /^gives back exactly/],
  ],
  [
    'tells lines apart by model and class only',
    brings((cell) => ({
      ...cell,
      lines: cell.lines.map((line) => ({ ...line, speed: null, geo: null, tier: null })),
    })),
    [/^keeps lines apart/, /^gives back exactly/],
  ],
  [
    'takes null for a text',
    brings((cell) => ({
      ...cell,
      lines: cell.lines.map((line): Line => ({ ...line, tier: String(line.tier) })),
    })),
    [/^keeps lines apart/],
  ],
  [
    'has no bound on lines',
    {
      parts: {
        add(into, from) {
          const { lines, amounts } = into;
          mergeCell(into, { ...from, lines: [], amounts: [] });
          into.lines = [...lines, ...from.lines];
          into.amounts = [...amounts, ...from.amounts];
        },
      },
    },
    [/^keeps a bounded number of lines/],
  ],
  [
    'drops lines beyond its bound',
    {
      wrap: ({ read }) => ({
        read: async (query) =>
          (await read(query)).map((cell) => ({
            ...cell,
            lines: cell.lines.slice(0, 40),
            amounts: cell.amounts.slice(0, 120),
          })),
      }),
    },
    [/^keeps a bounded number of lines/],
  ],
  [
    'keeps the first sketches that it got',
    { parts: { add: mergeSums } },
    [/^adds sketches bucket by bucket/, /^adds to what it has/],
  ],
  [
    'rounds the bounds of sketches',
    {
      wrap: ({ read }) => ({
        async read(query) {
          const cells = await read(query);
          for (const { sketches } of cells) {
            for (const sketch of Object.values(sketches ?? {})) sketch.min = Math.round(sketch.min);
          }
          return cells;
        },
      }),
    },
    [/^adds sketches bucket by bucket/],
  ],
  [
    'takes a merge of nothing for all',
    {
      wrap: ({ merge }, { buckets }) => ({
        async merge(cells, now, batch) {
          if (cells.length === 0) buckets.clear();
          await merge(cells, now, batch);
        },
      }),
    },
    [/^merging nothing/],
  ],
  [
    'gives numbers as texts',
    {
      wrap: ({ read }) => ({
        read: async (query) =>
          (await read(query)).map((cell) => ({ ...cell, bucketMs: `${cell.bucketMs}` as never })),
      }),
    },
    [/^gives cells that another store takes/],
  ],
];
