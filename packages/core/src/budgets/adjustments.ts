import { adjust } from '../balance.js';
import type { BudgetAdjustment } from '../budget.js';
import { label } from '../context.js';
import { show } from '../options.js';
import { isUsd, nanoOf, usdOf } from './options.js';
import type { Account } from './accounts.js';
import type { Book } from './plan.js';

/** Corrections of what is spent, by hand, and the list of them. */
export interface Adjustments {
  /**
   * @throws TypeError for a budget that does not exist, and for an amount or reason that cannot be.
   */
  adjust(input: AdjustmentInput): BudgetAdjustment;
  /** The last first; at most 1,000. */
  list(): readonly BudgetAdjustment[];
}

export interface AdjustmentInput {
  /** The budget's name. */
  readonly budget: string;
  /** The user, feature, model or tag value, as reports name it; left out for a budget of all. */
  readonly scope?: string | null | undefined;
  /** Added to what is spent in the current period; negative to give back. */
  readonly usd: number;
  /** Why; kept with it. */
  readonly reason: string;
}

const MAX_KEPT = 1_000;
const MAX_REASON = 500;

export function createAdjustments(
  books: readonly Book[],
  now: () => number,
  adjusted: (book: Book, account: Account) => void,
): Adjustments {
  const kept: BudgetAdjustment[] = [];
  const fail = (what: string, allowed: string, value: unknown): never => {
    throw new TypeError(
      `[claude-metrics] monitor.adjust: ${what} must be ${allowed}, got ${show(value)}.`,
    );
  };

  return {
    adjust({ budget: name, scope: given = null, usd, reason }) {
      const book = books.find(({ budget }) => budget.name === name);
      const names = books.map(({ budget }) => show(budget.name)).join(', ') || 'there is none yet';
      if (!book || book.budget.per === 'call') {
        return fail('budget', `the name of a budget with a period (${names})`, name);
      }
      const ofAll = book.budget.of === 'all';
      // As names of calls are, so that it finds the account of theirs.
      const named = typeof given === 'string' ? label(given) : null;
      if (ofAll ? given !== null : named === null) {
        fail('scope', ofAll ? 'left out, for the budget is of all' : 'a name', given);
      }
      if (!Number.isFinite(usd) || !isUsd(Math.abs(usd))) fail('usd', 'a number of USD', usd);
      if (typeof reason !== 'string' || reason.trim() === '') {
        fail('reason', 'a string that is not empty', reason);
      }
      const at = now();
      const nanoUsd = Math.sign(usd) * nanoOf(Math.abs(usd));
      const account = book.accounts.of(named, at);
      const added = adjust(account, nanoUsd);
      const adjustment = Object.freeze({
        at: new Date(at).toISOString(),
        budget: name,
        scope: account.scope,
        usd: usdOf(added),
        reason: reason.slice(0, MAX_REASON),
      });
      kept.unshift(adjustment);
      kept.length = Math.min(kept.length, MAX_KEPT);
      adjusted(book, account);
      return adjustment;
    },
    list: () => [...kept],
  };
}
