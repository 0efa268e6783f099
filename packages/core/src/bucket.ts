import { byWeight, createCell, mergeCell, moneyAt, OTHER, RARE, SUM } from './cell.js';
import type { Cell, Family } from './stores/store.js';

/**
 * All cells of one time bucket, bounded: a table for each kind of leading name. The cap keeps the
 * heaviest names, not the first, and merges the others into `(other)`, so that sums stay exact.
 *
 * - **group**: what a table keeps for one leading name, in all families that start with it. A group
 *   is kept or folded as a whole: a user's models and features always add up to the same.
 * - **fold**: merge the lightest groups into `(other)`. It happens at twice the cap, so that its cost
 *   is spread over as many new names as the cap.
 */
export interface Bucket {
  readonly at: number;
  readonly bucketMs: number;
  readonly total: Table;
  readonly features: Table;
  readonly users: Table;
}

export interface Table {
  readonly families: readonly Family[];
  readonly groups: Map<string, Group>;
  /** Names to keep after a fold. */
  readonly cap: number;
  /** Cells of all groups. */
  size: number;
}

/** How many names a bucket keeps apart. */
export interface Caps {
  readonly features: number;
  readonly users: number;
}

export const DEFAULT_CAPS: Caps = { features: 200, users: 500 };

/** For each family of the table its cells: one for each second name. */
export interface Group {
  readonly name: string;
  readonly cells: Cell[][];
}

/** Second names of one group: the models of a user, say. */
const MAX_SECOND = 32;
/** Cells for each name of the cap that a table may have before it is folded. */
const CELLS_PER_NAME = 8;

export function createBucket(at: number, bucketMs: number, caps: Caps): Bucket {
  const table = (families: readonly Family[], cap: number): Table => {
    return { families, groups: new Map(), cap, size: 0 };
  };
  return {
    at,
    bucketMs,
    total: table(['total'], 1),
    features: table(['feature-model'], caps.features),
    users: table(['user-model', 'user-feature'], caps.users),
  };
}

const NO_CELLS: Cell[] = [];

/** The group of a name, new if need be. */
export function groupOf(table: Table, name: string): Group {
  let group = table.groups.get(name);
  if (group === undefined) {
    group = { name, cells: table.families.map(() => NO_CELLS) };
    table.groups.set(name, group);
  }
  return group;
}

/** The cell of a second name in the family at `axis` of a group's table, new if need be. */
export function cellOf(
  bucket: Bucket,
  table: Table,
  group: Group,
  axis: number,
  second: string,
): Cell {
  const cells = group.cells[axis]!;
  for (let i = 0; i < cells.length; i += 1) if (cells[i]!.key[1] === second) return cells[i]!;
  if (cells.length >= 2 * MAX_SECOND) {
    foldSecond(bucket, table, group, axis, MAX_SECOND);
    // Folding may have made the very cell that is asked for: `(other)`.
    return cellOf(bucket, table, group, axis, second);
  }
  const family = table.families[axis]!;
  const cell = createCell(family, bucket.bucketMs, bucket.at, [group.name, second]);
  // Most groups have one cell for good: an array of one takes less room than one that was pushed to.
  if (cells.length === 0) group.cells[axis] = [cell];
  else cells.push(cell);
  table.size += 1;
  return cell;
}

/**
 * Adds a cell of this bucket's time. It folds nothing: the cells of one name may still be on their
 * way, so the cap is for afterwards.
 */
export function mergeIntoBucket(bucket: Bucket, cell: Cell): void {
  for (const table of tablesOf(bucket)) {
    const axis = table.families.indexOf(cell.family);
    if (axis < 0) continue;
    const group = groupOf(table, cell.key[0]);
    mergeCell(cellOf(bucket, table, group, axis, cell.key[1]), cell);
  }
}

