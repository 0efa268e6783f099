import { applyExchange } from '../../exchange.js';
import {
  pageOfAccounts,
  putAccounts,
  removeAccountsOf,
  removeOldAccounts,
  takeAccounts,
} from './accounts.js';
import {
  expireMembers,
  forgetMembers,
  memberOf,
  memberStatement,
  overdueQuery,
} from './members.js';
import { hashOf, msOf, unescapeText } from './text.js';
import type {
  AccountsPage,
  AccountsQuery,
  BudgetStore,
  Exchange,
  ExchangeAnswer,
  StoredAdjustment,
} from '../budget-store.js';
import type { Database } from './database.js';
import type { Run } from './transaction.js';

/**
 * Money of budgets that all processes of the schema share. An exchange is one transaction of four round
 * trips: it renews its member, takes its accounts, writes what has changed, and commits.
 */
export interface PostgresBudgets extends BudgetStore {
  exchange(exchange: Exchange): Promise<ExchangeAnswer>;
  accounts(query: AccountsQuery): Promise<AccountsPage>;
  adjustments(limit: number): Promise<readonly StoredAdjustment[]>;
  /** Returns how many accounts the user had. */
  forgetUser(userId: string): Promise<number>;
}

export interface BudgetsOptions {
  readonly database: Database;
  /** Told how many adjustments had to make room. */
  readonly onDrop: (count: number) => void;
  readonly onFault: (error: unknown) => void;
}

const MAX_ADJUSTMENTS = 10_000;
const UPKEEP_MS = 60_000;

export function createBudgets({ database, onDrop, onFault }: BudgetsOptions): PostgresBudgets {
  const { s } = database;
  let upkeptAt = -Infinity;

  async function upkeep(now: number): Promise<void> {
    if (Math.abs(now - upkeptAt) < UPKEEP_MS) return;
    upkeptAt = now;
    try {
      const gone = await database.transact('tidy up budgets', {}, async (run) => {
        await forgetMembers(run, s);
        await removeOldAccounts(run, s);
        await run(`DELETE FROM ${s}.claims WHERE expires_at <= ${s}.present()`);
        return removeOldAdjustments(run, s);
      });
      if (gone > 0) onDrop(gone);
    } catch (error) {
      onFault(error);
    }
  }

  /** `null`: others are overdue, and have to be expired before. */
  function exchangeOnce(exchange: Exchange, mayWait: boolean) {
    const id = hashOf(exchange.member);
    const first = memberStatement(s, id, exchange);
    return database.transact('exchange with budgets', { first }, async (run, begun) => {
      const member = memberOf(begun);
      if (member.isOverdue && mayWait) return null;
      const { now } = member;
      if (member.number !== null && exchange.number <= member.number) {
        return { answer: JSON.parse(member.answer!) as ExchangeAnswer, now };
      }
      const accounts = await takeAccounts(run, s, id, exchange.accounts);
      const answer = applyExchange(exchange, accounts);
      const text = JSON.stringify(answer);
      await putAccounts(run, s, { member: id, exchange, accounts, answer, text });
      // As it will be read, should it be asked for again.
      return { answer: JSON.parse(text) as ExchangeAnswer, now };
    });
  }

  return {
    name: 'postgres',
    async exchange(exchange) {
      let done = await exchangeOnce(exchange, true);
      if (done === null) {
        await expireMembers(database);
        done = (await exchangeOnce(exchange, false))!;
      }
      await upkeep(done.now);
      return done.answer;
    },
    async accounts(query) {
      const asked = { reading: true };
      const due = await database.transact('read accounts', asked, async (run) => {
        const { rows } = await run(
          `SELECT ${overdueQuery(s)} AS overdue, ${msOf(`${s}.present()`)} AS now`,
        );
        const isOverdue = rows[0]?.['overdue'] === 'true';
        const page = isOverdue ? null : await pageOfAccounts(run, s, query);
        return { page, now: Number(rows[0]?.['now']) };
      });
      if (due.page === null) await expireMembers(database);
      await upkeep(due.now);
      if (due.page !== null) return due.page;
      return database.transact('read accounts', asked, (run) => pageOfAccounts(run, s, query));
    },
    adjustments: (limit) =>
      database.transact('read adjustments', { reading: true }, (run) => {
        return adjustmentsOf(run, s, limit);
      }),
    forgetUser: (userId) =>
      database.transact('forget accounts', {}, (run) => removeAccountsOf(run, s, userId)),
  };
}

async function removeOldAdjustments(run: Run, s: string): Promise<number> {
  const { rowCount } = await run(
    `DELETE FROM ${s}.adjustments
      WHERE id <= (SELECT max(id) FROM ${s}.adjustments) - ${MAX_ADJUSTMENTS}`,
  );
  return rowCount;
}

async function adjustmentsOf(run: Run, s: string, limit: number): Promise<StoredAdjustment[]> {
  const { rows } = await run(
    `SELECT ${msOf('adjusted_at')} AS at, budget, scope, nano_usd::text AS nano, reason
      FROM ${s}.adjustments ORDER BY id DESC LIMIT $1::bigint`,
    [Math.trunc(Math.max(0, Math.min(limit, MAX_ADJUSTMENTS)))],
  );
  return rows.map(({ at, budget, scope, nano, reason }) => ({
    at: Number(at),
    budget: unescapeText(budget!),
    scope: scope === null || scope === undefined ? null : unescapeText(scope),
    nanoUsd: Number(nano),
    reason: unescapeText(reason!),
  }));
}
