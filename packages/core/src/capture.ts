import { createBatches } from './batches.js';
import { watchBody, type BodyWatcher } from './body.js';
import { noAnswer, recordOf, type Call, type Pricing } from './call.js';
import { createCalls } from './calls.js';
import { describeError, describeResponse } from './errors.js';
import type { Health } from './health.js';
import {
  claimAttempt,
  createAttemptMiddleware,
  type BoundClient,
  type Claim,
  type Middleware,
  type MiddlewareContext,
  type Run,
} from './middleware.js';
import type { CallContext, CallError, CallRecord, ErrorKind, Outcome } from './record.js';
import { errorReading, messageReading, streamReading } from './reading.js';
import { providerOf, requestIdOf, requestOf } from './request.js';
import { isRetryableStatus, mayHaveBeenSent, retryDelayMs } from './retry.js';
import type { Owner } from './scope.js';
import { createScan } from './stream.js';
import { activeSpan } from './trace.js';
import { expectRequest, settleRequest } from './unobserved.js';

/**
 * Turns what passes the SDK's middleware into one record a call.
 *
 * The middleware runs once per HTTP attempt. The attempts of a call share one `ctx.options` object,
 * and a WeakMap on it makes calls of them.
 */
export interface Capture extends Owner {
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
  readonly pricing: Pricing;
  /** Who and what, at the moment of a call. */
  readonly readContext: () => CallContext;
  /** A body that nobody has read from for this long is abandoned. Milliseconds. */
  readonly idleMs?: number | undefined;
}

// Unique in this process and, for all practical purposes, among processes.
const PROCESS = Math.random().toString(36).slice(2, 10);
let created = 0;

export function createCapture(options: CaptureOptions): Capture {
  const { clock, health, deliver, pricing } = options;
  const batches = createBatches(health.drop);
  const calls = createCalls({
    monotonic: clock.monotonic,
    health,
    idleMs: options.idleMs,
    ended(call, outcome) {
      if (call.operation === 'batches') batches.created(call.answer.messageId, call.context);
      deliver(recordOf(call, outcome, pricing));
    },
  });
  const readStream = streamReading(clock.monotonic, calls.end);
  const readMessage = messageReading(calls.end);
  const bodyFault = (error: unknown) => health.fault('capture.body', error);
  let closed = false;

  /** What can be done while the request is on its way. */
  function begin(request: object, requestOptions: object, claim: Claim): Call {
    const { startedAt: now } = claim;
    if (claim.call?.phase === 'waiting') {
      claim.call.phase = 'requesting';
      claim.call.attemptStartedAt = now;
      return claim.call;
    }
    const facts = requestOf(requestOptions);
    const answer = noAnswer();
    const call: Call = {
      id: `${PROCESS}-${(created += 1).toString(36)}`,
      parentId: claim.call?.id ?? null,
      at: clock.now(),
      startedAt: now,
      operation: claim.operation,
      provider: providerOf((request as { url?: unknown }).url),
      model: facts.model,
      stream: facts.stream,
      context: options.readContext(),
      span: health.guard('capture.span', activeSpan) ?? null,
      signal: facts.signal,
      request: requestOptions,
      attempts: [],
      phase: 'requesting',
      attemptStartedAt: now,
      attemptEndedAt: now,
      deadline: Number.POSITIVE_INFINITY,
      outcome: null,
      endedAt: now,
      reads: 0,
      headersAt: null,
      headers: null,
      error: null,
      answer,
      scan: facts.stream ? createScan(answer) : null,
      buffer: null,
    };
    claim.call = call;
    calls.track(call);
    return call;
  }

  function answered(call: Call, response: Response, context: MiddlewareContext): void {
    const { status, headers } = response;
    const error = status >= 400 ? describeResponse(status, null, headers) : null;
    const requestId = error && requestIdOf(headers);
    endAttempt(call, status, requestId, error?.kind ?? null, error === null);
    call.error = error;
    call.headersAt = call.attemptEndedAt;
    call.headers = headers;
    if (error) {
      const retried = isRetryableStatus(status, headers);
      const pause = retried ? retryDelayMs(call.attempts.length - 1, headers, clock.now()) : 0;
      const willRetry = () => calls.wait(call, pause);
      willRetry();
      watch(call, response, errorReading(status, headers, calls.end, willRetry));
      return;
    }
    call.phase = 'reading';
    if (call.operation === 'batch_results') {
      // The download itself is no call of a model; each result in it is.
      calls.forget(call);
      const { path } = context.options as { path?: unknown };
      watch(call, response, batches.reading(String(path), endResult));
    } else if (!watch(call, response, call.stream ? readStream : readMessage)) {
      calls.end(call, 'ok');
    }
  }

  function watch(call: Call, response: Response, watcher: BodyWatcher<Call>): boolean {
    return watchBody(response, watcher, call, bodyFault);
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
    const retries = call.attempts.length - 1;
    const own = (context.options as { maxRetries?: unknown }).maxRetries;
    const maxRetries = own ?? client?.maxRetries;
    const exhausted = typeof maxRetries === 'number' && retries >= maxRetries;
    if (exhausted) calls.end(call, 'error');
    else calls.wait(call, retryDelayMs(retries, null, clock.now()));
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
    const attempt = { status, requestId, durationMs, waitMs, errorKind, mayHaveBilled };
    call.attempts = [...call.attempts, attempt];
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

  const run: Run = (request, next, context, middleware, client) => {
    if (closed) return next(request);
    const startedAt = clock.monotonic();
    const claim = health.guard('capture.request', claimAttempt, context, middleware, startedAt);
    if (!claim) return next(request);
    const watched = claim.operation === 'messages';
    if (watched) expectRequest();
    const sent = next(request);
    const call = health.guard('capture.call', begin, request, context.options as object, claim);
    if (!call) {
      if (watched) sent.then(settleRequest, settleRequest);
      return sent;
    }
    // Before the SDK's own handlers, and without another turn of the queue for them.
    sent.then(
      (response) => {
        if (watched) settleRequest();
        health.guard('capture.response', answered, call, response, context);
      },
      (error: unknown) => {
        if (watched) settleRequest();
        health.guard('capture.error', threw, call, error, context, client);
      },
    );
    return sent;
  };

  return {
    run,
    readContext: options.readContext,
    middleware: (client) => createAttemptMiddleware(run, client),
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
