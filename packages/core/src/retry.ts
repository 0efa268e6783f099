/**
 * The SDK's retry rules, so that we know when a failed attempt was the last one.
 * Source: `shouldRetry`, `retryRequest` and `makeRequest` of `@anthropic-ai/sdk` 0.103 to 1.12.
 */

/** Whether the SDK retries an answer with this status, if it has retries left. */
export function isRetryableStatus(status: number, headers: Headers): boolean {
  const told = headers.get('x-should-retry');
  if (told === 'true') return true;
  if (told === 'false') return false;
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** How often a call is tried again; `Infinity` where nobody has told us. */
export function maxRetriesOf(requestOptions: unknown, client: unknown): number {
  const own = (requestOptions as { maxRetries?: unknown } | undefined)?.maxRetries;
  const most = own ?? (client as { maxRetries?: unknown } | undefined)?.maxRetries;
  return typeof most === 'number' ? most : Number.POSITIVE_INFINITY;
}

/** The longest the SDK can wait before the attempt that follows the `retries`-th retry. */
export function retryDelayMs(retries: number, headers: Headers | null, now: number): number {
  const backoff = Math.min(FIRST_PAUSE_MS * 2 ** retries, LONGEST_PAUSE_MS);
  if (!headers) return backoff;
  let told = Number.parseFloat(headers.get('retry-after-ms') ?? '');
  const retryAfter = headers.get('retry-after');
  if (!(told > 0) && retryAfter !== null) {
    const seconds = Number.parseFloat(retryAfter);
    told = Number.isNaN(seconds) ? Date.parse(retryAfter) - now : seconds * 1_000;
  }
  // Older versions ignore what is a minute or more away; the longer of the two covers both.
  return told > 0 && told <= LONGEST_TIMER_MS ? Math.max(told, backoff) : backoff;
}

/**
 * Whether the request can have reached the provider, and so the bill, before this was thrown: always,
 * but for the errors of a connection that never stood.
 */
export function mayHaveBeenSent(error: unknown): boolean {
  const seen = new Set<unknown>();
  for (let at = error; typeof at === 'object' && at !== null && !seen.has(at);) {
    seen.add(at);
    const { code, cause } = at as { code?: unknown; cause?: unknown };
    if (typeof code === 'string' && NOT_SENT.test(code)) return false;
    at = cause;
  }
  return true;
}

const NOT_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/;
