import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import type { Guard } from './health.js';
import type { CallContext } from './record.js';

/**
 * Who a call is for and what it does, carried along by Node's AsyncLocalStorage.
 *
 * - **scope**: one `withContext()`; scopes nest, and the nearest one that knows an answer wins.
 * - **lazy**: a function instead of a value. It is asked at the moment of the call, so an identity
 *   that authentication finds out later is still the right one.
 * - **label**: a name after normalisation: at most 128 characters, nothing invisible in it.
 */

/** A name, or a function that gives it at the moment of the call (a promise of it will do). */
export type Lazy = string | number | null | undefined | (() => unknown);

export interface ContextInput {
  readonly userId?: Lazy;
  readonly feature?: Lazy;
  readonly sessionId?: Lazy;
  /** At most 16; the rest is left out. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

interface Scope {
  parent: Scope | undefined;
  own: ContextInput;
  /** The monitor that calls in here belong to. */
  owner: object | undefined;
}

const MAX_LABEL = 128;
const MAX_TAGS = 16;
/** Enough of an endless id to tell it from the others, at a bounded price. */
const HASHED_EDGE = 4096;

// One store a process, whichever copy or build of this package opened the scope.
// The digit changes only with the shape of Scope.
const KEY = Symbol.for('@claude-metrics/core:als@1');
const shared = globalThis as typeof globalThis & { [KEY]?: AsyncLocalStorage<Scope> };
const storage = (shared[KEY] ??= new AsyncLocalStorage<Scope>());

/**
 * Runs `fn`; calls it makes, now or later, are recorded with this context. Values that are not given
 * come from the surrounding scope.
 *
 * @example
 * await withContext({ userId: 'ada', feature: 'summarise' }, () => client.messages.create(request));
 */
export function withContext<T>(context: ContextInput, fn: () => T): T {
  return withOwner(undefined, context, fn);
}

/** `withContext()` that also says which monitor the calls belong to. */
export function withOwner<T>(owner: object | undefined, context: ContextInput, fn: () => T): T {
  return storage.run({ parent: storage.getStore(), own: context, owner }, fn);
}

/**
 * Adds to the current scope, for what follows in it. Outside any scope it opens one that lasts for
 * the rest of the current asynchronous execution.
 *
 * @example
 * setContext({ userId: session.user.id });
 */
export function setContext(patch: ContextInput): void {
  const scope = storage.getStore();
  if (scope) scope.own = { ...scope.own, ...patch };
  else storage.enterWith({ parent: undefined, own: patch, owner: undefined });
}

/**
 * The context a call made right now would be recorded with; `undefined` outside any scope.
 *
 * @example
 * getContext()?.userId;
 */
export function getContext(): CallContext | undefined {
  return storage.getStore() ? readContext(silently) : undefined;
}

/**
 * `fn`, bound to the context of right now, for callbacks that are called from elsewhere (a raw
 * `req.on('end')`, an event emitter, a pool).
 *
 * @example
 * req.on('end', bindContext(() => answer(body)));
 */
export function bindContext<F extends (...args: never[]) => unknown>(fn: F): F {
  return AsyncLocalStorage.bind(fn) as F;
}

/** The monitor that the current scope belongs to. */
export function currentOwner(): object | undefined {
  for (let scope = storage.getStore(); scope; scope = scope.parent) {
    if (scope.owner) return scope.owner;
  }
  return undefined;
}

/**
 * Resolves the current context. Promised names are filled in when they arrive, which is in time as
 * long as the call is under way.
 */
export function readContext(guard: Guard): CallContext {
  const context = { userId: null, feature: null, sessionId: null, tags: NO_TAGS } as Resolved;
  const innermost = storage.getStore();
  if (!innermost) return context;
  for (const name of NAMES) {
    for (let scope: Scope | undefined = innermost; scope; scope = scope.parent) {
      const lazy = scope.own[name];
      if (lazy === undefined || lazy === null) continue;
      const value = typeof lazy === 'function' ? guard(STEPS[name], lazy) : lazy;
      if (isThenable(value)) {
        fillLater(context, name, value, guard);
        break;
      }
      context[name] = guard(STEPS[name], label, value) ?? null;
      if (context[name] !== null) break;
    }
  }
  for (let scope: Scope | undefined = innermost; scope; scope = scope.parent) {
    const { tags } = scope.own;
    if (tags) context.tags = guard('context.tags', mergeTags, tags, context.tags) ?? context.tags;
  }
  return context;
}

const NAMES = ['userId', 'feature', 'sessionId'] as const;
const STEPS = {
  userId: 'context.userId',
  feature: 'context.feature',
  sessionId: 'context.sessionId',
} as const;
const NO_TAGS: CallContext['tags'] = Object.freeze({});
type Resolved = { -readonly [K in keyof CallContext]: CallContext[K] };

function fillLater(
  context: Resolved,
  name: (typeof NAMES)[number],
  value: PromiseLike<unknown>,
  guard: Guard,
): void {
  value.then(
    (later) => {
      context[name] = guard(STEPS[name], label, later) ?? null;
    },
    (error: unknown) => {
      guard(STEPS[name], () => {
        throw error;
      });
    },
  );
}

/** Inner tags win; keys and values are labels, on an object without a prototype to poison. */
function mergeTags(outer: Readonly<Record<string, string>>, inner: CallContext['tags']) {
  const merged = Object.assign(Object.create(null) as Record<string, string>, inner);
  let room = MAX_TAGS - Object.keys(merged).length;
  for (const [rawKey, rawValue] of Object.entries(outer)) {
    if (room <= 0) break;
    const key = label(rawKey);
    const value = label(rawValue);
    if (key === null || value === null || key in merged) continue;
    merged[key] = value;
    room -= 1;
  }
  return merged;
}

/**
 * Makes a name safe to keep and to show: at most 128 characters (a longer one keeps its beginning
 * and ends in a hash, so that different names stay different); control, bidi and other invisible
 * characters and lone surrogates become U+FFFD. `null` for what is no name.
 */
export function label(value: unknown): string | null {
  if (typeof value === 'string') {
    if (value.length <= MAX_LABEL && PLAIN.test(value)) return value;
  } else if (value === null || value === undefined || typeof value === 'function') {
    return null;
  }
  const text = String(value);
  if (typeof value === 'object' && text.startsWith('[object ')) return null;
  if (text.trim() === '') return null;
  if (text.length <= MAX_LABEL) return text.replace(INVISIBLE, '\uFFFD');
  const edges = text.slice(0, HASHED_EDGE) + text.slice(-HASHED_EDGE) + text.length;
  const hash = createHash('sha256').update(edges).digest('hex').slice(0, 16);
  return `${text.slice(0, MAX_LABEL - 17).replace(INVISIBLE, '\uFFFD')}~${hash}`;
}

const PLAIN = /^[!-~][ -~]*$/;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

const silently: Guard = (_step, run, ...args) => {
  try {
    return run(...args);
  } catch {
    return undefined;
  }
};
