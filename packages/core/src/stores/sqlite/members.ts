import { lastId, type Connection } from './connection.js';
import type { Exchange, ExchangeAnswer } from '../budget-store.js';

/**
 * Members of budgets in the file: who has been heard of, what they were told last, and when what they
 * hold is let go.
 */
export interface Member {
  readonly id: number;
  /** The last exchange that was done; below all numbers for a member that is new. */
  readonly number: number;
}

const DAY_MS = 86_400_000;
const MAX_FORGOTTEN = 64;
const OVERDUE = 'SELECT id FROM members WHERE expires <= ? AND id <> ?';

/** Also makes it known, when it is new. */
export function memberOf(db: Connection, { member, ttlMs }: Exchange, now: number): Member {
  const name = JSON.stringify(member);
  const found = db.get<Member>('SELECT id, number FROM members WHERE name = ?', name);
  if (found) return found;
  // Not RETURNING: libsql leaves a statement that failed in `get()` half done.
  db.run(
    `INSERT INTO members (name, number, heard, expires, answer) VALUES (?, ?, ?, ?, '')`,
    name,
    Number.MIN_SAFE_INTEGER,
    now,
    expiryOf(now, ttlMs),
  );
  return { id: lastId(db), number: Number.MIN_SAFE_INTEGER };
}

/** Keeps its leases for another while, and changes nothing else. Returns what it was told last. */
export function renewMember(
  db: Connection,
  { id }: Member,
  { ttlMs }: Exchange,
  now: number,
): ExchangeAnswer {
  db.run('UPDATE members SET heard = ?, expires = ? WHERE id = ?', now, expiryOf(now, ttlMs), id);
  const find = 'SELECT answer FROM members WHERE id = ?';
  return JSON.parse(db.get<{ answer: string }>(find, id)!.answer) as ExchangeAnswer;
}

export function rememberAnswer(
  db: Connection,
  { id }: Member,
  { number, ttlMs }: Exchange,
  now: number,
  answer: string,
): void {
  db.run(
    'UPDATE members SET heard = ?, expires = ?, number = ?, answer = ? WHERE id = ?',
    now,
    expiryOf(now, ttlMs),
    number,
    answer,
    id,
  );
}

/** Lets go every lease of members that are overdue, but for one whose message this is. */
export function expireMembers(db: Connection, now: number, but: number): void {
  if (db.get(`${OVERDUE} LIMIT 1`, now, but) === undefined) return;
  db.run(
    `UPDATE accounts SET held = held - gone.amount
     FROM (SELECT account, sum(amount) AS amount FROM leases WHERE member IN (${OVERDUE})
       GROUP BY account) AS gone
     WHERE accounts.id = gone.account`,
    now,
    but,
  );
  db.run(`DELETE FROM leases WHERE member IN (${OVERDUE})`, now, but);
  db.run('UPDATE members SET expires = NULL WHERE expires <= ? AND id <> ?', now, but);
}

/** Those that nothing was heard of for a day; what they held has expired by then. */
export function forgetMembers(db: Connection, now: number): void {
  db.run(
    `DELETE FROM members WHERE id IN (
       SELECT id FROM members WHERE expires IS NULL AND heard < ? LIMIT ${MAX_FORGOTTEN})`,
    now - DAY_MS,
  );
}

function expiryOf(now: number, ttlMs: number): number {
  return Math.min(Math.ceil(now + ttlMs), Number.MAX_SAFE_INTEGER);
}
