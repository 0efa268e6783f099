import type { MonitorStatus } from '../../status.js';
import type { Sample } from './histogram.js';
import type { CallTable } from './table.js';

/**
 * One metric: what it says of itself, and how its series are read.
 *
 * - **reading**: all that a scrape looks at, taken once for all metrics.
 */
export interface Metric {
  /** Without the prefix; of a counter with `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** How processes of `node:cluster` are brought together. Default: they are added up. */
  readonly aggregator?: 'max' | 'first';
  read(reading: Reading, name: string): Sample[];
}

export interface Reading {
  readonly table: CallTable;
  /** Of each monitor that counts into the registry. */
  readonly statuses: readonly MonitorStatus[];
  /** Rules that have fired: they go back to 0, rather than away. */
  readonly fired: Tally;
}

/** Values by their labels: two monitors may have a budget of one name, and a series is there once. */
export interface Tally {
  put(
    labels: Readonly<Record<string, string>>,
    value: number,
    join: (a: number, b: number) => number,
  ): void;
  /** Everything stays, with this value. */
  fill(value: number): void;
  samples(): Sample[];
}

const MAX_TALLIED = 1_000;

export function createTally(): Tally {
  const series = new Map<string, { labels: Readonly<Record<string, string>>; value: number }>();
  return {
    put(labels, value, join) {
      const key = JSON.stringify(Object.values(labels));
      const found = series.get(key);
      if (found) found.value = join(found.value, value);
      else if (series.size < MAX_TALLIED) series.set(key, { labels, value });
    },
    fill(value) {
      for (const each of series.values()) each.value = value;
    },
    samples: () => [...series.values()].map((each) => ({ ...each })),
  };
}

export const add = (a: number, b: number): number => a + b;
