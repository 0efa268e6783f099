import { callPageOf } from '../../call-page.js';
import { createCallQueue } from '../../call-queue.js';
import { keyOf } from '../../cell.js';
import { deepFreeze } from '../../freeze.js';
import { nextTurn, type Access } from './access.js';
import type { CallRecord } from '../../record.js';
import type { CallsPage, CallsQuery } from '../store.js';
import type { Connection, Value } from './connection.js';

/**
 * The most recent calls, in the order in which they ended. They wait in memory until the next merge, or
 * for a second, and are then written together.
 */
export interface CallLog {
  add(calls: readonly CallRecord[]): void;
  /** Writes what waits. */
  flush(): Promise<void>;
  page(query: CallsQuery): Promise<CallsPage>;
  find(messageId: string): Promise<CallRecord | null>;
  /** Takes calls that ended too long ago. `true` when there may be more of them. */
  expire(before: number): Promise<boolean>;
  stop(): void;
}

export interface CallLogOptions {
  readonly access: Access;
  readonly capacity: number;
  readonly onDrop: (count: number) => void;
  readonly onFault: (error: unknown) => void;
}

/** Calls that wait at most, while the file cannot be written. */
const MAX_WAITING = 5_000;
const STEP = 40;

const INSERT = `INSERT INTO calls (at, model, feature, user, outcome, message, record)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;

export function createCallLog(options: CallLogOptions): CallLog {
  const { access, capacity } = options;
  const queue = createCallQueue({
    ...{ most: MAX_WAITING, size: STEP, onDrop: options.onDrop, onFault: options.onFault },
    async write(calls) {
      await access.write((db) => insert(db, calls, capacity));
      await nextTurn();
    },
  });

  return {
    add: queue.add,
    flush: queue.flush,
    async page(query) {
      const { limit, before } = callPageOf(query);
      await queue.flush();
      return access.write((db) => pageOf(db, query, limit, before, capacity, queue.dropped));
    },
    async find(messageId) {
      await queue.flush();
      return access.write((db) => findCall(db, messageId));
    },
    expire: (before) => access.write((db) => expireStep(db, before)),
    stop: queue.stop,
  };
}

function insert(db: Connection, calls: readonly CallRecord[], capacity: number): void {
  const statement = db.prepare(INSERT);
  for (const call of calls) {
    statement.run(
      Math.trunc(call.at),
      nameOf(call.model),
      nameOf(call.feature),
      nameOf(call.userId),
      call.outcome,
      call.messageId === null ? null : JSON.stringify(call.messageId),
      JSON.stringify(call),
    );
  }
  // A step may find more to take than it added: `maxCalls` was larger once.
  const { first, last } = endsOf(db);
  const tooOld = Math.min(last - capacity, first + 4 * STEP);
  if (tooOld >= first) db.run('DELETE FROM calls WHERE id <= ?', tooOld);
}

/** Numbers have no gaps: calls go from the old end only, and those that were not written have none. */
function endsOf(db: Connection): { first: number; last: number } {
  const { first } = db.get<{ first: number | null }>('SELECT min(id) AS first FROM calls')!;
  const { last } = db.get<{ last: number | null }>(
    `SELECT max(seq) AS last FROM sqlite_sequence WHERE name = 'calls'`,
  )!;
  return { first: first ?? (last ?? 0) + 1, last: last ?? 0 };
}

function pageOf(
  db: Connection,
  query: CallsQuery,
  limit: number,
  before: number,
  capacity: number,
  dropped: number,
): CallsPage {
  const conditions = ['id < ?'];
  const values: Value[] = [before];
  const wanted = {
    model: query.model,
    feature: query.feature,
    user: query.user,
    outcome: query.outcome,
  };
  for (const [column, value] of Object.entries(wanted)) {
    if (value === undefined) continue;
    conditions.push(`${column} = ?`);
    values.push(column === 'outcome' ? value : JSON.stringify(value));
  }
  const rows = db.all<{ id: number; record: string }>(
    `SELECT id, record FROM calls WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT ?`,
    ...values,
    limit + 1,
  );
  const { first, last } = endsOf(db);
  const kept = last - first + 1;
  return {
    calls: rows.slice(0, limit).map(({ record }) => deepFreeze(JSON.parse(record) as CallRecord)),
    next: rows.length > limit ? String(rows[limit - 1]!.id) : null,
    kept,
    capacity,
    dropped: first - 1 + dropped,
  };
}

function findCall(db: Connection, messageId: string): CallRecord | null {
  const row = db.get<{ record: string }>(
    'SELECT record FROM calls WHERE message = ? ORDER BY id DESC LIMIT 1',
    JSON.stringify(messageId),
  );
  return row ? deepFreeze(JSON.parse(row.record) as CallRecord) : null;
}

function expireStep(db: Connection, before: number): boolean {
  const oldest = db.all<{ id: number; at: number }>(
    'SELECT id, at FROM calls ORDER BY id LIMIT ?',
    4 * STEP,
  );
  const expired = oldest.findIndex(({ at }) => at >= before);
  const count = expired < 0 ? oldest.length : expired;
  if (count === 0) return false;
  db.run('DELETE FROM calls WHERE id <= ?', oldest[count - 1]!.id);
  return count === 4 * STEP;
}

/** As the filters of a query have it, as a JSON string literal: see schema.ts. */
export function nameOf(name: string | null): string {
  return JSON.stringify(keyOf(name));
}
