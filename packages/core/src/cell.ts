import { createSketch, mergeSketch } from './sketch.js';
import { RARE, SUM } from './slots.js';
import type { Cell, Family, Line, Sketches } from './stores/store.js';

/** The cell: an additive aggregate, and the only arithmetic there is on it. Its numbers: slots.ts. */
export { RARE, SUM, UNPRICED_REASONS } from './slots.js';

/** 10¹⁵ nano-dollars: two of it still add without rounding. */
const CARRY = 1e15;
const MAX_LINES = 48;

/** Key of what the cap merged, and of calls without user or feature. */
export const OTHER = '(other)';
export const UNATTRIBUTED = '(unattributed)';

/** What each family is keyed by, in the order of `Cell.key`, and whether it keeps sketches. */
export const FAMILIES = {
  total: { key: [], sketches: true },
  'feature-model': { key: ['feature', 'model'], sketches: true },
  'user-model': { key: ['user', 'model'], sketches: false },
  'user-feature': { key: ['user', 'feature'], sketches: false },
} as const satisfies Record<Family, FamilyDefinition>;

export interface FamilyDefinition {
  readonly key: readonly ('feature' | 'model' | 'user')[];
  readonly sketches: boolean;
}

/** Families whose cells calls are counted into; `total` is what the cells of one of them add up to. */
export const NAMED_FAMILIES = ['feature-model', 'user-model', 'user-feature'] as const;

// Copied rather than filled: an array of doubles from the start is never converted while counting.
const ZERO_SUMS = Array.from(Object.keys(SUM), () => 0.5).fill(0);
const ZERO_RARE = Array.from({ length: RARE.length }, () => 0);

/**
 * The key of a name. Somebody who is really called `(other)` gets the key `\(other)`: a leading
 * backslash is put before every name that, without leading backslashes, is a reserved one.
 */
export function keyOf(name: string | null): string {
  if (name === null) return UNATTRIBUTED;
  const first = name.charCodeAt(0);
  if (first !== 40 && first !== 92) return name;
  let start = 0;
  while (name.charCodeAt(start) === 92) start += 1;
  const bare = start === 0 ? name : name.slice(start);
  return bare === OTHER || bare === UNATTRIBUTED ? `\\${name}` : name;
}

export function createCell(
  family: Family,
  bucketMs: number,
  at: number,
  key: readonly [string, string],
): Cell {
  return {
    family,
    bucketMs,
    at,
    key,
    sums: ZERO_SUMS.slice(),
    rare: null,
    lines: [],
    amounts: [],
    sketches: FAMILIES[family].sketches ? createSketches(family === 'total') : null,
  };
}

/** In the order in which stores write them: new ones are only ever added at the end. */
function createSketches(ofEverybody: boolean): Sketches {
  const sketches = {
    callMs: createSketch(),
    lastAttemptMs: createSketch(),
    ttftMs: createSketch(),
    input: createSketch(),
    output: createSketch(),
  };
  if (!ofEverybody) return sketches;
  return { ...sketches, users: createSketch(), sessions: createSketch() };
}

/** A cell of no bucket, to merge others into. */
export function blankCell(sketches: boolean): Cell {
  return createCell(sketches ? 'total' : 'user-model', 0, 0, ['', '']);
}

/** Adds `from` to `into`. Sketches are merged where both have them. */
export function mergeCell(into: Cell, from: Cell): void {
  mergeSums(into, from);
  if (into.sketches && from.sketches) {
    mergeSketch(into.sketches.callMs, from.sketches.callMs);
    mergeSketch(into.sketches.lastAttemptMs, from.sketches.lastAttemptMs);
    mergeSketch(into.sketches.ttftMs, from.sketches.ttftMs);
    mergeSketch(into.sketches.input, from.sketches.input);
    mergeSketch(into.sketches.output, from.sketches.output);
    const { users, sessions } = into.sketches;
    if (users && from.sketches.users) mergeSketch(users, from.sketches.users);
    if (sessions && from.sketches.sessions) mergeSketch(sessions, from.sketches.sessions);
  }
}

/** Adds everything but the sketches. */
export function mergeSums(into: Cell, from: Cell): void {
  const { sums } = into;
  for (let i = 0; i < sums.length; i += 1) sums[i]! += from.sums[i]!;
  carry(sums, SUM.nanoUsd);
  carry(sums, SUM.estimatedNanoUsd);
  if (from.rare !== null) {
    const rare = (into.rare ??= ZERO_RARE.slice());
    for (let i = 0; i < rare.length; i += 1) rare[i]! += from.rare[i]!;
  }
  mergeLines(into, from);
}

