import { Buffer } from 'node:buffer';

/**
 * Requests and responses as plain data, so that every framework needs one page of adapter.
 *
 * - **mount**: where the application hung us (`/claude-metrics`); only the browser knows it for sure.
 */

/** One request under the mount. */
export interface HttpRequest {
  readonly method: string;
  /** Below the mount, as the framework left it and undecoded: `''` or `'/'` is the root. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** A request header by lower-case name. */
  header(name: string): string | undefined;
  /** The whole original path and query, for relative redirects. */
  readonly url: string;
  /** The connection is certainly encrypted as far as the browser is concerned. */
  readonly secure: boolean;
  /** The framework's own request: what `authorize` is asked with. */
  readonly native: unknown;
  /**
   * The body as text, read when it is asked for; `null` when it is longer than `limit` bytes. Rejects
   * when it cannot be read. `bodyOf()` makes one of Node's request.
   */
  readBody(limit: number): Promise<string | null>;
}

/** What to answer. `body` is already empty for `HEAD`, `content-length` is not. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const CLOSED_POLICY =
  "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** On every response under the mount, whatever it is. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'content-security-policy': CLOSED_POLICY,
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex, nofollow',
  'x-permitted-cross-domain-policies': 'none',
  'x-dns-prefetch-control': 'off',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
});

export function respond(
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    headers: {
      ...SECURITY_HEADERS,
      'content-type': type,
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    },
    body,
  };
}

export function json(value: unknown, status = 200, type = 'application/json'): HttpResponse {
  return respond(status, `${type}; charset=utf-8`, `${JSON.stringify(value)}\n`);
}

export function text(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return respond(status, 'text/plain; charset=utf-8', `${body}\n`, headers);
}

/** What everything that is not there looks like, whether it is missing or closed. */
export function notFound(): HttpResponse {
  return text(404, 'Not Found');
}
