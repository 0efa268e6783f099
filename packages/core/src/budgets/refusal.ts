import type { CallBudget } from '../budget.js';
import { BudgetExceededError, type BudgetRefusal } from '../budget-error.js';
import type { Refusal } from '../gate.js';
import type { Decided } from './decide.js';
import { moneyOf } from './accounts.js';
import { namesOf } from './decision.js';
import { usdOf, type Budget } from './options.js';
import type { Pause } from './pauses.js';
import { limitOf, type Plan, type PlanPart } from './plan.js';
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
  const { balance, perAttempt } = part;
  const { spent, held } = moneyOf(balance);
  return {
    ...stateOf(part),
    reason,
    worstCaseUsd: plan.worst === null ? null : usdOf(plan.worst),
    retryAfterSeconds: reason === 'limit' ? secondsToWait(part, at) : null,
    underWay: reason === 'limit' && held > 0 && spent + perAttempt <= limitOf(part),
  };
}

/** What calls under way hold and do not spend comes back when they end. */
const SOON_SECONDS = 5;

function secondsToWait(part: PlanPart, at: number): number | null {
  const { balance, perAttempt } = part;
  const limit = limitOf(part);
  const { to } = balance.period;
  // A new period makes no room for what is larger than the whole limit.
  if (to === Infinity || perAttempt > limit) return null;
  const reset = Math.max(1, Math.ceil((to - at) / 1_000));
  return moneyOf(balance).spent + perAttempt <= limit ? Math.min(SOON_SECONDS, reset) : reset;
}

export function pausedRefusal({ feature }: Pause): BudgetRefusal {
  return { ...NO_MONEY, reason: 'paused', budget: feature, scope: null, per: 'call' };
}

export function unavailableRefusal({ name, per }: Budget): BudgetRefusal {
  return { ...NO_MONEY, reason: 'unavailable', budget: name, scope: null, per };
}

/** The store of its money does not answer, and what this process may spend without it is spent. */
export function storeDownRefusal({ book }: PlanPart): BudgetRefusal {
  return { ...unavailableRefusal(book.budget), retryAfterSeconds: SOON_SECONDS };
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
