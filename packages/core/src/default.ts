import { createMonitor, type Monitor, type MonitorOptions } from './monitor.js';

/**
 * The monitor that `claudeMonitor()` and `observe()` use when they are given none: one a process,
 * whichever copy or build of this package asks.
 */
const KEY = Symbol.for('@claude-metrics/core:default@1');
const shared = globalThis as typeof globalThis & { [KEY]?: Monitor | undefined };

/**
 * The default monitor. The first to ask makes it, with its options; later options are not looked at,
 * so give them where your application starts.
 *
 * @example
 * const snapshot = await defaultMonitor().snapshot({ rangeMs: 3_600_000 });
 */
export function defaultMonitor(options: MonitorOptions = {}): Monitor {
  const existing = shared[KEY];
  if (existing) return existing;
  const monitor = createMonitor(options);
  const close = monitor.close;
  monitor.close = async (closeOptions) => {
    if (shared[KEY] === monitor) shared[KEY] = undefined;
    await close(closeOptions);
  };
  shared[KEY] = monitor;
  return monitor;
}

/** Whether somebody has asked for it already. */
export function hasDefaultMonitor(): boolean {
  return shared[KEY] !== undefined;
}

/**
 * Adds recording to `client` and returns it: the same object, of the same type. Its `withOptions()`
 * clones record too. Calls go to the monitor of their context, else to the default monitor.
 *
 * @throws TypeError when `client` is no client of `@anthropic-ai/sdk` 0.103 or later.
 *
 * @example
 * const client = observe(new Anthropic());
 */
export function observe<C>(client: C): C {
  return defaultMonitor().observe(client);
}
