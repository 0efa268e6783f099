import type { CallRecord, Sink } from '../record.js';

/** One call as one flat, JSON-safe object: what log pipelines search by. */
export interface CallLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: 'claude.call';
  /** ISO 8601, the start of the call. */
  readonly timestamp: string;
  readonly callId: string;
  readonly requestId: string | null;
  readonly messageId: string | null;
  readonly operation: string;
  readonly provider: string;
  readonly model: string;
  readonly servedModel: string | null;
  readonly userId: string | null;
  readonly feature: string | null;
  readonly sessionId: string | null;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly stream: boolean;
  readonly outcome: string;
  readonly stopReason: string | null;
  readonly statusCode: number | null;
  readonly attempts: number;
  readonly retries: number;
  readonly errorKind: string | null;
  readonly errorType: string | null;
  /** Scrubbed message. */
  readonly error: string | null;
  /** Billed at the full input rate, without cache reads and writes. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly thinkingTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheCreationTokens: number;
  /** The whole call, pauses between retries included. Milliseconds. */
  readonly latencyMs: number;
  readonly ttftMs: number | null;
  /** `null`: unknown, which is not the same as 0. */
  readonly costUsd: number | null;
  readonly priceStatus: string;
  readonly priceVersion: string | null;
  /** What budgets decided (`allow`, `warn`, `clamp`, `downgrade`, `block`); left out without any. */
  readonly budgetVerdict: string | undefined;
  /** The budget that decided. */
  readonly budget: string | undefined;
  /** The model that was sent instead of the one asked for. */
  readonly sentModel: string | undefined;
  readonly traceId: string | null;
  readonly spanId: string | null;
}

/** The line of one record; hand it to a logger of your own. */
export function callLine(call: CallRecord): CallLine {
  const { tokens } = call;
  return {
    level: levelOf(call),
    event: 'claude.call',
    timestamp: new Date(call.at).toISOString(),
    callId: call.id,
    requestId: call.requestId,
    messageId: call.messageId,
    operation: call.operation,
    provider: call.provider,
    model: call.model,
    servedModel: call.servedModel,
    userId: call.userId,
    feature: call.feature,
    sessionId: call.sessionId,
    tags: hasAny(call.tags) ? call.tags : undefined,
    stream: call.stream,
    outcome: call.outcome,
    stopReason: call.stopReason,
    statusCode: call.status,
    attempts: call.attempts.length,
    retries: Math.max(0, call.attempts.length - 1),
    errorKind: call.error?.kind ?? null,
    errorType: call.error?.type ?? null,
    error: call.error?.message ?? null,
    inputTokens: tokens.uncachedInput,
    outputTokens: tokens.output,
    thinkingTokens: tokens.thinking,
    cacheReadTokens: tokens.cacheRead,
    cacheCreationTokens: tokens.cacheWrite5m + tokens.cacheWrite1h,
    latencyMs: rounded(call.callMs),
    ttftMs: call.ttftMs === null ? null : rounded(call.ttftMs),
    costUsd: call.cost?.usd ?? null,
    priceStatus: call.priceStatus,
    priceVersion: call.cost?.priceVersion ?? null,
    budgetVerdict: call.budget?.verdict,
    budget: call.budget?.budget ?? undefined,
    sentModel: call.budget?.sentModel ?? undefined,
    traceId: call.traceId,
    spanId: call.spanId,
  };
}

/** The same without its level, for logs that have levels of their own. */
export function callFields(call: CallRecord): Omit<CallLine, 'level'> {
  const { level: _, ...fields } = callLine(call);
  return fields;
}

export interface JsonLinesOptions {
  /** Where lines go; default `process.stdout`. */
  readonly stream?: LineStream | undefined;
  /** Lines that wait for a slow stream; beyond it they are dropped and counted. Default 10,000. */
  readonly maxLines?: number | undefined;
  /** Told how many lines were dropped, and what writing failed with. */
  readonly onDrop?: ((count: number) => void) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface LineStream {
  write(text: string): boolean;
  on(event: 'drain' | 'error', listener: (error?: unknown) => void): unknown;
  off(event: 'drain' | 'error', listener: (error?: unknown) => void): unknown;
}

/**
 * A sink that writes one JSON line a call. Lines are written together, after the event that made
 * them, and never more than the stream takes.
 *
 * @example
 * createMonitor({ log: false, sinks: [jsonLines({ stream: fs.createWriteStream('calls.jsonl') })] });
 */
export function jsonLines(options: JsonLinesOptions = {}): Sink {
  const { stream = process.stdout, maxLines = 10_000, onDrop, onError } = options;
  let lines: string[] = [];
  let scheduled = false;
  let blocked = false;
  let listening = false;

  const flush = (): void => {
    scheduled = false;
    if (blocked || lines.length === 0) return;
    const text = lines.join('');
    lines = [];
    blocked = !stream.write(text);
  };
  const drained = (): void => {
    blocked = false;
    flush();
  };
  // Without a listener a closed pipe would end the process.
  const failed = (error: unknown): void => {
    blocked = false;
    onError?.(error);
  };

  return {
    name: 'json',
    record(call) {
      if (!listening) {
        listening = true;
        stream.on('drain', drained);
        stream.on('error', failed);
        process.on('exit', flush);
      }
      if (lines.length >= maxLines) {
        onDrop?.(1);
        return;
      }
      lines.push(`${JSON.stringify(callLine(call))}\n`);
      if (scheduled) return;
      scheduled = true;
      setImmediate(flush);
    },
    close() {
      blocked = false;
      flush();
      stream.off('drain', drained);
      process.off('exit', flush);
    },
  };
}

function levelOf(call: CallRecord): CallLine['level'] {
  if (call.outcome === 'error') return 'error';
  const quiet = call.outcome === 'ok' && call.priceStatus !== 'unpriced';
  return quiet ? 'info' : 'warn';
}

function hasAny(tags: object): boolean {
  for (const _ in tags) return true;
  return false;
}

/** To microseconds: the clock knows no more. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
