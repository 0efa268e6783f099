import type { CostClass } from '../record.js';
import type { Entry } from './bill-lines.js';
import { share } from './money.js';

/**
 * - `unobserved`: billed, and never recorded: a client that no monitor observes, or a call whose end
 *   nobody saw.
 * - `tier`, `speed`, `geography`, `cache lifetime`: the same tokens, billed as another kind.
 * - `late price`: the ledger had no price then, or an older one, and today's table has the bill's.
 * - `price`: the bill charges another price than the table, too.
 * - `midnight`: counted on one day, and billed on the day before or after.
 * - `not billed`: recorded, and not on the bill. `not counted`: on the bill, and not in tokens.
 */
export type Cause =
  | 'unobserved'
  | 'tier'
  | 'speed'
  | 'geography'
  | 'cache lifetime'
  | 'late price'
  | 'price'
  | 'midnight'
  | 'not billed'
  | 'not counted';

export interface Finding {
  readonly cause: Cause;
  readonly day: string;
  /** `null`: the bill names none. */
  readonly model: string | null;
  /** The bill minus the ledger. */
  readonly nanoUsd: bigint;
  readonly quantities: Readonly<Partial<Record<CostClass, bigint>>>;
  readonly text: string;
  readonly fix: string;
}

/** One more part of a finding that is still growing. */
export interface Draft {
  nanoUsd: bigint;
  readonly quantities: Partial<Record<CostClass, bigint>>;
}

export function draft(): Draft {
  return { nanoUsd: 0n, quantities: {} };
}

export function grow(into: Draft, part: CostClass, quantity: bigint, nanoUsd: bigint): void {
  into.quantities[part] = (into.quantities[part] ?? 0n) + quantity;
  into.nanoUsd += nanoUsd;
}

/** What the bill charges for so much of an entry. */
export function billed({ bill }: Entry, quantity: bigint): bigint {
  return share(bill.nanoUsd, quantity, bill.quantity);
}

/** What the ledger recorded for so much of it. */
export function recorded({ ledger }: Entry, quantity: bigint): bigint {
  return share(ledger.nanoUsd, quantity, ledger.quantity);
}

export function shownQuantities(quantities: Draft['quantities']): string {
  const parts = Object.entries(quantities).filter(([, quantity]) => quantity > 0n);
  return parts.map(([name, quantity]) => `${String(quantity)} ${NAMES[name] ?? name}`).join(', ');
}

const NAMES: Readonly<Record<string, string>> = {
  uncachedInput: 'input',
  cacheRead: 'cache read',
  cacheWrite5m: 'cache write (5 min)',
  cacheWrite1h: 'cache write (1 h)',
  output: 'output',
  webSearch: 'web searches',
};
