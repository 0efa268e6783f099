import type { BudgetEvent, BudgetReport, BudgetScopeReport, BudgetState } from '../budget.js';
import type { AccountBalance, AccountsPage } from '../stores/budget-store.js';
import { moneyOf, type Account, type Accounts } from './accounts.js';
import { usdOf, type Budget } from './options.js';
import type { Book, PlanPart } from './plan.js';

/** What budgets say of themselves: to whoever was refused, to the page, to people. */

export function stateOf({ book, balance }: PlanPart): BudgetState {
  return accountState(book.budget, balance);
}

export function accountState({ name, per }: Budget, account: Account): BudgetState {
  const { to } = account.period;
  const { spent, held } = moneyOf(account);
  return {
    budget: name,
    per,
    scope: account.scope,
    spentUsd: usdOf(spent),
    heldUsd: usdOf(held),
    limitUsd: usdOf(account.limit),
    resetsAt: to === Infinity ? null : new Date(to).toISOString(),
  };
}

export function reportOf(
  { budget, accounts, calls, wouldBlock }: Book,
  at: number,
  maxScopes: number,
  page: AccountsPage | null,
): BudgetReport {
  const { name, per, of, action, shadow, timeZone } = budget;
  const { from, to } = accounts.period(at);
  const scopes = per === 'call' ? [] : scopesOf(accounts, at, page);
  return {
    ...{ name, per, of, action, shadow, timeZone },
    from: from === -Infinity ? null : new Date(from).toISOString(),
    to: to === Infinity ? null : new Date(to).toISOString(),
    scopes: scopes.sort(byUse).slice(0, maxScopes),
    scopeCount: Math.max(scopes.length, page?.count ?? 0),
    calls: { ...calls },
    wouldBlock,
  };
}

function scopeReport(
  scope: string | null,
  limit: number,
  { spent, held, uncertain, overrun, unpriced, refused }: AccountBalance,
): BudgetScopeReport {
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

/** Those that this process has an account for, and those that only the store told of. */
function scopesOf(accounts: Accounts, at: number, page: AccountsPage | null): BudgetScopeReport[] {
  const here = accounts.current(at);
  const told = new Map(page?.accounts.map((account) => [account.scope, account]));
  const reports = here.map((account) => {
    told.delete(account.scope);
    return scopeReport(account.scope, account.limit, moneyOf(account));
  });
  for (const [scope, balance] of told) {
    reports.push(scopeReport(scope, accounts.limit(scope), balance));
  }
  return reports;
}

function byUse(a: BudgetScopeReport, b: BudgetScopeReport): number {
  return (b.used ?? 0) - (a.used ?? 0) || b.spentUsd - a.spentUsd;
}

/** The thresholds that an account has passed and that have not been told, as events. */
export function passed({ budget }: Book, account: Account, at: number): BudgetEvent[] {
  const events: BudgetEvent[] = [];
  const { warnAt } = budget;
  const { spent } = moneyOf(account);
  for (
    let next = warnAt[account.told];
    next !== undefined && spent >= next * account.limit;
    next = warnAt[account.told]
  ) {
    account.told += 1;
    events.push(eventOf('threshold', budget, account, at, next));
  }
  return events;
}

/** The same for an account whose store says what was spent before and after. */
export function crossed(
  { budget }: Book,
  account: Account,
  before: number,
  after: number,
  at: number,
): BudgetEvent[] {
  const { limit } = account;
  return budget.warnAt
    .filter((share) => before < share * limit && after >= share * limit)
    .map((share) => eventOf('threshold', budget, account, at, share));
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
