import { blankCell, byWeight, FAMILIES, mergeCell, moneyAt, OTHER, SUM } from '../cell.js';
import { mergeAll } from '../totals.js';
import { familyFor, partOf, select, windowOf, type Dimension } from '../window.js';
import type { Health } from '../health.js';
import type { CellSource } from '../snapshot.js';
import type { Cell, Family } from '../stores/store.js';
import type { Rule } from './rule.js';

/**
 * The cells that rules look at: one reading of the store for each window, whatever the number of rules.
 *
 * - **view**: a family of cells under a filter, by one of its names or as a whole.
 * - **reading**: the groups of every view of a window. A long window changes slowly, so its reading is
 *   used again for a hundredth of its length, at most 5 minutes.
 */
export interface Readings {
  /** By key; of a rule without `by`, one cell with the key `null`. @throws what the store throws. */
  groupsOf(rule: Rule, now: number): Promise<Groups>;
}

export type Groups = ReadonlyMap<string | null, Cell>;

export interface View {
  readonly family: Family;
  readonly by: Dimension | null;
  readonly filter: Rule['filter'];
}

interface Reading {
  readonly at: number;
  readonly views: Promise<ReadonlyMap<string, Groups>>;
  done: boolean;
}

const FRESH_PART = 100;
const MAX_FRESH_MS = 300_000;

/**
 * @example
 * const readings = createReadings({ source: ledger, rules, health, maxGroups: 500 });
 * for (const [model, cell] of await readings.groupsOf(rule, Date.now())) errorsOf(cell).errorRate;
 */
export function createReadings(options: {
  readonly source: CellSource;
  /** Those that look at the cells of a window. */
  readonly rules: readonly Rule[];
  readonly health: Pick<Health, 'drop'>;
  readonly maxGroups: number;
}): Readings {
  const { source, rules, health, maxGroups } = options;
  const readings = new Map<number, Reading>();

  async function read(windowMs: number, now: number) {
    const wanted = new Map(
      rules
        .filter((rule) => rule.windowMs === windowMs)
        .map((rule) => [nameOf(viewOf(rule)), viewOf(rule)]),
    );
    const families = [...new Set([...wanted.values()].map(({ family }) => family))];
    const window = windowOf({ rangeMs: windowMs }, now, source.resolutions);
    const cells = await source.cells({ ...window, families });
    const onLeftOut = (count: number) => health.drop('alerts.groups', count);
    const groups = (view: View) => groupsIn(cells, view, maxGroups, onLeftOut);
    return new Map([...wanted].map(([name, view]) => [name, groups(view)]));
  }

  function readingOf(windowMs: number, now: number): Reading {
    const known = readings.get(windowMs);
    if (known && (!known.done || isFresh(known.at, windowMs, now))) return known;
    const reading = { at: now, views: read(windowMs, now), done: false };
    readings.set(windowMs, reading);
    reading.views.then(
      () => (reading.done = true),
      () => readings.delete(windowMs),
    );
    return reading;
  }

  return {
    async groupsOf(rule, now) {
      const views = await readingOf(rule.windowMs, now).views;
      return views.get(nameOf(viewOf(rule))) ?? new Map();
    },
  };
}

/** Which cells a rule looks at. */
export function viewOf({ filter, by }: Pick<Rule, 'filter' | 'by'>): View {
  return { family: familyFor(filter, by ?? undefined) ?? 'total', by, filter };
}

/** The cells of a view by its names, without `(other)`; beyond `maxGroups` the heaviest of them. */
export function groupsIn(
  cells: readonly Cell[],
  { family, by, filter }: View,
  maxGroups: number,
  onLeftOut: (count: number) => void,
): Groups {
  const chosen = select(cells, family, filter);
  if (by === null) return new Map([[null, mergeAll(chosen, family)]]);
  const part = partOf(family, by);
  const keyOf = (cell: Cell) => cell.key[part]!;
  const names = heaviest(chosen, keyOf, maxGroups, onLeftOut);
  const groups = new Map<string, Cell>();
  for (const cell of chosen) {
    const key = keyOf(cell);
    if (!names.has(key)) continue;
    let group = groups.get(key);
    if (!group) groups.set(key, (group = blankCell(FAMILIES[family].sketches)));
    mergeCell(group, cell);
  }
  return groups;
}

/** Weighed before anything is merged: of a week there may be very many. */
function heaviest(
  cells: readonly Cell[],
  keyOf: (cell: Cell) => string,
  max: number,
  onLeftOut: (count: number) => void,
): ReadonlySet<string> {
  const weights = new Map<string, { name: string; nanoUsd: number; calls: number }>();
  for (const cell of cells) {
    const name = keyOf(cell);
    if (name === OTHER) continue;
    const weight = weights.get(name) ?? { name, nanoUsd: 0, calls: 0 };
    weight.nanoUsd += moneyAt(cell.sums, SUM.nanoUsd);
    weight.calls += cell.sums[SUM.calls]!;
    weights.set(name, weight);
  }
  if (weights.size <= max) return new Set(weights.keys());
  onLeftOut(weights.size - max);
  return new Set(
    [...weights.values()]
      .sort(byWeight)
      .slice(0, max)
      .map(({ name }) => name),
  );
}

function isFresh(readAt: number, windowMs: number, now: number): boolean {
  const age = now - readAt;
  return age >= 0 && age < Math.max(Math.min(windowMs / FRESH_PART, MAX_FRESH_MS), 1);
}

function nameOf({ family, by, filter }: View): string {
  return JSON.stringify([family, by, filter.model ?? null, filter.feature ?? null]);
}
