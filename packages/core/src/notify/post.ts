import { codeOf, failure } from './failure.js';

/**
 * One HTTP POST whose answer is only its status: redirects are not followed, the body of the answer
 * is not read, and nothing that fails tells the address.
 */
export interface Post {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** JSON. */
  readonly body: string;
  readonly signal: AbortSignal;
  /** For a `Retry-After` that is a date. Milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** Resolves for 2xx; rejects with a failure that says whether to try again, and when. */
export async function post({ url, headers, body, signal, now = Date.now }: Post): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: headersOf(headers),
      body,
      signal,
      redirect: 'manual',
    });
  } catch (error) {
    const code = codeOf(error);
    throw failure(`the connection failed${code === null ? '' : ` (${code})`}`);
  }
  // Not awaited: a receiver that never ends its answer has answered all the same.
  response.body?.cancel().catch(() => undefined);
  const { status } = response;
  if (status >= 200 && status < 300) return;
  if (status >= 300 && status < 400) {
    throw failure(`answered ${status}: redirects are not followed`, { retry: false });
  }
  const retryAfterMs = waitOf(response.headers.get('retry-after'), now);
  throw failure(`answered ${status}`, { retry: canChange(status), retryAfterMs });
}

function headersOf(given: Post['headers'] = {}): Headers {
  const headers = new Headers({ 'user-agent': 'claude-metrics' });
  for (const [name, value] of Object.entries(given)) headers.set(name, value);
  headers.set('content-type', 'application/json');
  return headers;
}

/** Whether the same request can be answered otherwise later. */
function canChange(status: number): boolean {
  return status >= 500 || status === 408 || status === 409 || status === 425 || status === 429;
}

/** Seconds, or a date; 0 for none and for what is neither. */
function waitOf(retryAfter: string | null, now: () => number): number {
  if (retryAfter === null) return 0;
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(retryAfter)
    ? Number(retryAfter) * 1_000
    : Date.parse(retryAfter) - now();
  return ms > 0 ? ms : 0;
}
