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
  const sums = new Map<string, Ranked>();
  for (const cell of cells) {
    const key = cell.key[part];
    if (isName(key)) count(sums, key, cell, () => ({ key, ...NOTHING }));
  }
  return rank(sums.values(), limit, (a, b) => compare(a.key, b.key));
}

/** Of cells by user and feature. */
export function mostCallsByPair(cells: readonly Cell[], limit: number): RankedPair[] {
  const users = new Map<string, Map<string, RankedPair>>();
  for (const cell of cells) {
    const [user, feature] = cell.key;
    if (!isName(user) || !isName(feature)) continue;
    let sums = users.get(user);
    if (sums === undefined) users.set(user, (sums = new Map()));
    count(sums, feature, cell, () => ({ user, feature, ...NOTHING }));
  }
  const pairs = [...users.values()].flatMap((sums) => [...sums.values()]);
  return rank(pairs, limit, (a, b) => compare(a.user, b.user) || compare(a.feature, b.feature));
}

type Figures = Omit<Ranked, 'key'>;
const NOTHING: Figures = { calls: 0, usd: 0, nanoUsd: 0 };

function count<T extends Figures>(
  sums: Map<string, T>,
  name: string,
  { sums: numbers }: Cell,
  create: () => T,
): void {
  const sum: { -readonly [K in keyof Figures]: Figures[K] } = sums.get(name) ?? create();
  sum.calls += numbers[SUM.calls]!;
  sum.nanoUsd += moneyAt(numbers, SUM.nanoUsd);
  sums.set(name, sum as T);
}

/** The first few in order. Of many, most are not among them, so not all are sorted. */
function rank<T extends Figures>(
  sums: Iterable<T>,
  limit: number,
  byName: (a: T, b: T) => number,
): T[] {
  const order = (a: T, b: T) => b.calls - a.calls || byName(a, b);
  const first: T[] = [];
  for (const sum of sums) {
    const last = first[limit - 1];
    if (sum.calls === 0 || (last && order(last, sum) <= 0)) continue;
    first.push(sum);
    first.sort(order).splice(limit);
  }
  return first.map((sum) => ({ ...sum, usd: sum.nanoUsd / 1e9 }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isName(key: string): boolean {
  return key !== OTHER && key !== UNATTRIBUTED;
}
