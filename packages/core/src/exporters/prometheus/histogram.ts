import type { CallRecord } from '../../record.js';

/**
 * Durations as Prometheus counts them.
 *
 * - **bound**: upper end of a bucket, in seconds; what is beyond the last one counts into `+Inf`.
 * - **exemplar**: the last call of a bucket, by its request id, so that a slow one can be looked up.
 */
export const BOUNDS: readonly number[] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120];

/** As prom-client writes it. */
export interface Exemplar {
  readonly labelSet: Readonly<Record<string, string>>;
  readonly value: number;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

export interface Histogram {
  /** For each bound, and one for what is beyond; not cumulative. */
  readonly counts: number[];
  readonly exemplars: (Exemplar | undefined)[];
  sumMs: number;
}

/** One series of a metric at the moment of a scrape. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
  readonly exemplar?: Exemplar | undefined;
}

/** Lines that one histogram takes. */
export const HISTOGRAM_SERIES = BOUNDS.length + 3;

export function createHistogram(): Histogram {
  const counts = Array.from({ length: BOUNDS.length + 1 }, () => 0);
  return { counts, exemplars: [], sumMs: 0 };
}

/** Counts what a percentile of the snapshot counts: nothing that is no finite number. */
export function observe(histogram: Histogram, ms: number, exemplarOf: ExemplarOf | null): void {
  if (!Number.isFinite(ms)) return;
  const seconds = Math.max(ms, 0) / 1_000;
  let bucket = 0;
  while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]!) bucket += 1;
  histogram.counts[bucket]! += 1;
  histogram.sumMs += Math.max(ms, 0);
  const exemplar = exemplarOf?.(seconds);
  if (exemplar) histogram.exemplars[bucket] = exemplar;
}

export type ExemplarOf = (value: number) => Exemplar | null;

/**
 * Makes exemplars of one call; `null` when it has no id that can be one. All labels of an exemplar
 * together may have 128 characters, and the id comes from a header.
 */
export function exemplarsOf({ requestId, traceId, at, callMs }: CallRecord): ExemplarOf | null {
  if (requestId === null || !REQUEST_ID.test(requestId)) return null;
  const trace = traceId !== null && TRACE_ID.test(traceId) ? { trace_id: traceId } : {};
  const labelSet = { request_id: requestId, ...trace };
  const timestamp = Math.round(at + (Number.isFinite(callMs) ? callMs : 0)) / 1_000;
  return (value) => ({ labelSet, value, timestamp });
}

const REQUEST_ID = /^[\w.:-]{1,78}$/;
const TRACE_ID = /^[0-9a-f]{32}$/;

/** The lines of one histogram, cumulative. */
export function samplesOf(
  histogram: Histogram,
  name: string,
  labels: Readonly<Record<string, string>>,
): Sample[] {
  let count = 0;
  const samples: Sample[] = histogram.counts.map((inBucket, i) => {
    count += inBucket;
    return {
      metricName: `${name}_bucket`,
      labels: { ...labels, le: BOUNDS[i] ?? '+Inf' },
      value: count,
      exemplar: histogram.exemplars[i],
    };
  });
  const seconds = histogram.sumMs / 1_000;
  samples.push({ metricName: `${name}_sum`, labels, value: seconds });
  samples.push({ metricName: `${name}_count`, labels, value: count });
  return samples;
}
