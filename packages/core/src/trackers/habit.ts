import { moneyAt, OTHER, SUM, UNATTRIBUTED } from '../cell.js';
import type { Cell } from '../stores/store.js';

/** When it is used, and by whom for what: calls by hour of the week, and the names that make most of them. */
export interface Hours {
  /** Calls by weekday (Monday first) and hour (0 to 23), by the report's time zone. */
  readonly calls: readonly (readonly number[])[];
  /** The busiest hour of the week, the first of equals; `null` without calls. */
  readonly peak: { readonly weekday: number; readonly hour: number; readonly calls: number } | null;
}

export interface Ranked {
  /** A model, feature or user; never `(other)` or `(unattributed)`, which are nobody's names. */
  readonly key: string;
  readonly calls: number;
  readonly usd: number;
  readonly nanoUsd: number;
}

export interface RankedPair extends Omit<Ranked, 'key'> {
  readonly user: string;
  readonly feature: string;
}

const HOUR_MS = 3_600_000;

/** A call is in the hour in which its bucket began. */
export function hoursOf(cells: readonly Cell[], local: (at: number) => number): Hours {
  const calls = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0));
  for (const { at, sums } of cells) {
    const hours = Math.floor(local(at) / HOUR_MS);
    // The first day of 1970 was a Thursday: three days after a Monday.
    calls[(Math.floor(hours / 24) + 3) % 7]![hours % 24]! += sums[SUM.calls]!;
  }
  const most = Math.max(...calls.flat());
  const place = calls.flat().indexOf(most);
  const peak =
    most === 0 ? null : { weekday: Math.floor(place / 24) + 1, hour: place % 24, calls: most };
  return { calls, peak };
}

/** The names with the most calls. `part`: where in the key they are. */
export function mostCalls(cells: readonly Cell[], part: 0 | 1, limit: number): Ranked[] {
  const named = cells.filter(({ key }) => isName(key[part]));
  return rank(named, (cell) => cell.key[part], limit).map(({ name, ...figures }) => {
    return { key: name, ...figures };
  });
}

/** Of cells by user and feature. */
export function mostCallsByPair(cells: readonly Cell[], limit: number): RankedPair[] {
  const named = cells.filter(({ key }) => isName(key[0]) && isName(key[1]));
  return rank(named, ({ key }) => JSON.stringify(key), limit).map(({ name, ...figures }) => {
    const [user, feature] = JSON.parse(name) as [string, string];
    return { user, feature, ...figures };
  });
}

function rank(cells: readonly Cell[], nameOf: (cell: Cell) => string, limit: number) {
  const sums = new Map<string, { name: string; calls: number; nanoUsd: number }>();
  for (const cell of cells) {
    const name = nameOf(cell);
    let sum = sums.get(name);
    if (sum === undefined) sums.set(name, (sum = { name, calls: 0, nanoUsd: 0 }));
    sum.calls += cell.sums[SUM.calls]!;
    sum.nanoUsd += moneyAt(cell.sums, SUM.nanoUsd);
  }
  return [...sums.values()]
    .filter(({ calls }) => calls > 0)
    .sort((a, b) => b.calls - a.calls || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
    .map((sum) => ({ ...sum, usd: sum.nanoUsd / 1e9 }));
}

function isName(key: string): boolean {
  return key !== OTHER && key !== UNATTRIBUTED;
}
