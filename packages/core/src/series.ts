import { byWeight, moneyAt, OTHER, SUM } from './cell.js';
import { createSketch, mergeSketch, quantile } from './sketch.js';
import { failuresOf } from './trackers/errors.js';
import { partOf, type Dimension, type Window } from './window.js';
import type { Cell, Sketch } from './stores/store.js';

export interface SeriesPoint {
  /** ISO 8601 start of the bucket. */
  readonly at: string;
  /** `null` when the series is not split. */
  readonly key: string | null;
  readonly calls: number;
  readonly failures: number;
  readonly usd: number;
  readonly nanoUsd: number;
  readonly callMsP95: number | null;
}

export interface Series {
  /** Width of a point: a multiple of the window's buckets. */
  readonly bucketMs: number;
  readonly points: readonly SeriesPoint[];
}

const MAX_POINTS = 720;
const MAX_KEYS = 10;

/**
 * The window as points in time order, with a point (of zeros) where there were no calls; at most 720
 * of them. Split `by` a dimension, every time has a point for each of the ten heaviest keys and for
 * `(other)`. Under a filter, calls whose other names the cap has merged are in no point of a split
 * series, though they are in the totals.
 */
export function seriesOf(
  cells: readonly Cell[],
  { from, to, bucketMs }: Window,
  by: Dimension | undefined,
): Series {
  const keyOfCell = (cell: Cell) => (by ? cell.key[partOf(cell.family, by)]! : null);
  const keys = by ? heaviest(cells, keyOfCell) : [null];
  const most = Math.floor(MAX_POINTS / Math.max(keys.length, 1));
  const width = bucketMs * Math.ceil((to - from) / bucketMs / most);
  const times = Math.ceil((to - from) / width);
  const points = Array.from({ length: times * keys.length }, (_, i) => ({
    at: from + Math.floor(i / keys.length) * width,
    key: keys[i % keys.length] ?? null,
    calls: 0,
    failures: 0,
    nanoUsd: 0,
    callMs: null as Sketch | null,
  }));
  const column = new Map(keys.map((key, i) => [key, i]));
  for (const cell of cells) {
    const row = Math.floor((cell.at - from) / width);
    const place = column.get(keyOfCell(cell)) ?? column.get(OTHER) ?? 0;
    const point = points[row * keys.length + place];
    if (!point) continue;
    point.calls += cell.sums[SUM.calls]!;
    point.failures += failuresOf(cell);
    point.nanoUsd += moneyAt(cell.sums, SUM.nanoUsd);
    if (cell.sketches) mergeSketch((point.callMs ??= createSketch()), cell.sketches.callMs);
  }
  return {
    bucketMs: width,
    points: points.map(({ at, key, calls, failures, nanoUsd, callMs }) => ({
      at: new Date(at).toISOString(),
      key,
      calls,
      failures,
      usd: nanoUsd / 1e9,
      nanoUsd,
      callMsP95: callMs && quantile(callMs, 0.95),
    })),
  };
}

/** The ten heaviest keys, and `(other)` if it has anything. */
function heaviest(cells: readonly Cell[], keyOfCell: (cell: Cell) => string | null): string[] {
  const weights = new Map<string, { name: string; nanoUsd: number; calls: number }>();
  for (const cell of cells) {
    const name = keyOfCell(cell) ?? OTHER;
    const weight = weights.get(name) ?? { name, nanoUsd: 0, calls: 0 };
    weight.nanoUsd += moneyAt(cell.sums, SUM.nanoUsd);
    weight.calls += cell.sums[SUM.calls]!;
    weights.set(name, weight);
  }
  const overflowed = weights.delete(OTHER);
  const names = [...weights.values()].sort(byWeight).map(({ name }) => name);
  const rest = overflowed || names.length > MAX_KEYS ? [OTHER] : [];
  return [...names.slice(0, MAX_KEYS), ...rest];
}
