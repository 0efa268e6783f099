import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Capture } from './capture.js';
import type { BoundClient, Middleware } from './middleware.js';
import type { Health } from './health.js';

/**
 * Observation of clients that nobody handed to us: `app.use(claudeMonitor())` is enough.
 *
 * On each copy of the SDK that can be found, the prototype that owns `makeRequest` is wrapped, so
 * that a client gets our middleware before its first request. Nothing else is touched. Where that
 * is not possible it is said once, and the application runs on unobserved.
 *
 * - **copy**: one build (CJS or ESM) of one installed version; each has classes of its own.
 */

/** The part of a client that is looked at. */
interface Client extends BoundClient {
  middleware?: unknown;
}

interface ClientPrototype {
  makeRequest?: (this: Client, ...args: unknown[]) => unknown;
}

const SDK = '@anthropic-ai/sdk';
const US = ['core', 'express', 'koa', 'nestjs'].map((name) => `@claude-metrics/${name}`);

// Which capture a middleware of ours belongs to (none: the default monitor's, whichever that is by
// then), and which client it was made for.
interface Installed {
  readonly capture: Capture | undefined;
  readonly client: object | undefined;
}
const INSTALLED = Symbol.for('@claude-metrics/core:installed@1');
// Captures that want every client; the first one that is open gets the calls of clients without one.
const WANTING = Symbol.for('@claude-metrics/core:wanting@1');
const PATCHED = Symbol.for('@claude-metrics/core:patched@1');
const shared = globalThis as typeof globalThis & {
  [INSTALLED]?: WeakMap<object, Installed>;
  [WANTING]?: Set<(client: Client) => void>;
  [PATCHED]?: WeakSet<object>;
};
const installed = (shared[INSTALLED] ??= new WeakMap<object, Installed>());
const wanting = (shared[WANTING] ??= new Set<(client: Client) => void>());
const patched = (shared[PATCHED] ??= new WeakSet<object>());

/**
 * Adds the middleware to one client, last, so that it sees every hop that is billed. A client that
 * has one of this capture already stays as it is.
 *
 * @throws TypeError when `client` has no `middleware` list: it is no client of the SDK, or of a
 * version before 0.101.
 */
export function observeClient(capture: Capture, client: unknown): void {
  const target = clientOf(client);
  const list = target.middleware.filter((each) => !isClosed(each));
  if (list.some((each) => installed.get(each)?.capture === capture)) return;
  target.middleware = [...list, createMiddleware(capture, { constructor: target.constructor })];
}

/** As `observeClient()`, with a middleware that finds its monitor when it is called. */
export function observeLater(middleware: Middleware, client: unknown): void {
  installed.set(middleware, { capture: undefined, client: undefined });
  const target = clientOf(client);
  if (target.middleware.includes(middleware)) return;
  target.middleware = [...target.middleware.filter((each) => !isClosed(each)), middleware];
}

function clientOf(client: unknown): { middleware: Middleware[]; readonly constructor: unknown } {
  const target = client as Client | null | undefined;
  if (typeof target === 'object' && target !== null && Array.isArray(target.middleware)) {
    return target as { middleware: Middleware[] };
  }
  throw new TypeError(
    `[claude-metrics] observe: expected a client of ${SDK} 0.103 or later, got ${nameOf(client)}. ` +
      'Pass the object that `new Anthropic()` gave you.',
  );
}

function isClosed(middleware: Middleware): boolean {
  return installed.get(middleware)?.capture?.closed === true;
}

/** A middleware that is known as ours, so that a client is never observed twice. */
export function createMiddleware(capture: Capture, client?: Client): Middleware {
  const middleware = capture.middleware(client);
  installed.set(middleware, { capture, client });
  return middleware;
}

