import { moneyAt, RARE, SUM, UNPRICED_REASONS } from '../cell.js';
import type { CostClass, Tokens, UnpricedReason } from '../record.js';
import type { Cell } from '../stores/store.js';

/** What the calls of a cell cost, and how far that can be trusted. */
export interface Spend {
  readonly usd: number;
  /** Integer nano-dollars; the exact sum of the records' costs (up to 2⁵³, $9,007,199). */
  readonly nanoUsd: number;
  /** `false`: some calls could not be priced, so the sum is "at least". */
  readonly complete: boolean;
  /** Part of `nanoUsd` that rests on an estimate. */
  readonly estimatedNanoUsd: number;
  readonly byClass: Readonly<Record<CostClass, { quantity: number; usd: number; nanoUsd: number }>>;
}

const NANO = 1e9;

/**
 * @example
 * spendOf(cell).byClass.output; // { quantity: 1200, usd: 0.018, nanoUsd: 18000000 }
 */
export function spendOf(cell: Cell): Spend {
  const part = () => ({ quantity: 0, usd: 0, nanoUsd: 0 });
  const byClass = {
    uncachedInput: part(),
    cacheRead: part(),
    cacheWrite5m: part(),
    cacheWrite1h: part(),
    output: part(),
    webSearch: part(),
  };
  cell.lines.forEach((line, i) => {
    const sum = Object.hasOwn(byClass, line.class) ? byClass[line.class] : part();
    sum.quantity += cell.amounts[3 * i]!;
    sum.nanoUsd += moneyAt(cell.amounts, 3 * i + 1);
  });
  for (const sum of Object.values(byClass)) sum.usd = sum.nanoUsd / NANO;
  const nanoUsd = moneyAt(cell.sums, SUM.nanoUsd);
  return {
    usd: nanoUsd / NANO,
    nanoUsd,
    complete: Object.keys(unpricedOf(cell)).length === 0,
    estimatedNanoUsd: moneyAt(cell.sums, SUM.estimatedNanoUsd),
    byClass,
  };
}

export function tokensOf({ sums }: Cell): Tokens {
  return {
    uncachedInput: sums[SUM.uncachedInput]!,
    cacheRead: sums[SUM.cacheRead]!,
    cacheWrite5m: sums[SUM.cacheWrite5m]!,
    cacheWrite1h: sums[SUM.cacheWrite1h]!,
    output: sums[SUM.output]!,
    thinking: sums[SUM.thinking]!,
  };
}

/** Calls without a price, by reason; only reasons that occurred. */
export function unpricedOf({ rare }: Cell): Partial<Record<UnpricedReason, number>> {
  const unpriced: Partial<Record<UnpricedReason, number>> = {};
  if (rare === null) return unpriced;
  UNPRICED_REASONS.forEach((reason, i) => {
    const calls = rare[RARE.unpriced + i]!;
    if (calls > 0) unpriced[reason] = calls;
  });
  return unpriced;
}
