import { createAdapter, field, userIdOf, type Monitor } from '@claude-metrics/core';
import type { KoaContext, KoaMiddleware, KoaState } from './context.js';
import { serve } from './mount.js';
import type { AdapterOptions } from './options.js';
import { routeOf } from './route.js';

/** The middleware, with what it works with. */
export interface ClaudeMonitor extends KoaMiddleware {
  readonly monitor: Monitor;
  /** The dashboard alone, for koa-mount: `app.use(mount('/admin/claude', it.handler))`. */
  readonly handler: KoaMiddleware;
}

/**
 * Measures every Claude call made while a request is handled, and serves the dashboard. Use it
 * before your routes; it reads no body but the dashboard's own, and puts nothing on `ctx` or
 * `app.context`.
 *
 * @throws TypeError for an option that does not exist, cannot be right, or would be ignored.
 *
 * @example
 * const app = new Koa();
 * app.use(claudeMonitor());
 */
export function claudeMonitor<Ctx extends KoaContext = KoaContext<KoaState>>(
  options: AdapterOptions<Ctx> = {},
): ClaudeMonitor {
  const adapter = createAdapter('claudeMonitor', options, { userId: userOf, feature: routeOf });

  // Not async: the promise that goes up is the one that `next()` returned.
  const middleware: KoaMiddleware = function claudeMonitor(ctx, next) {
    const rest = adapter.below(ctx.url);
    if (rest !== null) return serve(adapter, ctx, rest);
    return adapter.run(ctx as Ctx, () => next());
  };
  const handler: KoaMiddleware = function claudeMetrics(ctx) {
    // A mount path that ends in a slash takes the slash along.
    return serve(adapter, ctx, ctx.url.startsWith('/') ? ctx.url : `/${ctx.url}`);
  };
  return Object.assign(middleware, { monitor: adapter.monitor, handler });
}

function userOf(ctx: KoaContext): unknown {
  return userIdOf(field(ctx.state, 'user'));
}
