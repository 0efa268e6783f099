import type { AlertMessage } from './alert.js';
import type { BudgetEvent, CallBudget } from './budget.js';
import type { MetricsPage, SinkMonitor } from './status.js';

/**
 * The words of the system. Read this file first; everything else moves these around.
 *
 * - **call**: one API call as the application made it, with all its retries.
 * - **attempt**: one HTTP request of a call.
 * - **record**: everything known about one finished call. Frozen, JSON-safe, and without a word of
 *   prompt or answer text.
 * - **token classes**: `uncachedInput`, `cacheRead`, `cacheWrite5m`, `cacheWrite1h`, `output`. They
 *   never overlap, and sum to the tokens that were billed.
 * - **nano-dollars**: money is an integer number of 10⁻⁹ USD; USD as a decimal only at the edges.
 */

/**
 * Usage exactly as the API sent it, snake case; at run time with whatever fields the API adds later.
 * The SDK's own `Usage` and `BetaUsage` are assignable to it.
 */
export interface Usage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation?: CacheCreation | null;
  readonly output_tokens_details?: { readonly thinking_tokens?: number | null } | null;
  readonly server_tool_use?: {
    readonly web_search_requests?: number | null;
    readonly web_fetch_requests?: number | null;
    readonly code_execution_requests?: number | null;
  } | null;
  readonly service_tier?: string | null;
  readonly speed?: string | null;
  readonly inference_geo?: string | null;
  /** Beta: whether Anthropic priced a retry on a fallback model anew. */
  readonly fallback_credit?: { readonly status?: { readonly type?: string | null } | null } | null;
  /** Beta: the billed parts of the call, when the top level does not tell the whole bill. */
  readonly iterations?: readonly UsageIteration[] | null;
}

/** How the tokens written to the prompt cache split by lifetime. */
export interface CacheCreation {
  readonly ephemeral_5m_input_tokens?: number | null;
  readonly ephemeral_1h_input_tokens?: number | null;
}

/** One billed part of a call: an answer, a compaction, an advisor's or a fallback model's turn. */
export interface UsageIteration {
  readonly type?: string | null;
  readonly model?: string | null;
  readonly speed?: string | null;
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation?: CacheCreation | null;
}

/** Billed tokens by class. `thinking` is part of `output`, the others do not overlap. */
export interface Tokens {
  readonly uncachedInput: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly output: number;
  readonly thinking: number;
}

/**
 * What a cost line prices: a token class, or a server tool billed by the request. Stores write them by
 * number, so new ones are only ever added at the end.
 */
export const COST_CLASSES = [
  'uncachedInput',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'output',
  'webSearch',
] as const;
export type CostClass = (typeof COST_CLASSES)[number];

/** One priced part of a call. `nanoUsd` is `quantity × rate`, rounded once, half up. */
export interface CostLine {
  readonly class: CostClass;
  readonly model: string;
  /** Tokens, or requests for a server tool. */
  readonly quantity: number;
  /** Nano-dollars for one token or one request, with every multiplier applied; may be fractional. */
  readonly nanoUsdPerUnit: number;
  readonly nanoUsd: number;
}

/** What a call cost: the sum of its lines, exactly. */
export interface Cost {
  /** Decimal USD, for people. Derived from `nanoUsd`. */
  readonly usd: number;
  /** Integer nano-dollars (10⁻⁹ USD): the number to add up. */
  readonly nanoUsd: number;
  readonly lines: readonly CostLine[];
  /** Version of the price table that was used, so that history can be re-priced. */
  readonly priceVersion: string;
}

/**
 * Whether `cost` can be trusted.
 *
 * - `priced`: usage from the API × a known price.
 * - `estimated`: priced, but a quantity was estimated (a cancelled stream) or a rule had to assume.
 * - `free`: the API does not bill this call (an error status, `countTokens`, a refusal before output).
 * - `unpriced`: money was or may have been spent, and we cannot say how much (`cost` is `null`).
 */
export type PriceStatus = 'priced' | 'estimated' | 'free' | 'unpriced';

/** Why a call has no price. */
export type UnpricedReason = 'unknown_model' | 'no_usage' | 'priority_tier' | 'no_price_for_date';

