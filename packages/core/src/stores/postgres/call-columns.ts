import { keyOf } from '../../cell.js';
import { escapeText, finiteTimeOf, listOf, quotedList } from './text.js';
import type { CallRecord } from '../../record.js';

/**
 * Calls as one list for each column: names for people and for filters, as cells have them, and the
 * record as a whole.
 */
type Column = readonly [name: string, type: string, of: (call: CallRecord) => string | null];

const text = (value: string | null | undefined) => (value == null ? null : escapeText(value));
const number = (value: number | null | undefined) =>
  typeof value === 'number' && Number.isFinite(value) ? String(value) : null;
const whole = (value: number | null | undefined) =>
  Number.isSafeInteger(value) ? String(value) : null;
const count = (value: number | null | undefined) => whole(value) ?? '0';

const COLUMNS: readonly Column[] = [
  ['started_at', 'timestamptz', ({ at }) => finiteTimeOf(at)],
  ['ended_at', 'timestamptz', (call) => finiteTimeOf(endOf(call))],
  ['id', 'text', ({ id }) => text(id)],
  ['request_id', 'text', ({ requestId }) => text(requestId)],
  ['user_id', 'text', ({ userId }) => text(keyOf(userId))],
  ['feature', 'text', ({ feature }) => text(keyOf(feature))],
  ['session_id', 'text', ({ sessionId }) => text(sessionId)],
  ['model', 'text', ({ model }) => text(keyOf(model))],
  ['served_model', 'text', ({ servedModel }) => text(servedModel)],
  ['operation', 'text', ({ operation }) => text(operation) ?? ''],
  ['provider', 'text', ({ provider }) => text(provider) ?? ''],
  ['outcome', 'text', ({ outcome }) => text(outcome)],
  ['error_kind', 'text', ({ error }) => text(error?.kind)],
  ['status', 'integer', ({ status }) => whole(status)],
  ['stop_reason', 'text', ({ stopReason }) => text(stopReason)],
  ['nano_usd', 'bigint', ({ cost }) => whole(cost?.nanoUsd)],
  ['price_status', 'text', ({ priceStatus }) => text(priceStatus) ?? ''],
  ['uncached_input_tokens', 'bigint', ({ tokens }) => count(tokens?.uncachedInput)],
  ['cache_read_tokens', 'bigint', ({ tokens }) => count(tokens?.cacheRead)],
  ['cache_write_5m_tokens', 'bigint', ({ tokens }) => count(tokens?.cacheWrite5m)],
  ['cache_write_1h_tokens', 'bigint', ({ tokens }) => count(tokens?.cacheWrite1h)],
  ['output_tokens', 'bigint', ({ tokens }) => count(tokens?.output)],
  ['ttft_ms', 'float8', ({ ttftMs }) => number(ttftMs)],
  ['call_ms', 'float8', ({ callMs }) => number(callMs) ?? '0'],
  ['attempts', 'integer', ({ attempts }) => count(attempts?.length)],
  ['message_id', 'text', ({ messageId }) => text(messageId)],
  ['record', 'json', (call) => JSON.stringify(call)],
];

export const CALL_COLUMNS = COLUMNS.map(([name]) => name);
export const CALL_TYPES = COLUMNS.map(([, type]) => type);

export function callLists(calls: readonly CallRecord[]): string[] {
  return COLUMNS.map(([, type, of]) => {
    const values = calls.map(of);
    return type === 'text' || type === 'json' ? quotedList(values) : listOf(values);
  });
}

function endOf({ at, callMs }: CallRecord): number {
  return at + (Number.isFinite(callMs) ? callMs : 0);
}
