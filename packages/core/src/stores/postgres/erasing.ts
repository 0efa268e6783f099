import { keyOf } from '../../cell.js';
import { ERASED, erasedCall, type Erased } from '../../erased.js';
import { addCells } from './adding.js';
import { cellOf } from './codec.js';
import { TIERS, type Tier } from './columns.js';
import { lockStatement } from './migrating.js';
import { bucketsOf } from './reading.js';
import { escapeText, keyText, listOf, msOf, quotedList, timeOf, unescapeText } from './text.js';
import type { CallRecord } from '../../record.js';
import type { Family } from '../store.js';
import type { Database } from './database.js';
import type { Run } from './transaction.js';

const BUCKETS_A_STEP = 1_000;
const CALLS_A_STEP = 500;

export async function eraseUser(database: Database, userId: string): Promise<Erased> {
  if (userId === ERASED) return { cells: 0, calls: 0 };
  const { s, schema } = database;
  const first = lockStatement(schema, 'cells');
  const found = { cells: 0, calls: 0 };
  for (const tier of TIERS) {
    const buckets = await database.transact('forget a user', { reading: true }, (run) => {
      return bucketsOf(run, s, tier);
    });
    for (let i = 0; i < buckets.length; i += BUCKETS_A_STEP) {
      const some = buckets.slice(i, i + BUCKETS_A_STEP);
      found.cells += await database.transact('forget a user', { first }, (run) => {
        return eraseCells(run, s, tier, some, keyText(keyOf(userId)));
      });
    }
  }
  for (let count = CALLS_A_STEP; count === CALLS_A_STEP; found.calls += count) {
    count = await database.transact('forget a user', {}, (run) => {
      return eraseCalls(run, s, escapeText(keyOf(userId)));
    });
  }
  return found;
}

async function eraseCells(
  run: Run,
  s: string,
  tier: Tier,
  buckets: readonly number[],
  user: string,
): Promise<number> {
  const { rows } = await run(
    `DELETE FROM ${s}.${tier.table} c
      USING unnest($1::timestamptz[]) AS b(at), unnest(ARRAY['user-model', 'user-feature']) AS f(family)
      WHERE c.at >= $2::timestamptz AND c.at <= $3::timestamptz
        AND c.at = b.at AND c.family = f.family AND c.key1 = $4
      RETURNING ${msOf('c.at')} AS at, c.family, c.key2, c.data::text AS data`,
    [listOf(buckets.map(timeOf)), timeOf(buckets[0]!), timeOf(buckets[buckets.length - 1]!), user],
  );
  const cells = rows.map(({ at, family, key2, data }) => {
    const key = [ERASED, unescapeText(key2!)] as const;
    return cellOf(family as Family, tier.bucketMs, Number(at), key, data!);
  });
  await addCells(run, s, cells);
  return cells.length;
}

async function eraseCalls(run: Run, s: string, user: string): Promise<number> {
  const { rows } = await run(
    `SELECT seq::text AS number, record::text AS record FROM ${s}.calls
      WHERE md5(user_id) = md5($1) AND user_id = $1 ORDER BY seq LIMIT ${CALLS_A_STEP} FOR UPDATE`,
    [user],
  );
  const records = rows.map(({ record }) => {
    return JSON.stringify(erasedCall(JSON.parse(record!) as CallRecord));
  });
  await run(
    `UPDATE ${s}.calls c SET user_id = '${ERASED}', session_id = NULL, record = w.record
      FROM unnest($1::bigint[], $2::json[]) AS w(seq, record) WHERE c.seq = w.seq`,
    [listOf(rows.map(({ number }) => number!)), quotedList(records)],
  );
  return rows.length;
}
