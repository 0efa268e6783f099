import { createAdmission, describeRefusal, type Refused } from './admission.js';
import { createBatches } from './batches.js';
import { watchBody, type BodyWatcher } from './body.js';
import { endAttempt, newCall, newCallId, recordOf, type Call, type Pricing } from './call.js';
import { createCalls } from './calls.js';
import type { Clock } from './clock.js';
import { describeError, describeResponse } from './errors.js';
import type { Gate } from './gate.js';
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
import type { CallContext, CallError, CallRecord, Outcome } from './record.js';
import { errorReading, messageReading, streamReading } from './reading.js';
import { providerOf, requestIdOf, requestOf } from './request.js';
import { isRetryableStatus, maxRetriesOf, mayHaveBeenSent, retryDelayMs } from './retry.js';
import type { Owner } from './scope.js';
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

export interface CaptureOptions {
  readonly clock: Clock;
  readonly health: Health;
  /** Told in the context of the call, as soon as it is under way. */
  readonly begun?: ((call: Call) => void) | undefined;
  readonly deliver: (record: CallRecord, call: Call) => void;
  readonly pricing: Pricing;
  /** Who and what, at the moment of a call. */
  readonly readContext: () => CallContext;
  /** Asked before a call is sent. Default: nobody is. */
  readonly gate?: Gate | undefined;
  /** A body that nobody has read from for this long is abandoned. Milliseconds. */
  readonly idleMs?: number | undefined;
}

export function createCapture(options: CaptureOptions): Capture {
  const { clock, health, deliver, pricing, gate } = options;
  const admission = gate && createAdmission(gate, health);
  const batches = createBatches(health.drop);
  const calls = createCalls({
    monotonic: clock.monotonic,
    health,
    idleMs: options.idleMs,
    onSweep: gate && (() => gate.sweep()),
    ended(call, outcome) {
      if (call.operation === 'batches') batches.created(call.answer.messageId, call.context);
      const record = recordOf(call, outcome, pricing);
      if (admission) health.guard('budgets.settle', admission.settle, call, record);
      deliver(record, call);
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
    const call = newCall({
      id: newCallId(),
      parentId: claim.call?.id ?? null,
      at: clock.now(),
      startedAt: now,
      operation: claim.operation,
      provider: providerOf((request as { url?: unknown }).url),
      ...requestOf(requestOptions),
      context: options.readContext(),
      span: health.guard('capture.span', activeSpan) ?? null,
      request: requestOptions,
    });
    claim.call = call;
    calls.track(call);
    options.begun?.(call);
    return call;
  }

  function answered(call: Call, response: Response, context: MiddlewareContext): void {
    const { status, headers } = response;
    const error = status >= 400 ? describeResponse(status, null, headers) : null;
    const requestId = error && requestIdOf(headers);
    endAttempt(call, clock.monotonic(), {
      ...{ status, requestId, errorKind: error && error.kind, mayHaveBilled: error === null },
    });
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
    const mayHaveBilled = mayHaveBeenSent(error);
    // An abort that is not the application's is the SDK's timeout.
    const isOurs = call.signal?.aborted !== true;
    const described = isOurs ? describeError(error, { abortIs: 'timeout' }) : null;
    const errorKind = described?.kind ?? 'cancelled';
    const end = { status: null, requestId: null, errorKind, mayHaveBilled };
    endAttempt(call, clock.monotonic(), end);
    if (!described) return calls.end(call, 'aborted');
    call.error = described;
    // Whatever `fetch` throws is retried, so only the number of retries tells which one is the last.
    const retries = call.attempts.length - 1;
    if (retries >= maxRetriesOf(context.options, client)) calls.end(call, 'error');
    else calls.wait(call, retryDelayMs(retries, null, clock.now()));
  }

  function endResult(result: Call, outcome: Outcome, error?: CallError): void {
    const now = clock.monotonic();
    const times = { at: clock.now(), startedAt: now, attemptStartedAt: now };
    calls.end({ ...result, ...times }, outcome, error);
  }

  const run: Run = (request, next, context, middleware, client) => {
    if (closed) return next(request);
    const startedAt = clock.monotonic();
    const claim = health.guard('capture.request', claimAttempt, context, middleware, startedAt);
    if (!claim) return next(request);
    const pass: typeof admitted = admission?.concerns(claim.operation) ? admitted : send;
    return pass(request, next, context, client, claim);
  };

  /** The budgets' answer comes first; a call they refuse is never sent. */
  function admitted<R extends object>(
    request: R,
    next: (request: R) => Promise<Response>,
    context: MiddlewareContext,
    client: BoundClient | undefined,
    claim: Claim,
  ): Promise<Response> {
    if (closed) return next(request);
    const { ready } = gate as Gate;
    if (ready) return ready.then(() => admitted(request, next, context, client, claim));
    const call = health.guard('capture.call', begin, request, context.options as object, claim);
    if (!call || !admission) return send(request, next, context, client, claim);
    const go = (refused: Refused | null): Promise<Response> => {
      if (!refused) {
        return send(admission.rewritten(call, request), next, context, client, claim, call);
      }
      calls.end(call, 'blocked', describeRefusal(refused));
      return Promise.reject(refused);
    };
    const ask = () => admission.ask(call, request, context.options as object, client, go);
    return admission.named(call)?.then(ask) ?? ask();
  }

  function send<R extends object>(
    request: R,
    next: (request: R) => Promise<Response>,
    context: MiddlewareContext,
    client: BoundClient | undefined,
    claim: Claim,
    begun?: Call,
  ): Promise<Response> {
    const watched = claim.operation === 'messages';
    if (watched) expectRequest();
    const sent = next(request);
    const options = context.options as object;
    const call = begun ?? health.guard('capture.call', begin, request, options, claim);
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
  }

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
