import type { Call } from './call.js';
import { currentOwner } from './context.js';
import type { Operation } from './record.js';
import { callOperationOf } from './request.js';

/**
 * The SDK's middleware as far as it is used, and who records an attempt when a client has several of
 * ours: one of them, however many monitors and copies of this package the client has met.
 *
 * - **chain**: the SDK's context, one object for all middlewares of an attempt.
 * - **options**: the request options, one object for all attempts of a call.
 */

/** Assignable to the SDK's own type in every version. */
export type Middleware = <R extends object>(
  request: R,
  next: (request: R) => Promise<Response>,
  context: MiddlewareContext,
) => Promise<Response>;

export interface MiddlewareContext {
  readonly options?: object | undefined;
}

/** A client, where the one that a middleware is installed in is known. */
export interface BoundClient {
  readonly maxRetries?: unknown;
  readonly timeout?: unknown;
  /** Its class; that of a clone is the same. */
  readonly constructor?: unknown;
}

/** Sends one attempt and records it; `middleware` and `client` say who brings it. */
export type Run = <R extends object>(
  request: R,
  next: (request: R) => Promise<Response>,
  context: MiddlewareContext,
  middleware: Middleware,
  client: BoundClient | undefined,
) => Promise<Response>;

/** Who records the current attempt, and as part of which call. */
export interface Claim {
  readonly chain: object;
  readonly middleware: Middleware;
  readonly operation: Operation;
  /** Monotonic milliseconds, before anything was sent. */
  readonly startedAt: number;
  call: Call | null;
}

const CLAIMS = Symbol.for('@claude-metrics/core:claims@1');
const shared = globalThis as typeof globalThis & { [CLAIMS]?: WeakMap<object, Claim> };
/** By request options. */
const claims = (shared[CLAIMS] ??= new WeakMap<object, Claim>());

/**
 * Claims an attempt. It runs before the request is sent, so it does very little. `null`: a request that
 * is none of our calls.
 */
export function claimAttempt(
  context: MiddlewareContext,
  middleware: Middleware,
  startedAt: number,
): Claim | null {
  const { options: requestOptions } = context;
  const operation = requestOptions ? callOperationOf(requestOptions) : null;
  if (!requestOptions || operation === null) return null;
  const call = claims.get(requestOptions)?.call ?? null;
  const claim: Claim = { chain: context, middleware, operation, startedAt, call };
  claims.set(requestOptions, claim);
  return claim;
}

/** A middleware that brings each attempt to the monitor of its context, else to `run`. */
export function createAttemptMiddleware(run: Run, client: BoundClient | undefined): Middleware {
  const middleware: Middleware = (request, next, context) => {
    const claim = context.options && claims.get(context.options);
    if (claim?.chain === context && claim.middleware !== middleware) return next(request);
    const owner = currentOwner() as { run?: Run } | undefined;
    return (owner?.run ?? run)(request, next, context, middleware, client);
  };
  return middleware;
}
