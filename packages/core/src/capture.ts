import { createBatches } from './batches.js';
import { watchBody, type BodyWatcher } from './body.js';
import { noAnswer, recordOf, type Call, type Priced, type PriceQuestion } from './call.js';
import { createCalls } from './calls.js';
import { currentOwner, observing, readContext } from './context.js';
import { describeError, describeResponse } from './errors.js';
import type { Health } from './health.js';
import type { CallError, CallRecord, ErrorKind, Outcome } from './record.js';
import { errorReading, messageReading, streamReading } from './reading.js';
import { providerOf, rateLimitOf, requestIdOf, requestOf } from './request.js';
import { isRetryableStatus, mayHaveBeenSent, retryDelayMs } from './retry.js';
import { activeSpan } from './trace.js';

/**
 * Turns what passes the SDK's middleware into one record a call.
 *
 * The middleware runs once per HTTP attempt. The attempts of a call share one `ctx.options` object,
 * and a WeakMap on it makes calls of them.
 */
export interface Capture {
  /** `client`: the one it is installed in, where that is known; its `maxRetries` is read live. */
  middleware(client?: BoundClient): Middleware;
  /** One attempt; whatever installed the middleware, the context's monitor records it. */
  readonly run: Run;
  /** Ends what can no longer go on. Runs by itself; call it before reading figures. */
  sweep(): void;
  /** Ends everything under way; later calls pass unrecorded. */
  close(): void;
  readonly closed: boolean;
  /** Calls under way. */
  readonly pending: number;
}

/** What is used of the SDK's middleware; assignable to its type in every version. */
export type Middleware = <R extends object>(
  request: R,
  next: (request: R) => Promise<Response>,
  context: MiddlewareContext,
) => Promise<Response>;

export interface MiddlewareContext {
  readonly options?: object | undefined;
}

export interface BoundClient {
  readonly maxRetries?: unknown;
}

type Run = (
  request: object,
  send: () => Promise<Response>,
  context: MiddlewareContext,
  client: BoundClient | undefined,
) => Promise<Response>;

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a clock that never jumps. */
  monotonic(): number;
}

export interface CaptureOptions {
  readonly clock: Clock;
  readonly health: Health;
  readonly deliver: (record: CallRecord) => void;
  readonly price: (question: PriceQuestion) => Priced;
  /** A body that nobody has read from for this long is abandoned. Milliseconds. */
  readonly idleMs?: number | undefined;
}

// One middleware records an attempt, however many monitors and copies of us a client has met.
const CLAIMS = Symbol.for('@claude-metrics/core:claims@1');
const shared = globalThis as typeof globalThis & { [CLAIMS]?: WeakMap<object, object> };
const claims = (shared[CLAIMS] ??= new WeakMap<object, object>());

// Unique in this process and, for all practical purposes, among processes.
const PROCESS = Math.random().toString(36).slice(2, 10);
let created = 0;