/** Observes every client of the copies of the SDK that can be found. Returns the way back. */
export function instrument(capture: Capture, health: Health): () => void {
  const attach = (client: Client): void => {
    const list = client.middleware;
    if (!Array.isArray(list)) {
      health.notice('sdk-middleware', `${TOO_OLD} Its calls are not recorded.`);
      return;
    }
    const last = installed.get((list as Middleware[]).at(-1) ?? list);
    if (last?.client === client && last.capture?.closed === false) return;
    // A clone inherits its parent's; ours is exchanged for one that knows this client's settings.
    const others = (list as Middleware[]).filter((each) => !installed.has(each));
    const ours = (list as Middleware[]).map((each) => installed.get(each)?.capture);
    const owner = ours.find((each) => each?.closed === false) ?? capture;
    client.middleware = [...others, createMiddleware(owner, client)];
  };
  const guardedAttach = (client: Client): void => {
    health.guard('observe', () => attach(client));
  };
  wanting.add(guardedAttach);
  health.guard('instrument', () => patchAll(health));
  return () => wanting.delete(guardedAttach);
}

const TOO_OLD = `A client of ${SDK} has no middleware; auto-observation needs 0.103 or later.`;

function patchAll(health: Health): void {
  let found = 0;
  for (const load of copies()) {
    const module = loaded(load);
    if (module === undefined) continue;
    if (patch(module)) found += 1;
    else {
      health.notice(
        'sdk-unknown',
        `A copy of ${SDK} is built in a way that is not known here; its clients are not observed. ` +
          'Use observe(client).',
      );
    }
  }
  if (found === 0) {
    health.notice(
      'sdk-missing',
      `No copy of ${SDK} could be found from here. If your application bundles it, ` +
        'use observe(client).',
    );
  }
}

/** A copy that cannot be loaded here (an ESM build under Jest) cannot be used here either. */
function loaded(load: () => unknown): unknown {
  try {
    return load();
  } catch {
    return undefined;
  }
}

/** Wraps `makeRequest` where it is defined; the clients of the clouds inherit it. */
function patch(module: unknown): boolean {
  const { Anthropic, default: fallback } = module as { Anthropic?: unknown; default?: unknown };
  const constructor = Anthropic ?? fallback;
  if (typeof constructor !== 'function') return false;
  let prototype = constructor.prototype as (ClientPrototype & object) | null;
  while (prototype && !Object.hasOwn(prototype, 'makeRequest')) {
    prototype = Object.getPrototypeOf(prototype) as (ClientPrototype & object) | null;
  }
  const original = prototype?.makeRequest;
  if (!prototype || typeof original !== 'function') return false;
  if (patched.has(prototype)) return true;
  const makeRequest = function (this: Client, ...args: unknown[]): unknown {
    for (const attach of wanting) {
      attach(this);
      break;
    }
    return original.apply(this, args);
  };
  Object.defineProperty(makeRequest, 'name', { value: original.name });
  Object.defineProperty(makeRequest, 'length', { value: original.length });
  Object.defineProperty(prototype, 'makeRequest', {
    ...Object.getOwnPropertyDescriptor(prototype, 'makeRequest'),
    value: makeRequest,
  });
  patched.add(prototype);
  return true;
}

/** Loads each copy: those in the require cache, and both builds as seen from the application and us. */
function* copies(): Generator<() => unknown> {
  const entries = new Set<string>();
  const load = createRequire(join(process.cwd(), 'claude-metrics.js'));
  for (const cached of Object.keys(load.cache)) {
    if (/[\\/]@anthropic-ai[\\/]sdk[\\/]index\.m?js$/.test(cached)) entries.add(cached);
  }
  for (const root of roots()) {
    const entry = resolveFrom(root, SDK);
    if (entry === undefined) continue;
    entries.add(entry);
    // The ESM build lies next to it, and holds classes of its own.
    entries.add(join(dirname(entry), 'index.mjs'));
  }
  for (const entry of entries) yield () => load(entry) as unknown;
}

function* roots(): Generator<string> {
  const main = process.argv[1];
  const starts = [join(process.cwd(), 'claude-metrics.js'), ...(main ? [main] : [])];
  for (const start of starts) {
    yield start;
    for (const name of US) {
      const ours = resolveFrom(start, name);
      if (ours !== undefined) yield ours;
    }
  }
}

function resolveFrom(file: string, name: string): string | undefined {
  try {
    return createRequire(file).resolve(name);
  } catch {
    return undefined;
  }
}

function nameOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  return (value.constructor as { name?: string } | undefined)?.name ?? 'an object';
}
