import { mergeCell } from '../../cell.js';
import { cellOf, dataOf } from './codec.js';
import type { Caps } from '../../bucket.js';
import type { CellData } from '../../cell-data.js';
import type { Connection } from './connection.js';
import type { Row } from './codec.js';
import type { Cell, Family } from '../store.js';

/**
 * Adding rows to those of the same address: the one thing that happens to cells in the file. It runs
 * inside a transaction, whose lock was taken before anything was read.
 */

/** Names that a bucket of the file keeps apart: twice as many as in memory. */
export const FILE_CAPS: Caps = { features: 400, users: 1_000 };

interface Placed {
  readonly bucket: number;
  row: Row;
}

/** Existing rows of a list of addresses, as one text: asking for each takes four times as long. */
const FIND = `SELECT group_concat('[' || wanted.key || ',' || cells.data || ']') AS found
  FROM json_each(?) AS wanted CROSS JOIN cells
  WHERE cells.bucket = wanted.value ->> 0
    AND cells.key1 = wanted.value ->> 1
    AND cells.key2 = wanted.value ->> 2`;
/** Rows as one text, too: to bind each takes twice as long. */
const PUT = `INSERT INTO cells (bucket, key1, key2, data)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
  ON CONFLICT DO UPDATE SET data = excluded.data`;

export function addRows(db: Connection, rows: readonly Row[]): void {
  const placed = placeRows(db, rows);
  const wanted = placed.map(({ bucket, row }) => [bucket, row.key1, row.key2]);
  const { found } = db.get<{ found: string | null }>(FIND, JSON.stringify(wanted)) ?? {};
  const fresh = new Map<number, number>();
  for (const { bucket } of placed) fresh.set(bucket, (fresh.get(bucket) ?? 0) + 1);
  for (const [i, data] of JSON.parse(`[${found ?? ''}]`) as [number, CellData][]) {
    const place = placed[i]!;
    place.row = sumOf(cellOf(place.row, data), place.row);
    fresh.set(place.bucket, fresh.get(place.bucket)! - 1);
  }
  const put = placed.map(({ bucket, row: { key1, key2, data } }) => [bucket, key1, key2, data]);
  db.run(PUT, JSON.stringify(put));
  for (const [bucket, count] of fresh) {
    if (count > 0) db.run('UPDATE buckets SET cells = cells + ? WHERE id = ?', count, bucket);
  }
}

/** Each address once, with the bucket it is in, in the order of the table. */
function placeRows(db: Connection, rows: readonly Row[]): Placed[] {
  const byAddress = new Map<string, Placed>();
  let last: Row | undefined;
  let bucket = 0;
  for (const row of rows) {
    if (last?.at !== row.at || last.family !== row.family || last.bucketMs !== row.bucketMs) {
      bucket = bucketOf(db, row);
      last = row;
    }
    const address = `${bucket}\t${row.key1}\t${row.key2}`;
    const before = byAddress.get(address);
    if (before) before.row = sumOf(cellOf(before.row), row);
    else byAddress.set(address, { bucket, row });
  }
  return [...byAddress.values()];
}

function bucketOf(db: Connection, { bucketMs, at, family }: Row): number {
  const find = 'SELECT id FROM buckets WHERE bucket_ms = ? AND at = ? AND family = ?';
  const found = db.get<{ id: number }>(find, bucketMs, at, family);
  if (found) return found.id;
  db.run(
    'INSERT INTO buckets (bucket_ms, at, family, fold_at) VALUES (?, ?, ?, ?)',
    bucketMs,
    at,
    family,
    foldAt(family),
  );
  return db.get<{ id: number }>(find, bucketMs, at, family)!.id;
}

/** Cells of a family at which its bucket is looked at: see folding.ts. */
export function foldAt(family: Family): number {
  if (family === 'total') return Number.MAX_SAFE_INTEGER;
  return 2 * (family === 'feature-model' ? FILE_CAPS.features : FILE_CAPS.users);
}

function sumOf(into: Cell, row: Row): Row {
  mergeCell(into, cellOf(row));
  return { ...row, data: dataOf(into) };
}
