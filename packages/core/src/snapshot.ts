import type { HealthReport } from './health.js';
import type { CostClass, ErrorKind, Outcome, Tokens, UnpricedReason } from './record.js';

/** What to look at. Times in milliseconds since the epoch; without any, the last 24 hours. */
export interface SnapshotQuery {
  /** Inclusive. */
  readonly from?: number | undefined;
  /** Exclusive; default now. */
  readonly to?: number | undefined;
  /** Length of the window ending at `to`, in milliseconds; instead of `from`. */
  readonly rangeMs?: number | undefined;
  /** Splits `series` by this dimension (the ten heaviest, the rest as `(other)`). */
  readonly by?: Dimension | undefined;
  readonly model?: string | undefined;
  readonly feature?: string | undefined;
  readonly user?: string | undefined;
}

export const DIMENSIONS = ['model', 'feature', 'user'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Percentiles of one quantity, each within 1 % of the exact one. `null` where nothing was measured. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface Spend {
  readonly usd: number;
  /** Integer nano-dollars; the exact sum of the records' costs. */
  readonly nanoUsd: number;
  /** `false`: some calls could not be priced, so the sum is "at least". */
  readonly complete: boolean;
  /** Part of `nanoUsd` that rests on an estimate. */
  readonly estimatedNanoUsd: number;
  readonly byClass: Readonly<Record<CostClass, { quantity: number; usd: number; nanoUsd: number }>>;
}

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
  readonly latency: {
    readonly callMs: Quantiles | null;
    readonly lastAttemptMs: Quantiles | null;
    readonly ttftMs: Quantiles | null;
  } | null;
  /** Per call, so that growing prompts show. */
  readonly tokensPerCall: {
    readonly input: Quantiles | null;
    readonly output: Quantiles | null;
  } | null;
}

export interface Group extends Totals {
  /** A model, feature or user; `(other)` beyond the cap, `(unattributed)` without identity. */
  readonly key: string;
}

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

/** How far the numbers can be trusted. */
export interface Coverage {
  /** Calls recorded in the window, and those without user or feature. */
  readonly calls: number;
  readonly unattributedUser: number;
  readonly unattributedFeature: number;
  readonly estimated: number;
  readonly unpriced: Readonly<Partial<Record<UnpricedReason, number>>>;
  /** Models seen without a price since start. */
  readonly unpricedModels: readonly string[];
  /** Requests to a Messages endpoint that no monitor recorded, since start. */
  readonly unobserved: number;
  /** Calls whose keys were merged into `(other)` by the cap on cells. */
  readonly overflowed: number;
  readonly priceVersion: string;
}

/** One JSON-safe object that answers "how are we doing"; what the page and the API show. */
export interface Snapshot {
  readonly schema: 'claude-metrics/snapshot@1';
  /** ISO 8601. `from` and `to` are widened to whole buckets: they say what was really summed. */
  readonly at: string;
  readonly from: string;
  readonly to: string;
  readonly bucketMs: number;
  readonly filters: { readonly model?: string; readonly feature?: string; readonly user?: string };
  readonly totals: Totals;
  /** Heaviest first. Absent dimensions (a user filter knows no latency) have `latency: null`. */
  readonly byModel: readonly Group[];
  readonly byFeature: readonly Group[];
  readonly byUser: readonly Group[];
  readonly series: readonly SeriesPoint[];
  readonly coverage: Coverage;
  readonly health: HealthReport;
}
