import { cacheTtlOf, kept, usageAtEnd } from './call-usage.js';
import { label } from './context.js';
import type { CallBudget } from './budget.js';
import type { Ticket } from './gate.js';
import type { PriceTable } from './prices.js';
import type { CallPrice, PricedCall } from './pricing.js';
import { headersOf } from './request.js';
import { createScan, type Scan, type StreamFacts } from './stream.js';
import type { SpanIds } from './trace.js';
import type {
  Attempt,
  CallContext,
  CallError,
  CallRecord,
  Marks,
  Operation,
  Outcome,
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
  /** What budgets have reserved for it; `undefined` while nobody has asked them. */
  ticket: Ticket | null | undefined;
  /** What budgets decided. */
  budget: CallBudget | null;
  /** Of the batch that it is a result of. */
  readonly batchId: string | null;
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

/** What is known of a call when it begins. */
export type CallStart = Pick<Call, 'id' | 'parentId' | 'at' | 'startedAt' | 'operation'> &
  Pick<Call, 'provider' | 'model' | 'stream' | 'signal' | 'context' | 'span' | 'request'>;

// Unique in this process and, for all practical purposes, among processes.
const PROCESS = Math.random().toString(36).slice(2, 10);
let created = 0;

export function newCallId(): string {
  return `${PROCESS}-${(created += 1).toString(36)}`;
}

export function newCall(start: CallStart): Call {
  const answer = noAnswer();
  return {
    id: start.id,
    parentId: start.parentId,
    at: start.at,
    startedAt: start.startedAt,
    operation: start.operation,
    provider: start.provider,
    model: start.model,
    stream: start.stream,
    context: start.context,
    span: start.span,
    signal: start.signal,
    request: start.request,
    attempts: [],
    phase: 'requesting',
    attemptStartedAt: start.startedAt,
    attemptEndedAt: start.startedAt,
    deadline: Number.POSITIVE_INFINITY,
    outcome: null,
    endedAt: start.startedAt,
    reads: 0,
    headersAt: null,
    headers: null,
    error: null,
    ticket: undefined,
    budget: null,
    batchId: null,
    answer,
    scan: start.stream ? createScan(answer) : null,
    buffer: null,
  };
}

export function endAttempt(
  call: Call,
  now: number,
  end: Pick<Attempt, 'status' | 'requestId' | 'errorKind' | 'mayHaveBilled'>,
): void {
  const waitMs = call.attempts.length === 0 ? 0 : call.attemptStartedAt - call.attemptEndedAt;
  const durationMs = now - call.attemptStartedAt;
  const { status, requestId, errorKind, mayHaveBilled } = end;
  const attempt = { status, requestId, durationMs, waitMs, errorKind, mayHaveBilled };
  call.attempts = [...call.attempts, attempt];
  call.attemptEndedAt = now;
}

/** How a call gets its price. */
export interface Pricing {
  prices(): PriceTable;
  price(call: PricedCall): CallPrice;
}

export function recordOf(call: Call, outcome: Outcome, pricing: Pricing): CallRecord {
  call.scan?.settle();
  const { answer } = call;
  const told = call.headers && headersOf(call.headers);
  const last = call.attempts[call.attempts.length - 1];
  if (last && told) last.requestId ??= told.requestId;
  const usage = usageAtEnd(answer, call.stream, outcome);
  const priced = pricing.price({
    usage,
    model: call.budget?.sentModel ?? call.model,
    servedModel: answer.model,
    at: call.at,
    prices: pricing.prices(),
    operation: call.operation,
    outcome,
    status: last?.status ?? null,
    stopReason: answer.stopReason,
    hasOutput: answer.hasOutput,
    mayHaveBilled: last?.mayHaveBilled ?? outcome !== 'blocked',
    outputEstimated: usage !== answer.usage,
    cacheTtl: cacheTtlOf(answer.usage, call.request),
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
    budget: call.budget && Object.freeze(call.budget),
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
