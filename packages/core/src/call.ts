import { label } from './context.js';
import type { PriceTable } from './prices.js';
import type { CallPrice, PricedCall } from './pricing.js';
import { headersOf } from './request.js';
import type { Scan, StreamFacts } from './stream.js';
import type { SpanIds } from './trace.js';
import type {
  Attempt,
  CallContext,
  CallError,
  CallRecord,
  Marks,
  Operation,
  Outcome,
  Usage,
} from './record.js';

/**
 * One call while it is under way, and its end: the frozen record.
 *
 * It refers to nothing of the application's beyond its own end, and never to the response: neither
 * may live longer because somebody counts.
 */
export interface Call {
  readonly id: string;
  readonly parentId: string | null;
  /** Wall clock, for people; every duration comes from the monotonic one. */
  readonly at: number;
  readonly startedAt: number;
  readonly operation: Operation;
  readonly provider: string;
  readonly model: string;
  readonly stream: boolean;
  readonly context: CallContext;
  readonly span: SpanIds | null;
  readonly signal: AbortSignal | undefined;
  /** The request options, for as long as the call is under way. */
  request: object | null;
  attempts: MutableAttempt[];
  /** `waiting`: an attempt failed, and the SDK may make another one. */
  phase: 'requesting' | 'reading' | 'waiting' | 'ended';
  attemptStartedAt: number;
  /** When the last attempt had its headers or its error. */
  attemptEndedAt: number;
  /** The last thing that was seen of it. */
  endedAt: number;
  /** When a waiting call is given up: no further attempt can be under way any more. */
  deadline: number;
  outcome: Outcome | null;
  /** Chunks of the body that were read. */
  reads: number;
  headersAt: number | null;
  /** Of the last answer; read when the call has ended. */
  headers: Headers | null;
  error: CallError | null;
  readonly answer: Answer;
  /** What reading its body has to remember between two chunks. */
  scan: Scan | null;
  buffer: { push(bytes: unknown): void; text(): string | null } | null;
}

export type MutableAttempt = { -readonly [K in keyof Attempt]: Attempt[K] };

/** What the API said, from a JSON body or from a stream. */
export type Answer = StreamFacts;

export function noAnswer(): Answer {
  return {
    messageId: null,
    model: null,
    usage: null,
    stopReason: null,
    hasOutput: false,
    outputKnown: false,
    outputBytes: 0,
    firstEventAt: null,
    firstDeltaAt: null,
    firstThinkingAt: null,
    firstTextAt: null,
  };
}

/** How a call gets its price. */
export interface Pricing {
  prices(): PriceTable;
  price(call: PricedCall): CallPrice;
}

/**
 * Output tokens are estimated at four bytes of UTF-8 each, the API's own rule of thumb for English:
 * a floor rather than a middle, for thinking may be billed without being shown.
 */
const BYTES_PER_TOKEN = 4;

