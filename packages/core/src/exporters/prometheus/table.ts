import { blankCell, keyOf, mergeSums, OTHER, UNPRICED_REASONS } from '../../cell.js';
import { label } from '../../context.js';
import { ERROR_KINDS, isFailure, OUTCOMES } from '../../record.js';
import { createSampler } from '../../sample.js';
import {
  createHistogram,
  exemplarsOf,
  HISTOGRAM_SERIES,
  observe,
  type Exemplar,
  type ExemplarOf,
  type Histogram,
} from './histogram.js';
import type { CallRecord, ErrorKind } from '../../record.js';
import type { Cell } from '../../stores/store.js';

/**
 * The calls of a process since its start, as a bounded number of series. Sums are cells, as in the
 * ledger, so that they are exact and the same.
 *
 * - **pair**: one model and one feature: what nearly every metric is told apart by.
 * - **cap**: a pair that has no room counts as feature `(other)` of its model, a model that has none as
 *   model `(other)`. First come, first kept: a series that was dropped for a heavier one would be taken
 *   for calls that were made again. A user is never part of it.
 */
export interface CallTable {
  /** @param withExemplars Keep request ids beside buckets and errors. */
  record(call: CallRecord, withExemplars: boolean): void;
  readonly rows: ReadonlyMap<string, Row>;
  clear(): void;
}

/** One model. */
export interface Row {
  /** By feature. */
  readonly pairs: Map<string, Pair>;
  readonly errorExemplars: Map<ErrorKind, Exemplar>;
}

export interface Pair {
  readonly cell: Cell;
  readonly duration: Histogram;
  /** `null` before the first stream. */
  ttft: Histogram | null;
}

/** Outcomes, token classes, thinking, retries, cost, and both histograms. */
export const PAIR_SERIES = OUTCOMES.length + 5 + 1 + 1 + 1 + 2 * HISTOGRAM_SERIES;
/** Errors and unpriced calls are told apart by model only. */
const ROW_SERIES = ERROR_KINDS.length + UNPRICED_REASONS.length;
/** Room for one more model, out of so many series. */
const SERIES_PER_MODEL = 500;

/** How many names fit into so many series, those of `(other)` included. */
export function capsOf(maxSeries: number): { readonly models: number; readonly pairs: number } {
  const models = Math.floor(maxSeries / SERIES_PER_MODEL);
  const reserved = (models + 1) * (PAIR_SERIES + ROW_SERIES);
  return { models, pairs: Math.floor((maxSeries - reserved) / PAIR_SERIES) };
}

export function createTable(maxSeries: number): CallTable {
  const caps = capsOf(maxSeries);
  const rows = new Map<string, Row>();
  // Numbers that are none count as 0, and the ledger has told of them.
  const sampler = createSampler(() => undefined);
  let pairs = 0;

  function rowOf(model: string): Row {
    const found = rows.get(model);
    if (found) return found;
    if (rows.size - (rows.has(OTHER) ? 1 : 0) >= caps.models && model !== OTHER) {
      return rowOf(OTHER);
    }
    const row: Row = { pairs: new Map(), errorExemplars: new Map() };
    rows.set(model, row);
    return row;
  }

  function pairOf(row: Row, feature: string): Pair {
    const found = row.pairs.get(feature);
    if (found) return found;
    if (feature !== OTHER) {
      if (pairs >= caps.pairs) return pairOf(row, OTHER);
      pairs += 1;
    }
    const pair: Pair = { cell: blankCell(false), duration: createHistogram(), ttft: null };
    row.pairs.set(feature, pair);
    return pair;
  }

  return {
    rows,
    record(call, withExemplars) {
      const row = rowOf(keyOf(label(call.budget?.sentModel ?? call.model)));
      const pair = pairOf(row, keyOf(label(call.feature)));
      const exemplarOf = withExemplars ? exemplarsOf(call) : null;
      mergeSums(pair.cell, sampler.sample(call));
      observe(pair.duration, call.callMs, exemplarOf);
      if (call.ttftMs !== null) observe((pair.ttft ??= createHistogram()), call.ttftMs, exemplarOf);
      if (exemplarOf !== null && isFailure(call)) keepError(row, call, exemplarOf);
    },
    clear() {
      rows.clear();
      pairs = 0;
    },
  };
}

function keepError({ errorExemplars }: Row, { error }: CallRecord, exemplarOf: ExemplarOf): void {
  const exemplar = exemplarOf(1);
  const kind = error?.kind ?? 'unknown';
  if (exemplar) errorExemplars.set(kind, exemplar);
}
