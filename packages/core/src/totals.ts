import {
  blankCell,
  byWeight,
  FAMILIES,
  mergeCell,
  mergeSums,
  moneyAt,
  OTHER,
  subtractSums,
  SUM,
} from './cell.js';
import { partOf, type Dimension } from './window.js';
import { spendOf, tokensOf, type Spend } from './trackers/cost.js';
import { errorsOf } from './trackers/errors.js';
import { latencyOf, tokensPerCallOf } from './trackers/latency.js';
import { feedbackOf, type Feedback, type FeedbackRules } from './trackers/usage.js';
import type { ErrorKind, Outcome, Tokens } from './record.js';
import type { Cell, Family, Line } from './stores/store.js';
import type { Latency, TokensPerCall } from './trackers/latency.js';

/** Everything we say about a set of calls. `latency` is `null` where only sums are kept (users). */
export interface Totals {
  readonly calls: number;
  readonly cost: Spend;
  readonly tokens: Tokens;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Failed calls by kind, without an application's own aborts. */
  readonly errors: Readonly<Partial<Record<ErrorKind, number>>>;
  /** Failed ÷ all calls, 0..1; `null` without calls. */
  readonly errorRate: number | null;
  readonly attempts: number;
  readonly retries: number;
  readonly latency: Latency | null;
  /** Per call, so that growing prompts show. */
  readonly tokensPerCall: TokensPerCall | null;
  /** What people did with the answers; `null` while nobody has said. */
  readonly feedback: Feedback | null;
}

export interface Group extends Totals {
  /** A model, feature or user; `(other)` beyond the cap, `(unattributed)` without identity. */
  readonly key: string;
}

export interface Grouped {
  /** At most 100, heaviest first, and then `(other)`. Together they are the totals, exactly. */
  readonly groups: readonly Group[];
  /** Calls that the cap on cells had already merged. */
  readonly overflowed: number;
}

const MAX_GROUPS = 100;

export function totalsOf(cell: Cell, rules?: FeedbackRules): Totals {
  const { outcomes, errors, errorRate } = errorsOf(cell);
  return {
    calls: cell.sums[SUM.calls]!,
    cost: spendOf(cell),
    tokens: tokensOf(cell),
    outcomes,
    errors,
    errorRate,
    attempts: cell.sums[SUM.attempts]!,
    retries: cell.sums[SUM.retries]!,
    latency: latencyOf(cell),
    tokensPerCall: tokensPerCallOf(cell),
    feedback: feedbackOf(cell, rules),
  };
}

/** The sum of cells of one family. */
export function mergeAll(cells: readonly Cell[], family: Family): Cell {
  const sum = blankCell(FAMILIES[family].sketches);
  for (const cell of cells) mergeCell(sum, cell);
  return sum;
}

/**
 * Cells of one family by one of its names. What `whole` has beyond them goes to `(other)`: another
 * family may have merged names that this one kept. `null` when these cells have more than `whole`.
 */
export function groupBy(
  cells: readonly Cell[],
  by: Dimension,
  whole: Cell,
  rules?: FeedbackRules,
): Grouped | null {
  const groups = new Map<string, Cell>();
  const seen = blankCell(false);
  for (const cell of cells) {
    const key = cell.key[partOf(cell.family, by)]!;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = blankCell(cell.sketches !== null)));
    mergeCell(group, cell);
    mergeSums(seen, cell);
  }
  const rest = byClass(whole);
  if (!subtractSums(rest, byClass(seen))) return null;
  const other = groups.get(OTHER) ?? blankCell(Boolean(cells[0]?.sketches));
  groups.delete(OTHER);
  mergeSums(other, rest);
  const overflowed = other.sums[SUM.calls]!;
  const ranked = rank(groups);
  for (const { cell } of ranked.slice(MAX_GROUPS)) mergeCell(other, cell);
  const shown = ranked.slice(0, MAX_GROUPS);
  // Feedback may come for a call of a name that the cap has merged since.
  const some = other.sums[SUM.calls]! > 0 || feedbackOf(other) !== null;
  if (some) shown.push({ ...weigh(OTHER, other), cell: other });
  return {
    groups: shown.map(({ name, cell }) => ({ key: name, ...totalsOf(cell, rules) })),
    overflowed,
  };
}

/**
 * The sums of a cell with one line for each class. Cells of the same calls may keep other lines apart
 * (of very many, or of one call's two rates): that depends on the order of merging.
 */
function byClass(cell: Cell): Cell {
  const sums = blankCell(false);
  mergeSums(sums, { ...cell, lines: [], amounts: [] });
  // Line by line, so that a carry is taken before the next one is added.
  const none = blankCell(false);
  cell.lines.forEach(({ class: part }, i) => {
    const line: Line = { model: OTHER, class: part, speed: null, geo: null, tier: null };
    const amounts = cell.amounts.slice(3 * i, 3 * i + 3);
    mergeSums(sums, { ...none, lines: [line], amounts });
  });
  return sums;
}

function rank(groups: ReadonlyMap<string, Cell>) {
  return [...groups].map(([name, cell]) => ({ ...weigh(name, cell), cell })).sort(byWeight);
}

function weigh(name: string, { sums }: Cell) {
  return { name, nanoUsd: moneyAt(sums, SUM.nanoUsd), calls: sums[SUM.calls]! };
}
