import { observeLater } from './instrument.js';
import type { Middleware } from './middleware.js';
import { createMonitor, type Monitor } from './monitor.js';
import type { MonitorOptions } from './monitor-options.js';

/**
 * The monitor that `claudeMonitor()` and `observe()` use when they are given none: one a process,
 * whichever copy or build of this package asks.
 */
const MONITOR = Symbol.for('@claude-metrics/core:default@1');
const OBSERVER = Symbol.for('@claude-metrics/core:observer@1');
const shared = globalThis as typeof globalThis & {
  [MONITOR]?: Made | undefined;
  [OBSERVER]?: Middleware;
};

interface Made {
  readonly monitor: Monitor;
  readonly options: MonitorOptions;
  readonly middleware: Middleware;
}

/**
 * The default monitor. The first to ask makes it, with its options: give them where your application
 * starts. Options that come later are said to be ignored, but for `instrument`, which can be added.
 *
 * @throws TypeError for an option that does not exist or cannot be right.
 *
 * @example
 * const snapshot = await defaultMonitor().snapshot({ rangeMs: 3_600_000 });
 */
export function defaultMonitor(options: MonitorOptions = {}): Monitor {
  const made = shared[MONITOR];
  if (made) {
    if (options.instrument === true) made.monitor.instrument();
    sayIgnored(made, options);
    return made.monitor;
  }
  const monitor = createMonitor(options);
  const close = monitor.close;
  monitor.close = async (closeOptions) => {
    if (shared[MONITOR]?.monitor === monitor) shared[MONITOR] = undefined;
    await close(closeOptions);
  };
  shared[MONITOR] = { monitor, options, middleware: monitor.middleware() };
  return monitor;
}

function sayIgnored({ monitor, options }: Made, later: MonitorOptions): void {
  const ignored = (Object.keys(later) as (keyof MonitorOptions)[]).filter(
    (name) => name !== 'instrument' && later[name] !== undefined && later[name] !== options[name],
  );
  if (ignored.length === 0) return;
  monitor.say(
    `The default monitor exists already, so its options stay as they are; ignored: ` +
      `${ignored.join(', ')}. Give them to whoever asks first, or pass a \`monitor\` of your own.`,
  );
}

/**
 * Adds recording to `client` and returns it: the same object, of the same type. Its `withOptions()`
 * clones record too. A call goes to the monitor of its context, else to the default monitor as it is
 * then; so modules may observe their clients before the application has made its monitor.
 *
 * @throws TypeError when `client` is no client of `@anthropic-ai/sdk` 0.103 or later.
 *
 * @example
 * const client = observe(new Anthropic());
 */
export function observe<C>(client: C): C {
  observeLater((shared[OBSERVER] ??= observer), client);
  return client;
}

const observer: Middleware = (request, next, context) => {
  if (!shared[MONITOR]) defaultMonitor();
  const made = shared[MONITOR] as Made | undefined;
  return made ? made.middleware(request, next, context) : next(request);
};
