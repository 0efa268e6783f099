import type { BudgetEvent, BudgetReport, BudgetScopeReport, BudgetState } from '../budget.js';
import type { Account } from './accounts.js';
import { usdOf, type Budget } from './options.js';
import type { Book, PlanPart } from './plan.js';

/** What budgets say of themselves: to whoever was refused, to the page, to people. */

export function stateOf({ book, balance }: PlanPart): BudgetState {
  return accountState(book.budget, balance);
}

export function accountState({ name, per }: Budget, account: Account): BudgetState {
  const { to } = account.period;
  return {
    budget: name,
    per,
    scope: account.scope,
    spentUsd: usdOf(account.spent),
    heldUsd: usdOf(account.held),
    limitUsd: usdOf(account.limit),
    resetsAt: to === Infinity ? null : new Date(to).toISOString(),
  };
}

export function reportOf(
  { budget, accounts, calls, wouldBlock }: Book,
  at: number,
  maxScopes: number,
): BudgetReport {
  const { name, per, of, action, shadow, timeZone } = budget;
  const { from, to } = accounts.period(at);
  const open = accounts.current(at);
  return {
    ...{ name, per, of, action, shadow, timeZone },
    from: from === -Infinity ? null : new Date(from).toISOString(),
    to: to === Infinity ? null : new Date(to).toISOString(),
    scopes: per === 'call' ? [] : open.map(scopeReport).sort(byUse).slice(0, maxScopes),
    scopeCount: per === 'call' ? 0 : open.length,
    calls: { ...calls },
    wouldBlock,
  };
}

function scopeReport(account: Account): BudgetScopeReport {
  const { scope, spent, held, limit, uncertain, overrun, unpriced, refused } = account;
  return {
    scope,
    spentUsd: usdOf(spent),
    heldUsd: usdOf(held),
    limitUsd: usdOf(limit),
    used: limit === 0 || limit === Infinity ? null : spent / limit,
    uncertainUsd: usdOf(uncertain),
    overrunUsd: usdOf(overrun),
    refusedCalls: refused,
    unpricedCalls: unpriced,
  };
}

function byUse(a: BudgetScopeReport, b: BudgetScopeReport): number {
  return (b.used ?? 0) - (a.used ?? 0) || b.spentUsd - a.spentUsd;
}

/** The thresholds that an account has passed and that have not been told, as events. */
export function passed({ budget }: Book, account: Account, at: number): BudgetEvent[] {
  const events: BudgetEvent[] = [];
  const { warnAt } = budget;
  for (
    let next = warnAt[account.told];
    next !== undefined && account.spent >= next * account.limit;
    next = warnAt[account.told]
  ) {
    account.told += 1;
    events.push(eventOf('threshold', budget, account, at, next));
  }
  return events;
}

export function eventOf(
  type: BudgetEvent['type'],
  budget: Budget,
  account: Account,
  at: number,
  threshold: number | null,
): BudgetEvent {
  const state = accountState(budget, account);
  const name = JSON.stringify(state.budget);
  const of = state.scope === null ? '' : ` of ${JSON.stringify(state.scope)}`;
  const what = {
    threshold: `has passed ${Math.round((threshold ?? 0) * 100)} % of its limit`,
    exhausted: 'has no room for a call',
    overrun: 'was charged more than had been held',
  }[type];
  const money = `$${state.spentUsd} spent and $${state.heldUsd} held of $${state.limitUsd}`;
  return {
    ...state,
    type,
    at: new Date(at).toISOString(),
    threshold,
    text: `Budget ${name}${of} ${what}: ${money}.`,
  };
}
