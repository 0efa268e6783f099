import { observeLater } from './instrument.js';
import type { Middleware } from './middleware.js';
import { createMonitor, type Monitor } from './monitor.js';
import type { MonitorOptions } from './monitor-options.js';

/**
 * The monitor that `claudeMonitor()` and `observe()` use when they are given none: one a process,
 * whichever copy or build of this package asks.
 */
const MONITOR = Symbol.for('@claude-metrics/core:default@1');
const OBSERVERS = Symbol.for('@claude-metrics/core:observers@1');
const shared = globalThis as typeof globalThis & {
  [MONITOR]?: Made | undefined;
  [OBSERVERS]?: WeakMap<object, Middleware>;
};

interface Made {
  readonly monitor: Monitor;
  readonly options: MonitorOptions;
  /** One for each class of clients. */
  middleware(of: object): Middleware;
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
  const middlewares = new WeakMap<object, Middleware>();
  const middleware = (of: object) => remember(middlewares, of, () => monitor.middleware(of));
  shared[MONITOR] = { monitor, options, middleware };
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
  const observers = (shared[OBSERVERS] ??= new WeakMap());
  const of = classOf(client);
  observeLater(
    remember(observers, of, () => observerOf(of)),
    client,
  );
  return client;
}

function observerOf(of: object): Middleware {
  return (request, next, context) => {
    if (!shared[MONITOR]) defaultMonitor();
    const made = shared[MONITOR] as Made | undefined;
    return made ? made.middleware(of)(request, next, context) : next(request);
  };
}

/** The class of a client; an object of its own for what is none. */
function classOf(client: unknown): object {
  const found = (client as { constructor?: unknown } | null | undefined)?.constructor;
  return typeof found === 'function' ? found : {};
}

function remember(known: WeakMap<object, Middleware>, of: object, make: () => Middleware) {
  let middleware = known.get(of);
  if (!middleware) known.set(of, (middleware = make()));
  return middleware;
}
