import type { Balance } from '../balance.js';
import type { BudgetEvent } from '../budget.js';
import type { Health } from '../health.js';
import type { Period } from '../period.js';
import type { AccountAnswer, AccountsPage, BudgetStore } from '../stores/budget-store.js';
import type { Account } from './accounts.js';
import { createExchanges, type Exchanges } from './exchanges.js';
import type { SharedAccount } from './message.js';
import { createLeasing, type Leasing } from './leasing.js';
import type { Budget } from './options.js';
import type { Book, Plan } from './plan.js';
import { crossed, eventOf } from './report.js';
import { createShare, type Share } from './share.js';

/** Budgets whose money several processes share: what this one has of it, and what it hears of others. */
export interface Sharing extends Pick<Exchanges, 'correct' | 'outlive' | 'tick' | 'close'> {
  readonly leasing: Leasing;
  /** `null` for a budget per call: every call is alone with it. */
  sharesOf(
    budget: Budget,
  ): ((balance: Balance, scope: string | null, period: Period) => Share) | null;
  /** Hears anew how the accounts of a plan are. `false`: the store is down. */
  look(plan: Plan): Promise<boolean>;
  /** Hears of the accounts that others have, for `pageOf()`. Never fails. */
  refresh(): Promise<void>;
  pageOf(book: Book, from: number): AccountsPage | null;
  /**
   * Removes what the store has of users, by name, and says how many accounts that was.
   *
   * @throws Error when the store is down.
   */
  forget(accounts: readonly Account[], users: readonly string[]): Promise<number>;
}

export interface SharingOptions {
  readonly store: BudgetStore;
  readonly books: readonly Book[];
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly health: Health;
  readonly leaseMs: number;
  readonly timeoutMs: number;
  readonly onEvent: (event: BudgetEvent) => void;
}

/** Of each budget, those with most money. */
const TOLD_ACCOUNTS = 500;
const DOWN = 'the store of budgets does not answer';

export function createSharing(options: SharingOptions): Sharing {
  const { store, books, now, health, onEvent } = options;
  const exchanges = createExchanges({ ...options, onAnswer });
  const pages = new Map<Book, { readonly from: number; readonly page: AccountsPage }>();

  function onAnswer(account: SharedAccount, answer: AccountAnswer): void {
    const book = books.find(({ budget }) => budget.name === account.share.address.budget);
    if (!book) return;
    const at = now();
    for (const event of crossed(book, account, answer.spentBefore, answer.spent, at))
      onEvent(event);
    if (answer.refusedBefore > 0 || answer.refused === 0) return;
    onEvent(eventOf('exhausted', book.budget, account, at, null));
  }

  async function refreshOne(book: Book): Promise<void> {
    const { from } = book.accounts.period(now());
    const { name } = book.budget;
    const page = await store.accounts({ budget: name, from, limit: TOLD_ACCOUNTS });
    pages.set(book, { from, page });
    const told = new Map(page.accounts.map((account) => [account.scope, account]));
    for (const { share, scope } of book.accounts.current(now())) {
      const balance = told.get(scope);
      if (share && balance) share.known = balance;
    }
  }

  return {
    leasing: createLeasing(exchanges),
    sharesOf({ name, per, of, onStoreDown }) {
      if (per === 'call') return null;
      return (balance, scope, { from, to }) => {
        return createShare({
          address: { budget: name, scope, personal: of === 'user', from, to },
          lends: onStoreDown === 'lease',
          balance,
          isGood: () => exchanges.good,
          onChange: () => exchanges.touch(balance as SharedAccount),
        });
      };
    },
    look({ parts }) {
      const accounts = parts.map(({ balance }) => balance).filter(isShared);
      return accounts.length === 0 ? Promise.resolve(true) : exchanges.look(accounts);
    },
    async refresh() {
      if (exchanges.down) return;
      const shared = books.filter(({ budget }) => budget.per !== 'call');
      const answers = await Promise.allSettled(shared.map(refreshOne));
      for (const answer of answers) {
        if (answer.status === 'rejected') health.fault('budgets.accounts', answer.reason);
      }
    },
    pageOf(book, from) {
      const last = pages.get(book);
      return last?.from === from ? last.page : null;
    },
    async forget(accounts, users) {
      if (!(await exchanges.forget(accounts.filter(isShared)))) throw new Error(DOWN);
      pages.clear();
      let removed = 0;
      for (const user of users) {
        const count = await store.forgetUser(user);
        if (typeof count === 'number') removed += count;
      }
      return removed;
    },
    correct: exchanges.correct,
    outlive: exchanges.outlive,
    tick: exchanges.tick,
    close: exchanges.close,
  };
}

export function isShared(account: { readonly share: Share | null }): account is SharedAccount {
  return account.share !== null;
}
