import { scrub } from '../scrub.js';

/**
 * Why a message did not come through, in a line that is safe to show.
 *
 * - **failure**: an error in words of our own: a status, a system's code, never an address, a key or
 *   an answer's text. All other errors pass `scrub`, because a network error can quote an address,
 *   and the address of a chat is its key.
 */
export interface Failure extends Error {
  /** `false`: trying again cannot help. */
  readonly retry: boolean;
  /** What the receiver asked for; 0 if it did not. */
  readonly retryAfterMs: number;
}

const OURS = new WeakSet<object>();
/** Of the system, of TLS and of mail: ECONNREFUSED, CERT_HAS_EXPIRED, EAUTH. Keys have digits. */
const CODE = /^[A-Z][A-Z_]{2,40}$/;
const UNTOLD = 'an error whose text is not shown';

/** @param text Words of ours and numbers only: it is shown as it is. */
export function failure(
  text: string,
  { retry = true, retryAfterMs = 0 }: { retry?: boolean; retryAfterMs?: number } = {},
): Failure {
  const made = Object.assign(new Error(text), { retry, retryAfterMs });
  OURS.add(made);
  return made;
}

/** The reason as one safe line, for whatever was thrown. */
export function reasonOf(error: unknown): string {
  if (isObject(error) && OURS.has(error)) return (error as Failure).message;
  const text = typeof error === 'string' ? error : read(error, 'message');
  const told = typeof text === 'string' ? scrub(text) : '';
  const code = codeOf(error);
  const parts = [code, told === '…' ? '' : told].filter((part) => part !== null && part !== '');
  return parts.length === 0 ? UNTOLD : parts.join(': ');
}

/** What an error, ours or not, says about trying again. */
export function adviceOf(error: unknown): { readonly retry: boolean; readonly afterMs: number } {
  const after = read(error, 'retryAfterMs');
  return {
    retry: read(error, 'retry') !== false,
    afterMs: typeof after === 'number' && after > 0 ? after : 0,
  };
}

/** The system's code of an error or of its cause; `null` without one. */
export function codeOf(error: unknown): string | null {
  for (const code of [read(error, 'code'), read(read(error, 'cause'), 'code')]) {
    if (typeof code === 'string' && CODE.test(code)) return code;
  }
  return null;
}

/** A property of something thrown by others, which may be anything, getters included. */
export function read(from: unknown, name: string): unknown {
  try {
    return isObject(from) ? (from as Record<string, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
