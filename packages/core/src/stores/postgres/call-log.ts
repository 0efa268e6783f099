import { callPageOf } from '../../call-page.js';
import { createCallQueue } from '../../call-queue.js';
import { deepFreeze } from '../../freeze.js';
import { CALL_COLUMNS, CALL_TYPES, callLists } from './call-columns.js';
import { CALLS, presentOf, type Partitions } from './partitions.js';
import { escapeText, hashOf, msOf } from './text.js';
import type { CallRecord } from '../../record.js';
import type { CallsPage, CallsQuery } from '../store.js';
import type { Database } from './database.js';
import type { Run } from './transaction.js';

/**
 * The most recent calls, in the order in which they were written. They wait for a second at most; see
 * call-queue.ts.
 *
 * - **number**: of a call, without gaps; `call_numbers` has the oldest and the newest that are kept.
 */
export interface CallLog {
  add(calls: readonly CallRecord[]): void;
  /** Writes what waits. */
  flush(): Promise<void>;
  page(query: CallsQuery): Promise<CallsPage>;
  find(messageId: string): Promise<CallRecord | null>;
  /** Writes what waits, and drops what cannot be written. */
  close(): Promise<void>;
}

export interface CallLogOptions {
  readonly database: Database;
  readonly partitions: Partitions;
  readonly capacity: number;
  readonly onDrop: (count: number) => void;
  readonly onFault: (error: unknown) => void;
}

const MAX_WAITING = 10_000;
const LOAD = 500;
/** After a failure, so that a server that comes back is not run over. */
const RETRY_AFTER_MS = 5_000;

export function createCallLog(options: CallLogOptions): CallLog {
  const { database, capacity } = options;
  /** Where none is to be kept. */
  let unkept = 0;
  const queue = createCallQueue({
    ...{ most: MAX_WAITING, size: LOAD, onDrop: options.onDrop, onFault: options.onFault },
    retryMs: RETRY_AFTER_MS,
    write: (calls, name) => writeLoad(options, name, calls),
  });

  return {
    add(calls) {
      if (capacity === 0) unkept += calls.length;
      else queue.add(calls);
    },
    flush: queue.flush,
    async page(query) {
      const read = pageQuery(database.s, query);
      await queue.flush();
      const page = await database.transact('read calls', { reading: true }, read);
      const { oldest, newest, ...rest } = page;
      const kept = newest - oldest + 1;
      return { ...rest, kept, capacity, dropped: oldest - 1 + unkept + queue.dropped };
    },
    async find(messageId) {
      await queue.flush();
      return database.transact('find a call', { reading: true }, findQuery(database.s, messageId));
    },
    async close() {
      try {
        // A flush that was under way may have begun before the last calls were added.
        await queue.flush();
        await queue.flush();
      } catch (error) {
        options.onFault(error);
      }
      queue.stop();
      queue.clear();
    },
  };
}

function findQuery(s: string, messageId: string): (run: Run) => Promise<CallRecord | null> {
  return async (run) => {
    const { rows } = await run(
      `SELECT record::text AS record FROM ${s}.calls
        WHERE md5(message_id) = md5($1::text) AND message_id = $1::text
          AND seq >= (SELECT oldest FROM ${s}.call_numbers)
        ORDER BY seq DESC LIMIT 1`,
      [escapeText(messageId)],
    );
    const record = rows[0]?.['record'];
    return record == null ? null : deepFreeze(JSON.parse(record) as CallRecord);
  };
}

/** Numbers are given and calls written in one transaction, which has the row of numbers for itself. */
async function writeLoad(
  { database, partitions, capacity }: CallLogOptions,
  name: string,
  calls: readonly CallRecord[],
): Promise<void> {
  const { s } = database;
  const id = hashOf(name);
  const write = async (run: Run): Promise<number | null> => {
    const { rows } = await run(
      `WITH fresh AS (
         INSERT INTO ${s}.batches (id, added_at) VALUES ($1, ${s}.present())
         ON CONFLICT DO NOTHING RETURNING 1
       )
       UPDATE ${s}.call_numbers SET newest = newest + $2::bigint,
         oldest = greatest(oldest, newest + $2::bigint - $3::bigint + 1)
       FROM fresh RETURNING newest::text AS newest, ${msOf(`${s}.present()`)} AS now`,
      [id, calls.length, capacity],
    );
    const [numbers] = rows;
    if (numbers === undefined) return null;
    const first = Number(numbers['newest']) - calls.length;
    const lists = CALL_TYPES.map((type, i) => `$${i + 3}::${type}[]`).join(', ');
    await run(
      `INSERT INTO ${s}.calls (seq, added_at, ${CALL_COLUMNS.join(', ')})
        SELECT $1::bigint + u.i, to_timestamp($2::float8), ${CALL_COLUMNS.map((column) => `u.${column}`).join(', ')}
        FROM unnest(${lists}) WITH ORDINALITY AS u(${CALL_COLUMNS.join(', ')}, i)`,
      [first, Number(numbers['now']) / 1_000, ...callLists(calls)],
    );
    return null;
  };
  try {
    await database.transact('write calls', {}, write);
  } catch (error) {
    if ((error as { reason?: unknown }).reason !== 'missing') throw error;
    await makePartition(database, partitions);
    await database.transact('write calls', {}, write);
  }
}

/** Of the server's day: the process does not know it before it asks. */
async function makePartition(database: Database, partitions: Partitions): Promise<void> {
  const now = await database.transact('read the clock', { reading: true }, (run) => {
    return presentOf(run, database.s);
  });
  await partitions.make(CALLS, [now]);
}

type FoundPage = Pick<CallsPage, 'calls' | 'next'> & {
  readonly oldest: number;
  readonly newest: number;
};

/** @throws QueryError for a limit or cursor that makes no sense. */
function pageQuery(s: string, query: CallsQuery): (run: Run) => Promise<FoundPage> {
  const { limit, before } = callPageOf(query);
  const values: (string | number)[] = [before];
  const wanted = ['seq < $1::bigint', `seq >= (SELECT oldest FROM ${s}.call_numbers)`];
  const names = {
    model: query.model,
    feature: query.feature,
    user_id: query.user,
    outcome: query.outcome,
  };
  for (const [column, name] of Object.entries(names)) {
    if (name === undefined) continue;
    const place = `$${values.push(escapeText(name))}::text`;
    wanted.push(`${column} = ${place}`);
    if (column === 'user_id') wanted.push(`md5(user_id) = md5(${place})`);
  }
  return async (run) => {
    const { rows } = await run(
      `SELECT seq::text AS number, record::text AS record FROM ${s}.calls
        WHERE ${wanted.join(' AND ')} ORDER BY seq DESC LIMIT ${limit + 1}`,
      values,
    );
    const numbers = await run(
      `SELECT oldest::text AS oldest, newest::text AS newest FROM ${s}.call_numbers`,
    );
    const { oldest, newest } = numbers.rows[0] ?? {};
    return {
      calls: rows
        .slice(0, limit)
        .map(({ record }) => deepFreeze(JSON.parse(record!) as CallRecord)),
      next: rows.length > limit ? (rows[limit - 1]?.['number'] ?? null) : null,
      oldest: Number(oldest),
      newest: Number(newest),
    };
  };
}
