/**
 * Paging of the Admin API's reports: buckets of one width, oldest first, also those without results;
 * a page has so many of them, and an opaque token leads to the next.
 */
export interface ReportQuery {
  /** Milliseconds since the epoch; snapped to the beginning of a bucket. */
  readonly from: number;
  readonly to: number;
  readonly widthMs: number;
  /** Buckets of a page. */
  readonly limit: number;
  readonly groupBy: readonly string[];
  /** By the name of the dimension; only these values. */
  readonly filters: Readonly<Record<string, readonly string[]>>;
}

export interface Page {
  readonly buckets: readonly object[];
  /** Where the next page begins; `null`: there is none. */
  readonly next: number | null;
}

export interface Width {
  readonly ms: number;
  readonly standard: number;
  readonly most: number;
}

export const WIDTHS: Readonly<Record<string, Width>> = {
  '1d': { ms: 86_400_000, standard: 7, most: 31 },
  '1h': { ms: 3_600_000, standard: 24, most: 168 },
  '1m': { ms: 60_000, standard: 60, most: 1_440 },
};

const TOKEN = /^page_([A-Za-z0-9+/=_-]+)$/;
const PLAIN = ['starting_at', 'ending_at', 'bucket_width', 'limit', 'page', 'group_by[]'];

/** The query, or what the API says is wrong with it. */
export function readReportQuery(
  query: URLSearchParams,
  widths: readonly string[],
  dimensions: readonly string[],
  filters: readonly string[],
): ReportQuery | string {
  for (const name of query.keys()) {
    if (!PLAIN.includes(name) && !filters.includes(name)) {
      return `${name}: Extra inputs are not permitted`;
    }
  }
  const widthName = query.get('bucket_width') ?? '1d';
  const width = widths.includes(widthName) ? WIDTHS[widthName] : undefined;
  if (!width)
    return `bucket_width: Input should be ${widths.map((each) => `'${each}'`).join(' or ')}`;
  const starting = Date.parse(query.get('starting_at') ?? '');
  if (Number.isNaN(starting)) return 'starting_at: Field required';
  const ending = query.has('ending_at') ? Date.parse(query.get('ending_at') ?? '') : Date.now();
  if (Number.isNaN(ending)) return 'ending_at: Input should be a valid datetime';
  if (ending <= starting) return 'ending_at: must be after starting_at';
  const limit = query.has('limit') ? Number(query.get('limit')) : width.standard;
  if (!Number.isInteger(limit) || limit < 1 || limit > width.most) {
    return `limit: Input should be from 1 to ${width.most}`;
  }
  const groupBy = query.getAll('group_by[]');
  const unknown = groupBy.find((each) => !dimensions.includes(each));
  if (unknown !== undefined) return `group_by: Input should be one of ${dimensions.join(', ')}`;
  const page = query.get('page');
  const at = page === null ? starting : startOfPage(page);
  if (at === null) return 'page: Invalid page token';
  return {
    from: Math.floor(at / width.ms) * width.ms,
    to: ending,
    widthMs: width.ms,
    limit,
    groupBy,
    filters: Object.fromEntries(
      filters.filter((each) => query.has(each)).map((each) => [each, query.getAll(each)]),
    ),
  };
}

/** The buckets of a page, each with what `resultsOf` finds for its time. */
export function bucketsOf(
  { from, to, widthMs, limit }: ReportQuery,
  resultsOf: (from: number, to: number) => readonly object[],
): Page {
  const buckets: object[] = [];
  let at = from;
  // "Buckets that end before": a bucket that has begun by then is told as well, as the real one does.
  for (; at < to && buckets.length < limit; at += widthMs) {
    buckets.push({
      starting_at: timeOf(at),
      ending_at: timeOf(at + widthMs),
      results: resultsOf(at, at + widthMs),
    });
  }
  return { buckets, next: at < to ? at : null };
}

export function pageOf({ buckets, next }: Page): object {
  const token = next === null ? null : `page_${Buffer.from(timeOf(next)).toString('base64')}`;
  return { data: buckets, has_more: next !== null, next_page: token };
}

/** The sums of what falls into a group, in the order in which groups were first seen. */
export function grouped<T, G>(
  rows: readonly T[],
  keyOf: (row: T) => string,
  merge: (group: G | undefined, row: T) => G,
): G[] {
  const groups = new Map<string, G>();
  for (const row of rows) groups.set(keyOf(row), merge(groups.get(keyOf(row)), row));
  return [...groups.values()];
}

function startOfPage(token: string): number | null {
  const [, encoded = ''] = TOKEN.exec(token) ?? [];
  const at = Date.parse(Buffer.from(encoded, 'base64').toString());
  return Number.isNaN(at) ? null : at;
}

function timeOf(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}
