import { mergeCell } from '../../../core/src/cell.js';
import { pageOf } from '../map-calls.js';
import { later, type Case } from './wrong.js';
import type { Cell } from '../../../core/src/stores/store.js';

/** Wrong in closing, and where several use the same data. */
export const VIEWS: readonly Case[] = [
  [
    'fails when it is closed twice',
    {
      wrap({ close }) {
        let closed = false;
        return {
          async close() {
            if (closed) throw new Error('not open');
            closed = true;
            await close?.();
          },
        };
      },
    },
    [/^closing twice/, /^closing a store that nothing/, /^closing while busy/],
  ],
  [
    'promises what it has not done yet',
    {
      wrap: ({ merge, close }) => {
        let closed = false;
        return {
          async merge(cells, now, batch) {
            const copy = structuredClone(cells) as Cell[];
            setImmediate(() => closed || void merge(copy, now, batch));
          },
          async close() {
            closed = true;
            await close?.();
          },
        };
      },
    },
    [/^closing while busy/, /^what a merge has promised/],
  ],
  [
    'takes cells after it was closed, and forgets them',
    {
      wrap({ merge, close }) {
        let closed = false;
        return {
          async merge(cells, now, batch) {
            if (!closed) await merge(cells, now, batch);
          },
          async close() {
            closed = true;
            await close?.();
          },
        };
      },
    },
    [/^after closing, nothing is promised/],
  ],
  [
    'adds the sums of a cell first, and the rest later',
    {
      wrap: ({ merge }) => ({
        async merge(cells, now, batch) {
          await merge(
            cells.map((cell) => ({ ...cell, lines: [], amounts: [] })),
            now,
            batch,
          );
          const empty = (cell: Cell) => ({ ...cell, sums: cell.sums.map(() => 0), rare: null });
          const rest = cells.map((cell) => ({ ...empty(cell), sketches: null }));
          await merge(rest, now, batch === undefined ? undefined : `${batch} rest`);
        },
      }),
    },
    [/^a cell is never read half added/],
  ],
  [
    'reads, adds and writes, and others do so in between',
    {
      wrap: (_, { buckets, batches }) => ({
        async merge(cells, now, batch = '') {
          if (batches.has(batch)) return;
          if (batch !== '') batches.set(batch, now);
          for (const cell of cells) {
            const name = `${cell.bucketMs} ${cell.at}`;
            const bucket = buckets.get(name) ?? new Map<string, Cell>();
            buckets.set(name, bucket);
            const address = JSON.stringify([cell.family, cell.key]);
            const sum = structuredClone(bucket.get(address)) as Cell | undefined;
            await later();
            if (sum) mergeCell(sum, cell);
            bucket.set(address, sum ?? (structuredClone(cell) as Cell));
          }
        },
      }),
    },
    [/^two views merging 200 batches/, /^a cell is never read half added/],
  ],
  [
    'reads what it remembers',
    {
      wrap({ read, merge }) {
        const known = new Map<string, Promise<readonly Cell[]>>();
        return {
          async merge(cells, now, batch) {
            await merge(cells, now, batch);
            known.clear();
          },
          async read(query) {
            const text = JSON.stringify(query);
            const cells = known.get(text) ?? Promise.resolve(read(query));
            known.set(text, cells);
            return cells;
          },
        };
      },
    },
    [/^what one view adds the others read/],
  ],
  [
    'closes the data with a view',
    {
      wrap: ({ close }, { buckets }) => ({
        async close() {
          await close?.();
          buckets.clear();
        },
      }),
    },
    [/^after closing and opening again/, /^closing one view/, /^closing while busy/],
  ],
  [
    'begins its calls anew when it is opened',
    {
      wrap(_, data) {
        data.calls = [];
        return {};
      },
    },
    [/^after opening again calls are there/],
  ],
  [
    'reads from two copies, one of which is behind',
    {
      wrap({ read }) {
        const behind = new Map<string, readonly Cell[]>();
        let readings = 0;
        return {
          async read(query) {
            const text = JSON.stringify(query);
            const cells = await read(query);
            readings += 1;
            if (readings % 5 === 0) return behind.get(text) ?? cells;
            if (!behind.has(text)) behind.set(text, cells);
            return cells;
          },
        };
      },
    },
    [/^one reading after the other never gives less/],
  ],
  [
    'has calls in each view that the others do not have',
    {
      wrap(_, data) {
        const mine = { ...data, calls: [...data.calls] };
        return {
          async addCalls(calls) {
            for (const record of calls) mine.calls.push({ number: (mine.added += 1), record });
          },
          calls: async (query) => pageOf(mine, query, 1_000),
        };
      },
    },
    [/^calls of all views are in one list/],
  ],
  [
    'loses calls that are added at once',
    {
      wrap: (_, data) => ({
        async addCalls(calls) {
          const before = data.calls;
          await later();
          const added = calls.map((record) => ({ number: (data.added += 1), record }));
          data.calls = [...before, ...added];
        },
      }),
    },
    [/^adds calls that come at once/],
  ],
];