/**
 * How a call ended.
 *
 * - `ok`: complete. `refused`: complete, and the model refused (`stop_reason: refusal`).
 * - `error`: the provider, the network or the request failed it.
 * - `cancelled`: the application stopped reading (`break`). `aborted`: its signal fired.
 * - `truncated`: the stream ended without its last event.
 * - `blocked`: a budget refused it before the first request.
 * - `abandoned`: an answer arrived and nobody read it.
 */
export type Outcome =
  'ok' | 'refused' | 'error' | 'cancelled' | 'aborted' | 'truncated' | 'blocked' | 'abandoned';

export const OUTCOMES = [
  'ok',
  'refused',
  'error',
  'cancelled',
  'aborted',
  'truncated',
  'blocked',
  'abandoned',
] as const satisfies readonly Outcome[];

/** What went wrong, in words that say who has to act. */
export type ErrorKind =
  | 'rate_limit'
  | 'overloaded'
  | 'server_error'
  | 'timeout'
  | 'connection'
  | 'invalid_request'
  | 'auth_error'
  | 'not_found'
  | 'context_too_long'
  | 'content_filter'
  | 'billing'
  | 'spend_limit'
  | 'malformed_response'
  | 'cancelled'
  | 'unknown';

export const ERROR_KINDS = [
  'rate_limit',
  'overloaded',
  'server_error',
  'timeout',
  'connection',
  'invalid_request',
  'auth_error',
  'not_found',
  'context_too_long',
  'content_filter',
  'billing',
  'spend_limit',
  'malformed_response',
  'cancelled',
  'unknown',
] as const satisfies readonly ErrorKind[];

export interface CallError {
  readonly kind: ErrorKind;
  /** The API's own type (`overloaded_error`), or the name of the thrown error. */
  readonly type: string;
  /** Scrubbed: no keys, no echoed input, bounded in length, one line. */
  readonly message: string;
}

/** One HTTP request of a call. Durations in milliseconds. */
export interface Attempt {
  /** HTTP status; `null` when no response arrived. */
  readonly status: number | null;
  readonly requestId: string | null;
  /** From sending the request to response headers, or to the failure. */
  readonly durationMs: number;
  /** Pause since the previous attempt ended; 0 for the first. */
  readonly waitMs: number;
  readonly errorKind: ErrorKind | null;
  /** The provider may have charged for it although it failed (a timeout, a lost connection). */
  readonly mayHaveBilled: boolean;
}

/** Milliseconds from the start of the call; `null` where it never came. */
export interface Marks {
  readonly headersMs: number | null;
  readonly firstEventMs: number | null;
  readonly firstThinkingMs: number | null;
  /** First text or tool-input delta. */
  readonly firstTextMs: number | null;
}

/** One kind of limit as `anthropic-ratelimit-*` headers reported it. */
export interface RateLimitWindow {
  readonly limit: number | null;
  readonly remaining: number | null;
  /** ISO 8601. */
  readonly reset: string | null;
}

export interface RateLimit {
  readonly requests?: RateLimitWindow;
  readonly tokens?: RateLimitWindow;
  readonly inputTokens?: RateLimitWindow;
  readonly outputTokens?: RateLimitWindow;
}

