import { keyOf } from '../../core/src/cell.js';
import { QueryError } from '../../core/src/stores/store.js';
import type { CallRecord } from '../../core/src/record.js';
import type { CallsQuery } from '../../core/src/stores/store.js';
import type { Data } from './map-store.js';

/** Pages of the calls of the smallest store there is. */
export function pageOf(data: Data, query: CallsQuery, capacity: number) {
  const { limit = 50, before } = query;
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 200)) throw refusal('limit', limit);
  if (before !== undefined && !/^\d{1,15}$/.test(before)) throw refusal('before', before);
  const found = data.calls
    .filter(({ number }) => before === undefined || number < Number(before))
    .filter(({ record }) => matches(record, query))
    .reverse();
  const calls = found.slice(0, limit);
  return {
    calls: calls.map(({ record }) => record),
    next: found.length > limit ? String(calls[calls.length - 1]!.number) : null,
    kept: data.calls.length,
    capacity,
    dropped: data.added - data.calls.length,
  };
}

function matches(call: CallRecord, { model, feature, user, outcome }: CallsQuery): boolean {
  return (
    (model === undefined || keyOf(call.model) === model) &&
    (feature === undefined || keyOf(call.feature) === feature) &&
    (user === undefined || keyOf(call.userId) === user) &&
    (outcome === undefined || call.outcome === outcome)
  );
}

function refusal(name: string, value: unknown): QueryError {
  return new QueryError(`calls: ${name} makes no sense: ${String(value).slice(0, 32)}`);
}
