/** What processes that share a budget are started with, and what they tell. */
import type { BudgetOptions } from '../../src/budgets/options.js';
import type { PriceTable } from '../../src/prices.js';
import type { StorePlan } from '../ledger-fleet-plan.js';

export interface SharingPlan {
  readonly name: string;
  readonly url: string;
  readonly store: StorePlan;
  readonly budget: BudgetOptions;
  /** The time, which stands still: no period ends. */
  readonly at: number;
  readonly ask: object;
  readonly prices: PriceTable;
  readonly leaseMs: number;
  /** How long calls wait for the store of budgets. */
  readonly timeoutMs: number;
  /** How long the SDK waits for an answer. */
  readonly patienceMs: number;
}

/** What became of the calls of one wave. */
export interface Wave {
  readonly ok: number;
  /** Refused by the limit. */
  readonly limit: number;
  /** Refused because the store did not answer. */
  readonly unavailable: number;
  readonly other: readonly string[];
  /** Exchanges with the store that failed meanwhile. */
  readonly failures: number;
}

export type SharingTold =
  { readonly ready: true } | { readonly wave: Wave } | { readonly end: true };
