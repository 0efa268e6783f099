import type { IncomingHttpHeaders } from 'node:http';
import type { ContextInput } from './scope.js';
import { defaultMonitor } from './default.js';
import { bodyOf, createHttp, type HttpResponse, type RawRequest } from './http.js';
import type { Monitor } from './monitor.js';
import { monitorRules, type MonitorOptions } from './monitor-options.js';
import { checkOptions, rule, show, type OptionRules } from './options.js';

/**
 * What every framework's adapter does, whatever its requests look like.
 *
 * - **names**: who a request is from and what it does. They are functions, not values: authentication
 *   and routing come later than a middleware that is mounted first.
 */

/** Options of an adapter: those of the monitor it makes, and what a framework's requests add. */
export interface AdapterOptions<Req> extends MonitorOptions {
  /** A monitor of your own, instead of the default one. Its options are set where it is made. */
  readonly monitor?: Monitor | undefined;
  /** Where the dashboard answers, below where this is mounted. Default `/claude-metrics`. */
  readonly path?: string | false | undefined;
  /** Asked at the moment of a call. Default the `id`, else the `sub`, of the request's user. */
  readonly userId?: ((req: Req) => unknown) | undefined;
  /** Asked at the moment of a call. Default the matched route: `POST /chat/:room`. */
  readonly feature?: ((req: Req) => unknown) | undefined;
  /** Asked at the moment of a call. Default none. */
  readonly sessionId?: ((req: Req) => unknown) | undefined;
  /** Decides who sees the dashboard. Only `true` opens it. */
  readonly authorize?: ((req: Req) => boolean | Promise<boolean>) | undefined;
  /**
   * Opens `POST /feedback` below the mount to the application's users: gives the id of whoever sends a
   * request. A string or number opens, anything else does not. Default: closed.
   */
  readonly feedback?: ((req: Req) => unknown) | undefined;
  /** Opens the dashboard; 32 characters or more. Default `CLAUDE_METRICS_AUTH_TOKEN`. */
  readonly authToken?: string | undefined;
  /**
   * More host names to answer to while the token is one that was made at start; and whose pages may
   * send a `POST`, where a proxy changes `Host`.
   */
  readonly allowedHosts?: readonly string[] | undefined;
}

/** How a framework names a request when the application does not. */
export interface AdapterNames<Req> {
  userId(req: Req): unknown;
  feature(req: Req): unknown;
}

/** One request under the mount, as the framework has it. */
export interface AdapterRequest<Req> {
  readonly method: string | undefined;
  /** Path and query below the mount, undecoded. */
  readonly below: string;
  /** The whole path and query, as they arrived. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly secure: boolean;
  readonly native: Req;
  /** Node's own request. Its body is read only for a `POST` that was let in. */
  readonly raw: RawRequest;
  /** The body, if a parser in front of us has read it. Asked only when it is needed. */
  readonly parsed?: (() => unknown) | undefined;
}

export interface Adapter<Req> {
  readonly monitor: Monitor;
  /** Path and query of `url` below the mount; `null` when it is somewhere else. */
  below(url: string): string | null;
  /** Runs `fn`; the calls it makes are this request's. */
  run<T>(req: Req, fn: () => T): T;
  answer(request: AdapterRequest<Req>): Promise<HttpResponse>;
}

/** Whatever authentication put on a request. */
export interface RequestUser {
  readonly id?: unknown;
  readonly sub?: unknown;
  readonly [field: string]: unknown;
}

const PATH = /^(\/[A-Za-z0-9._~-]+)+$/;

/** A path that a dashboard can be mounted at: absolute, plain, without a final slash. */
export function isMountPath(value: unknown): value is string {
  return typeof value === 'string' && PATH.test(value);
}

/** `from[name]`, whatever `from` is: for what a framework may hold there, which has no type. */
export function field(from: unknown, name: string): unknown {
  if ((typeof from !== 'object' && typeof from !== 'function') || from === null) return undefined;
  return (from as Record<string, unknown>)[name];
}

