import { keyOf } from '../cell.js';
import { QueryError } from './store.js';
import type { CallRecord } from '../record.js';
import type { CallsPage, CallsQuery } from './store.js';

/**
 * The most recent calls, in a ring. Each call has a number that never changes, and a page's cursor
 * is the number of its last call: new arrivals move nothing.
 */
export interface CallRing {
  add(calls: readonly CallRecord[]): void;
  page(query: CallsQuery): CallsPage;
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

export function callRing(capacity: number): CallRing {
  const ring: CallRecord[] = [];
  let added = 0;

  return {
    add(calls) {
      for (const call of calls) {
        if (capacity > 0) ring[added % capacity] = call;
        added += 1;
      }
    },
    page(query) {
      const limit = limitOf(query.limit);
      const oldest = added - ring.length;
      const calls: CallRecord[] = [];
      let next: string | null = null;
      for (let i = Math.min(startOf(query.before), added) - 1; i >= oldest; i -= 1) {
        const call = ring[i % capacity]!;
        if (!matches(call, query)) continue;
        if (calls.length === limit) {
          next = String(i + 1);
          break;
        }
        calls.push(call);
      }
      return { calls, next, kept: ring.length, capacity, dropped: oldest };
    },
  };
}

function matches(call: CallRecord, query: CallsQuery): boolean {
  return (
    (query.outcome === undefined || call.outcome === query.outcome) &&
    (query.model === undefined || keyOf(call.model) === query.model) &&
    (query.feature === undefined || keyOf(call.feature) === query.feature) &&
    (query.user === undefined || keyOf(call.userId) === query.user)
  );
}

function limitOf(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_LIMIT;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new QueryError(
    `[claude-metrics] calls: limit must be an integer from 1 to ${MAX_LIMIT}, got ${limit}.`,
  );
}

function startOf(before: string | undefined): number {
  if (before === undefined) return Infinity;
  if (/^\d{1,15}$/.test(before)) return Number(before);
  throw new QueryError(
    `[claude-metrics] calls: before must be the "next" of an earlier page, got ` +
      `${JSON.stringify(before.slice(0, 32))}.`,
  );
}