/** Who a call is for and what it does. Every name is normalised to at most 128 characters. */
export interface CallContext {
  readonly userId: string | null;
  readonly feature: string | null;
  readonly sessionId: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

/** What the call was, by API path. */
export type Operation = 'messages' | 'count_tokens' | 'batches' | 'batch_results' | 'other';

/** Everything known about one finished call. Frozen and JSON-safe; never holds prompt or answer. */
export interface CallRecord extends CallContext {
  /** Ours: unique per record. */
  readonly id: string;
  /** Another record made with the same request options (a fallback's hop), or `null`. */
  readonly parentId: string | null;
  /** The API's request id of the last attempt. */
  readonly requestId: string | null;
  /** The API's message id: the key for feedback. */
  readonly messageId: string | null;
  /** Start of the call, milliseconds since the epoch. */
  readonly at: number;
  readonly operation: Operation;
  /** `anthropic`, `aws.bedrock`, `gcp.vertex_ai`, … */
  readonly provider: string;
  /** The model that was asked for. */
  readonly model: string;
  /** The model that answered, as the API says; `null` when it never said. */
  readonly servedModel: string | null;
  readonly stream: boolean;
  readonly usage: Usage | null;
  readonly tokens: Tokens;
  readonly cost: Cost | null;
  readonly priceStatus: PriceStatus;
  readonly unpricedReason: UnpricedReason | null;
  /** A quantity in here is an estimate (output of a cancelled stream, cache writes of unknown age). */
  readonly estimated: boolean;
  readonly marks: Marks;
  /** To the first delta of any kind, from the start of the call; streams only. */
  readonly ttftMs: number | null;
  /** Whole call, waiting between retries included. */
  readonly callMs: number;
  /** The last attempt alone. */
  readonly lastAttemptMs: number;
  readonly outcome: Outcome;
  readonly error: CallError | null;
  /** HTTP status of the last attempt; `null` when no response arrived. */
  readonly status: number | null;
  readonly stopReason: string | null;
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly attempts: readonly Attempt[];
  readonly serviceTier: string | null;
  readonly speed: string | null;
  readonly inferenceGeo: string | null;
  readonly rateLimit: RateLimit | null;
  /** What budgets decided; `null` when none applied. */
  readonly budget: CallBudget | null;
}

/** What a person did with an answer. */
export type FeedbackAction = 'accept' | 'reject' | 'edit' | 'retry';

export const FEEDBACK_ACTIONS = [
  'accept',
  'reject',
  'edit',
  'retry',
] as const satisfies readonly FeedbackAction[];

/** Feedback that was counted: what somebody did with the answer of a call. */
export interface GivenFeedback {
  readonly callId: string;
  readonly messageId: string | null;
  /** Start of the call, milliseconds since the epoch: where it counts. */
  readonly callAt: number;
  readonly action: FeedbackAction;
  /** What the same person had done before with the same answer, as far as that is remembered. */
  readonly before: FeedbackAction | null;
  /** Who did it, as far as that was said; else the user of the call. */
  readonly userId: string | null;
  readonly feature: string | null;
  readonly model: string;
  /** Text of a person: it goes to sinks that ask for feedback, and nowhere else. */
  readonly comment: string | null;
  readonly score: number | null;
}

/** The span that the SDK itself has opened for a call, as far as sinks may use it. */
export interface SdkSpan {
  setAttributes(attributes: Readonly<Record<string, string | number | boolean>>): unknown;
}

/** Anything that receives finished records. A sink that throws is counted, never heard by callers. */
export interface Sink {
  readonly name: string;
  record(call: CallRecord): void | Promise<void>;
  /** An alert fired, is still firing after its cooldown, or has resolved. */
  alert?(message: AlertMessage): void | Promise<void>;
  /** A budget passed one of its thresholds, or more was spent than it had held. */
  budget?(event: BudgetEvent): void | Promise<void>;
  /**
   * The SDK has opened an OpenTelemetry span for a call, and it is being recorded. Told when the call
   * begins, and with its record when it has ended before the span has.
   */
  span?(span: SdkSpan, of: CallContext, call: CallRecord | null): void;
  /** Somebody said what they did with an answer. */
  feedback?(given: GivenFeedback): void | Promise<void>;
  /**
   * Called when it is added to a monitor, with what it may ask of it from then on. What it returns is
   * called when the sink is taken off, and when the monitor has closed.
   */
  attach?(monitor: SinkMonitor): (() => void) | undefined;
  /** What `/metrics` under the mount answers, for the `Accept` of a request. */
  metrics?(accept?: string): Promise<MetricsPage>;
  /** Called once by `monitor.close()`: write out what is buffered. */
  close?(): void | Promise<void>;
}

export const NO_TOKENS: Tokens = Object.freeze({
  uncachedInput: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  output: 0,
  thinking: 0,
});

/** All input of a call, cached or not. */
export function inputTokens(tokens: Tokens): number {
  return tokens.uncachedInput + tokens.cacheRead + tokens.cacheWrite5m + tokens.cacheWrite1h;
}

/**
 * Outcomes that count into the error rate. A refusal, an application's own abort or `break`, and a
 * blocked budget are no failures of the provider.
 */
export function isFailure(call: Pick<CallRecord, 'outcome'>): boolean {
  return call.outcome === 'error' || call.outcome === 'truncated';
}