/** Folds a table that has more than twice its cap. */
export function capTable(bucket: Bucket, table: Table): void {
  const most = table.cap * CELLS_PER_NAME;
  if (table.groups.size <= 2 * table.cap && table.size <= 2 * most) return;
  let keep = table.cap;
  fold(bucket, table, keep);
  while (table.size > most && keep > 0) {
    keep = Math.floor(keep / 2);
    fold(bucket, table, keep);
  }
}

export function capBucket(bucket: Bucket): void {
  capTable(bucket, bucket.features);
  capTable(bucket, bucket.users);
}

/** Keeps the heaviest half of the names and of the second names, whatever the cap. */
export function halveBucket(bucket: Bucket): void {
  for (const table of [bucket.features, bucket.users]) {
    const keep = Math.floor((table.groups.size - (table.groups.has(OTHER) ? 1 : 0)) / 2);
    fold(bucket, table, keep);
    for (const group of table.groups.values()) {
      group.cells.forEach((cells, axis) => {
        if (cells.length > 2) {
          foldSecond(bucket, table, group, axis, Math.floor((cells.length - 1) / 2));
        }
      });
    }
  }
}

/** Appends the bucket's cells of some families to `into`. */
export function cellsOf(bucket: Bucket, families: readonly Family[], into: Cell[]): void {
  for (const table of tablesOf(bucket)) {
    table.families.forEach((family, axis) => {
      if (!families.includes(family)) return;
      for (const group of table.groups.values()) into.push(...group.cells[axis]!);
    });
  }
}

function tablesOf({ total, features, users }: Bucket): readonly Table[] {
  return [total, features, users];
}

function fold(bucket: Bucket, table: Table, keep: number): void {
  const ranked = [...table.groups.values()]
    .filter((group) => group.name !== OTHER)
    .map((group) => ({ group, name: group.name, ...weightOf(group.cells[0]!) }));
  if (ranked.length <= keep) return;
  const other = groupOf(table, OTHER);
  for (const { group } of ranked.sort(byWeight).slice(keep)) {
    table.groups.delete(group.name);
    group.cells.forEach((cells, axis) => {
      table.size -= cells.length;
      for (const cell of cells) mergeCell(cellOf(bucket, table, other, axis, cell.key[1]), cell);
    });
  }
}

function foldSecond(bucket: Bucket, table: Table, group: Group, axis: number, keep: number): void {
  const cells = group.cells[axis]!;
  const ranked = cells
    .filter((cell) => cell.key[1] !== OTHER)
    .map((cell) => ({ cell, name: cell.key[1], ...weightOf([cell]) }));
  if (ranked.length <= keep) return;
  const other =
    cells.find((cell) => cell.key[1] === OTHER) ??
    createCell(table.families[axis]!, bucket.bucketMs, bucket.at, [group.name, OTHER]);
  ranked.sort(byWeight);
  for (const { cell } of ranked.slice(keep)) mergeCell(other, cell);
  const before = cells.length;
  cells.splice(0, before, ...ranked.slice(0, keep).map(({ cell }) => cell), other);
  table.size += cells.length - before;
}

function weightOf(cells: readonly Cell[]): { nanoUsd: number; calls: number } {
  let nanoUsd = 0;
  let calls = 0;
  for (const { sums } of cells) {
    nanoUsd += moneyAt(sums, SUM.nanoUsd);
    calls += sums[SUM.calls]!;
  }
  return { nanoUsd, calls };
}

const SUMS = Object.keys(SUM).length;

/** @throws TypeError for what cannot be added: before half of it is. */
export function checkCell({ at, key, sums, rare, lines, amounts }: Cell): void {
  const right =
    Number.isFinite(at) &&
    key.length === 2 &&
    sums.length === SUMS &&
    (rare === null || rare.length === RARE.length) &&
    amounts.length === 3 * lines.length;
  if (!right) {
    throw new TypeError(
      '[claude-metrics] merge: a cell is not formed as cells are. Nothing was added.',
    );
  }
}
