import { SUM } from './cell.js';
import { seriesOf, type SeriesPoint } from './series.js';
import { groupBy, mergeAll, totalsOf, type Group, type Grouped, type Totals } from './totals.js';
import { unpricedOf } from './trackers/cost.js';
import { usageOf, type UsageOptions, type UsageReport } from './usage-report.js';
import { familyFor, filtersOf, select, userFamily, windowOf } from './window.js';
import type { BudgetReport } from './budget.js';
import type { UnpricedReason } from './record.js';
import type { HealthReport, MonitorStatus, SnapshotAlerts } from './status.js';
import type { Cell, CellQuery, Family, Resolution } from './stores/store.js';
import type { Dimension, Filters, SnapshotQuery } from './window.js';
import type { SnapshotSource } from './workers.js';

export { QueryError } from './stores/store.js';
export { DIMENSIONS } from './window.js';
export type { Dimension, SnapshotQuery } from './window.js';
export type { Group, Totals } from './totals.js';
export type { SeriesPoint } from './series.js';
export type { Spend } from './trackers/cost.js';
export type { Quantiles } from './trackers/latency.js';
export type { Feedback } from './trackers/usage.js';
export type { UsageOptions, UsageReport } from './usage-report.js';
export type { SnapshotAlerts } from './status.js';
export type { SnapshotSource } from './workers.js';

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
  /** Calls whose model, feature or user was merged into `(other)` by the cap on cells. */
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
  /** Width of a point of `series`. */
  readonly bucketMs: number;
  readonly filters: Filters;
  /** Whose calls these are: those of all who share the store, or of this process alone. */
  readonly source: SnapshotSource;
  readonly totals: Totals;
  /**
   * Heaviest first, at most 100, then `(other)`; the groups of a list sum up to `totals` exactly.
   * Where only sums are kept (users), `latency` is `null`.
   */
  readonly byModel: readonly Group[];
  readonly byFeature: readonly Group[];
  readonly byUser: readonly Group[];
  /** Dimensions that cannot be told under these filters; their lists are empty. */
  readonly notKept: readonly Dimension[];
  readonly series: readonly SeriesPoint[];
  readonly usage: UsageReport;
  readonly coverage: Coverage;
  /** As they stand now, whatever the window. */
  readonly budgets: readonly BudgetReport[];
  /** As they stand now, whatever the window. */
  readonly alerts: SnapshotAlerts;
  readonly health: HealthReport;
}

/** Where cells come from: the ledger. */
export interface CellSource {
  readonly resolutions: readonly Resolution[];
  cells(query: CellQuery): Promise<readonly Cell[]>;
}

/** What a snapshot says beside what cells know. */
export interface SnapshotExtras extends MonitorStatus {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly source: SnapshotSource;
  readonly unpricedModels: readonly string[];
  readonly usage?: UsageOptions | undefined;
}

/**
 * Answers a query from cells. Every list and the totals come from one reading.
 *
 * @throws QueryError for a window or filters that cannot be answered.
 *
 * @example
 * const snapshot = await createSnapshot(ledger, { rangeMs: 3_600_000, by: 'model' }, extras);
 * snapshot.totals.latency?.callMs?.p95;
 */
export async function createSnapshot(
  source: CellSource,
  query: SnapshotQuery,
  extras: SnapshotExtras,
): Promise<Snapshot> {
  const filters = filtersOf(query);
  const window = windowOf(query, extras.now, source.resolutions);
  const family = familyFor(filters) ?? 'total';
  const families = {
    model: familyFor(filters, 'model'),
    feature: familyFor(filters, 'feature'),
    user: userFamily(filters),
  };
  const wanted = new Set([family, ...Object.values(families)]);
  const cells = await source.cells({
    ...window,
    families: [...wanted].filter((each): each is Family => each !== null),
  });
  const chosen = select(cells, family, filters);
  const whole = mergeAll(chosen, family);

  const selected = (by: Dimension): readonly Cell[] | null => {
    const from = families[by];
    return from === null ? null : select(cells, from, filters);
  };
  const parts = { model: selected('model'), feature: selected('feature'), user: selected('user') };
  const grouped = (by: Dimension): Grouped | null =>
    parts[by] && groupBy(parts[by], by, whole, extras.usage);
  const lists = { model: grouped('model'), feature: grouped('feature'), user: grouped('user') };
  const { by } = query;
  const series = seriesOf((by && parts[by]) ?? chosen, window, by);
  return {
    schema: 'claude-metrics/snapshot@1',
    at: new Date(extras.now).toISOString(),
    from: new Date(window.from).toISOString(),
    to: new Date(window.to).toISOString(),
    bucketMs: series.bucketMs,
    filters,
    source: extras.source,
    totals: totalsOf(whole, extras.usage),
    byModel: lists.model?.groups ?? [],
    byFeature: lists.feature?.groups ?? [],
    byUser: lists.user?.groups ?? [],
    notKept: (['model', 'feature', 'user'] as const).filter((name) => lists[name] === null),
    series: series.points,
    usage: usageOf({ all: chosen, whole, by: parts }, window, extras.usage),
    coverage: coverageOf(whole, Object.values(lists), extras),
    budgets: extras.budgets,
    alerts: extras.alerts,
    health: extras.health,
  };
}

function coverageOf(
  whole: Cell,
  lists: readonly (Grouped | null)[],
  { unpricedModels, unobserved, priceVersion }: SnapshotExtras,
): Coverage {
  const { sums } = whole;
  return {
    calls: sums[SUM.calls]!,
    unattributedUser: sums[SUM.unattributedUser]!,
    unattributedFeature: sums[SUM.unattributedFeature]!,
    estimated: sums[SUM.estimated]!,
    unpriced: unpricedOf(whole),
    unpricedModels,
    unobserved,
    overflowed: Math.max(...lists.map((list) => list?.overflowed ?? 0)),
    priceVersion,
  };
}
