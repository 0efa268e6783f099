import type { BudgetReason, BudgetState, BudgetVerdict } from '../budget.js';
import type { Decided } from './decide.js';
import { usdOf } from './options.js';
import { stateOf } from './report.js';

/** What would be decided about a call, asked before it is made. JSON-safe. */
export interface Decision {
  readonly verdict: BudgetVerdict;
  readonly reason: BudgetReason | null;
  /** The budget that decides; `null` when all allow it, for a paused feature, and when it is unavailable. */
  readonly budget: BudgetState | null;
  /** Every budget that the call counts on. */
  readonly budgets: readonly BudgetState[];
  /** What the call can cost at most; `null` without a price, or when no budget is about it. */
  readonly worstCaseUsd: number | null;
  /** What would be sent instead; `null` where nothing would be changed. */
  readonly model: string | null;
  readonly maxTokens: number | null;
  /** Budgets in shadow mode that would refuse it. */
  readonly wouldBlock: readonly string[];
}

export const NO_OBJECTION: Decision = Object.freeze({
  verdict: 'allow',
  reason: null,
  budget: null,
  budgets: [],
  worstCaseUsd: null,
  model: null,
  maxTokens: null,
  wouldBlock: [],
});

export const PAUSED: Decision = Object.freeze({
  ...NO_OBJECTION,
  verdict: 'block',
  reason: 'paused',
});

export const UNAVAILABLE: Decision = Object.freeze({
  ...NO_OBJECTION,
  verdict: 'block',
  reason: 'unavailable',
});

export function decisionOf(decided: Decided): Decision {
  const { verdict, reason, part, plan, model, maxTokens, shadowed } = decided;
  return {
    verdict,
    reason,
    budget: part && stateOf(part),
    budgets: plan.parts.map(stateOf),
    worstCaseUsd: plan.worst === null ? null : usdOf(plan.worst),
    model,
    maxTokens,
    wouldBlock: namesOf(shadowed),
  };
}

export function namesOf(parts: Decided['shadowed']): readonly string[] {
  return parts.length === 0 ? NO_NAMES : parts.map(({ book }) => book.budget.name);
}

const NO_NAMES: readonly string[] = Object.freeze([]);
