import { keyOf } from '../../cell.js';
import { PostgresStoreError } from './failure.js';
import {
  escapeText,
  finiteTimeOf,
  hashOf,
  listOf,
  quotedList,
  timeOf,
  unescapeText,
} from './text.js';
import type { SharedAccount } from '../../exchange.js';
import type {
  AccountAddress,
  AccountsPage,
  AccountsQuery,
  Exchange,
  ExchangeAnswer,
} from '../budget-store.js';
import type { Run } from './transaction.js';

/**
 * Accounts of budgets, with what one member has on them. They are read and written in one transaction,
 * by budgets.ts.
 *
 * - **address**: the hash of budget, period and scope; that of budget and period is the period's.
 */
const NUMBERS = {
  spent: 'spent_nano_usd',
  held: 'held_nano_usd',
  uncertain: 'uncertain_nano_usd',
  overrun: 'overrun_nano_usd',
  unpriced: 'unpriced_calls',
  refused: 'refused_calls',
} as const;

const NAMES = Object.keys(NUMBERS) as (keyof typeof NUMBERS)[];
const SHOWN = (alias: string) =>
  NAMES.map((name) => `${alias}.${NUMBERS[name]}::text AS ${name}`).join(', ');

export function addressOf({ budget, from, scope }: AccountAddress): string {
  return hashOf([budget, from, scope]);
}

/**
 * Makes what is not there, locks all in the order of their addresses, and reads them as they are then.
 * A budget whose period became longer, or whose scopes became users, begins no other account.
 */
export async function takeAccounts(
  run: Run,
  s: string,
  member: string,
  wanted: readonly AccountAddress[],
): Promise<SharedAccount[]> {
  if (wanted.length === 0) return [];
  const addresses = wanted.map(addressOf);
  const { rows } = await run(
    `WITH taken AS (
       INSERT INTO ${s}.accounts AS a
         (account, period, budget, scope, personal, starts_at, ends_at)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[],
         $6::timestamptz[], $7::timestamptz[]) AS w(account) ORDER BY account
       ON CONFLICT (account) DO UPDATE SET ends_at = greatest(a.ends_at, excluded.ends_at),
         personal = a.personal OR excluded.personal
       RETURNING a.*
     )
     SELECT t.account, ${SHOWN('t')}, coalesce(l.nano_usd, 0)::text AS leased
     FROM taken t LEFT JOIN ${s}.leases l ON l.member = $8 AND l.account = t.account`,
    [
      listOf(addresses),
      listOf(wanted.map(({ budget, from }) => hashOf([budget, from]))),
      quotedList(wanted.map(({ budget }) => escapeText(budget))),
      quotedList(wanted.map(({ scope }) => (scope === null ? null : escapeText(scope)))),
      listOf(wanted.map(({ personal }) => personal)),
      listOf(wanted.map(({ from }) => timeOf(from))),
      listOf(wanted.map(({ to }) => timeOf(to))),
      member,
    ],
  );
  const found = new Map(rows.map((row) => [row['account'], row]));
  return addresses.map((address) => {
    const row = found.get(address)!;
    const account = { leased: Number(row['leased']) } as SharedAccount;
    for (const name of NAMES) account[name] = Number(row[name]);
    return account;
  });
}

export interface Change {
  readonly member: string;
  readonly exchange: Exchange;
  readonly accounts: readonly SharedAccount[];
  readonly answer: ExchangeAnswer;
  /** The answer, as it is kept. */
  readonly text: string;
}

