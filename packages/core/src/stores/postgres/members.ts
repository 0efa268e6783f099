import { listOf, msOf } from './text.js';
import type { Exchange } from '../budget-store.js';
import type { Database } from './database.js';
import type { Rows, Run } from './transaction.js';

/**
 * Members of budgets: who has been heard of, what they were told last, and when what they hold is let
 * go. All by the server's clock.
 *
 * - **order of locks**: the row of a member first, then accounts by their address, everywhere. So no two
 *   transactions wait for each other in a circle.
 */
export interface Member {
  /** The last exchange that was done; `null` for a member that is new. */
  readonly number: number | null;
  /** What it was told then. */
  readonly answer: string | null;
  /** Others hold money though nothing was heard of them for too long. */
  readonly isOverdue: boolean;
  /** The server's clock. */
  readonly now: number;
}

const OVERDUE = (s: string) => `expires_at <= ${s}.present()`;
/** A hundred years: leases that never expire still are a time. */
const MAX_TTL_MS = 3_153_600_000_000;
const FORGET_AFTER = `interval '1 day'`;
const MAX_EXPIRED = 100;
const MAX_FORGOTTEN = 1_000;

/** Renews the member and locks its row; sent together with BEGIN, so without any values. */
export function memberStatement(s: string, id: string, { ttlMs }: Exchange): string {
  const ms = Math.max(0, Math.min(Math.ceil(Number(ttlMs)), MAX_TTL_MS)) || 0;
  return `INSERT INTO ${s}.members AS m (id, heard_at, expires_at)
    VALUES ('${id}', ${s}.present(), ${s}.present() + ${ms} * interval '1 millisecond')
    ON CONFLICT (id) DO UPDATE SET heard_at = excluded.heard_at, expires_at = excluded.expires_at
    RETURNING m.number::text AS number, m.answer, ${msOf('m.heard_at')} AS now,
      ${overdueQuery(s, id)} AS overdue`;
}

/** As text: whether anybody but this member is overdue. */
export function overdueQuery(s: string, id = ''): string {
  return `(EXISTS (SELECT 1 FROM ${s}.members o WHERE o.${OVERDUE(s)} AND o.id <> '${id}'))::text`;
}

export function memberOf({ rows }: Rows): Member {
  const { number, answer, now, overdue } = rows[0] ?? {};
  return {
    number: number === null || number === undefined ? null : Number(number),
    answer: answer ?? null,
    isOverdue: overdue === 'true',
    now: Number(now),
  };
}

/** Lets go every lease of members that are overdue. Whoever is just being renewed is not. */
export async function expireMembers(database: Database): Promise<void> {
  const { s } = database;
  for (let count = MAX_EXPIRED; count === MAX_EXPIRED;) {
    count = await database.transact('let go what has expired', {}, async (run) => {
      const { rows } = await run(
        `SELECT id FROM ${s}.members WHERE ${OVERDUE(s)} ORDER BY id LIMIT ${MAX_EXPIRED}
          FOR UPDATE SKIP LOCKED`,
      );
      if (rows.length > 0) await letGoAll(run, s, listOf(rows.map(({ id }) => id!)));
      return rows.length;
    });
  }
}

async function letGoAll(run: Run, s: string, ids: string): Promise<void> {
  await run(
    `SELECT 1 FROM ${s}.accounts WHERE account IN
       (SELECT account FROM ${s}.leases WHERE member = ANY ($1::text[]))
      ORDER BY account FOR UPDATE`,
    [ids],
  );
  await run(
    `WITH gone AS (
       DELETE FROM ${s}.leases WHERE member = ANY ($1::text[]) RETURNING account, nano_usd
     ), let_go AS (
       UPDATE ${s}.accounts a SET held_nano_usd = a.held_nano_usd - g.nano_usd
       FROM (SELECT account, sum(nano_usd) AS nano_usd FROM gone GROUP BY account) AS g
       WHERE a.account = g.account
     )
     UPDATE ${s}.members SET expires_at = NULL WHERE id = ANY ($1::text[])`,
    [ids],
  );
}

/** Those that nothing was heard of for a day; what they held has been let go by then. */
export async function forgetMembers(run: Run, s: string): Promise<void> {
  await run(
    `DELETE FROM ${s}.members WHERE id IN (
       SELECT id FROM ${s}.members
       WHERE expires_at IS NULL AND heard_at < ${s}.present() - ${FORGET_AFTER}
       ORDER BY id LIMIT ${MAX_FORGOTTEN} FOR UPDATE SKIP LOCKED)`,
  );
}
