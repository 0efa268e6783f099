import { applyExchange } from '../../exchange.js';
import {
  findAccounts,
  pageOfAccounts,
  putAccount,
  removeAccountsOf,
  removeOldAccounts,
} from './accounts.js';
import { expireMembers, forgetMembers, memberOf, rememberAnswer, renewMember } from './members.js';
import { eraseTraces } from './tidying.js';
import type {
  AccountsPage,
  AccountsQuery,
  BudgetStore,
  Exchange,
  ExchangeAnswer,
  StoredAdjustment,
} from '../budget-store.js';
import type { Access } from './access.js';
import type { Connection } from './connection.js';
import type { FileTime } from './time.js';

/**
 * Money of budgets that several processes share through the file. An exchange is one transaction, whose
 * lock is taken before anything is read: processes have their turn one after the other.
 */
export interface SqliteBudgets extends BudgetStore {
  exchange(exchange: Exchange): Promise<ExchangeAnswer>;
  accounts(query: AccountsQuery): Promise<AccountsPage>;
  adjustments(limit: number): Promise<readonly StoredAdjustment[]>;
  /** Returns how many accounts the user had. */
  forgetUser(userId: string): Promise<number>;
}

export interface BudgetsOptions {
  readonly access: Access;
  readonly time: FileTime;
  /** Told how many adjustments had to make room. */
  readonly onDrop: (count: number) => void;
}

const MAX_ADJUSTMENTS = 10_000;
const UPKEEP_MS = 60_000;
/** No member has it. */
const NOBODY = 0;

export function createBudgets({ access, time, onDrop }: BudgetsOptions): SqliteBudgets {
  let upkeptAt = -Infinity;

  function exchangeIn(
    db: Connection,
    exchange: Exchange,
  ): { answer: ExchangeAnswer; gone: number } {
    const now = time.now(db);
    const member = memberOf(db, exchange, now);
    expireMembers(db, now, member.id);
    if (exchange.number <= member.number) {
      return { answer: renewMember(db, member, exchange, now), gone: 0 };
    }
    const accounts = findAccounts(db, member, exchange.accounts);
    const before = accounts.map((account) => ({ ...account }));
    const answer = applyExchange(exchange, accounts);
    accounts.forEach((account, i) => {
      putAccount(db, member, exchange.accounts[i]!, account, before[i]!);
    });
    const gone = keepAdjustments(db, exchange, answer.adjusted);
    const text = JSON.stringify(answer);
    rememberAnswer(db, member, exchange, now, text);
    upkeep(db, now);
    return { answer, gone };
  }

  function upkeep(db: Connection, now: number): void {
    if (now - upkeptAt < UPKEEP_MS) return;
    forgetMembers(db, now);
    removeOldAccounts(db, time.wall());
    db.run('DELETE FROM claims WHERE until <= ?', now);
    upkeptAt = now;
  }

  return {
    name: 'sqlite',
    async exchange(exchange) {
      const { answer, gone } = await access.write((db) => exchangeIn(db, exchange));
      if (gone > 0) onDrop(gone);
      return answer;
    },
    accounts: (query) =>
      access.write((db) => {
        const now = time.now(db);
        expireMembers(db, now, NOBODY);
        upkeep(db, now);
        return pageOfAccounts(db, query);
      }),
    adjustments: (limit) => access.write((db) => adjustmentsOf(db, limit)),
    async forgetUser(userId) {
      const count = await access.write((db) => removeAccountsOf(db, userId));
      await eraseTraces(access);
      return count;
    },
  };
}

/** Returns how many had to make room. */
function keepAdjustments(db: Connection, exchange: Exchange, adjusted: readonly number[]): number {
  if (adjusted.length === 0) return 0;
  exchange.adjustments.forEach(({ account, at, reason }, i) => {
    const { budget, scope, personal } = exchange.accounts[account]!;
    db.run(
      `INSERT INTO adjustments (at, budget, scope, personal, nano_usd, reason)
       VALUES (?, ?, ?, ?, ?, ?)`,
      Math.trunc(at),
      ...[JSON.stringify(budget), JSON.stringify(scope), Number(personal)],
      adjusted[i]!,
      JSON.stringify(reason),
    );
  });
  return db.run(
    'DELETE FROM adjustments WHERE id <= (SELECT max(id) FROM adjustments) - ?',
    MAX_ADJUSTMENTS,
  );
}

function adjustmentsOf(db: Connection, limit: number): StoredAdjustment[] {
  const rows = db.all<{ at: number; budget: string; scope: string; nano: number; reason: string }>(
    `SELECT at, budget, scope, nano_usd AS nano, reason FROM adjustments ORDER BY id DESC LIMIT ?`,
    limit,
  );
  return rows.map(({ at, budget, scope, nano, reason }) => ({
    at,
    budget: JSON.parse(budget) as string,
    scope: JSON.parse(scope) as string | null,
    nanoUsd: nano,
    reason: JSON.parse(reason) as string,
  }));
}
