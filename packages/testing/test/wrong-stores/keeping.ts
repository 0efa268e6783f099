import { later, type Case } from './wrong.js';

/** Wrong in what is kept of a merge, and in batches. */
export const KEEPING: readonly Case[] = [
  [
    'keeps the cells themselves',
    { parts: { keep: (cell) => cell } },
    [/^keeps a copy/, /^leaves the cells/],
  ],
  [
    'keeps their lines',
    {
      parts: {
        keep: (cell) => ({ ...structuredClone(cell), lines: cell.lines, amounts: cell.amounts }),
      },
    },
    [/^keeps a copy/],
  ],
  [
    'takes what comes before a bad cell',
    {
      wrap: ({ merge }) => ({
        async merge(cells, now, batch) {
          for (const [i, cell] of cells.entries()) {
            await merge([cell], now, batch === undefined ? undefined : `${batch} ${i}`);
          }
        },
      }),
    },
    [/^takes all cells of a merge or none/, /^a merge that was refused leaves/],
  ],
  [
    'ends quietly at a bad cell',
    {
      wrap: ({ merge }) => ({
        async merge(cells, now) {
          for (const cell of cells) {
            try {
              await merge([cell], now);
            } catch {
              return;
            }
          }
        },
      }),
    },
    [/^takes all cells of a merge or none/],
  ],
  [
    'keeps a bad cell, and cannot read it',
    {
      parts: { check: () => {}, keep: (cell) => ({ ...cell }) },
    },
    [/^takes all cells of a merge or none/],
  ],
  [
    'empties what is read',
    {
      wrap: ({ read }, { buckets }) => ({
        async read(query) {
          const cells = await read(query);
          buckets.clear();
          return cells;
        },
      }),
    },
    [/^reading changes nothing/, /^what a merge has promised/],
  ],
  [
    'does not know batches',
    { wrap: ({ merge }) => ({ merge: (cells, now) => merge(cells, now) }) },
    [
      /^the same batch again/,
      /^the same batch brought several times/,
      /^a batch is known for a day/,
    ],
  ],
  [
    'knows the last batch only',
    {
      wrap: ({ merge }, { batches }) => ({
        async merge(cells, now, batch) {
          await merge(cells, now, batch);
          for (const name of batches.keys()) if (name !== batch) batches.delete(name);
        },
      }),
    },
    [/^the same batch again adds nothing/],
  ],
  [
    'knows batches for an hour',
    {
      wrap: ({ merge }, { batches }) => ({
        merge(cells, now, batch) {
          for (const [name, at] of batches) if (at < now - 3_600_000) batches.delete(name);
          return merge(cells, now, batch);
        },
      }),
    },
    [/^a batch is known for a day/],
  ],
  [
    'looks for a batch, and is not done before it looks again',
    {
      wrap: ({ merge }, { batches }) => ({
        async merge(cells, now, batch = '') {
          if (batches.has(batch)) return;
          await later();
          await merge(cells, now);
          if (batch !== '') batches.set(batch, now);
        },
      }),
    },
    [/^the same batch brought several times at once/, /^a batch that two views bring/],
  ],
  [
    'knows a batch before it has it',
    {
      wrap: ({ merge }, { batches }) => ({
        async merge(cells, now, batch = '') {
          if (batches.has(batch)) return;
          if (batch !== '') batches.set(batch, now);
          await merge(cells, now);
        },
      }),
    },
    [/^a batch that failed is added/],
  ],
  [
    'cuts the names of batches',
    {
      wrap: ({ merge }) => ({
        merge: (cells, now, batch) => merge(cells, now, batch?.slice(0, 3)),
      }),
    },
    [/^names that differ by little/, /^adds the same cells again/],
  ],
  [
    'knows in each view what it was brought there',
    {
      wrap({ merge }) {
        const known = new Set<string>();
        return {
          async merge(cells, now, batch = '') {
            if (known.has(batch)) return;
            await merge(cells, now);
            if (batch !== '') known.add(batch);
          },
        };
      },
    },
    [/^after opening again a batch/, /^a batch that two views bring/],
  ],
];