export function recordOf(call: Call, outcome: Outcome, pricing: Pricing): CallRecord {
  call.scan?.settle();
  const { answer } = call;
  const told = call.headers && headersOf(call.headers);
  const last = call.attempts[call.attempts.length - 1];
  if (last && told) last.requestId ??= told.requestId;
  const usage = usageAtEnd(call, outcome);
  const priced = pricing.price({
    usage,
    model: call.model,
    servedModel: answer.model,
    at: call.at,
    prices: pricing.prices(),
    operation: call.operation,
    outcome,
    status: last?.status ?? null,
    stopReason: answer.stopReason,
    hasOutput: answer.hasOutput,
    mayHaveBilled: last?.mayHaveBilled ?? true,
    outputEstimated: usage !== answer.usage,
    cacheTtl: cacheTtlOf(call),
  });
  // An attempt that was lost on its way may be on the bill as well, and nobody tells how much.
  const lost = priced.priceStatus === 'priced' && lostAttempts(call) > 0;
  const since = (at: number | null) => (at === null ? null : at - call.startedAt);
  const marks: Marks = {
    headersMs: since(call.headersAt),
    firstEventMs: since(answer.firstEventAt),
    firstThinkingMs: since(answer.firstThinkingAt),
    firstTextMs: since(answer.firstTextAt),
  };
  return Object.freeze<CallRecord>({
    id: call.id,
    parentId: call.parentId,
    requestId: last?.requestId ?? null,
    messageId: label(answer.messageId),
    at: call.at,
    operation: call.operation,
    provider: call.provider,
    model: call.model,
    servedModel: label(answer.model),
    userId: call.context.userId,
    feature: call.context.feature,
    sessionId: call.context.sessionId,
    tags: Object.freeze(call.context.tags),
    stream: call.stream,
    usage: kept(answer.usage),
    tokens: priced.tokens,
    cost: priced.cost,
    priceStatus: lost ? 'estimated' : priced.priceStatus,
    unpricedReason: priced.unpricedReason,
    estimated: priced.estimated || lost,
    marks: Object.freeze(marks),
    ttftMs: since(answer.firstDeltaAt),
    callMs: call.endedAt - call.startedAt,
    lastAttemptMs: call.endedAt - call.attemptStartedAt,
    outcome,
    error: call.error && Object.freeze(call.error),
    status: last?.status ?? null,
    stopReason: label(answer.stopReason),
    traceId: call.span?.traceId ?? null,
    spanId: call.span?.spanId ?? null,
    attempts: Object.freeze(call.attempts.map((attempt) => Object.freeze(attempt))),
    serviceTier: label(answer.usage?.service_tier),
    speed: label(answer.usage?.speed),
    inferenceGeo: label(answer.usage?.inference_geo),
    rateLimit: told?.rateLimit ?? null,
  });
}

function lostAttempts({ attempts }: Call): number {
  let lost = 0;
  for (let i = 0; i < attempts.length - 1; i += 1) {
    const { status, mayHaveBilled } = attempts[i] as Attempt;
    if (status === null && mayHaveBilled) lost += 1;
  }
  return lost;
}

const MAX_DEPTH = 5;
const MAX_ENTRIES = 100;

/** A frozen copy: the answer itself is the application's, to change as it likes. */
function kept<T>(value: T, depth = 0): T {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return null as T;
  if (Array.isArray(value)) {
    return Object.freeze(value.slice(0, MAX_ENTRIES).map((item) => kept(item, depth + 1))) as T;
  }
  // Property by property: freezing a copy made with a spread takes four times as long.
  const copy: Record<string, unknown> = {};
  let entries = 0;
  for (const name in value) {
    if ((entries += 1) > MAX_ENTRIES || name === '__proto__') continue;
    copy[name] = kept(value[name], depth + 1);
  }
  return Object.freeze(copy) as T;
}

/** A stream that did not come to its end has told its input, but not how much it has written. */
function usageAtEnd(call: Call, outcome: Outcome): Usage | null {
  const { answer } = call;
  const partial = call.stream && outcome !== 'ok' && outcome !== 'refused';
  if (!partial || answer.usage === null || answer.outputKnown) return answer.usage;
  const estimate = Math.ceil(answer.outputBytes / BYTES_PER_TOKEN);
  return { ...answer.usage, output_tokens: Math.max(answer.usage.output_tokens ?? 0, estimate) };
}

/** The lifetime the request asked for, where usage does not split cache writes by lifetime. */
function cacheTtlOf(call: Call): '5m' | '1h' {
  const usage = call.answer.usage;
  const written = usage?.cache_creation_input_tokens ?? 0;
  if (!(written > 0)) return '5m';
  const split = usage?.cache_creation;
  const told = (split?.ephemeral_5m_input_tokens ?? 0) + (split?.ephemeral_1h_input_tokens ?? 0);
  if (told >= written) return '5m';
  const body = (call.request as { body?: unknown } | null)?.body;
  return /"ttl":\s*"1h"/.test(typeof body === 'string' ? body : JSON.stringify(body ?? ''))
    ? '1h'
    : '5m';
}
