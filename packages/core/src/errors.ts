import { apiFactsOf, factsOfText, get, isObject, MAX_CAUSES, namesOf } from './error-facts.js';
import { kindOfApi, kindOfThrown, networkCodeOf } from './error-kinds.js';
import type { CallError, ErrorKind } from './record.js';
import { scrub } from './scrub.js';

export { scrub } from './scrub.js';

/**
 * What went wrong, in words that say who has to act.
 *
 * Errors are told apart by their looks (status, type, code, name), never by `instanceof`: an
 * application may load the SDK twice, in two versions, as ESM and as CommonJS. Nothing in here
 * throws, whatever it is given. Docs: `docs/errors.md`.
 */
export interface DescribeOptions {
  /** An `AbortError` that is not the application's own abort is the SDK's timeout. */
  readonly abortIs?: 'cancelled' | 'timeout' | undefined;
}

/**
 * The kind of a thrown error: of the SDK (any version or copy), of `fetch`, or of anybody.
 *
 * @example
 * try {
 *   await client.messages.create(params);
 * } catch (error) {
 *   if (classifyError(error) === 'overloaded') await later();
 * }
 */
export function classifyError(error: unknown): ErrorKind {
  let lost = false;
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && isObject(current); depth += 1) {
    const kind = kindOfThrown(current);
    // A lost connection may turn out to be a timeout, further down.
    if (kind === 'connection') lost = true;
    else if (kind === 'timeout' || (kind !== 'unknown' && !lost)) return kind;
    current = get(current, 'cause');
  }
  return lost ? 'connection' : 'unknown';
}

/** A thrown error as a record keeps it. */
export function describeError(error: unknown, options: DescribeOptions = {}): CallError {
  const named = classifyError(error);
  const kind = named === 'cancelled' ? (options.abortIs ?? named) : named;
  if (!isObject(error)) {
    const text = typeof error === 'string' ? scrub(error) : WITHHELD;
    return { kind, type: error === null ? 'null' : typeof error, message: shown(text) };
  }
  const { status, type, text } = apiFactsOf(error);
  const code = networkCodeOf(error);
  const message = shown(scrub(text ?? ''), status);
  return {
    kind,
    type: type ?? nameOf(error),
    message: code === null || message.includes(code) ? message : `${message} (${code})`,
  };
}

/**
 * An error answer. Its body is looked at, but not kept; `null` while it has not been read.
 */
export function describeResponse(
  status: number,
  body: string | null,
  headers?: Headers,
): CallError {
  const facts = { ...factsOfText(body), status };
  const kind = kindOfApi(facts);
  const pause = secondsToWait(headers);
  const message = shown(scrub(facts.text ?? ''), status);
  return {
    kind,
    type: facts.type ?? TYPE_OF_STATUS.get(status) ?? `http_${status}`,
    message: facts.text === null && pause !== null ? `${message}, retry after ${pause} s` : message,
  };
}

/** The `data` of an `error` event in a stream whose HTTP status was 200. */
export function describeEvent(data: string): CallError {
  const facts = factsOfText(data);
  const kind = kindOfApi(facts);
  return { kind, type: facts.type ?? 'error', message: shown(scrub(facts.text ?? '')) };
}

const WITHHELD = '(message withheld)';

/** A message of which nothing could be shown, or that never was, becomes what is known for sure. */
function shown(safe: string, status: number | null = null): string {
  if (safe !== '' && safe !== '…') return safe;
  return status === null ? WITHHELD : `HTTP ${status}${safe === '' ? '' : ` ${WITHHELD}`}`;
}

/** Types for answers whose body has not been read. */
const TYPE_OF_STATUS = new Map<number, string>([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

function secondsToWait(headers: Headers | undefined): number | null {
  try {
    const told = headers?.get('retry-after') ?? '';
    return /^\d{1,6}$/.test(told) ? Number(told) : null;
  } catch {
    return null;
  }
}

function nameOf(error: object): string {
  const names = namesOf(error);
  return names.find((name) => name !== 'Error' && name !== 'Object') ?? names[0] ?? 'object';
}
