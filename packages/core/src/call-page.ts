import { QueryError, type CallsQuery } from './stores/store.js';

/** Which page of recent calls is asked for: how many, and only those before this one, by number. */
export interface CallPage {
  readonly limit: number;
  /** `Number.MAX_SAFE_INTEGER` for the first page. */
  readonly before: number;
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** @throws QueryError for a limit or cursor that makes no sense. */
export function callPageOf({ limit, before }: CallsQuery): CallPage {
  return { limit: limitOf(limit), before: startOf(before) };
}

function limitOf(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_LIMIT;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new QueryError(
    `[claude-metrics] calls: limit must be an integer from 1 to ${MAX_LIMIT}, got ${limit}.`,
  );
}

function startOf(before: string | undefined): number {
  if (before === undefined) return Number.MAX_SAFE_INTEGER;
  if (/^\d{1,15}$/.test(before)) return Number(before);
  throw new QueryError(
    `[claude-metrics] calls: before must be the "next" of an earlier page, got ` +
      `${JSON.stringify(before.slice(0, 32))}.`,
  );
}