function mergeLines(into: Cell, from: Cell): void {
  if (into.lines.length === 0 && from.lines.length > 0) {
    // A copy takes just the room it needs; an array that grew from nothing, several times that.
    into.lines = from.lines.slice();
    into.amounts = from.amounts.slice();
    for (let i = 1; i < into.amounts.length; i += 3) carry(into.amounts, i);
    return;
  }
  for (let i = 0; i < from.lines.length; i += 1) {
    const slot = 3 * lineSlot(into, from.lines[i]!, i);
    const { amounts } = into;
    amounts[slot]! += from.amounts[3 * i]!;
    amounts[slot + 1]! += from.amounts[3 * i + 1]!;
    amounts[slot + 2]! += from.amounts[3 * i + 2]!;
    carry(amounts, slot + 1);
  }
}

/**
 * Takes the sums of `part` out of `whole`. `false`, with `whole` then good for nothing, when there is
 * less in it than is to be taken out.
 */
export function subtractSums(whole: Cell, part: Cell): boolean {
  const slots: [number[], number, number][] = [];
  part.sums.forEach((value, i) => slots.push([whole.sums, i, value]));
  if (part.rare !== null) {
    const rare = (whole.rare ??= ZERO_RARE.slice());
    part.rare.forEach((value, i) => slots.push([rare, i, value]));
  }
  part.lines.forEach((line, i) => {
    const slot = 3 * lineSlot(whole, line, i);
    for (let j = 0; j < 3; j += 1) slots.push([whole.amounts, slot + j, part.amounts[3 * i + j]!]);
  });
  for (const [numbers, slot, value] of slots) numbers[slot]! -= value;
  borrow(whole.sums, SUM.nanoUsd);
  borrow(whole.sums, SUM.estimatedNanoUsd);
  whole.lines.forEach((_, i) => borrow(whole.amounts, 3 * i + 1));
  return slots.every(([numbers, slot]) => numbers[slot]! >= 0);
}

/** Counts into a slot of `rare`. */
export function addRare(cell: Cell, slot: number): void {
  const rare = (cell.rare ??= ZERO_RARE.slice());
  rare[slot]! += 1;
}

/** Nano-dollars of an amount and its carry; exact up to 2⁵³, the nearest double beyond. */
export function moneyAt(numbers: readonly number[], slot: number): number {
  return numbers[slot]! + CARRY * numbers[slot + 1]!;
}

/** Heaviest first: by money, then by calls, then by name, so that equal cells have one order. */
export function byWeight(
  a: { nanoUsd: number; calls: number; name: string },
  b: { nanoUsd: number; calls: number; name: string },
): number {
  if (a.nanoUsd !== b.nanoUsd) return b.nanoUsd - a.nanoUsd;
  if (a.calls !== b.calls) return b.calls - a.calls;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function carry(numbers: number[], slot: number): void {
  if (numbers[slot]! < CARRY) return;
  const whole = Math.floor(numbers[slot]! / CARRY);
  numbers[slot]! -= whole * CARRY;
  numbers[slot + 1]! += whole;
}

function borrow(numbers: number[], slot: number): void {
  if (numbers[slot]! >= 0) return;
  numbers[slot]! += CARRY;
  numbers[slot + 1]! -= 1;
}

/** Calls of a kind have their lines in the same order, so the guess is nearly always right. */
function lineSlot(cell: Cell, line: Line, guess: number): number {
  const { lines } = cell;
  if (lines[guess] === line) return guess;
  for (let i = 0; i < lines.length; i += 1) if (sameLine(lines[i]!, line)) return i;
  if (lines.length >= MAX_LINES && line.model !== OTHER) {
    const { class: part } = line;
    return lineSlot(cell, { model: OTHER, class: part, speed: null, geo: null, tier: null }, -1);
  }
  cell.lines = [...lines, line];
  cell.amounts.push(0, 0, 0);
  return lines.length;
}

function sameLine(a: Line, b: Line): boolean {
  return (
    a === b ||
    (a.class === b.class &&
      a.model === b.model &&
      a.speed === b.speed &&
      a.geo === b.geo &&
      a.tier === b.tier)
  );
}
