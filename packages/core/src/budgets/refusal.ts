import type { CallBudget } from '../budget.js';
import { BudgetExceededError, type BudgetRefusal } from '../budget-error.js';
import type { Refusal } from '../gate.js';
import type { Decided } from './decide.js';
import { namesOf } from './decision.js';
import { usdOf, type Budget } from './options.js';
import type { Pause } from './pauses.js';
import type { Plan, PlanPart } from './plan.js';
import { stateOf } from './report.js';

/** A call that must not be made: what its caller gets, and what its record says. */
export function refuse(refusal: BudgetRefusal, wouldBlock: readonly string[] = []): Refusal {
  const { reason, budget } = refusal;
  return {
    error: new BudgetExceededError(refusal),
    budget: Object.freeze({
      verdict: 'block',
      reason,
      budget: reason === 'paused' ? null : budget,
      heldNanoUsd: 0,
      sentModel: null,
      sentMaxTokens: null,
      wouldBlock,
    }),
  };
}

/** There is no room for it on one of its budgets. */
export function refusalOf(
  part: PlanPart,
  plan: Plan,
  reason: BudgetRefusal['reason'],
  at: number,
): BudgetRefusal {
  const { balance, limit, perAttempt } = part;
  return {
    ...stateOf(part),
    reason,
    worstCaseUsd: plan.worst === null ? null : usdOf(plan.worst),
    retryAfterSeconds: reason === 'limit' ? secondsToWait(part, at) : null,
    underWay: reason === 'limit' && balance.held > 0 && balance.spent + perAttempt <= limit,
  };
}

/** What calls under way hold and do not spend comes back when they end. */
const SOON_SECONDS = 5;

function secondsToWait({ balance, limit, perAttempt }: PlanPart, at: number): number | null {
  const { to } = balance.period;
  // A new period makes no room for what is larger than the whole limit.
  if (to === Infinity || perAttempt > limit) return null;
  const reset = Math.max(1, Math.ceil((to - at) / 1_000));
  return balance.spent + perAttempt <= limit ? Math.min(SOON_SECONDS, reset) : reset;
}

export function pausedRefusal({ feature }: Pause): BudgetRefusal {
  return { ...NO_MONEY, reason: 'paused', budget: feature, scope: null, per: 'call' };
}

export function unavailableRefusal({ name, per }: Budget): BudgetRefusal {
  return { ...NO_MONEY, reason: 'unavailable', budget: name, scope: null, per };
}

const NO_MONEY = {
  ...{ spentUsd: 0, heldUsd: 0, limitUsd: 0, resetsAt: null },
  ...{ worstCaseUsd: null, retryAfterSeconds: null, underWay: false },
};

/** What the record of an admitted call says. */
export function callBudgetOf(decided: Decided): CallBudget {
  const { verdict, reason, part, plan, model, maxTokens, shadowed } = decided;
  let heldNanoUsd = 0;
  for (const { amount } of plan.parts) heldNanoUsd = Math.max(heldNanoUsd, amount);
  return {
    verdict,
    reason,
    budget: part && part.book.budget.name,
    heldNanoUsd,
    sentModel: model,
    sentMaxTokens: maxTokens,
    wouldBlock: namesOf(shadowed),
  };
}