export function createCapture(options: CaptureOptions): Capture {
  const { clock, health, deliver, price } = options;
  const byOptions = new WeakMap<object, Call>();
  const batches = createBatches(health.drop);
  const calls = createCalls({
    monotonic: clock.monotonic,
    health,
    idleMs: options.idleMs,
    ended(call, outcome) {
      if (call.operation === 'batches') batches.created(call.answer.messageId, call.context);
      deliver(recordOf(call, outcome, price));
    },
  });
  let closed = false;

  function begin(request: object, context: MiddlewareContext): Call | undefined {
    const requestOptions = context.options;
    if (!requestOptions) return undefined;
    const now = clock.monotonic();
    const earlier = byOptions.get(requestOptions);
    if (earlier?.phase === 'waiting') {
      earlier.phase = 'requesting';
      earlier.attemptStartedAt = now;
      return earlier;
    }
    const facts = requestOf(requestOptions);
    if (!facts) return undefined;
    const call: Call = {
      id: `${PROCESS}-${(created += 1).toString(36)}`,
      parentId: earlier?.id ?? null,
      at: clock.now(),
      startedAt: now,
      operation: facts.operation,
      provider: providerOf((request as { url?: unknown }).url),
      model: facts.model,
      stream: facts.stream,
      context: readContext(health.guard),
      span: activeSpan(),
      signal: facts.signal,
      request: new WeakRef(requestOptions),
      attempts: [],
      phase: 'requesting',
      attemptStartedAt: now,
      attemptEndedAt: now,
      deadline: Number.POSITIVE_INFINITY,
      outcome: null,
      endedAt: now,
      reads: 0,
      headersAt: null,
      rateLimit: null,
      error: null,
      answer: noAnswer(),
    };
    byOptions.set(requestOptions, call);
    calls.track(call);
    return call;
  }

  function answered(call: Call, response: Response, context: MiddlewareContext): void {
    const { status, headers } = response;
    const error = status >= 400 ? describeResponse(status, null, headers) : null;
    endAttempt(call, status, requestIdOf(headers), error?.kind ?? null, error === null);
    call.error = error;
    call.headersAt = call.attemptEndedAt;
    call.rateLimit = rateLimitOf(headers);
    if (error) {
      const retried = isRetryableStatus(status, headers);
      const pause = retried ? retryDelayMs(retriesOf(call), headers, clock.now()) : 0;
      const willRetry = () => calls.wait(call, pause);
      willRetry();
      watch(response, errorReading(call, status, headers, calls.end, willRetry));
      return;
    }
    call.phase = 'reading';
    if (call.operation === 'batch_results') {
      // The download itself is no call of a model; each result in it is.
      calls.forget(call);
      const { path } = context.options as { path?: unknown };
      watch(response, batches.reading(call, String(path), endResult));
    } else if (watch(response, readingOf(call))) {
      calls.endWhenCollected(call, response);
    } else {
      calls.end(call, 'ok');
    }
  }

  function readingOf(call: Call): BodyWatcher {
    return call.stream
      ? streamReading(call, clock.monotonic, calls.end)
      : messageReading(call, calls.end);
  }

  function watch(response: Response, watcher: BodyWatcher): boolean {
    return watchBody(response, watcher, (error) => health.fault('capture.body', error));
  }

  function threw(
    call: Call,
    error: unknown,
    context: MiddlewareContext,
    client: BoundClient | undefined,
  ): void {
    const billed = mayHaveBeenSent(error);
    if (call.signal?.aborted === true) {
      endAttempt(call, null, null, 'cancelled', billed);
      calls.end(call, 'aborted');
      return;
    }
    // An abort that is not the application's is the SDK's timeout.
    const described = describeError(error, { abortIs: 'timeout' });
    call.error = described;
    endAttempt(call, null, null, described.kind, billed);
    // Whatever `fetch` throws is retried, so only the number of retries tells which one is the last.
    const own = (context.options as { maxRetries?: unknown }).maxRetries;
    const maxRetries = own ?? client?.maxRetries;
    const exhausted = typeof maxRetries === 'number' && retriesOf(call) >= maxRetries;
    if (exhausted) calls.end(call, 'error');
    else calls.wait(call, retryDelayMs(retriesOf(call), null, clock.now()));
  }

  function endAttempt(
    call: Call,
    status: number | null,
    requestId: string | null,
    errorKind: ErrorKind | null,
    mayHaveBilled: boolean,
  ): void {
    const now = clock.monotonic();
    const waitMs = call.attempts.length === 0 ? 0 : call.attemptStartedAt - call.attemptEndedAt;
    const durationMs = now - call.attemptStartedAt;
    call.attempts.push({ status, requestId, durationMs, waitMs, errorKind, mayHaveBilled });
    call.attemptEndedAt = now;
  }

  function endResult(result: Call, outcome: Outcome, error?: CallError): void {
    const now = clock.monotonic();
    calls.end(
      { ...result, at: clock.now(), startedAt: now, attemptStartedAt: now },
      outcome,
      error,
    );
  }

  const run: Run = (request, send, context, client) => {
    const call = closed
      ? undefined
      : health.guard('capture.request', () => begin(request, context));
    if (!call) return send();
    return observing(send).then(
      (response) => {
        health.guard('capture.response', () => answered(call, response, context));
        return response;
      },
      (error: unknown) => {
        health.guard('capture.error', () => threw(call, error, context, client));
        throw error;
      },
    );
  };

  return {
    run,
    middleware(client) {
      const middleware: Middleware = (request, next, context) => {
        const send = () => next(request);
        const claimant = claims.get(context);
        if (claimant !== undefined && claimant !== middleware) return send();
        claims.set(context, middleware);
        const owner = currentOwner() as { run?: Run } | undefined;
        return (owner?.run ?? run)(request, send, context, client);
      };
      return middleware;
    },
    sweep: () => calls.sweep(),
    close() {
      closed = true;
      calls.close();
    },
    get closed() {
      return closed;
    },
    get pending() {
      return calls.size;
    },
  };
}

function retriesOf(call: Call): number {
  return call.attempts.length - 1;
}
