import { adjust } from '../balance.js';
import type { BudgetAdjustment } from '../budget.js';
import { label } from '../context.js';
import { show } from '../options.js';
import { isUsd, nanoOf, usdOf } from './options.js';
import type { Account } from './accounts.js';
import type { Exchanges } from './exchanges.js';
import type { Book } from './plan.js';
import { isShared } from './sharing.js';

/** Corrections of what is spent, by hand, and the list of them. */
export interface Adjustments {
  /**
   * @throws TypeError for a budget that does not exist, and for an amount or reason that cannot be.
   * @throws Error when the money is shared, and its store is down.
   */
  adjust(input: AdjustmentInput): BudgetAdjustment | Promise<BudgetAdjustment>;
  /** The last first; at most 1,000. */
  list(): readonly BudgetAdjustment[];
  /** Drops corrections of these scopes of a budget. */
  forget(budget: string, scopes: readonly string[]): void;
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
const UNDONE = {
  unavailable: 'the store of budgets is down, and nothing was corrected. Try again later.',
  unsure:
    'the store of budgets was told and has not answered. It will be told again: do not repeat the ' +
    'correction before you have looked at what is spent.',
};

export interface AdjustmentsOptions {
  readonly books: readonly Book[];
  readonly now: () => number;
  readonly adjusted: (book: Book, account: Account) => void;
  /** What is kept of the id of a user. Default: the id as a label. */
  readonly userName?: ((id: unknown) => string | null) | undefined;
  /** Corrects money that processes share. */
  readonly correct: Exchanges['correct'] | undefined;
}

export function createAdjustments(options: AdjustmentsOptions): Adjustments {
  const { books, now, adjusted, correct, userName = label } = options;
  let kept: readonly BudgetAdjustment[] = [];
  const fail = (what: string, allowed: string, value: unknown): never => {
    throw new TypeError(
      `[claude-metrics] monitor.adjust: ${what} must be ${allowed}, got ${show(value)}.`,
    );
  };

  function keep(budget: string, account: Account, at: number, nanoUsd: number, reason: string) {
    const { scope } = account;
    const usd = usdOf(nanoUsd);
    const made = Object.freeze({ at: new Date(at).toISOString(), budget, scope, usd, reason });
    kept = [made, ...kept.slice(0, MAX_KEPT - 1)];
    return made;
  }

  return {
    adjust({ budget: name, scope: given = null, usd, reason }) {
      const book = books.find(({ budget }) => budget.name === name);
      const names = books.map(({ budget }) => show(budget.name)).join(', ') || 'there is none yet';
      if (!book || book.budget.per === 'call') {
        return fail('budget', `the name of a budget with a period (${names})`, name);
      }
      const ofAll = book.budget.of === 'all';
      // As names of calls are, so that it finds the account of theirs.
      const nameOf = book.budget.of === 'user' ? userName : label;
      const named = typeof given === 'string' ? nameOf(given) : null;
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
      const told = reason.slice(0, MAX_REASON);
      if (correct && isShared(account)) {
        return correct(account, nanoUsd, told).then((added) => {
          if (typeof added === 'number') return keep(name, account, at, added, told);
          throw new Error(`[claude-metrics] monitor.adjust: ${UNDONE[added]}`);
        });
      }
      const adjustment = keep(name, account, at, adjust(account, nanoUsd), told);
      adjusted(book, account);
      return adjustment;
    },
    list: () => [...kept],
    forget(budget, scopes) {
      kept = kept.filter((each) => each.budget !== budget || !scopes.includes(each.scope ?? ''));
    },
  };
}
