import { checkCell, type Bucket } from '../../bucket.js';
import { createCell, FAMILIES, RARE, SUM } from '../../cell.js';
import { sketchFromJSON, sketchToJSON } from '../../sketch.js';
import { RARE_NAMES } from '../../slots.js';
import type { Cell, Family, Line } from '../store.js';

/**
 * Cells as text, and back, to the last digit.
 *
 * - **block**: some cells of one family and bucket: a letter, and JSON `[version, rare, lines, rows]`,
 *   where the names of rare slots and the lines that occur are written once, and rows say which.
 * - **whole, delta**: the letter. Cells of whole blocks have different addresses; those of a delta
 *   are to be added to what there is.
 */
export type Kind = 'w' | 'd';

type LineRow = readonly [Line['model'], Line['class'], Line['speed'], Line['geo'], Line['tier']];
type Row = readonly [
  key1: string,
  key2: string,
  /** By slot, without zeros at the end; new slots are only ever added at the end. */
  sums: readonly number[],
  /** Place in the names, value, place, value, … */
  rare: readonly number[] | 0,
  lines: readonly number[],
  amounts: number[],
  sketches?: readonly (readonly number[])[],
];
type Block = readonly [
  version: number,
  rare: readonly string[],
  lines: readonly LineRow[],
  rows: readonly Row[],
];

const VERSION = 1;
const SUMS = Object.keys(SUM).length;
/** What is read in one go, and not much more. */
const ROWS_A_BLOCK = 200;
const SKETCHED_A_BLOCK = 20;

/** Blocks of cells of one family. */
export function* blocksOf(kind: Kind, cells: readonly Cell[]): Generator<string, void> {
  const first = cells[0];
  if (first === undefined) return;
  const size = FAMILIES[first.family].sketches ? SKETCHED_A_BLOCK : ROWS_A_BLOCK;
  for (let i = 0; i < cells.length; i += size) yield blockOf(kind, cells.slice(i, i + size));
}

function blockOf(kind: Kind, cells: readonly Cell[]): string {
  const rare = new Map<string, number>();
  const lines = new Map<string, number>();
  const rows = cells.map((cell): Row => {
    const [key1, key2] = cell.key;
    const found = cell.rare === null ? 0 : rareOf(cell.rare, rare);
    const places = cell.lines.map(({ model, class: part, speed, geo, tier }) =>
      placeIn(lines, JSON.stringify([model, part, speed, geo, tier] satisfies LineRow)),
    );
    const row = [key1, key2, trimmed(cell.sums), found, places, cell.amounts] as const;
    return cell.sketches ? [...row, Object.values(cell.sketches).map(sketchToJSON)] : row;
  });
  const names = JSON.stringify([...rare.keys()]);
  return `${kind}[${VERSION},${names},[${[...lines.keys()].join()}],${JSON.stringify(rows)}]`;
}

export function kindOf(block: string): Kind {
  return block.startsWith('w') ? 'w' : 'd';
}

/** @throws Error for what a newer version wrote. */
export function cellsOf(
  block: string,
  { bucketMs, at }: Pick<Bucket, 'bucketMs' | 'at'>,
  family: Family,
): Cell[] {
  const [version, rareNames, lineRows, rows] = JSON.parse(block.slice(1)) as Block;
  if (version !== VERSION) {
    throw new Error(
      `[claude-metrics] redisStore: cells of format ${version} were written by a newer version; ` +
        'update this process, or give it another prefix.',
    );
  }
  const slots = rareNames.map((name) => RARE_NAMES.indexOf(name));
  const lines = lineRows.map(([model, part, speed, geo, tier]): Line => {
    return Object.freeze({ model, class: part, speed, geo, tier });
  });
  return rows.map(([key1, key2, sums, rare, places, amounts, sketches]) => {
    const cell = createCell(family, bucketMs, at, [key1, key2]);
    for (let i = 0; i < sums.length; i += 1) cell.sums[i] = sums[i]!;
    if (rare !== 0) cell.rare = rareBySlot(rare, slots);
    cell.lines = places.map((place) => lines[place]!);
    cell.amounts = amounts;
    if (cell.sketches && sketches) {
      Object.values(cell.sketches).forEach((sketch, i) => {
        Object.assign(sketch, sketchFromJSON(sketches[i] ?? []));
      });
    }
    return cell;
  });
}

/** @throws TypeError for a cell that could not be read again. */
export function checkWritable(cell: Cell): void {
  checkCell(cell);
  const { family, sums, rare, amounts } = cell;
  const right = sums.every(isFinite) && amounts.every(isFinite) && (rare?.every(isFinite) ?? true);
  if (right && Object.hasOwn(FAMILIES, family)) return;
  throw new TypeError(
    `[claude-metrics] redisStore: a cell of family ${JSON.stringify(family)} is not formed as ` +
      'cells are; bring cells that were made with createCell(). Nothing was added.',
  );
}

function trimmed(sums: readonly number[]): readonly number[] {
  let length = SUMS;
  while (length > 0 && sums[length - 1] === 0) length -= 1;
  return sums.slice(0, length);
}

function rareOf(rare: readonly number[], names: Map<string, number>): number[] | 0 {
  const found: number[] = [];
  rare.forEach((value, slot) => {
    if (value !== 0) found.push(placeIn(names, RARE_NAMES[slot]!), value);
  });
  return found.length === 0 ? 0 : found;
}

function rareBySlot(rare: readonly number[], slots: readonly number[]): number[] {
  const bySlot = Array.from({ length: RARE.length }, () => 0);
  for (let i = 0; i + 1 < rare.length; i += 2) {
    const slot = slots[rare[i]!] ?? -1;
    if (slot >= 0) bySlot[slot] = rare[i + 1]!;
  }
  return bySlot;
}

function placeIn(places: Map<string, number>, name: string): number {
  let place = places.get(name);
  if (place === undefined) {
    place = places.size;
    places.set(name, place);
  }
  return place;
}
