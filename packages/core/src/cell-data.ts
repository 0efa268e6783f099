import { createCell, RARE, SUM } from './cell.js';
import { COST_CLASSES, type CostClass } from './record.js';
import { sketchFromJSON, sketchToJSON } from './sketch.js';
import { RARE_NAMES } from './slots.js';
import type { Cell, Line } from './stores/store.js';

/**
 * What is in a cell beside its address, as JSON in a row of a table, and back, to the last digit.
 *
 * - **data**: `[sums, rare, runs, amounts, sketches]`. Slots of `sums` are by number, so new ones are
 *   only ever added at the end; those of `rare` by name, so they may move.
 * - **run**: neighbouring lines that differ in their class alone:
 *   `[model, speed, geo, tier, class, class, …]`. A model that is the cell's second name is 0, and
 *   classes are by number.
 */
export interface CellCodec {
  textOf(cell: Cell): string;
  cellOf(address: Pick<Cell, 'family' | 'bucketMs' | 'at' | 'key'>, data: CellData): Cell;
}

type Run = (string | number | null)[];
export type CellData = readonly [
  sums: number[],
  rare: Readonly<Record<string, number>> | 0,
  runs: readonly Run[],
  amounts: number[],
  sketches?: readonly (readonly number[])[],
];

/** How names are written where not every text can be. */
export interface Names {
  readonly write: (name: string) => string;
  readonly read: (written: string) => string;
}

const SUMS = Object.keys(SUM).length;
const MAX_KNOWN = 500;
const AS_THEY_ARE: Names = { write: (name) => name, read: (written) => written };

export function createCellCodec({ write, read }: Names = AS_THEY_ARE): CellCodec {
  /**
   * Lines that are alike are the same objects: they take no more room, and cells of a kind are added
   * without comparing them.
   */
  const known = new Map<string, { readonly run: Run; readonly lines: readonly Line[] }[]>();
  let knownCount = 0;

  function runsOf({ lines, key }: Cell): Run[] {
    const runs: Run[] = [];
    let run: Run | undefined;
    let before: Line | undefined;
    for (const line of lines) {
      if (run === undefined || before === undefined || !sameRun(before, line)) {
        const names = [line.speed, line.geo, line.tier].map((name) => name && write(name));
        runs.push((run = [line.model === key[1] ? 0 : write(line.model), ...names]));
      }
      const number = COST_CLASSES.indexOf(line.class);
      run.push(number < 0 ? line.class : number);
      before = line;
    }
    return runs;
  }

  function linesOfRun(run: Run, second: string): readonly Line[] {
    const model = run[0] === 0 ? second : read(run[0] as string);
    let alike = known.get(model);
    const found = alike?.find((each) => sameButModel(each.run, run));
    if (found) return found.lines;
    const [speed, geo, tier] = run.slice(1, 4).map((name) => name && read(name as string));
    const lines = (run.slice(4) as (CostClass | number)[]).map((part) => {
      const name = typeof part === 'number' ? COST_CLASSES[part]! : part;
      return Object.freeze({ model, class: name, speed, geo, tier } as Line);
    });
    Object.freeze(lines);
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

  return {
    textOf(cell) {
      const runs = runsOf(cell);
      const rare = cell.rare === null ? 0 : rareByName(cell.rare);
      const data: CellData = cell.sketches
        ? [cell.sums, rare, runs, cell.amounts, Object.values(cell.sketches).map(sketchToJSON)]
        : [cell.sums, rare, runs, cell.amounts];
      return JSON.stringify(data);
    },
    cellOf({ family, bucketMs, at, key }, [sums, rare, runs, amounts, sketches]) {
      while (sums.length < SUMS) sums.push(0);
      const cell: Cell = {
        family,
        bucketMs,
        at,
        key,
        sums,
        rare: rare === 0 ? null : rareBySlot(rare),
        lines:
          runs.length === 1
            ? linesOfRun(runs[0]!, key[1])
            : runs.flatMap((run) => linesOfRun(run, key[1])),
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
    },
  };
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

function sameRun(a: Line, b: Line): boolean {
  return a.model === b.model && a.speed === b.speed && a.geo === b.geo && a.tier === b.tier;
}

function sameButModel(a: Run, b: Run): boolean {
  if (a.length !== b.length) return false;
  for (let i = 1; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