/** All that an exchange has changed, in one statement. @throws PostgresStoreError for what is no money. */
export async function putAccounts(run: Run, s: string, change: Change): Promise<void> {
  const { member, exchange, accounts, answer, text } = change;
  for (const account of accounts) {
    for (const name of [...NAMES, 'leased'] as const) checkMoney(name, account[name]);
  }
  for (const each of answer.adjusted) checkMoney('adjustment', each);
  const where = exchange.adjustments.map(({ account }) => exchange.accounts[account]!);
  const numbers = NAMES.map((name, i) => `$${i + 2}::bigint[]`).join(', ');
  const columns = NAMES.map((name) => NUMBERS[name]);
  await run(
    `WITH said AS (
       SELECT * FROM unnest($1::text[], ${numbers}, $8::bigint[])
         AS u(account, ${columns.join(', ')}, leased)
     ), put AS (
       UPDATE ${s}.accounts a SET ${columns.map((name) => `${name} = u.${name}`).join(', ')}
       FROM said u WHERE a.account = u.account
     ), gone AS (
       DELETE FROM ${s}.leases l USING said u
       WHERE l.member = $9 AND l.account = u.account AND u.leased = 0
     ), leased AS (
       INSERT INTO ${s}.leases (member, account, nano_usd)
       SELECT $9, account, leased FROM said WHERE leased > 0
       ON CONFLICT (member, account) DO UPDATE SET nano_usd = excluded.nano_usd
     ), adjusted AS (
       INSERT INTO ${s}.adjustments (adjusted_at, budget, scope, personal, nano_usd, reason)
       SELECT * FROM unnest($10::timestamptz[], $11::text[], $12::text[], $13::boolean[],
         $14::bigint[], $15::text[])
     )
     UPDATE ${s}.members SET number = $16::bigint, answer = $17, name = $18 WHERE id = $9`,
    [
      listOf(exchange.accounts.map(addressOf)),
      ...NAMES.map((name) => listOf(accounts.map((account) => account[name]))),
      listOf(accounts.map(({ leased }) => leased)),
      member,
      listOf(exchange.adjustments.map(({ at }) => finiteTimeOf(at))),
      quotedList(where.map(({ budget }) => escapeText(budget))),
      quotedList(where.map(({ scope }) => (scope === null ? null : escapeText(scope)))),
      listOf(where.map(({ personal }) => personal)),
      listOf(answer.adjusted),
      quotedList(exchange.adjustments.map(({ reason }) => escapeText(reason))),
      exchange.number,
      text,
      escapeText(exchange.member),
    ],
  );
}

/** Of one page, whatever is asked for. */
const MAX_LISTED = 100_000;

function checkMoney(name: string, value: number): void {
  if (Number.isSafeInteger(value)) return;
  throw new PostgresStoreError(
    'other',
    `an exchange makes ${name} of an account ${value}, and it must be an integer; nothing was done. ` +
      'Bring amounts in whole nano-dollars.',
  );
}

export async function pageOfAccounts(
  run: Run,
  s: string,
  { budget, from, limit }: AccountsQuery,
): Promise<AccountsPage> {
  const { rows } = await run(
    `SELECT a.scope, ${SHOWN('a')}, (count(*) OVER ())::text AS count FROM ${s}.accounts a
      WHERE a.period = $1 AND (a.spent_nano_usd > 0 OR a.held_nano_usd > 0 OR a.unpriced_calls > 0
        OR a.refused_calls > 0)
      ORDER BY a.spent_nano_usd + a.held_nano_usd DESC, a.account LIMIT $2::bigint`,
    [hashOf([budget, from]), Math.trunc(Math.max(1, Math.min(limit, MAX_LISTED)))],
  );
  const accounts = rows.slice(0, limit).map((row) => {
    const scope = row['scope'] ?? null;
    const balance = Object.fromEntries(NAMES.map((name) => [name, Number(row[name])]));
    return {
      scope: scope === null ? null : unescapeText(scope),
      ...(balance as Record<(typeof NAMES)[number], number>),
    };
  });
  return { accounts, count: Number(rows[0]?.['count'] ?? 0) };
}

/** Those of periods that are long over, unless somebody still holds money on them. */
export async function removeOldAccounts(run: Run, s: string): Promise<void> {
  await run(
    `DELETE FROM ${s}.accounts WHERE account IN (
       SELECT account FROM ${s}.accounts
       WHERE ends_at < ${s}.present() - interval '7 days' AND held_nano_usd = 0
       ORDER BY account LIMIT 1000 FOR UPDATE SKIP LOCKED)`,
  );
}

/** Accounts, leases and adjustments of a user. Returns how many accounts there were. */
export async function removeAccountsOf(run: Run, s: string, userId: string): Promise<number> {
  const scope = escapeText(keyOf(userId));
  const mine = 'personal AND scope = $1 AND md5(scope) = md5($1)';
  await run(`SELECT 1 FROM ${s}.accounts WHERE ${mine} ORDER BY account FOR UPDATE`, [scope]);
  await run(`DELETE FROM ${s}.adjustments WHERE ${mine}`, [scope]);
  const { rowCount } = await run(
    `WITH gone AS (DELETE FROM ${s}.accounts WHERE ${mine} RETURNING account),
     leased AS (DELETE FROM ${s}.leases l USING gone g WHERE l.account = g.account)
     SELECT account FROM gone`,
    [scope],
  );
  return rowCount;
}
