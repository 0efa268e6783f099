import type { Monitor } from '@claude-metrics/core';
import type { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { addFallback } from './budget-filter.js';
import { clientOf } from './client.js';
import type { Mount, Mounted } from './mount.js';
import type { ClaudeMetricsOptions } from './options.js';
import { connect, isTooEarly, wildcardOf, type Entry, type HttpAdapter } from './platform.js';
import type { Visit } from './request.js';
import { visitAdapter } from './visit.js';

/**
 * One module's hold on the application: from the moment its options are known to the shutdown.
 *
 * - **early**: requests should come to us before any middleware of `main.ts`, so the platform is
 *   connected while Nest makes the providers. Where it is not there yet (`@nestjs/testing`), or must
 *   not be touched yet, `configure()` is the last moment.
 */
export interface Connection {
  readonly monitor: Monitor;
  readonly mounted: Mounted;
  /** The client behind `@InjectAnthropic()`: the same for everybody, made for the first. */
  client(): Promise<object>;
  /** Nest calls it when the application starts, before it reads the routes. */
  configure(): void;
  onApplicationShutdown(): Promise<void>;
}

export interface ConnectionInput {
  /** The function that users know, for messages. */
  readonly where: string;
  readonly order: number;
  readonly path: string | false;
  readonly mount: Mount | null;
  readonly options: ClaudeMetricsOptions<never>;
  readonly host: HttpAdapterHost;
  readonly config: ApplicationConfig;
}

export const CONNECTION: symbol = Symbol.for('@claude-metrics/nestjs:connection');

/** How many modules use a default monitor: the last one closes it. */
const users = new WeakMap<Monitor, number>();

/** @throws TypeError for an option that does not exist, cannot be right, or would be ignored. */
export function createConnection(input: ConnectionInput): Connection {
  const { where, order, mount, host, config } = input;
  const { anthropic, ...options } = input.options;
  // Without a path: where the dashboard answers is known when the global prefix is.
  const adapter = visitAdapter(where, { ...options, path: false });
  const { monitor } = adapter;
  const mounted: Mounted = { adapter: null };
  const entry: Entry = { order, run: (visit: Visit, fn) => adapter.run(visit, fn) };
  let client: Promise<object> | undefined;
  const owned = options.monitor === undefined;
  if (owned) users.set(monitor, (users.get(monitor) ?? 0) + 1);

  connectEarly();
  (host as Partial<HttpAdapterHost>).init$?.subscribe(connectEarly);

  function connectEarly(): void {
    const httpAdapter = platformOf(host);
    if (httpAdapter && !isTooEarly(httpAdapter)) connect(httpAdapter, entry);
  }

  return {
    monitor,
    mounted,
    client: () => (client ??= clientOf(monitor, anthropic)),
    configure() {
      const httpAdapter = platformOf(host);
      if (!httpAdapter) return;
      connect(httpAdapter, entry);
      addFallback(config, host.httpAdapter);
      if (!mount) return;
      mount.spell(wildcardOf(httpAdapter));
      mounted.adapter = mountAdapter(input, monitor);
    },
    async onApplicationShutdown() {
      if (!owned) return;
      const left = (users.get(monitor) ?? 1) - 1;
      users.set(monitor, left);
      if (left === 0) await monitor.close();
    },
  };
}

function platformOf(host: HttpAdapterHost): HttpAdapter | undefined {
  return (host.httpAdapter as HttpAdapter | null | undefined) ?? undefined;
}

/** The adapter that answers, and whose line at start says where. */
function mountAdapter({ where, path, options, config }: ConnectionInput, monitor: Monitor) {
  const { authorize, authToken, allowedHosts, feedback } = options;
  const prefix = `/${config.getGlobalPrefix()}`.replace(/\/{2,}/g, '/').replace(/\/$/, '');
  // A prefix with parameters in it is a pattern, and no address to print.
  const address = /^[\w./~-]*$/.test(prefix) ? `${prefix}${path}` : path;
  return visitAdapter<never>(where, {
    monitor,
    authorize,
    authToken,
    allowedHosts,
    feedback,
    path: address,
  });
}
