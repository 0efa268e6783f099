import type { IncomingMessage } from 'node:http';
import { createHttp, defaultMonitor, type ContextInput, type Monitor } from '@claude-metrics/core';
import { below, serve } from './mount.js';
import { monitorOptionsOf, type AdapterOptions } from './options.js';
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
 * before your routes; it never reads the body, and changes neither `req` nor `res`.
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
  const monitorOptions = monitorOptionsOf(options);
  const monitor = options.monitor ?? defaultMonitor({ instrument: true, ...monitorOptions });
  const { path = '/claude-metrics', userId = userOf, feature = routeOf, sessionId } = options;
  const { authorize, authToken, allowedHosts } = options;
  const http = createHttp(monitor, {
    authorize: authorize && ((native) => authorize(native as Req)),
    authToken,
    allowedHosts,
    path: path === false ? undefined : path,
  });

  // Functions, not values: authentication and routing come later than this middleware.
  function contextOf(req: Req): ContextInput {
    return {
      userId: () => userId(req),
      feature: () => feature(req),
      sessionId: sessionId && (() => sessionId(req)),
    };
  }

  const middleware: Handler = function claudeMonitor(req, res, next) {
    const rest = path === false ? null : below(req.url ?? '', path);
    if (rest !== null) void serve(http, req, res, next, rest);
    else monitor.withContext(contextOf(req as Req), () => next());
  };
  const handler: Handler = function claudeMetrics(req, res, next) {
    void serve(http, req, res, next, req.url ?? '/');
  };
  return Object.assign(middleware, { monitor, handler });
}

function userOf(req: ExpressRequest): unknown {
  return req.user?.id ?? req.user?.sub;
}
