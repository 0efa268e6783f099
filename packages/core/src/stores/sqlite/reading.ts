import { mergeCell } from '../../cell.js';
import { nextTurn, type Access } from './access.js';
import { stagedRows } from './batches.js';
import { cellOf, cellsOfJSON } from './codec.js';
import type { Connection } from './connection.js';
import type { Cell, CellQuery, Family } from '../store.js';

/**
 * Reading a range of cells, from one state of the file. SQLite puts the rows of a bucket together as one
 * text, which is read in one go: row by row takes three times as long.
 */
interface BucketRow {
  readonly id: number;
  readonly at: number;
  readonly family: Family;
}

const BUCKETS = `SELECT id, at, family FROM buckets
  WHERE bucket_ms = ? AND at >= ? AND at < ? ORDER BY at, family`;
const CELLS = `SELECT '[' || group_concat('[' || key1 || ',' || key2 || ',' || data || ']') || ']'
  AS json FROM cells WHERE bucket = ?`;

/** Work on one answer before others have their turn. */
const TURN_MS = 4;

export function readCells(access: Access, query: CellQuery): Promise<readonly Cell[]> {
  return access.read(async (db) => {
    const cells: Cell[] = [];
    const wanted = bucketsOf(db, query);
    let turn = performance.now();
    for (const { id, at, family } of wanted) {
      const { json } = db.get<{ json: string | null }>(CELLS, id) ?? {};
      if (json) for (const cell of cellsOfJSON(family, query.bucketMs, at, json)) cells.push(cell);
      if (performance.now() - turn < TURN_MS) continue;
      await nextTurn();
      turn = performance.now();
    }
    return addStaged(db, query, cells);
  });
}

function bucketsOf(db: Connection, { bucketMs, from, to, families }: CellQuery): BucketRow[] {
  const rows = db.all<BucketRow>(BUCKETS, bucketMs, bounded(from), bounded(to));
  return rows.filter(({ family }) => families.includes(family));
}

/** Infinity is a fair bound of a range, and no integer. */
function bounded(time: number): number {
  return Math.min(Math.max(time, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

/** What counts already but is not among the cells yet. */
function addStaged(db: Connection, query: CellQuery, cells: Cell[]): Cell[] {
  const staged = new Map<string, Cell>();
  for (const row of stagedRows(db)) {
    const { bucketMs, from, to, families } = query;
    if (row.bucketMs !== bucketMs || row.at < from || row.at >= to) continue;
    if (!families.includes(row.family)) continue;
    const cell = cellOf(row);
    const address = addressOf(cell);
    const before = staged.get(address);
    if (before) mergeCell(before, cell);
    else staged.set(address, cell);
  }
  if (staged.size === 0) return cells;
  for (const cell of cells) {
    const address = addressOf(cell);
    const more = staged.get(address);
    if (more === undefined) continue;
    mergeCell(cell, more);
    staged.delete(address);
  }
  return cells.concat([...staged.values()]);
}

function addressOf({ family, at, key }: Cell): string {
  return JSON.stringify([family, at, ...key]);
}
