import type { Hold, HoldPart } from '../balance.js';
import type { BudgetReason, BudgetVerdict } from '../budget.js';
import type { Health } from '../health.js';
import type { PriceTable } from '../prices.js';
import type { RequestSize } from '../request-size.js';
import { affordableOutput, worstCaseOf, type WorstCase } from '../worst-case.js';
import { scopeOf, type Account, type Accounts } from './accounts.js';
import type { Learned } from './learned.js';
import type { Budget, BudgetCall } from './options.js';

/**
 * What a call would hold on which budgets, if it were made as it is, or with another model or a lower
 * `max_tokens`. Making a plan changes nothing.
 *
 * - **book**: one budget with its accounts and its counters.
 * - **bounded**: the request has a worst case, or somebody has declared a ceiling.
 */
export interface Book {
  readonly budget: Budget;
  readonly accounts: Accounts;
  readonly calls: Record<BudgetVerdict, number>;
  wouldBlock: number;
}

export interface PlanPart extends HoldPart<Account> {
  readonly book: Book;
  /** Of the machine; what is leased can be less than the limit of the budget. */
  limit: number;
  /** Its money is taken out of the lease that this process has. */
  leased: boolean;
  /** What one attempt holds. */
  readonly perAttempt: number;
  /** The budget can refuse a call; otherwise it only counts. */
  readonly enforced: boolean;
  /** Why there is no room whatever is left. */
  readonly refused: BudgetReason | null;
}

export interface Plan extends Hold<Account> {
  readonly parts: readonly PlanPart[];
  readonly model: string;
  readonly worst: number | null;
}

/** What a request can cost, for each of its messages: one, or all those of a batch. */
export interface Demand {
  readonly at: number;
  readonly call: BudgetCall;
  readonly sizes: readonly { readonly size: RequestSize; readonly model: string }[];
  readonly batch: boolean;
  /** Declared in the context, in nano-dollars. */
  readonly ceiling: number | null;
}

export interface Planner {
  plan(demand: Demand, model: string, maxTokens: number | null): Plan | null;
  /** The largest `max_tokens` with which a plan fits into `nanoUsd`. */
  affordable(demand: Demand, model: string, nanoUsd: number): number;
}

/** At least this much is held: with a limit of 0, or none left, nothing fits. */
const LEAST = 1;

export function createPlanner(
  books: readonly Book[],
  prices: () => PriceTable,
  learned: Learned,
  health: Health,
): Planner {
  function matches({ match, name }: Budget, call: BudgetCall): boolean {
    if (match === null) return true;
    // A `match` that fails leaves the budget on: what protects must not be switched off by a fault.
    return health.guard(`budget.match:${name}`, match, call) !== false;
  }

  return {
    plan(demand, model, maxTokens) {
      const { at } = demand;
      const call = model === demand.call.model ? demand.call : { ...demand.call, model };
      const costs = createCosts(demand, model, maxTokens, prices(), learned);
      const parts: PlanPart[] = [];
      for (let i = 0; i < books.length; i += 1) {
        const book = books[i]!;
        const { budget } = book;
        if (!matches(budget, demand.call)) continue;
        const balance = book.accounts.of(scopeOf(budget, call), at);
        const { amount, refused } = amountOf(budget, costs, demand.ceiling);
        const enforced = isEnforced(budget);
        parts.push({
          ...partOf(book, balance, enforced),
          amount,
          perAttempt: amount,
          enforced,
          refused,
        });
      }
      if (parts.length === 0) return null;
      return { state: 'held', parts, model, worst: costs.worst?.nanoUsd ?? null };
    },
    affordable(demand, model, nanoUsd) {
      const [only] = demand.sizes;
      return only ? affordableOutput(only.size, model, demand.at, prices(), nanoUsd) : 0;
    },
  };
}

/** It can refuse a call. */
export function isEnforced({ action, shadow }: Budget): boolean {
  return action !== 'warn' && !shadow;
}

interface Costs {
  readonly worst: WorstCase | null;
  readonly bounded: boolean;
  /** Computed when a budget asks for it. */
  estimate(): number;
}

function createCosts(
  { sizes, at, batch, call }: Demand,
  model: string,
  maxTokens: number | null,
  prices: PriceTable,
  learned: Learned,
): Costs {
  const asked = call.model;
  const modelOf = (own: string) => (sizes.length === 1 && model !== asked ? model : own);
  const options = maxTokens === null ? { batch } : { batch, outputTokens: maxTokens };
  let worst: WorstCase | null = null;
  let bounded = true;
  for (let i = 0; i < sizes.length; i += 1) {
    const { size, model: own } = sizes[i]!;
    const one = worstCaseOf(size, modelOf(own), at, prices, options);
    if (one === null) {
      worst = null;
      break;
    }
    worst = worst === null ? one : { ...one, nanoUsd: worst.nanoUsd + one.nanoUsd };
    if (size.unbounded.length > 0) bounded = false;
  }
  return {
    worst,
    bounded,
    estimate() {
      const whole = worst?.nanoUsd ?? 0;
      const [only] = sizes;
      const usual = only && !batch ? learned.estimate(model, call.feature, only.size) : null;
      if (!only || !usual) return whole;
      const likely = worstCaseOf(only.size, model, at, prices, usual);
      // A request without a bound can take more than its "worst case", and usually does.
      return bounded ? Math.min(likely?.nanoUsd ?? whole, whole) : (likely?.nanoUsd ?? whole);
    },
  };
}

function amountOf(
  budget: Budget,
  { worst, bounded, estimate }: Costs,
  declared: number | null,
): { amount: number; refused: BudgetReason | null } {
  const ceiling = declared ?? budget.ceiling;
  if (budget.hold === 'none') {
    const unknown = worst === null && ceiling === null && budget.unpriced === 'block';
    return { amount: LEAST, refused: unknown ? 'unpriced' : null };
  }
  if (worst !== null && bounded) {
    const nanoUsd = budget.hold === 'estimate' ? estimate() : worst.nanoUsd;
    return { amount: Math.max(nanoUsd, LEAST), refused: null };
  }
  if (ceiling !== null) return { amount: Math.max(ceiling, LEAST), refused: null };
  if (worst === null) {
    return { amount: LEAST, refused: budget.unpriced === 'block' ? 'unpriced' : null };
  }
  const refused = budget.unbounded === 'block' ? 'unbounded' : null;
  return { amount: Math.max(estimate(), LEAST), refused };
}

/** The same once more, in the period of `at`: for a call whose first hold has expired. */
export function renewed(part: PlanPart, at: number): PlanPart {
  const { book, enforced, perAttempt } = part;
  const balance = book.accounts.of(part.balance.scope, at);
  return { ...part, ...partOf(book, balance, enforced), amount: perAttempt };
}

function partOf(book: Book, balance: Account, enforced: boolean) {
  const limit = enforced ? balance.limit : Infinity;
  return { book, balance, limit, leased: balance.share !== null && limit !== Infinity };
}

/** What a budget allows, and `Infinity` where it refuses nothing. */
export function limitOf({ enforced, balance }: PlanPart): number {
  return enforced ? balance.limit : Infinity;
}
