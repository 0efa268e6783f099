import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallContext } from './record.js';

/**
 * Scopes, and what carries them along with asynchronous work: Node's AsyncLocalStorage, or the
 * cls-hooked namespace that an application already lives in.
 *
 * - **scope**: what one `withContext()` said; `parent` is the scope it was said in.
 * - **defaults**: a scope that an adapter opened for a request, and not somebody explicitly.
 */

/** A name, or a function that gives it at the moment of the call (a promise of it will do). */
export type Lazy = string | number | null | undefined | (() => unknown);

export interface ContextInput {
  readonly userId?: Lazy;
  readonly feature?: Lazy;
  readonly sessionId?: Lazy;
  /** At most 16; the rest is left out. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** What a call here costs at most, in USD: for budgets, where a request has no bound of its own. */
  readonly maxCostUsd?: number | undefined;
}

export interface Scope {
  readonly parent: Scope | undefined;
  own: ContextInput;
  /** What `setContext()` has added to defaults; it is explicit. */
  said?: ContextInput;
  /** The monitor that calls in here belong to. */
  readonly owner: Owner | undefined;
  readonly defaults: boolean;
}

/** A monitor's inside, as far as a scope knows it. */
export interface Owner {
  readContext(): CallContext;
}

/** A namespace of cls-hooked, as far as it is used: `createNamespace('app')`. */
export interface ClsNamespace {
  get(key: string): unknown;
  set(key: string, value: unknown): unknown;
  createContext(): object;
  enter(context: object): unknown;
  exit(context: object): unknown;
  bind<F extends (...args: never[]) => unknown>(fn: F): F;
}

interface Carrier {
  readonly storage: AsyncLocalStorage<Scope>;
  namespace: ClsNamespace | undefined;
  /** Monitors that asked for the namespace. */
  users: number;
}

// One carrier a process, whichever copy or build of this package opened a scope.
// The digit changes only with the shape of Scope.
const KEY = Symbol.for('@claude-metrics/core:als@1');
const shared = globalThis as typeof globalThis & { [KEY]?: Carrier };
const carrier = (shared[KEY] ??= {
  storage: new AsyncLocalStorage<Scope>(),
  namespace: undefined,
  users: 0,
});
const SCOPE = '@claude-metrics/scope';

export function currentScope(): Scope | undefined {
  const inNamespace = carrier.namespace?.get(SCOPE) as Scope | undefined;
  return inNamespace ?? carrier.storage.getStore();
}

export function runIn<T>(scope: Scope, fn: () => T): T {
  const { namespace } = carrier;
  if (!namespace) return carrier.storage.run(scope, fn);
  // `namespace.run()` would write the context on whatever `fn` throws.
  const context = namespace.createContext();
  namespace.enter(context);
  try {
    namespace.set(SCOPE, scope);
    return fn();
  } finally {
    namespace.exit(context);
  }
}

/** For the rest of the current asynchronous execution; a namespace cannot, so this never uses it. */
export function enter(scope: Scope): void {
  carrier.storage.enterWith(scope);
}

export function bind<F extends (...args: never[]) => unknown>(fn: F): F {
  const bound = AsyncLocalStorage.bind(fn) as F;
  return carrier.namespace ? carrier.namespace.bind(bound) : bound;
}

/**
 * Lets a namespace carry the scopes of this process, until every monitor that asked has let go.
 *
 * @throws TypeError when another namespace does already: a scope has one carrier.
 */
export function useNamespace(namespace: ClsNamespace): () => void {
  if (carrier.namespace !== undefined && carrier.namespace !== namespace) {
    throw new TypeError(
      '[claude-metrics] createMonitor: options.namespace is another namespace than the one of an ' +
        'open monitor in this process. Give every monitor the same, or close the other one first.',
    );
  }
  carrier.namespace = namespace;
  carrier.users += 1;
  let released = false;
  return () => {
    if (released) return;
    released = true;
    carrier.users -= 1;
    if (carrier.users === 0) carrier.namespace = undefined;
  };
}
