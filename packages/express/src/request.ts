import type { RequestUser } from '@claude-metrics/core';
import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Express's objects as far as we touch them. Structural, so that these types compile without
 * `@types/express`, and so that its `Request` fits wherever ours is asked for.
 */
export interface ExpressRequest extends IncomingMessage {
  /** The address as it arrived; `url` has lost the mount path by then. */
  readonly originalUrl?: string;
  /** The mount path of the current router, as the request spelled it. */
  readonly baseUrl?: string;
  /** Set by Express once a route matched. */
  readonly route?: unknown;
  readonly app?: unknown;
  readonly params?: unknown;
  /** Respects the application's `trust proxy`. */
  readonly secure?: boolean;
  /** Whatever authentication put here. */
  readonly user?: RequestUser | undefined;
}

export type Next = (error?: unknown) => void;

/** Fits `app.use()`, `router.use()` and routes. */
export type Handler = (req: IncomingMessage, res: ServerResponse, next: Next) => void;
