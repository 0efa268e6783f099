import { FAMILIES } from './cell.js';
import { QueryError, type Cell, type Family, type Resolution } from './stores/store.js';

/**
 * Which cells a question is about.
 *
 * - **window**: whole buckets of one resolution, `from <= at < to`.
 * - **filter**: the value that a name of a cell's key must have.
 */
export const DIMENSIONS = ['model', 'feature', 'user'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

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

/** The `key` of a group, by dimension. */
export interface Filters {
  readonly model?: string;
  readonly feature?: string;
  readonly user?: string;
}

export interface Window {
  readonly from: number;
  readonly to: number;
  readonly bucketMs: number;
}

const DAY_MS = 86_400_000;
const NAMED: readonly Family[] = ['feature-model', 'user-model', 'user-feature'];

/**
 * The window of a query: the finest resolution that still holds all of it, widened to whole buckets,
 * and cut where nothing is kept any more.
 *
 * @throws QueryError for a window that is empty, or that ends before everything that is kept.
 */
export function windowOf(
  query: SnapshotQuery,
  now: number,
  resolutions: readonly Resolution[],
): Window {
  for (const name of ['from', 'to', 'rangeMs'] as const) {
    const value = query[name];
    if (value === undefined || (Number.isFinite(value) && value >= 0)) continue;
    throw refusal(`${name} must be a time in milliseconds, got ${String(value)}`);
  }
  if (query.from !== undefined && query.rangeMs !== undefined) {
    throw refusal('from and rangeMs cannot be combined, got both. Give one of the two');
  }
  // A call of this very millisecond is in the window that ends now.
  const to = Math.min(query.to ?? now + 1, now + 1);
  const from = query.from ?? Math.min(query.to ?? now, now) - (query.rangeMs ?? DAY_MS);
  if (from >= to || query.rangeMs === 0)
    throw refusal(`from must be before to and before now, got ${iso(from)}`);
  const kept = ({ retentionMs }: Resolution) => now - retentionMs;
  const coarsest = resolutions[resolutions.length - 1];
  const chosen = resolutions.find((each) => from >= kept(each)) ?? coarsest;
  if (!chosen || to <= kept(chosen)) {
    throw refusal(`nothing is kept from before ${iso(now - (chosen?.retentionMs ?? 0))}`);
  }
  const { bucketMs } = chosen;
  return {
    from: Math.floor(Math.max(from, kept(chosen)) / bucketMs) * bucketMs,
    to: Math.ceil(to / bucketMs) * bucketMs,
    bucketMs,
  };
}

/** @throws QueryError for a combination that no family of cells can answer. */
export function filtersOf(query: SnapshotQuery): Filters {
  const filters: { -readonly [K in Dimension]?: string } = {};
  for (const dimension of DIMENSIONS) {
    const value = query[dimension];
    if (value !== undefined) filters[dimension] = value;
  }
  if (Object.keys(filters).length === DIMENSIONS.length) {
    throw refusal(
      'model, feature and user cannot be filtered together, because that is not kept. ' +
        'Filter by one of them or by any two',
    );
  }
  if (query.by !== undefined && !DIMENSIONS.includes(query.by)) {
    throw refusal(`by must be one of ${DIMENSIONS.join(', ')}, got ${String(query.by)}`);
  }
  if (query.by !== undefined && familyFor(filters, query.by) === null) {
    throw refusal(
      `by=${query.by} cannot be told under a filter by ${Object.keys(filters).join(' and ')}, ` +
        'because that is not kept. Leave out one of the filters',
    );
  }
  return filters;
}

/** The family that knows all filtered names, and `by`. */
export function familyFor(filters: Filters, by?: Dimension): Family | null {
  const wanted = Object.keys(filters) as Dimension[];
  if (by !== undefined) wanted.push(by);
  if (wanted.length === 0) return 'total';
  return NAMED.find((family) => wanted.every((name) => partOf(family, name) >= 0)) ?? null;
}

/** The family for lists of users: that which knows features, too, unless a model is asked for. */
export function userFamily(filters: Filters): Family | null {
  return filters.model === undefined
    ? familyFor({ ...filters, feature: filters.feature ?? '' }, 'user')
    : familyFor(filters, 'user');
}

/** Where a family's keys have a dimension; -1 if they do not. */
export function partOf(family: Family, dimension: Dimension): number {
  return (FAMILIES[family].key as readonly Dimension[]).indexOf(dimension);
}

/** The cells of a family that pass the filters. */
export function select(cells: readonly Cell[], family: Family, filters: Filters): Cell[] {
  const wanted = (Object.keys(filters) as Dimension[]).map(
    (dimension) => [partOf(family, dimension), filters[dimension]] as const,
  );
  return cells.filter(
    (cell) => cell.family === family && wanted.every(([part, value]) => cell.key[part] === value),
  );
}

function refusal(text: string): QueryError {
  return new QueryError(`[claude-metrics] snapshot: ${text}.`);
}

function iso(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
}
