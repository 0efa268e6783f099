import { label } from './context.js';
import type { Operation, RateLimit, RateLimitWindow } from './record.js';

/** What a request is, read off the SDK's request options; nothing of them is changed or kept. */
export interface RequestFacts {
  readonly model: string;
  readonly stream: boolean;
  readonly signal: AbortSignal | undefined;
}

/** The request options of the SDK, as far as they are looked at. */
interface Options {
  readonly path?: unknown;
  readonly method?: unknown;
  readonly body?: unknown;
  readonly stream?: unknown;
  readonly signal?: AbortSignal | null;
}

/** `null`: a request that bills no tokens and answers no message; it is none of our calls. */
export function callOperationOf(requestOptions: object): Operation | null {
  const { path, method } = requestOptions as Options;
  return operationOf(path, method);
}

export function requestOf(requestOptions: object): RequestFacts {
  const options = requestOptions as Options;
  const body = bodyOf(options.body);
  return {
    model: modelOf(body),
    stream: options.stream === true || body?.['stream'] === true,
    signal: options.signal ?? undefined,
  };
}

/** By path, for every backend: `/v1/messages`, behind whatever prefix a gateway puts before it. */
export function operationOf(path: unknown, method: unknown): Operation | null {
  if (typeof path !== 'string') return null;
  const query = path.indexOf('?');
  const plain = query === -1 ? path : path.slice(0, query);
  const isPost = typeof method !== 'string' || method.toLowerCase() === 'post';
  if (isPost) {
    if (plain.endsWith('/v1/messages')) return 'messages';
    if (plain.endsWith('/v1/messages/count_tokens')) return 'count_tokens';
    if (plain.endsWith('/v1/messages/batches')) return 'batches';
    return null;
  }
  return plain.includes('/v1/messages/batches/') && plain.endsWith('/results')
    ? 'batch_results'
    : null;
}

/** The body as an object, also where it has become text; `null` for anything else. */
export function bodyOf(body: unknown): Record<string, unknown> | null {
  if (typeof body === 'object' && body !== null) return body as Record<string, unknown>;
  if (typeof body !== 'string') return null;
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' ? (parsed as Record<string, unknown> | null) : null;
  } catch {
    // Its message would quote the body.
    return null;
  }
}

function modelOf(body: Record<string, unknown> | null): string {
  if (typeof body?.['model'] === 'string') return label(body['model']) ?? 'unknown';
  const requests = body?.['requests'];
  if (!Array.isArray(requests)) return 'unknown';
  const models = new Set<unknown>();
  for (const request of requests as { params?: { model?: unknown } }[]) {
    models.add(request?.params?.model);
  }
  const [only] = models;
  return models.size === 1 && typeof only === 'string' ? (label(only) ?? 'unknown') : '(mixed)';
}

/** The provider's name in OpenTelemetry's words, told by the address. */
export function providerOf(url: unknown): string {
  if (typeof url !== 'string' || url.startsWith('https://api.anthropic.com/')) return 'anthropic';
  const host = url.slice(0, url.indexOf('/', 8));
  if (host.includes('.amazonaws.com')) {
    return host.includes('bedrock') ? 'aws.bedrock' : 'anthropic';
  }
  if (host.includes('aiplatform') && host.endsWith('.googleapis.com')) return 'gcp.vertex_ai';
  if (host.endsWith('.azure.com')) return 'azure.ai.foundry';
  return 'anthropic';
}

/** What the headers of an answer tell. */
export interface HeaderFacts {
  readonly requestId: string | null;
  readonly rateLimit: RateLimit | null;
}

const WINDOWS = [
  ['requests', 'anthropic-ratelimit-requests'],
  ['tokens', 'anthropic-ratelimit-tokens'],
  ['inputTokens', 'anthropic-ratelimit-input-tokens'],
  ['outputTokens', 'anthropic-ratelimit-output-tokens'],
] as const satisfies readonly (readonly [keyof RateLimit, string])[];
const HEADERS = WINDOWS.map(([name, prefix]) => ({
  name,
  limit: `${prefix}-limit`,
  remaining: `${prefix}-remaining`,
  reset: `${prefix}-reset`,
}));

/** Of either name: Bedrock has one of its own. */
export function requestIdOf(headers: Headers): string | null {
  return label(headers.get('request-id') ?? headers.get('x-amzn-requestid'));
}

export function headersOf(headers: Headers): HeaderFacts {
  let rateLimit: { -readonly [K in keyof RateLimit]: RateLimit[K] } | null = null;
  for (let i = 0; i < HEADERS.length; i += 1) {
    const { name, limit, remaining, reset } = HEADERS[i] as (typeof HEADERS)[number];
    const told = headers.get(limit);
    if (told === null) continue;
    const window: RateLimitWindow = {
      limit: countOf(told),
      remaining: countOf(headers.get(remaining)),
      reset: label(headers.get(reset)),
    };
    (rateLimit ??= {})[name] = Object.freeze(window);
  }
  return { requestId: requestIdOf(headers), rateLimit: rateLimit && Object.freeze(rateLimit) };
}

function countOf(text: string | null): number | null {
  if (text === null) return null;
  const count = Number(text);
  return Number.isFinite(count) ? count : null;
}
