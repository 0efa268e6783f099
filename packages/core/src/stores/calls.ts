import { callPageOf } from '../call-page.js';
import { keyOf } from '../cell.js';
import { erasedCall } from '../erased.js';
import { deepFreeze } from '../freeze.js';
import type { CallRecord } from '../record.js';
import type { CallsPage, CallsQuery } from './store.js';

/**
 * The most recent calls, in a ring. Each call has a number that never changes, and a page's cursor
 * is the number of its last call: new arrivals move nothing.
 */
export interface CallRing {
  add(calls: readonly CallRecord[]): void;
  page(query: CallsQuery): CallsPage;
  find(messageId: string): CallRecord | null;
  /** Returns how many calls of the user there were. */
  erase(userId: string): number;
}

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
      const { limit, before } = callPageOf(query);
      const oldest = added - ring.length;
      const calls: CallRecord[] = [];
      let next: string | null = null;
      for (let i = Math.min(before, added) - 1; i >= oldest; i -= 1) {
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
    find(messageId) {
      for (let i = added - 1; i >= added - ring.length; i -= 1) {
        const call = ring[i % capacity]!;
        if (call.messageId === messageId) return call;
      }
      return null;
    },
    erase(userId) {
      let erased = 0;
      ring.forEach((call, i) => {
        if (call.userId !== userId) return;
        ring[i] = deepFreeze(erasedCall(call));
        erased += 1;
      });
      return erased;
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
