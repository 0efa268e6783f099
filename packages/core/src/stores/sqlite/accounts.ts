import { keyOf } from '../../cell.js';
import type { SharedAccount } from '../../exchange.js';
import type {
  AccountAddress,
  AccountBalance,
  AccountsPage,
  AccountsQuery,
} from '../budget-store.js';
import { lastId, type Connection } from './connection.js';
import type { Member } from './members.js';

/**
 * Accounts of budgets in the file, with what one member has on them. They are read and written inside
 * one transaction, by budgets.ts.
 *
 * - **filed**: an account as it lies in the file; one that does not has no `id`.
 */
export interface FiledAccount extends SharedAccount {
  readonly id: number | null;
  readonly ends: number;
  readonly personal: number;
}

const WEEK_MS = 7 * 86_400_000;
const MAX_REMOVED = 256;
/** As in a row of `FIND`, after four others. */
const NUMBERS = ['spent', 'held', 'uncertain', 'overrun', 'unpriced', 'refused', 'leased'] as const;
const EMPTY: FiledAccount = {
  ...{ id: null, ends: 0, personal: 0 },
  ...{ spent: 0, held: 0, uncertain: 0, overrun: 0, unpriced: 0, refused: 0, leased: 0 },
};

/** All at once, as one text: asking for each takes several times as long. */
const FIND = `SELECT json_group_array(json_array(wanted.key, accounts.id, ends, personal,
    spent, held, uncertain, overrun, unpriced, refused, coalesce(amount, 0))) AS found
  FROM json_each(?) AS wanted
  CROSS JOIN accounts
  LEFT JOIN leases ON leases.account = accounts.id AND leases.member = ?
  WHERE budget = wanted.value ->> 0 AND start = wanted.value ->> 1 AND scope = wanted.value ->> 2`;

type FoundRow = [place: number, id: number, ends: number, personal: number, ...number[]];

export function findAccounts(
  db: Connection,
  member: Member,
  wanted: readonly AccountAddress[],
): FiledAccount[] {
  const accounts = wanted.map(() => ({ ...EMPTY }));
  if (wanted.length === 0) return accounts;
  const keys = wanted.map(({ budget, from, scope }) => [
    JSON.stringify(budget),
    timeOf(from),
    JSON.stringify(scope),
  ]);
  const { found } = db.get<{ found: string }>(FIND, JSON.stringify(keys), member.id)!;
  for (const [place, id, ends, personal, ...numbers] of JSON.parse(found) as FoundRow[]) {
    const account: FiledAccount = { ...EMPTY, id, ends, personal };
    NUMBERS.forEach((name, i) => (account[name] = numbers[i]!));
    accounts[place] = account;
  }
  return accounts;
}

/** Writes an account that is not `before` any more, and its member's lease. */
export function putAccount(
  db: Connection,
  member: Member,
  address: AccountAddress,
  account: FiledAccount,
  before: FiledAccount,
): void {
  if (account.id !== null) keepAddress(db, address, account);
  if (NUMBERS.every((name) => account[name] === before[name])) return;
  const { spent, held, uncertain, overrun, unpriced, refused } = account;
  const numbers = [spent, held, uncertain, overrun, unpriced, refused];
  const id = account.id ?? insertAccount(db, address, numbers);
  if (account.id !== null) {
    db.run(
      `UPDATE accounts SET spent = ?, held = ?, uncertain = ?, overrun = ?, unpriced = ?, refused = ?
       WHERE id = ?`,
      ...numbers,
      id,
    );
  }
  if (account.leased === before.leased) return;
  if (account.leased === 0) {
    db.run('DELETE FROM leases WHERE account = ? AND member = ?', id, member.id);
    return;
  }
  db.run(
    `INSERT INTO leases (account, member, amount) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET amount = excluded.amount`,
    ...[id, member.id, account.leased],
  );
}

/** A budget whose period became longer, or whose scopes became users, begins no other account. */
function keepAddress(
  db: Connection,
  address: AccountAddress,
  { id, ends, personal }: FiledAccount,
) {
  const to = Math.max(ends, timeOf(address.to));
  const named = Math.max(personal, Number(address.personal));
  if (to === ends && named === personal) return;
  db.run('UPDATE accounts SET ends = ?, personal = ? WHERE id = ?', to, named, id);
}

function insertAccount(db: Connection, address: AccountAddress, numbers: number[]): number {
  const { budget, from, scope, to, personal } = address;
  db.run(
    `INSERT INTO accounts (budget, start, scope, ends, personal,
       spent, held, uncertain, overrun, unpriced, refused)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[JSON.stringify(budget), timeOf(from), JSON.stringify(scope), timeOf(to), Number(personal)],
    ...numbers,
  );
  return lastId(db);
}

export function pageOfAccounts(
  db: Connection,
  { budget, from, limit }: AccountsQuery,
): AccountsPage {
  const used = 'budget = ? AND start = ? AND spent + held + unpriced + refused > 0';
  const address = [JSON.stringify(budget), timeOf(from)];
  const rows = db.all<AccountBalance & { scope: string }>(
    `SELECT scope, spent, held, uncertain, overrun, unpriced, refused FROM accounts
     WHERE ${used} ORDER BY spent + held DESC, scope LIMIT ?`,
    ...address,
    limit,
  );
  const { count } = db.get<{ count: number }>(
    `SELECT count(*) AS count FROM accounts WHERE ${used}`,
    ...address,
  )!;
  const accounts = rows.map(({ scope, ...balance }) => ({
    scope: JSON.parse(scope) as string | null,
    ...balance,
  }));
  return { accounts, count };
}

/** Those of periods that are long over, unless somebody still holds money on them. */
export function removeOldAccounts(db: Connection, wall: number): void {
  db.run(
    `DELETE FROM accounts WHERE id IN (
       SELECT id FROM accounts WHERE ends < ? AND held = 0 LIMIT ${MAX_REMOVED})`,
    wall - WEEK_MS,
  );
}

/** Accounts, leases and adjustments of a user. Returns how many accounts there were. */
export function removeAccountsOf(db: Connection, userId: string): number {
  const scope = JSON.stringify(keyOf(userId));
  const mine = 'personal = 1 AND scope = ?';
  db.run(`DELETE FROM leases WHERE account IN (SELECT id FROM accounts WHERE ${mine})`, scope);
  db.run(`DELETE FROM adjustments WHERE ${mine}`, scope);
  return db.run(`DELETE FROM accounts WHERE ${mine}`, scope);
}

/** Infinity is a fair end of a period, and no integer. */
export function timeOf(ms: number): number {
  return Math.min(Math.max(ms, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}
