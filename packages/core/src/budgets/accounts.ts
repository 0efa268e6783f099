import { emptyBalance, type Balance } from '../balance.js';
import { keyOf, OTHER } from '../cell.js';
import type { Health } from '../health.js';
import { show } from '../options.js';
import type { AccountBalance } from '../stores/budget-store.js';
import type { Period } from '../period.js';
import { isUsd, nanoOf, type Budget, type BudgetCall } from './options.js';
import type { Share } from './share.js';

/**
 * The balances of one budget, one for each scope that has money in the current period.
 *
 * - **account**: a balance with its scope and period. A hold keeps the account it was taken on, so a
 *   call that crosses midnight belongs to the period in which it began.
 *
 * A new period begins when a call comes that is past the old one's end, and never ends early: a clock
 * that is set back does not open an old period again.
 */
export interface Account extends Balance {
  /** Of money that several processes share; the balance is then what is held here. */
  readonly share: Share | null;
  readonly scope: string | null;
  readonly period: Period;
  limit: number;
  /** How many of the budget's thresholds have been told. */
  told: number;
  /** Calls that did not fit; the first one is told. */
  refused: number;
}

export interface Accounts {
  /** The account of the current period. Its limit is asked for anew. */
  of(scope: string | null, at: number): Account;
  /** Those of the current period that have money or have refused a call, in no order. */
  current(at: number): Account[];
  period(at: number): Period;
  limit(scope: string | null): number;
  /** Forgets the accounts of past periods; what is held on them keeps them as long as it must. */
  sweep(at: number): void;
  /** The account of a scope, whatever its period; what is held on it ends on it, and is nobody's. */
  remove(scope: string): Account | null;
}

/** Scopes a budget keeps apart; beyond it new ones share one limit, so that none is passed. */
const MAX_SCOPES = 200_000;
const NO_MONEY: AccountBalance = { ...emptyBalance(), refused: 0 };
const ALWAYS: Period = Object.freeze({ from: -Infinity, to: Infinity });

export function createAccounts(
  budget: Budget,
  periodAt: ((at: number) => Period) | null,
  health: Health,
  share: ((balance: Balance, scope: string | null, period: Period) => Share) | null = null,
  maxScopes = MAX_SCOPES,
): Accounts {
  const accounts = new Map<string | null, Account>();
  let period = ALWAYS;
  let swept = period;

  function periodOf(at: number): Period {
    if (periodAt && (period === ALWAYS || at >= period.to)) period = periodAt(at);
    return period;
  }

  function limitOf(scope: string | null): number {
    const { limit, name } = budget;
    if (typeof limit === 'number') return limit;
    const usd = health.guard(`budget.usd:${name}`, limit, scope);
    if (isUsd(usd)) return nanoOf(usd);
    if (usd !== undefined) {
      health.fault(`budget.usd:${name}`, new TypeError(`usd() gave ${show(usd)} for a limit`));
    }
    // Not known is not unlimited.
    return 0;
  }

  function open(scope: string | null, now: Period): Account {
    const balance = emptyBalance();
    const facts = { scope, period: now, limit: limitOf(scope), told: 0, refused: 0 };
    return Object.assign(balance, facts, { share: share && share(balance, scope, now) });
  }

  /** Once a period. */
  function sweep(now: Period): void {
    if (swept === now) return;
    swept = now;
    for (const [scope, account] of accounts) {
      if (account.period !== now) accounts.delete(scope);
    }
  }

  return {
    of(scope, at) {
      // Every call is a period of its own.
      if (periodAt === null) return open(scope, ALWAYS);
      const now = periodOf(at);
      const known = accounts.get(scope);
      if (known && known.period === now) {
        if (typeof budget.limit === 'function') known.limit = limitOf(scope);
        return known;
      }
      if (accounts.size >= maxScopes) sweep(now);
      if (!known && accounts.size >= maxScopes && scope !== OTHER) {
        health.drop(`budget.scopes:${budget.name}`);
        return this.of(OTHER, at);
      }
      const account = open(scope, now);
      accounts.set(scope, account);
      return account;
    },
    current(at) {
      const now = periodOf(at);
      return [...accounts.values()].filter((account) => account.period === now && isInUse(account));
    },
    period: periodOf,
    limit: limitOf,
    sweep: (at) => sweep(periodOf(at)),
    remove(scope) {
      const account = accounts.get(scope) ?? null;
      accounts.delete(scope);
      return account;
    },
  };
}

/** Asking what a call could cost opens an account too, which says nothing yet. */
function isInUse(account: Account): boolean {
  const { spent, held, unpriced, refused } = moneyOf(account);
  return spent > 0 || held > 0 || unpriced > 0 || refused > 0;
}

/** The money on an account: of all processes that share it, as far as this one knows. */
export function moneyOf(account: Account): AccountBalance {
  const { share } = account;
  if (share === null) return account;
  const known = share.known ?? NO_MONEY;
  const { spent, refused } = share.unknown();
  return {
    ...known,
    spent: known.spent + spent,
    held: Math.max(0, known.held - spent, account.held),
    refused: known.refused + refused,
  };
}

/** What a call can hold on an account; where others share it, what it may get if it asks. */
export function roomOf(account: Account, limit: number): number {
  if (limit === Infinity) return Infinity;
  const { share, spent, held } = account;
  return share ? share.room(limit) : limit - spent - held;
}

/** The scope that a call belongs to; `null` for a budget of all. */
export function scopeOf({ of }: Budget, call: BudgetCall): string | null {
  if (of === 'all') return null;
  if (of === 'user') return keyOf(call.userId);
  if (of === 'feature') return keyOf(call.feature);
  if (of === 'model') return keyOf(call.model);
  return keyOf(Object.hasOwn(call.tags, of.tag) ? (call.tags[of.tag] ?? null) : null);
}
