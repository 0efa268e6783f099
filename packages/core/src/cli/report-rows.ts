import { FAMILIES, SUM } from '../cell.js';
import { localTimeIn } from '../local-time.js';
import { DAY_MS, type Span } from './arguments.js';
import { cellsBetween, countedOf } from './ledger-reading.js';
import { descending, nanoAt } from './money.js';
import type { Group, Totals } from '../totals.js';
import type { Cell, Family, Store } from '../stores/store.js';

/** What was spent, by whom and on what, as rows that add up. */
export const BY = ['user', 'feature', 'model', 'day'] as const;
export type By = (typeof BY)[number];

export interface Spending {
  /** In the order that was asked for. */
  readonly names: readonly string[];
  calls: number;
  input: number;
  output: number;
  /** `null`: some, and not known how many. */
  unpriced: number | null;
  nanoUsd: bigint;
  estimatedNanoUsd: bigint;
}

/** The family that can tell these names apart; `null`: none can. */
export function familyOf(by: readonly By[]): Family | null {
  const names = by.filter((each) => each !== 'day');
  // Not `total`: the other families are kept by every store.
  const families = ['feature-model', 'user-model', 'user-feature'] as const;
  return (
    families.find((family) =>
      names.every((name) => (FAMILIES[family].key as readonly string[]).includes(name)),
    ) ?? null
  );
}

/** One row for each combination of names, the heaviest first; by day, the first day first. */
export async function spendingIn(
  store: Pick<Store, 'read' | 'resolutions'>,
  span: Span,
  by: readonly By[],
  zone: string,
): Promise<Spending[]> {
  const family = familyOf(by);
  if (family === null) return [];
  const local = localTimeIn(zone);
  const rows = new Map<string, Spending>();
  for await (const cell of cellsBetween(store, span, [family])) {
    const names = by.map((each) => nameIn(cell, each, local));
    add(rowOf(rows, names), cell);
  }
  return sorted([...rows.values()], by);
}

/** The same of what a mount says: its groups are the rows. */
export function spendingOf(
  groups: readonly (Totals & Partial<Group>)[],
  names: readonly string[],
): Spending[] {
  return groups.map((group) => ({
    names: group.key === undefined ? names : [...names, group.key],
    calls: group.calls,
    input:
      group.tokens.uncachedInput +
      group.tokens.cacheRead +
      group.tokens.cacheWrite5m +
      group.tokens.cacheWrite1h,
    output: group.tokens.output,
    unpriced: group.cost.complete ? 0 : null,
    nanoUsd: BigInt(group.cost.nanoUsd),
    estimatedNanoUsd: BigInt(group.cost.estimatedNanoUsd),
  }));
}

export function sorted(rows: Spending[], by: readonly By[]): Spending[] {
  const day = by.indexOf('day');
  return rows.sort((a, b) => {
    const days = day < 0 ? 0 : compare(a.names[day] ?? '', b.names[day] ?? '');
    if (days !== 0) return days;
    const money = descending(a.nanoUsd, b.nanoUsd);
    if (money !== 0) return money;
    return b.calls - a.calls || compare(a.names.join('\n'), b.names.join('\n'));
  });
}

export function sumOf(rows: readonly Spending[], names: readonly string[]): Spending {
  const sum = blank(names);
  for (const row of rows) {
    sum.calls += row.calls;
    sum.input += row.input;
    sum.output += row.output;
    sum.unpriced = plus(sum.unpriced, row.unpriced);
    sum.nanoUsd += row.nanoUsd;
    sum.estimatedNanoUsd += row.estimatedNanoUsd;
  }
  return sum;
}

function nameIn(cell: Cell, by: By, local: (at: number) => number): string {
  if (by === 'day') {
    const day = Math.floor(local(cell.at) / DAY_MS) * DAY_MS;
    return new Date(day).toISOString().slice(0, 10);
  }
  const at = (FAMILIES[cell.family].key as readonly string[]).indexOf(by);
  return cell.key[at] ?? '';
}

function rowOf(rows: Map<string, Spending>, names: readonly string[]): Spending {
  const key = JSON.stringify(names);
  let row = rows.get(key);
  if (row === undefined) rows.set(key, (row = blank(names)));
  return row;
}

function add(row: Spending, cell: Cell): void {
  const { sums } = cell;
  row.calls += sums[SUM.calls] ?? 0;
  for (const each of ['uncachedInput', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h'] as const) {
    row.input += sums[SUM[each]] ?? 0;
  }
  row.output += sums[SUM.output] ?? 0;
  const unpriced = Object.values(countedOf(cell).unpriced).reduce((sum, calls) => sum + calls, 0);
  row.unpriced = plus(row.unpriced, unpriced);
  row.nanoUsd += nanoAt(sums, SUM.nanoUsd);
  row.estimatedNanoUsd += nanoAt(sums, SUM.estimatedNanoUsd);
}

function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function blank(names: readonly string[]): Spending {
  return { names, calls: 0, input: 0, output: 0, unpriced: 0, nanoUsd: 0n, estimatedNanoUsd: 0n };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