/** The name of a user when the application says nothing: the `id`, else the `sub`. */
export function userIdOf(user: unknown): unknown {
  return field(user, 'id') ?? field(user, 'sub');
}

const rules: OptionRules = {
  monitor: rule.methods('withContext', 'snapshot', 'calls'),
  path: {
    allowed: "a path without a final slash ('/claude-metrics'), or false to mount it by hand",
    ok: (value) => value === false || isMountPath(value),
  },
  userId: rule.function,
  feature: rule.function,
  sessionId: rule.function,
  authorize: rule.function,
  feedback: rule.function,
  authToken: rule.text,
  allowedHosts: rule.listOf(rule.text),
};

/**
 * @param where The function that users know, for messages.
 * @throws TypeError for an option that does not exist, cannot be right, or would be ignored.
 *
 * @example
 * const adapter = createAdapter('claudeMonitor', options, { userId: userOf, feature: routeOf });
 */
export function createAdapter<Req>(
  where: string,
  options: AdapterOptions<Req>,
  names: AdapterNames<Req>,
): Adapter<Req> {
  const monitorOptions = monitorOptionsOf(where, options);
  const monitor = options.monitor ?? defaultMonitor({ instrument: true, ...monitorOptions });
  const { path = '/claude-metrics', userId = names.userId, feature = names.feature } = options;
  const { authorize, authToken, allowedHosts, feedback, sessionId } = options;
  const http = createHttp(monitor, {
    authorize: authorize && ((native) => authorize(native as Req)),
    feedback: feedback && ((native) => feedback(native as Req)),
    authToken,
    allowedHosts,
    path: path === false ? undefined : path,
  });

  function contextOf(req: Req): ContextInput {
    return {
      userId: () => userId(req),
      feature: () => feature(req),
      sessionId: sessionId && (() => sessionId(req)),
    };
  }

  return {
    monitor,
    below: (url) => (path === false ? null : below(url, path)),
    run: (req, fn) => monitor.withDefaults(contextOf(req), fn),
    answer({ method, below: rest, url, headers, secure, native, raw, parsed }) {
      const end = rest.indexOf('?');
      return http.handle({
        method: method ?? 'GET',
        path: end === -1 ? rest : rest.slice(0, end),
        query: new URLSearchParams(end === -1 ? '' : rest.slice(end + 1)),
        header: (name) => {
          const value = headers[name];
          return Array.isArray(value) ? value.join(', ') : value;
        },
        url,
        secure,
        native,
        readBody: bodyOf(raw, parsed),
      });
    },
  };
}

/**
 * What is left of `url` below `path`, or `null` when it is somewhere else. The text as it arrived is
 * compared, undecoded: any other spelling is the application's, and not ours.
 */
function below(url: string, path: string): string | null {
  if (!url.startsWith(path)) return null;
  const rest = url.slice(path.length);
  return rest === '' || rest.startsWith('/') || rest.startsWith('?') ? rest : null;
}

/** The options of the monitor alone. */
function monitorOptionsOf<Req>(where: string, options: AdapterOptions<Req>): MonitorOptions {
  checkOptions(where, options, { ...monitorRules, ...rules });
  const own = Object.entries(options).filter(([name]) => Object.hasOwn(rules, name) === false);
  const [ignored] = own.find(([, value]) => value !== undefined) ?? [];
  if (options.monitor !== undefined && ignored !== undefined) {
    throw new TypeError(
      `[claude-metrics] ${where}: options.${ignored} would be ignored, because ` +
        `options.monitor is given. Pass it to createMonitor({ ${ignored} }) instead.`,
    );
  }
  return Object.fromEntries(own);
}

/** @throws TypeError for a feature's name that is empty or no string. */
export function checkFeature(where: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && name.trim() !== '') return;
  throw new TypeError(
    `[claude-metrics] ${where}: the name must be a string that is not empty, got ${show(name)}. ` +
      `Name what the calls are for: ${where}('summarise').`,
  );
}
