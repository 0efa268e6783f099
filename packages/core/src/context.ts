import { createHash } from 'node:crypto';
import { bind, currentScope, enter, runIn, type ContextInput, type Owner } from './scope.js';
import type { Guard } from './health.js';
import type { CallContext } from './record.js';

/**
 * Who a call is for and what it does.
 *
 * - **scope**: one `withContext()`; scopes nest, and the nearest one that knows an answer wins.
 * - **contextFrom**: an application's own place for such names. It is asked after what was said
 *   explicitly, and before the defaults of an adapter.
 * - **lazy**: a function instead of a value. It is asked at the moment of the call, so an identity
 *   that authentication finds out later is still the right one.
 * - **label**: a name after normalisation: at most 128 characters, nothing invisible in it.
 */

const MAX_LABEL = 128;
const MAX_TAGS = 16;
/** Above it nano-dollars are no longer exact. */
const MAX_USD = 9_000_000;
/** Enough of an endless id to tell it from the others, at a bounded price. */
const HASHED_EDGE = 4096;

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
export function withOwner<T>(owner: Owner | undefined, context: ContextInput, fn: () => T): T {
  return runIn({ parent: currentScope(), own: context, owner, defaults: false }, fn);
}

/** `withOwner()` whose names are defaults: `contextFrom` comes before them. */
export function withDefaults<T>(owner: Owner, context: ContextInput, fn: () => T): T {
  return runIn({ parent: currentScope(), own: context, owner, defaults: true }, fn);
}

/**
 * Adds to the current scope, for what follows in it. Outside any scope it opens one that lasts for
 * the rest of the current asynchronous execution.
 *
 * @example
 * setContext({ userId: session.user.id });
 */
export function setContext(patch: ContextInput): void {
  const scope = currentScope();
  if (scope?.defaults) scope.said = { ...scope.said, ...patch };
  else if (scope) scope.own = { ...scope.own, ...patch };
  else enter({ parent: undefined, own: patch, owner: undefined, defaults: false });
}

/**
 * The context a call made right now would be recorded with; `undefined` outside any scope.
 *
 * @example
 * getContext()?.userId;
 */
export function getContext(): CallContext | undefined {
  if (!currentScope()) return undefined;
  return currentOwner()?.readContext() ?? readContext(silently);
}

/**
 * `fn`, bound to the context of right now, for callbacks that are called from elsewhere (a raw
 * `req.on('end')`, an event emitter, a pool).
 *
 * @example
 * req.on('end', bindContext(() => answer(body)));
 */
export function bindContext<F extends (...args: never[]) => unknown>(fn: F): F {
  return bind(fn);
}

/** The nearest `maxCostUsd`, in nano-dollars; `null` when nobody has said one that can be. */
export function currentCeiling(): number | null {
  for (let scope = currentScope(); scope; scope = scope.parent) {
    const usd = scope.said?.maxCostUsd ?? scope.own.maxCostUsd;
    if (typeof usd === 'number' && usd >= 0 && usd < MAX_USD) return Math.ceil(usd * 1e9);
  }
  return null;
}

/** The monitor that the current scope belongs to. */
export function currentOwner(): Owner | undefined {
  for (let scope = currentScope(); scope; scope = scope.parent) {
    if (scope.owner) return scope.owner;
  }
  return undefined;
}

/**
 * Resolves the current context. Promised names are filled in when they arrive, which is in time as
 * long as the call is under way.
 *
 * @param userName What is kept of the id of a user; `null`: nobody is asked for one.
 */
export function readContext(
  guard: Guard,
  contextFrom?: () => ContextInput | undefined,
  userName: NameOf | null = label,
): CallContext {
  const context = { userId: null, feature: null, sessionId: null, tags: NO_TAGS } as Resolved;
  const sources = sourcesOf(guard, contextFrom);
  if (sources.length === 0) return context;
  for (const name of NAMES) {
    const nameOf = name === 'userId' ? userName : label;
    if (nameOf === null) continue;
    for (const source of sources) {
      const lazy = source[name];
      if (lazy === undefined || lazy === null) continue;
      const value = typeof lazy === 'function' ? guard(STEPS[name], lazy) : lazy;
      if (isThenable(value)) {
        fillLater(context, name, value, nameOf, guard);
        break;
      }
      context[name] = guard(STEPS[name], nameOf, value) ?? null;
      if (context[name] !== null) break;
    }
  }
  for (const { tags } of sources) {
    if (tags) context.tags = guard('context.tags', mergeTags, tags, context.tags) ?? context.tags;
  }
  return context;
}

/** Who may answer, the first to be asked first. */
function sourcesOf(
  guard: Guard,
  contextFrom: (() => ContextInput | undefined) | undefined,
): readonly ContextInput[] {
  const sources: ContextInput[] = [];
  let ask = contextFrom;
  for (let scope = currentScope(); scope; scope = scope.parent) {
    if (scope.said) sources.push(scope.said);
    if (scope.defaults && ask) {
      push(sources, guard('contextFrom', ask));
      ask = undefined;
    }
    sources.push(scope.own);
  }
  if (ask) push(sources, guard('contextFrom', ask));
  return sources;
}

function push(sources: ContextInput[], given: ContextInput | undefined): void {
  if (typeof given === 'object' && given !== null) sources.push(given);
}

const NAMES = ['userId', 'feature', 'sessionId'] as const;
const STEPS = {
  userId: 'context.userId',
  feature: 'context.feature',
  sessionId: 'context.sessionId',
} as const;
const NO_TAGS: CallContext['tags'] = Object.freeze({});
type NameOf = (value: unknown) => string | null;
type Resolved = { -readonly [K in keyof CallContext]: CallContext[K] };

/** By context: its promised names. */
const coming = new WeakMap<CallContext, Promise<unknown>>();

/** Settles when every promised name of a context has come; it never rejects. `null`: none was promised. */
export function namesToCome(context: CallContext): Promise<unknown> | null {
  return coming.get(context) ?? null;
}

function fillLater(
  context: Resolved,
  name: (typeof NAMES)[number],
  value: PromiseLike<unknown>,
  nameOf: NameOf,
  guard: Guard,
): void {
  const filled = value.then(
    (later) => {
      context[name] = guard(STEPS[name], nameOf, later) ?? null;
    },
    (error: unknown) => {
      guard(STEPS[name], () => {
        throw error;
      });
    },
  );
  coming.set(context, Promise.all([coming.get(context), filled]));
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
