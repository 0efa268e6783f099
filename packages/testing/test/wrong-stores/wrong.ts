import type { Data, MapStore, Wrong } from '../map-store.js';
import type { CallsQuery, Cell } from '../../../core/src/stores/store.js';

/** Mistakes that somebody makes in a store, each with the cases that have to tell. */
export type Case = readonly [what: string, wrong: Wrong, cases: readonly RegExp[]];

/** A store that merges other cells than it was brought. */
export const brings = (change: (cell: Cell) => Cell): Wrong => ({
  wrap: ({ merge }) => ({
    merge: (cells, now, batch) => merge(cells.map(change), now, batch),
  }),
});
export const renames = (change: (name: string) => string): Wrong =>
  brings((cell) => ({ ...cell, key: [change(cell.key[0]), change(cell.key[1])] }));
export const reads = (change: (query: Parameters<MapStore['read']>[0]) => object): Wrong => ({
  wrap: ({ read }) => ({ read: (query) => read({ ...query, ...change(query) }) }),
});
/** A store whose pages of calls are made otherwise. */
export const pages = (
  page: (data: Data, query: CallsQuery, right: MapStore) => unknown,
): Wrong => ({
  wrap: (right, data) => ({ calls: async (query) => page(data, query, right) as never }),
});
export const later = () => new Promise((resolve) => setImmediate(resolve));
