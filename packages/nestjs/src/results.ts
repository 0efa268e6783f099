import { bindContext } from '@claude-metrics/core';
import { isObservable, Observable, type Subscriber } from 'rxjs';

/**
 * What a method returns may do its work later: when somebody subscribes, or asks for the next item. It
 * then runs in whoever's context that is, unless it is bound to the one of the method.
 *
 * - **work**: whatever is done later.
 */
type Resume = <T>(work: () => T) => T;

/** `result`, whose work runs in the context of right now. */
export function keepContext<T>(result: T): T {
  if (typeof result !== 'object' || result === null) return result;
  if (isPlainPromise(result)) return result.then(keepContext) as T;
  if (isObservable(result)) return isCold(result) ? (subscribing(result) as T) : result;
  return isIterator(result) ? iterating(result) : result;
}

/** A promise works already, but what it brings may not. One with methods of its own stays what it is. */
function isPlainPromise(result: object): result is Promise<unknown> {
  return result instanceof Promise && result.constructor === Promise;
}

/** A subject and its like are hot: to subscribe starts nothing, and they have methods of their own. */
function isCold(observable: object): boolean {
  return !('next' in observable) && !('connect' in observable);
}

function subscribing(observable: Observable<unknown>): Observable<unknown> {
  const resume = resumeHere();
  return new Observable((subscriber: Subscriber<unknown>) =>
    resume(() => observable.subscribe(subscriber)),
  );
}

/** A generator, sync or async, or what looks like one. A readable stream does not: it has no `next`. */
function isIterator(result: object): boolean {
  return (
    typeof (result as Partial<Iterator<unknown>>).next === 'function' &&
    (Symbol.asyncIterator in result || Symbol.iterator in result)
  );
}

function iterating<T extends object>(iterator: T): T {
  const resume = resumeHere();
  const proxy: T = new Proxy(iterator, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function' || isFixed(target, name)) return value;
      if (name === 'constructor') return value;
      return (...args: unknown[]) => {
        const result: unknown = resume(() => Reflect.apply(value, target, args));
        return result === target ? proxy : result;
      };
    },
  });
  return proxy;
}

/** A proxy must not change those. */
function isFixed(target: object, name: string | symbol): boolean {
  const own = Object.getOwnPropertyDescriptor(target, name);
  return own?.configurable === false;
}

function resumeHere(): Resume {
  return bindContext((work: () => unknown) => work()) as Resume;
}
