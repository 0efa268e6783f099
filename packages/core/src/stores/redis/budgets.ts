import { keyOf } from '../../cell.js';
import { ACCOUNTS, FORGET } from './account-scripts.js';
import { EXCHANGE } from './exchange-script.js';
import { numberIn, textsIn, type Server } from './server.js';
import type {
  AccountAddress,
  AccountsPage,
  BudgetStore,
  Exchange,
  ExchangeAnswer,
  StoredAdjustment,
} from '../budget-store.js';
import type { Keys } from './keys.js';

/** Shared budgets: what is said and answered, as the scripts have it. See upkeep-script.ts. */
export interface RedisBudgets extends BudgetStore {
  exchange(exchange: Exchange): Promise<ExchangeAnswer>;
  accounts(query: Parameters<BudgetStore['accounts']>[0]): Promise<AccountsPage>;
  adjustments(limit: number): Promise<readonly StoredAdjustment[]>;
  /** Removes the accounts of a user, leases and corrections too; says how many accounts. */
  forgetUser(userId: string): Promise<number>;
}

type Row = readonly [number, number, number, number, number, number, number, number, number];
type Answer = readonly [accounts: readonly Row[], adjusted: number[], refused: number[]];
type Listed = AccountsPage['accounts'][number];

/** Accounts that are read in one step. */
const STEP = 2_000;

export function createBudgets(server: Server, keys: Keys): RedisBudgets {
  async function forget(scope: string): Promise<number> {
    let accounts = 0;
    for (let count = 1; count > 0; accounts += count) {
      const answer = await server.run('forget a user', FORGET, keys.budgets, [
        JSON.stringify(scope),
      ]);
      count = numberIn((answer as unknown[])[0]);
    }
    return accounts;
  }

  return {
    name: 'redis',
    async exchange(exchange) {
      const answer = await server.run('exchange', EXCHANGE, keys.budgets, argsOf(exchange));
      return answerOf(JSON.parse(String(answer)) as Answer);
    },
    async accounts({ budget, from, limit }) {
      const prefix = `${JSON.stringify(budget)}\n${from}`;
      const accounts: Listed[] = [];
      for (let after = ''; ;) {
        const args = [prefix, after, String(STEP)];
        const answer = await server.run('read accounts', ACCOUNTS, keys.budgets, args);
        const [names, records] = answer as [unknown, unknown[]];
        for (const [i, name] of textsIn(names).entries()) {
          after = name.slice(1);
          const account = listed(after, records[i]);
          if (account) accounts.push(account);
        }
        if (textsIn(names).length < STEP) break;
      }
      accounts.sort((a, b) => b.spent + b.held - (a.spent + a.held));
      return { accounts: accounts.slice(0, limit), count: accounts.length };
    },
    async adjustments(limit) {
      if (!(limit >= 1)) return [];
      const [log] = keys.budgets.slice(-1) as [string];
      const last = String(Math.min(Math.floor(limit), 10_000) - 1);
      const found = await server.send('read adjustments', log, ['LRANGE', log, '0', last]);
      return textsIn(found).map(adjustmentOf);
    },
    forgetUser: (userId) => forget(keyOf(userId)),
  };
}

/** Texts each by itself, and all numbers as one: see exchange-script.ts. */
function argsOf(exchange: Exchange): string[] {
  const { accounts, adjustments } = exchange;
  const args = [JSON.stringify(exchange.member), numbersOf(exchange)];
  for (const account of accounts) args.push(nameOf(account));
  for (const { at, reason } of adjustments) args.push(`${at}`, JSON.stringify(reason));
  return args;
}

function numbersOf(exchange: Exchange): string {
  const given: (number | string)[] = [];
  const [posted, adjusted, returned]: [number[], number[], number[]] = [[], [], []];
  const wanted: (number | string)[] = [];
  for (const { to, personal } of exchange.accounts) given.push(finite(to), personal ? 1 : 0);
  for (const each of exchange.postings) {
    posted.push(each.account, each.nanoUsd, each.leased, each.uncertain, each.overrun);
    posted.push(each.unpriced, each.refused);
  }
  for (const { account, nanoUsd } of exchange.adjustments) adjusted.push(account, nanoUsd);
  for (const { account, amount } of exchange.gifts) returned.push(account, amount);
  for (const wants of exchange.takings) {
    wanted.push(wants.length);
    for (const { account, limit, need, wish } of wants) {
      wanted.push(account, finite(limit), need, wish);
    }
  }
  const lists = `[${given.join()}],[${posted.join()}],[${adjusted.join()}],[${returned.join()}]`;
  const numbers = `[${exchange.number},${exchange.ttlMs},${lists},[${wanted.join()}]]`;
  if (!/NaN|Infinity|,,|,\]|\[,/.test(numbers) && isPlaced(exchange)) return numbers;
  throw new TypeError(
    '[claude-metrics] redisStore: an exchange has a number that is none, or speaks of an account that ' +
      'it does not name. Nothing of it was done.',
  );
}

/** A script that fails has done what it did before: what could make it fail is not sent. */
function isPlaced({ accounts, postings, adjustments, gifts, takings }: Exchange): boolean {
  const known = ({ account }: { readonly account: number }) => accounts[account] !== undefined;
  return [...postings, ...adjustments, ...gifts, ...takings.flat()].every(known);
}

/** JSON has no infinity, but numbers that are read as one. */
function finite(number: number): number | string {
  return number === Infinity ? '1e999' : number;
}

function nameOf({ budget, from, scope }: AccountAddress): string {
  return `${JSON.stringify(budget)}\n${from}\n${JSON.stringify(scope)}`;
}

function answerOf([accounts, adjusted, refused]: Answer): ExchangeAnswer {
  return {
    accounts: accounts.map(
      ([
        spent,
        held,
        uncertain,
        overrun,
        unpriced,
        refusals,
        leased,
        spentBefore,
        refusedBefore,
      ]) => {
        const balance = { spent, held, uncertain, overrun, unpriced, refused: refusals };
        return { ...balance, leased, spentBefore, refusedBefore };
      },
    ),
    adjusted,
    refused,
  };
}

/** `null` for one that nothing is on. */
function listed(name: string, record: unknown): Listed | null {
  if (record === null || record === undefined) return null;
  const numbers = String(record).split(',', 6).map(Number);
  const [spent, held, uncertain, overrun, unpriced, refused] = numbers as [
    ...[number, number, number, number, number, number],
  ];
  if (spent + held + unpriced + refused === 0) return null;
  const scope = JSON.parse(name.slice(name.lastIndexOf('\n') + 1)) as string | null;
  return { scope, spent, held, uncertain, overrun, unpriced, refused };
}

function adjustmentOf(entry: string): StoredAdjustment {
  const [budget, , scope, , at, nanoUsd, reason] = entry.split('\n') as [
    ...[string, string, string, string, string, string, string],
  ];
  return {
    at: Number(at),
    budget: JSON.parse(budget) as string,
    scope: JSON.parse(scope) as string | null,
    nanoUsd: Number(nanoUsd),
    reason: JSON.parse(reason) as string,
  };
}
