/**
 * The words of budgets.
 *
 * - **budget**: a limit of USD per calendar period, for each scope of a kind.
 * - **scope**: whom a limit is for: everything, one user, feature, model, or value of a tag.
 * - **hold**: what is reserved before a call: its worst case. **settle**: the real cost takes its place.
 * - **spent**, **held**: settled money of the period, and holds of calls under way. In worst-case mode
 *   `spent + held` never exceeds the limit.
 */
export type BudgetPeriod = 'call' | 'hour' | 'day' | 'week' | 'month';

export type BudgetScope = 'all' | 'user' | 'feature' | 'model' | { readonly tag: string };

/** What was, or would be, decided about a call. */
export type BudgetVerdict = 'allow' | 'warn' | 'clamp' | 'downgrade' | 'block';

/**
 * Why a call was not simply allowed.
 *
 * - `limit`: the worst case does not fit into what is left. `paused`: the feature's kill switch.
 * - `unpriced`: there is no price for the model. `unbounded`: the request has no worst case, no
 *   ceiling was declared, and the budget wants one. `unavailable`: what is left could not be found out.
 */
export type BudgetReason = 'limit' | 'paused' | 'unpriced' | 'unbounded' | 'unavailable';

/** A budget as a call met it. Money is decimal USD, for people. */
export interface BudgetState {
  readonly budget: string;
  readonly per: BudgetPeriod;
  /** Name of the user, feature, model or tag value; `null` for a budget of all. */
  readonly scope: string | null;
  readonly spentUsd: number;
  readonly heldUsd: number;
  readonly limitUsd: number;
  /** ISO 8601; `null` for a budget per call. */
  readonly resetsAt: string | null;
}

/** What budgets decided about a recorded call; part of its record. */
export interface CallBudget {
  readonly verdict: BudgetVerdict;
  readonly reason: BudgetReason | null;
  /** The budget that decided; `null` when all allowed it, and for a paused feature. */
  readonly budget: string | null;
  /** What was reserved, in nano-dollars. */
  readonly heldNanoUsd: number;
  /** The model that was sent instead of the one asked for; `null` when it was not changed. */
  readonly sentModel: string | null;
  /** The `max_tokens` that was sent instead; `null` when it was not changed. */
  readonly sentMaxTokens: number | null;
  /** Budgets in shadow mode that would have blocked it. */
  readonly wouldBlock: readonly string[];
}

/** One budget and the scopes that have used most of it. JSON-safe. */
export interface BudgetReport {
  readonly name: string;
  readonly per: BudgetPeriod;
  readonly of: BudgetScope;
  readonly action: 'warn' | 'block' | 'downgrade';
  readonly shadow: boolean;
  readonly timeZone: string;
  /** ISO 8601; the current period. `null` for a budget per call. */
  readonly from: string | null;
  readonly to: string | null;
  /** Those nearest to their limit first; at most 20. */
  readonly scopes: readonly BudgetScopeReport[];
  /** Scopes with money in the current period. */
  readonly scopeCount: number;
  readonly calls: Readonly<Record<BudgetVerdict, number>>;
  /** In shadow mode: calls that would have been blocked. */
  readonly wouldBlock: number;
}

export interface BudgetScopeReport {
  readonly scope: string | null;
  readonly spentUsd: number;
  readonly heldUsd: number;
  /** `null` in JSON for a limit without end. */
  readonly limitUsd: number;
  /** `spent ÷ limit`; `null` for a limit of 0 or without end. */
  readonly used: number | null;
  /** Part of `spentUsd` that may not be on the bill: lost attempts, aborts before any usage. */
  readonly uncertainUsd: number;
  /** Spent beyond what was held: estimates that were too low, settles after expiry. */
  readonly overrunUsd: number;
  /** Calls of this period for which there was no room. */
  readonly refusedCalls: number;
  /** Calls whose cost is not known and so not in here. */
  readonly unpricedCalls: number;
}

/** A correction by hand. */
export interface BudgetAdjustment {
  /** ISO 8601. */
  readonly at: string;
  readonly budget: string;
  readonly scope: string | null;
  /** Added to what is spent; negative to give back. */
  readonly usd: number;
  readonly reason: string;
}

/** Something about a budget that people may want to hear of. */
export interface BudgetEvent extends BudgetState {
  /**
   * - `threshold`: spending passed a share of the limit (`warnAt`), once a period and scope.
   * - `exhausted`: for the first time in a period and scope a call did not fit.
   * - `overrun`: more was spent than was held, so the limit can have been passed.
   */
  readonly type: 'threshold' | 'exhausted' | 'overrun';
  /** ISO 8601. */
  readonly at: string;
  /** The share that was passed; `null` for the others. */
  readonly threshold: number | null;
  /** One line for people. */
  readonly text: string;
}
