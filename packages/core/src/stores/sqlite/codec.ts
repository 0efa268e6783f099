import { createCell, RARE, SUM } from '../../cell.js';
import { sketchFromJSON, sketchToJSON } from '../../sketch.js';
import { RARE_NAMES } from '../../slots.js';
import type { CostClass } from '../../record.js';
import type { Cell, Family, Line } from '../store.js';

/**
 * A cell as a row, and back, to the last digit.
 *
 * - **data**: `[sums, rare, runs, amounts, sketches]` as JSON. Slots of `sums` are by number, so new
 *   ones are only ever added at the end; those of `rare` by name, so they may move.
 * - **run**: neighbouring lines that differ in their class alone:
 *   `[model, speed, geo, tier, class, class, …]`. A model that is the cell's second name is 0.
 */
export interface Row {
  readonly bucketMs: number;
  readonly at: number;
  readonly family: Family;
  /** JSON string literals. */
  readonly key1: string;
  readonly key2: string;
  readonly data: string;
}

type Run = (string | number | null)[];
export type Data = readonly [
  sums: number[],
  rare: Readonly<Record<string, number>> | 0,
  runs: readonly Run[],
  amounts: number[],
  sketches?: readonly (readonly number[])[],
];

/** By number on disk. */
const CLASSES = [
  'uncachedInput',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'output',
  'webSearch',
] as const satisfies readonly CostClass[];
const SUMS = Object.keys(SUM).length;

/** @throws TypeError for a cell that could not be read again. */
export function rowOf(cell: Cell): Row {
  const { bucketMs, at, family, key } = cell;
  if (cell.sums.length !== SUMS || !cell.sums.every(isFinite) || !cell.amounts.every(isFinite)) {
    throw new TypeError(
      `[claude-metrics] sqliteStore: a cell of ${family} has sums that are no numbers; ` +
        'bring cells that were made with createCell().',
    );
  }
  return {
    bucketMs,
    at,
    family,
    key1: JSON.stringify(key[0]),
    key2: JSON.stringify(key[1]),
    data: dataOf(cell),
  };
}

export function dataOf(cell: Cell): string {
  const runs = runsOf(cell);
  const rare = cell.rare === null ? 0 : rareByName(cell.rare);
  const data: Data = cell.sketches
    ? [cell.sums, rare, runs, cell.amounts, Object.values(cell.sketches).map(sketchToJSON)]
    : [cell.sums, rare, runs, cell.amounts];
  return JSON.stringify(data);
}

/** @param data Instead of the row's own. */
export function cellOf(row: Row, data: Data = JSON.parse(row.data) as Data): Cell {
  const key = [unquoted(row.key1), unquoted(row.key2)] as const;
  return cellOfData(row.family, row.bucketMs, row.at, key, data);
}

function unquoted(literal: string): string {
  return literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
}

/** Of `[[key1, key2, data], …]` as JSON, the cells of one bucket. */
export function cellsOfJSON(family: Family, bucketMs: number, at: number, json: string): Cell[] {
  const rows = JSON.parse(json) as readonly (readonly [string, string, Data])[];
  return rows.map(([key1, key2, data]) => cellOfData(family, bucketMs, at, [key1, key2], data));
}

function cellOfData(
  family: Family,
  bucketMs: number,
  at: number,
  key: readonly [string, string],
  [sums, rare, runs, amounts, sketches]: Data,
): Cell {
  while (sums.length < SUMS) sums.push(0);
  const cell: Cell = {
    family,
    bucketMs,
    at,
    key,
    sums,
    rare: rare === 0 ? null : rareBySlot(rare),
    lines: linesOf(runs, key[1]),
    amounts,
    sketches: null,
  };
  if (sketches === undefined) return cell;
  const blank = createCell(family, bucketMs, at, key).sketches;
  if (blank) {
    Object.values(blank).forEach((sketch, i) => {
      Object.assign(sketch, sketchFromJSON(sketches[i] ?? []));
    });
  }
  return { ...cell, sketches: blank };
}

function rareByName(rare: readonly number[]): Record<string, number> {
  const named: Record<string, number> = {};
  rare.forEach((value, slot) => {
    if (value !== 0) named[RARE_NAMES[slot]!] = value;
  });
  return named;
}

function rareBySlot(named: Readonly<Record<string, number>>): number[] {
  const rare = Array.from({ length: RARE.length }, () => 0);
  for (const [name, value] of Object.entries(named)) {
    const slot = RARE_NAMES.indexOf(name);
    if (slot >= 0) rare[slot] = value;
  }
  return rare;
}

function runsOf({ lines, key }: Cell): Run[] {
  const runs: Run[] = [];
  let run: Run | undefined;
  let before: Line | undefined;
  for (const line of lines) {
    if (run === undefined || before === undefined || !sameRun(before, line)) {
      const model = line.model === key[1] ? 0 : line.model;
      runs.push((run = [model, line.speed, line.geo, line.tier]));
    }
    const number = CLASSES.indexOf(line.class);
    run.push(number < 0 ? line.class : number);
    before = line;
  }
  return runs;
}

function sameRun(a: Line, b: Line): boolean {
  return a.model === b.model && a.speed === b.speed && a.geo === b.geo && a.tier === b.tier;
}

/**
 * Lines that are alike are the same objects: they take no more room, and cells of a kind are added
 * without comparing them.
 */
const known = new Map<string, { readonly run: Run; readonly lines: readonly Line[] }[]>();
const MAX_KNOWN = 500;
let knownCount = 0;

function linesOf(runs: readonly Run[], second: string): readonly Line[] {
  if (runs.length === 1) return linesOfRun(runs[0]!, second);
  return runs.flatMap((run) => linesOfRun(run, second));
}

function linesOfRun(run: Run, second: string): readonly Line[] {
  const model = run[0] === 0 ? second : (run[0] as string);
  let alike = known.get(model);
  const found = alike?.find((each) => sameButModel(each.run, run));
  if (found) return found.lines;
  const [, speed, geo, tier, ...classes] = run as [unknown, ...(string | null)[]];
  const parts = (classes as (CostClass | number)[]).map((part) => {
    const name = typeof part === 'number' ? CLASSES[part]! : part;
    const line: Line = { model, class: name, speed: speed!, geo: geo!, tier: tier! };
    return Object.freeze(line);
  });
  const lines = Object.freeze(parts);
  knownCount += 1;
  if (knownCount > MAX_KNOWN) {
    known.clear();
    knownCount = 1;
    alike = undefined;
  }
  if (alike) alike.push({ run, lines });
  else known.set(model, [{ run, lines }]);
  return lines;
}

function sameButModel(a: Run, b: Run): boolean {
  if (a.length !== b.length) return false;
  for (let i = 1; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
