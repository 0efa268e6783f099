import { ERASED, erasedCall, type Erased } from '../../erased.js';
import { nextTurn, type Access } from './access.js';
import { addRows } from './adding.js';
import { foldStaged } from './batches.js';
import { nameOf } from './call-log.js';
import { eraseTraces } from './tidying.js';
import type { CallRecord } from '../../record.js';
import type { Family } from '../store.js';
import type { CallLog } from './call-log.js';
import type { Row } from './codec.js';
import type { Connection } from './connection.js';

const STEP = 40;

export async function forgetUser(access: Access, calls: CallLog, userId: string): Promise<Erased> {
  await calls.flush();
  await foldStaged(access);
  const found = { cells: 0, calls: 0 };
  if (userId === ERASED) return found;
  const user = nameOf(userId);
  for (let count = STEP; count === STEP; found.cells += count) {
    await nextTurn();
    count = await access.write((db) => eraseCells(db, user));
  }
  for (let count = STEP; count === STEP; found.calls += count) {
    await nextTurn();
    count = await access.write((db) => eraseCalls(db, user));
  }
  await eraseTraces(access);
  return found;
}

function eraseCells(db: Connection, user: string): number {
  const rows = db.all<Row & { bucket: number }>(
    `SELECT cells.bucket, buckets.bucket_ms AS bucketMs, at, family, key1, key2, data
     FROM buckets JOIN cells ON cells.bucket = buckets.id AND cells.key1 = ?
     WHERE family IN ('user-model', 'user-feature') LIMIT ${STEP}`,
    user,
  );
  for (const { bucket, key1, key2 } of rows) {
    db.run('DELETE FROM cells WHERE bucket = ? AND key1 = ? AND key2 = ?', bucket, key1, key2);
    db.run('UPDATE buckets SET cells = cells - 1 WHERE id = ?', bucket);
  }
  const key1 = JSON.stringify(ERASED);
  addRows(
    db,
    rows.map(({ bucketMs, at, family, key2, data }) => {
      return { bucketMs, at, family: family as Family, key1, key2, data };
    }),
  );
  return rows.length;
}

function eraseCalls(db: Connection, user: string): number {
  const rows = db.all<{ id: number; record: string }>(
    `SELECT id, record FROM calls WHERE user = ? LIMIT ${STEP}`,
    user,
  );
  for (const { id, record } of rows) {
    const nobody = erasedCall(JSON.parse(record) as CallRecord);
    db.run(
      'UPDATE calls SET user = ?, record = ? WHERE id = ?',
      nameOf(ERASED),
      JSON.stringify(nobody),
      id,
    );
  }
  return rows.length;
}
