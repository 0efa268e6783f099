import type { Data, MapStore, Wrong } from '../map-store.js';
import { applyExchange } from '../../../core/src/exchange.js';
import type { Money, MoneyParts } from '../map-budgets.js';
import type { Exchange, Posting, Want } from '../../../core/src/stores/budget-store.js';
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
/** A store that does something else than an exchange says. */
export const hears = (change: (exchange: Exchange) => Partial<Exchange>): Wrong =>
  applies((exchange, accounts) => applyExchange({ ...exchange, ...change(exchange) }, accounts));
export const applies = (apply: MoneyParts['apply']): Wrong => ({ money: { apply } });
/** A store that takes something else for a posting. */
export const posts = (change: (posting: Posting) => Partial<Posting>): Wrong =>
  hears(({ postings }) => ({ postings: postings.map((each) => ({ ...each, ...change(each) })) }));
export const wants = (change: (want: Want) => Partial<Want>): Wrong =>
  hears(({ takings }) => ({
    takings: takings.map((taking) => taking.map((each) => ({ ...each, ...change(each) }))),
  }));
/** A store whose budgets do something else. */
export const budgeting = (
  wrong: (budgets: MapStore['budgets'], money: Money) => Partial<MapStore['budgets']>,
): Wrong => ({
  wrap: ({ budgets }, { money }) => ({ budgets: { ...budgets, ...wrong(budgets, money) } }),
});
/** A store whose notes do something else. */
export const noting = (
  wrong: (notes: MapStore['notes'], money: Money) => Partial<MapStore['notes']>,
): Wrong => ({
  wrap: ({ notes }, { money }) => ({ notes: { ...notes, ...wrong(notes, money) } }),
});
/** What UTF-8 makes of halves of characters. */
export const whole = (text: string) => text.replace(/\p{Surrogate}/gu, '\ufffd');
