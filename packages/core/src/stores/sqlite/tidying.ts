import { capBucket, halveBucket } from '../../bucket.js';
import { nextTurn, type Access } from './access.js';
import { foldAt } from './adding.js';
import { foldStaged } from './batches.js';
import { foldBucket } from './folding.js';
import type { Family, Resolution } from '../store.js';
import type { CallLog } from './call-log.js';
import type { Connection } from './connection.js';

/**
 * What is done about once a minute, after a merge, a little each time: what is old goes, buckets with too
 * many names are folded, and the room that is left is given back to the disk.
 *
 * A clock that jumps ahead makes everything old, so only so much goes a minute.
 */
export interface TidyOptions {
  readonly access: Access;
  readonly calls: CallLog;
  readonly resolutions: readonly Resolution[];
  readonly callRetentionMs: number;
  readonly maxBytes: number;
}

const DAY_MS = 86_400_000;
/** Bucket rows a time, of which a quarter of an hour has four. */
const MAX_EXPIRED = 64;
const MAX_STEPS = 64;
const ROWS_A_STEP = 150;
const MAX_FOLDED = 4;
const PAGES_A_STEP = 32;
/** Free pages that are kept for what comes next. */
const SPARE_PAGES = 256;
/** Steps in which a file is rid of free pages; as many as 16 GB of them take. */
const MAX_ERASED = 131_072;

export async function tidy(options: TidyOptions, now: number): Promise<void> {
  const { access, calls, resolutions } = options;
  await foldStaged(access);
  await access.write((db) => {
    for (const { bucketMs, retentionMs } of resolutions) {
      hideBuckets(db, bucketMs, now - retentionMs - bucketMs);
    }
    forgetBatches(db, now - DAY_MS);
  });
  await repeat(() => calls.expire(now - options.callRetentionMs));
  await foldFull(access);
  await shrink(access, options.maxBytes);
  await repeat(() => access.write(deleteHidden));
  await repeat(() => access.write((db) => giveBack(db, SPARE_PAGES)));
}

async function repeat(step: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < MAX_STEPS; i += 1) {
    await nextTurn();
    if (!(await step())) return;
  }
}

/** They are gone for everybody at once; their rows go in steps. */
function hideBuckets(db: Connection, bucketMs: number, before: number): void {
  db.run(
    `UPDATE buckets SET bucket_ms = -id WHERE id IN (
       SELECT id FROM buckets WHERE bucket_ms = ? AND at <= ? ORDER BY at LIMIT ${MAX_EXPIRED})`,
    bucketMs,
    before,
  );
}

function deleteHidden(db: Connection): boolean {
  const bucket = db.get<{ id: number }>('SELECT id FROM buckets WHERE bucket_ms < 0 LIMIT 1')?.id;
  if (bucket === undefined) return false;
  const gone = db.run(
    `DELETE FROM cells WHERE bucket = ? AND key1 <= coalesce(
       (SELECT key1 FROM cells WHERE bucket = ? ORDER BY key1 LIMIT 1 OFFSET ${ROWS_A_STEP}),
       (SELECT max(key1) FROM cells WHERE bucket = ?))`,
    bucket,
    bucket,
    bucket,
  );
  if (gone === 0) db.run('DELETE FROM buckets WHERE id = ?', bucket);
  return true;
}

/** A name is kept while parts of its batch are still to become cells. */
function forgetBatches(db: Connection, before: number): void {
  db.run('DELETE FROM batches WHERE at < ? AND name NOT IN (SELECT batch FROM staged)', before);
  db.run('DELETE FROM staged WHERE at < ? AND batch NOT IN (SELECT name FROM batches)', before);
}

async function foldFull(access: Access): Promise<void> {
  for (let i = 0; i < MAX_FOLDED; i += 1) {
    const full = await access.write((db) =>
      db.get<{ bucket_ms: number; at: number }>(
        'SELECT bucket_ms, at FROM buckets WHERE cells >= fold_at AND bucket_ms > 0 LIMIT 1',
      ),
    );
    if (full === undefined) return;
    await foldBucket(access, full.bucket_ms, full.at, capBucket);
    await access.write((db) => lookLater(db, full.bucket_ms, full.at));
  }
}

/** However many it kept: it is looked at again when it has half as many more. */
function lookLater(db: Connection, bucketMs: number, at: number): void {
  const rows = db.all<{ id: number; family: Family; cells: number }>(
    'SELECT id, family, cells FROM buckets WHERE bucket_ms = ? AND at = ?',
    bucketMs,
    at,
  );
  for (const { id, family, cells } of rows) {
    const next = Math.max(foldAt(family), Math.ceil(cells * 1.5));
    db.run('UPDATE buckets SET fold_at = ? WHERE id = ?', next, id);
  }
}

/** While there is too much: the oldest buckets lose the lighter half of their names, and so on. */
async function shrink(access: Access, maxBytes: number): Promise<void> {
  for (let i = 0; i < MAX_FOLDED; i += 1) {
    const oldest = await access.write((db) => (bytesOf(db) > maxBytes ? oldestOf(db) : undefined));
    if (oldest === undefined) return;
    const { bucketMs, at, names } = oldest;
    const moved = names ? await foldBucket(access, bucketMs, at, halveBucket) : 0;
    if (moved === 0) await access.write((db) => hideBuckets(db, bucketMs, at));
  }
}

function oldestOf(db: Connection): { bucketMs: number; at: number; names: boolean } | undefined {
  const find = (condition: string) =>
    db.get<{ bucketMs: number; at: number }>(
      `SELECT bucket_ms AS bucketMs, at FROM buckets
       WHERE bucket_ms > 0 AND ${condition} ORDER BY at LIMIT 1`,
    );
  const named = find(`cells > 2 AND family <> 'total'`);
  if (named) return { ...named, names: true };
  const any = find('true');
  return any && { ...any, names: false };
}

function bytesOf(db: Connection): number {
  const { pages, free, size } = db.get<{ pages: number; free: number; size: number }>(
    `SELECT page_count AS pages, freelist_count AS free, page_size AS size
     FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
  )!;
  return (pages - free) * size;
}

/** `true` when there may be more to give back; a file that was not made for it keeps what it has. */
function giveBack(db: Connection, spare: number): boolean {
  const free = freePages(db);
  if (free <= spare) return false;
  db.exec(`PRAGMA incremental_vacuum(${PAGES_A_STEP})`);
  return freePages(db) < free;
}

function freePages(db: Connection): number {
  return db.get<{ free: number }>('SELECT freelist_count AS free FROM pragma_freelist_count')!.free;
}

/**
 * What was deleted is overwritten where it lay among other rows. This takes what is left of it: free
 * pages, and old pages in the log, which stay while another process reads.
 */
export async function eraseTraces(access: Access): Promise<void> {
  for (let i = 0; i < MAX_ERASED; i += 1) {
    await nextTurn();
    if (!(await access.write((db) => giveBack(db, 0)))) break;
  }
  access.emptyLog();
}
