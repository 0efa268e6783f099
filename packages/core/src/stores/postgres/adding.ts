import { checkCell, type Caps } from '../../bucket.js';
import { createCell, FAMILIES, mergeCell } from '../../cell.js';
import { cellOf } from './codec.js';
import { TIERS, type Tier } from './columns.js';
import { countRows, findRows, insertRows, placeOf, putRows } from './rows.js';
import type { Run } from './transaction.js';
import type { Cell, Family } from '../store.js';

/**
 * Adding cells to those of the same address: the one thing that happens to cells in a table. It runs
 * inside a transaction that has the lock of cells, so that what is read is what is written over.
 */
export interface Grown {
  readonly tier: Tier;
  readonly at: number;
  /** Cells of the family that has most of them, by its cap. */
  readonly size: number;
}

/** Names that a bucket of a table keeps apart: twice as many as in memory. */
export const TABLE_CAPS: Caps = { features: 400, users: 1_000 };

/** What one statement finds or writes. */
const MAX_ROWS = 2_000;
/** Years of four digits. */
const LAST = Date.UTC(9999, 0, 1);

/** Returns the buckets that now have cells which were not there. */
export async function addCells(run: Run, s: string, cells: readonly Cell[]): Promise<Grown[]> {
  const grown: Grown[] = [];
  for (const tier of TIERS) {
    const sums = addressed(cells.filter(({ bucketMs }) => bucketMs === tier.bucketMs));
    if (sums.length === 0) continue;
    const counts = await countRows(run, s, tier, [...new Set(sums.map(({ at }) => at))]);
    const sizes = new Map<number, number>();
    for (let i = 0; i < sums.length; i += MAX_ROWS) {
      const some = sums.slice(i, i + MAX_ROWS);
      for (const { at, family } of await addSome(run, s, tier, some, counts)) {
        const count = (counts.get(placeOf(at, family)) ?? 0) + 1;
        counts.set(placeOf(at, family), count);
        sizes.set(at, Math.max(sizes.get(at) ?? 0, count / capOf(family)));
      }
    }
    for (const [at, size] of sizes) grown.push({ tier, at, size });
  }
  return grown;
}

/** Returns those that were not there. */
async function addSome(
  run: Run,
  s: string,
  tier: Tier,
  cells: readonly Cell[],
  counts: ReadonlyMap<string, number>,
): Promise<Cell[]> {
  // Most minutes are new to the table: nothing has to be looked for in them.
  const known = cells.filter(({ at, family }) => counts.has(placeOf(at, family)));
  const found = await findRows(run, s, tier, known);
  const fresh = cells.filter((cell) => !found.has(cell));
  await insertRows(run, s, tier, fresh);
  const changed = [...found].map(([cell, data]) => {
    const sum = cellOf(cell.family, cell.bucketMs, cell.at, cell.key, data);
    mergeCell(sum, cell);
    return sum;
  });
  await putRows(run, s, tier, changed);
  return fresh;
}

export function capOf(family: Family): number {
  if (family === 'total') return Infinity;
  return family === 'feature-model' ? TABLE_CAPS.features : TABLE_CAPS.users;
}

/** @throws TypeError before anything is asked of the server. */
export function checkCells(cells: readonly Cell[]): void {
  for (const cell of cells) {
    checkCell(cell);
    const numbers = [cell.sums, cell.amounts, cell.rare ?? []];
    const right =
      Object.hasOwn(FAMILIES, cell.family) &&
      cell.at >= 0 &&
      cell.at < LAST &&
      numbers.every((list) => list.every((value) => Number.isFinite(value)));
    if (right) continue;
    throw new TypeError(
      '[claude-metrics] postgresStore: a cell has a family, a time or a number that is none; bring ' +
        'cells that were made with createCell(). Nothing was added.',
    );
  }
}

/** One cell for each address. The ledger's cells stay as they are: it may have to bring them again. */
function addressed(cells: readonly Cell[]): Cell[] {
  const found = new Map<string, Cell>();
  for (const cell of cells) {
    const { at, family, key } = cell;
    const address = JSON.stringify([at, family, ...key]);
    const other = found.get(address);
    if (other === undefined) {
      found.set(address, cell);
      continue;
    }
    const sum = createCell(family, cell.bucketMs, at, key);
    mergeCell(sum, other);
    mergeCell(sum, cell);
    found.set(address, sum);
  }
  return [...found.values()];
}
