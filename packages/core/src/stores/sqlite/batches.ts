import { randomUUID } from 'node:crypto';
import { nextTurn, type Access } from './access.js';
import { addRows } from './adding.js';
import { rowOf, type Row } from './codec.js';
import type { Connection } from './connection.js';
import type { Cell, Family } from '../store.js';

/**
 * Batches: all of their cells count, or none, and those of one name count once.
 *
 * A batch of one part is one transaction. A larger one would hold up requests, so it is staged part
 * by part; its name, written last, makes all of it count at once; and then its parts become cells
 * one by one. Who reads meanwhile adds what is still staged (reading.ts); a process that dies
 * leaves this work to whoever comes next, or, before the name was written, nothing that counts.
 *
 * - **part**: rows that are written in one step, as text: a line for each, its fields separated by tabs,
 *   which JSON never holds.
 */
const PART_ROWS = 96;
const PART_CHARS = 24_000;

export async function mergeBatch(
  access: Access,
  cells: readonly Cell[],
  now: number,
  batch: string | undefined,
): Promise<void> {
  const name = batch ?? randomUUID();
  const parts = partsOf(cells);
  const first = parts.next();
  if (first.done) return;
  let next = first.value;
  if (next.last) {
    await access.write((db) => addAtOnce(db, next.rows, now, batch));
    return;
  }
  for (let part = 0; ; part += 1) {
    const text = textOf(next.rows);
    const last = next.last;
    if (await access.write((db) => stage(db, name, part, now, text, last))) break;
    if (last) break;
    await nextTurn();
    next = parts.next().value as Part;
  }
}

/** Makes cells of the parts of all batches that count, also those of a process that died. */
export async function foldStaged(access: Access): Promise<void> {
  await nextTurn();
  while (await access.write(foldPart)) await nextTurn();
}

/** The rows of parts that count and are not cells yet. */
export function stagedRows(db: Connection): Row[] {
  const parts = db.all<{ rows: string }>(
    'SELECT staged.rows FROM staged JOIN batches ON batches.name = staged.batch',
  );
  return parts.flatMap(({ rows }) => rowsOfText(rows));
}

interface Part {
  readonly rows: readonly Row[];
  readonly last: boolean;
}

/**
 * Made one at a time: what it takes to make a part belongs to its step. Rows are in the order of the
 * table, so that those of a part lie on few pages.
 */
function* partsOf(cells: readonly Cell[]): Generator<Part, undefined> {
  let rows: Row[] = [];
  let chars = 0;
  for (let start = 0; start < cells.length;) {
    const end = endOfBucket(cells, start);
    const sorted = cells.slice(start, end).sort(byKey);
    start = end;
    for (let i = 0; i < sorted.length; i += 1) {
      const row = rowOf(sorted[i]!);
      rows.push(row);
      chars += row.data.length;
      const last = start === cells.length && i === sorted.length - 1;
      if (!last && rows.length < PART_ROWS && chars < PART_CHARS) continue;
      yield { rows, last };
      rows = [];
      chars = 0;
    }
  }
  return undefined;
}

/** The ledger brings cells bucket by bucket, and family by family. */
function endOfBucket(cells: readonly Cell[], start: number): number {
  const { bucketMs, at, family } = cells[start]!;
  let end = start + 1;
  while (end < cells.length) {
    const next = cells[end]!;
    if (next.at !== at || next.family !== family || next.bucketMs !== bucketMs) break;
    end += 1;
  }
  return end;
}

function byKey({ key: a }: Cell, { key: b }: Cell): number {
  if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
  return a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0;
}

function addAtOnce(db: Connection, rows: readonly Row[], now: number, batch?: string): void {
  if (batch !== undefined) {
    if (isKnown(db, batch)) return;
    db.run('INSERT INTO batches (name, at) VALUES (?, ?)', batch, now);
  }
  addRows(db, rows);
}

/** `true` when the batch counts already, so that nothing is left to do. */
function stage(
  db: Connection,
  batch: string,
  part: number,
  now: number,
  rows: string,
  last: boolean,
): boolean {
  if (isKnown(db, batch)) return true;
  db.run(
    'INSERT OR REPLACE INTO staged (batch, part, at, rows) VALUES (?, ?, ?, ?)',
    batch,
    part,
    now,
    rows,
  );
  if (!last) return false;
  const { count } = db.get<{ count: number }>(
    'SELECT count(*) AS count FROM staged WHERE batch = ?',
    batch,
  )!;
  // The file was exchanged for a new one on the way: the ledger brings the batch again.
  if (count !== part + 1) throw new Error(`${part + 1 - count} parts of a batch are missing`);
  db.run('INSERT INTO batches (name, at) VALUES (?, ?)', batch, now);
  return false;
}

function isKnown(db: Connection, batch: string): boolean {
  return db.get('SELECT 1 FROM batches WHERE name = ?', batch) !== undefined;
}

function foldPart(db: Connection): boolean {
  const part = db.get<{ id: number; rows: string }>(
    'SELECT id, rows FROM staged WHERE batch IN (SELECT name FROM batches) ORDER BY id LIMIT 1',
  );
  if (part === undefined) return false;
  addRows(db, rowsOfText(part.rows));
  db.run('DELETE FROM staged WHERE id = ?', part.id);
  return true;
}

function textOf(rows: readonly Row[]): string {
  return rows
    .map(({ bucketMs, at, family, key1, key2, data }) =>
      [bucketMs, at, family, key1, key2, data].join('\t'),
    )
    .join('\n');
}

function rowsOfText(text: string): Row[] {
  return text.split('\n').map((line) => {
    const [bucketMs, at, family, key1, key2, data] = line.split('\t');
    return {
      bucketMs: Number(bucketMs),
      at: Number(at),
      family: family as Family,
      key1: key1!,
      key2: key2!,
      data: data!,
    };
  });
}
