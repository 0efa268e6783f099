import type { RequestUser } from '@claude-metrics/core';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/**
 * Requests and responses of Nest's two platforms, as far as we touch them. Structural, so that these
 * types compile without either platform.
 *
 * - **native**: what a handler of the application gets from `@Req()`: Express's or Fastify's request.
 * - **visit**: one request from the moment it came in. Fastify runs Express-like middleware with Node's
 *   own request, before it tells us which of its requests that is; so `native` may come later.
 */
export type NestRequest = ExpressRequest | FastifyRequest;

export interface ExpressRequest extends IncomingMessage {
  /** The address as it arrived. */
  readonly originalUrl?: string;
  /** Set by Express once a route matched. */
  readonly route?: unknown;
  /** Respects the application's `trust proxy`. */
  readonly secure?: boolean;
  readonly user?: RequestUser | undefined;
}

export interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly originalUrl?: string;
  readonly protocol?: string;
  readonly routeOptions?: unknown;
  readonly user?: RequestUser | undefined;
}

export interface Visit {
  native: NestRequest | undefined;
  readonly raw: IncomingMessage;
}

export function isFastify(request: NestRequest): request is FastifyRequest {
  return 'raw' in request && typeof request.raw === 'object';
}
