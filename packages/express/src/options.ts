import type { IncomingMessage } from 'node:http';
import { checkOptions, monitorRules, rule, type OptionRules } from '@claude-metrics/core';
import type { Monitor, MonitorOptions } from '@claude-metrics/core';
import type { ExpressRequest } from './request.js';

/**
 * Options of `claudeMonitor()`: those of the monitor it makes, and what Express adds. `Req` is the
 * type of request your functions are written for.
 */
export interface AdapterOptions<
  Req extends IncomingMessage = ExpressRequest,
> extends MonitorOptions {
  /** A monitor of your own, instead of the default one. Its options are set where it is made. */
  readonly monitor?: Monitor | undefined;
  /** Where the dashboard answers, below where this is mounted. Default `/claude-metrics`. */
  readonly path?: string | false | undefined;
  /** Asked at the moment of a call. Default `req.user.id`, else `req.user.sub`. */
  readonly userId?: ((req: Req) => unknown) | undefined;
  /** Asked at the moment of a call. Default the matched route: `POST /chat/:room`. */
  readonly feature?: ((req: Req) => unknown) | undefined;
  /** Asked at the moment of a call. Default none. */
  readonly sessionId?: ((req: Req) => unknown) | undefined;
  /** Decides who sees the dashboard. Only `true` opens it. */
  readonly authorize?: ((req: Req) => boolean | Promise<boolean>) | undefined;
  /** Opens the dashboard; 32 characters or more. Default `CLAUDE_METRICS_AUTH_TOKEN`. */
  readonly authToken?: string | undefined;
  /** More host names to answer to while the token is one that was made at start. */
  readonly allowedHosts?: readonly string[] | undefined;
}

const PATH = /^(\/[A-Za-z0-9._~-]+)+$/;

const rules: OptionRules = {
  monitor: rule.methods('withContext', 'snapshot', 'calls'),
  path: {
    allowed:
      "a path without a final slash ('/claude-metrics'), or false to mount `.handler` by hand",
    ok: (value) => value === false || (typeof value === 'string' && PATH.test(value)),
  },
  userId: rule.function,
  feature: rule.function,
  sessionId: rule.function,
  authorize: rule.function,
  authToken: rule.text,
  allowedHosts: rule.listOf(rule.text),
};

/**
 * The options of the monitor alone.
 *
 * @throws TypeError for what does not exist, cannot be right, or would be ignored.
 */
export function monitorOptionsOf<Req extends IncomingMessage>(
  options: AdapterOptions<Req>,
): MonitorOptions {
  checkOptions('claudeMonitor', options, { ...monitorRules, ...rules });
  const own = Object.entries(options).filter(([name]) => Object.hasOwn(rules, name) === false);
  const [ignored] = own.find(([, value]) => value !== undefined) ?? [];
  if (options.monitor !== undefined && ignored !== undefined) {
    throw new TypeError(
      `[claude-metrics] claudeMonitor: options.${ignored} would be ignored, because ` +
        `options.monitor is given. Pass it to createMonitor({ ${ignored} }) instead.`,
    );
  }
  return Object.fromEntries(own);
}
