import type { RequestUser } from '@claude-metrics/core';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/**
 * Koa's objects as far as we touch them. Structural, so that these types compile without
 * `@types/koa`, and so that its `Context` fits wherever ours is asked for.
 */
export interface KoaContext<State = unknown> {
  readonly method: string;
  /** The address as it arrived; `url` has lost the path of koa-mount by then. */
  readonly originalUrl: string;
  readonly url: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Node's own. */
  readonly req: IncomingMessage;
  /** Koa's own; where a body parser puts what it has read. */
  readonly request: unknown;
  /** Respects the application's `proxy`. */
  readonly secure: boolean;
  /** Where Koa's users keep what they know of a request. */
  readonly state: State;
  status: number;
  body: unknown;
  /** An answer has begun. */
  readonly headerSent: boolean;
  set(headers: Record<string, string>): void;
  remove(header: string): void;
  append(header: string, value: string): void;
}

/** `ctx.state`, unless your functions are written for a context of your own. */
export interface KoaState {
  /** Whatever authentication put here. */
  readonly user?: RequestUser | undefined;
  readonly [field: string]: unknown;
}

export type Next = () => Promise<unknown>;

/** Fits `app.use()`, `mount()`, and the routers of @koa/router. */
export type KoaMiddleware = (ctx: KoaContext, next: Next) => Promise<unknown>;
