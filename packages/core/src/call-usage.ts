import type { Outcome, Usage } from './record.js';
import type { StreamFacts } from './stream.js';

/** What a finished call has used, as far as its answer and its request tell. */

/**
 * Output tokens are estimated at four bytes of UTF-8 each, the API's own rule of thumb for English:
 * a floor rather than a middle, for thinking may be billed without being shown.
 */
const BYTES_PER_TOKEN = 4;
const MAX_DEPTH = 5;
const MAX_ENTRIES = 100;

/** Tiers, models, places: texts of a usage are words. What is none may be anything, and is not kept. */
const WORD = /^[\w.:@/-]{1,128}$/;

/** A frozen copy: the answer itself is the application's, to change as it likes. */
export function kept<T>(value: T, depth = 0): T {
  if (typeof value === 'string') return (WORD.test(value) ? value : null) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return null as T;
  if (Array.isArray(value)) {
    return Object.freeze(value.slice(0, MAX_ENTRIES).map((item) => kept(item, depth + 1))) as T;
  }
  // Property by property: freezing a copy made with a spread takes four times as long.
  const copy: Record<string, unknown> = {};
  let entries = 0;
  for (const name in value) {
    if ((entries += 1) > MAX_ENTRIES || name === '__proto__' || !WORD.test(name)) continue;
    copy[name] = kept(value[name], depth + 1);
  }
  return Object.freeze(copy) as T;
}

/** A stream that did not come to its end has told its input, but not how much it has written. */
export function usageAtEnd(answer: StreamFacts, stream: boolean, outcome: Outcome): Usage | null {
  const partial = stream && outcome !== 'ok' && outcome !== 'refused';
  if (!partial || answer.usage === null || answer.outputKnown) return answer.usage;
  const estimate = Math.ceil(answer.outputBytes / BYTES_PER_TOKEN);
  return { ...answer.usage, output_tokens: Math.max(answer.usage.output_tokens ?? 0, estimate) };
}

/** The lifetime the request asked for, where usage does not split cache writes by lifetime. */
export function cacheTtlOf(usage: Usage | null, requestOptions: object | null): '5m' | '1h' {
  const written = usage?.cache_creation_input_tokens ?? 0;
  if (!(written > 0)) return '5m';
  const split = usage?.cache_creation;
  const told = (split?.ephemeral_5m_input_tokens ?? 0) + (split?.ephemeral_1h_input_tokens ?? 0);
  if (told >= written) return '5m';
  const body = (requestOptions as { body?: unknown } | null)?.body;
  return /"ttl":\s*"1h"/.test(typeof body === 'string' ? body : JSON.stringify(body ?? ''))
    ? '1h'
    : '5m';
}
