import type { IncomingMessage } from 'node:http';
import { createAdapter, userIdOf, type Monitor } from '@claude-metrics/core';
import { serve } from './mount.js';
import type { AdapterOptions } from './options.js';
import type { ExpressRequest, Handler } from './request.js';
import { routeOf } from './route.js';

/** The middleware, with what it works with. */
export interface ClaudeMonitor extends Handler {
  readonly monitor: Monitor;
  /** The dashboard alone, to be mounted by hand: `app.use('/admin/claude', it.handler)`. */
  readonly handler: Handler;
}

/**
 * Measures every Claude call made while a request is handled, and serves the dashboard. Mount it
 * before your routes; it reads no body but the dashboard's own, and changes neither `req` nor `res`.
 *
 * @throws TypeError for an option that does not exist, cannot be right, or would be ignored.
 *
 * @example
 * const app = express();
 * app.use(claudeMonitor());
 */
export function claudeMonitor<Req extends IncomingMessage = ExpressRequest>(
  options: AdapterOptions<Req> = {},
): ClaudeMonitor {
  const adapter = createAdapter('claudeMonitor', options, { userId: userOf, feature: routeOf });

  const middleware: Handler = function claudeMonitor(req, res, next) {
    const rest = adapter.below(req.url ?? '');
    if (rest !== null) void serve(adapter, req, res, next, rest);
    else adapter.run(req as Req, () => next());
  };
  const handler: Handler = function claudeMetrics(req, res, next) {
    void serve(adapter, req, res, next, req.url ?? '/');
  };
  return Object.assign(middleware, { monitor: adapter.monitor, handler });
}

function userOf(req: ExpressRequest): unknown {
  return userIdOf(req.user);
}
