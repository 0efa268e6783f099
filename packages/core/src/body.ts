import { passThrough, type Reader } from './pass-through.js';

/**
 * Watches a response body in place: same Response, same stream, same bytes, same timing.
 *
 * The methods through which a body can be read are overridden on that one response and its stream.
 * The two ways the SDK reads (`json()`, and iterating the stream) are passed through as they are;
 * any other way reads through a stream of ours that pulls when it is pulled, cancels when it is
 * cancelled and holds nothing back. There is no `clone()` and no `tee()`: both would keep the
 * provider writing (and billing) after the caller has left.
 *
 * - **watcher**: who is told what happens to a body. What it throws goes to `fault`.
 * - **subject**: what a body belongs to; handed to the watcher, so that one serves all bodies.
 */
export interface BodyWatcher<S> {
  /** Bytes that the reader is about to get. */
  chunk(subject: S, bytes: unknown): void;
  end(subject: S): void;
  fail(subject: S, error: unknown): void;
  /** The reader left before the end; `reason` as it gave one. */
  cancel(subject: S, reason?: unknown): void;
  /** The whole body, where the SDK reads it as a whole. */
  json(subject: S, value: unknown): void;
  text(subject: S, value: string): void;
}

interface Watch {
  readonly watcher: BodyWatcher<unknown>;
  readonly subject: unknown;
  readonly fault: (error: unknown) => void;
  /** While `json()` or `text()` runs it takes the stream's reader itself, and we see its result. */
  whole: boolean;
  passing: ReadableStream<Uint8Array> | undefined;
}

const WATCH = Symbol('claude-metrics.watch');
type Watched = Response & { [WATCH]: Watch };
/** By stream: Node's streams take a property of ours far slower than a response does. */
const watches = new WeakMap<ReadableStream<Uint8Array>, Watch>();

/** Starts watching. `false`: there is no body, so there will be nothing to see. */
export function watchBody<S>(
  response: Response,
  watcher: BodyWatcher<S>,
  subject: S,
  fault: (error: unknown) => void,
): boolean {
  const stream = response.body;
  if (stream === null || stream === undefined) return false;
  const shared = watcher as BodyWatcher<unknown>;
  const watch: Watch = { watcher: shared, subject, fault, whole: false, passing: undefined };
  (response as Watched)[WATCH] = watch;
  watches.set(stream, watch);
  // A plain object that stands for a response has methods of its own; a real one inherits them.
  if (Object.hasOwn(response, 'json')) {
    Object.defineProperties(response, Object.getOwnPropertyDescriptors(responseMethods(response)));
  } else {
    inherit(response, responseMethods);
  }
  inherit(stream, streamMethods);
  return true;
}

type Methods = (original: never) => object;

const prototypes = new WeakMap<object, object>();

/**
 * Puts our methods between an object and its prototype. That is one step, where overriding them one
 * by one on each object is ten, and leaves the object's own properties as they are.
 */
function inherit(target: object, methodsOf: Methods): void {
  const original = Object.getPrototypeOf(target) as object;
  let ours = prototypes.get(original);
  if (ours === undefined) {
    const methods = Object.getOwnPropertyDescriptors(methodsOf(original as never));
    for (const method of Object.values(methods)) method.enumerable = false;
    ours = Object.create(original, methods) as object;
    prototypes.set(original, ours);
  }
  Object.setPrototypeOf(target, ours);
}

function tell(watch: Watch, what: keyof BodyWatcher<unknown>, value?: unknown): void {
  try {
    watch.watcher[what](watch.subject, value as never);
  } catch (error) {
    watch.fault(error);
  }
}

function responseMethods({ json, text }: Response): object {
  function readWhole(
    response: Watched,
    read: () => Promise<unknown>,
    kind: 'json' | 'text',
  ): Promise<unknown> {
    const watch = response[WATCH];
    // Reading twice fails without touching the first reading.
    if (response.bodyUsed) return read.call(response);
    watch.whole = true;
    let promise: Promise<unknown>;
    try {
      promise = read.call(response);
    } finally {
      watch.whole = false;
    }
    // Before the reader's own handlers, and without another turn of the queue for them.
    promise.then(
      (value) => tell(watch, kind, value),
      (error: unknown) => tell(watch, 'fail', error),
    );
    return promise;
  }

  return {
    json(this: Watched) {
      return readWhole(this, json, 'json');
    },
    text(this: Watched) {
      return readWhole(this, text, 'text');
    },
  };
}

type Stream = ReadableStream<Uint8Array>;
type Iterator = AsyncIterator<unknown> & { [Symbol.asyncIterator](): Iterator };
type Iterate = (this: Stream, options?: object) => Iterator;
type GetReader = (this: Stream, options?: object) => Reader;

function watchOf(stream: Stream): Watch {
  return watches.get(stream) as Watch;
}

function streamMethods(original: ReadableStream<Uint8Array>): object {
  const iterate = original[Symbol.asyncIterator] as Iterate | undefined;
  const watched = function (this: Stream, options?: object): Iterator {
    return watchedIterator((iterate as Iterate).call(this, options), watchOf(this), options);
  };
  const iterating = iterate ? { [Symbol.asyncIterator]: watched } : {};
  // A body that is no web stream (a Node one, from a custom fetch) can only be iterated.
  if (typeof original.getReader !== 'function') return iterating;

  const getReader = original.getReader as GetReader;
  const { cancel } = original;
  const isLocked = (stream: Stream) => Reflect.get(original, 'locked', stream) === true;
  const passed = (stream: Stream) => {
    const watch = watchOf(stream);
    return (watch.passing ??= passThrough(
      (options) => getReader.call(stream, options),
      (reason) => cancel.call(stream, reason),
      (what, value) => tell(watch, what, value),
    ));
  };

  return {
    ...iterating,
    ...('values' in original ? { values: watched } : {}),
    getReader(this: Stream, options?: object) {
      if (watchOf(this).whole) return getReader.call(this, options);
      return passed(this).getReader(options as never);
    },
    tee(this: Stream) {
      return passed(this).tee();
    },
    pipeTo(this: Stream, ...args: Parameters<ReadableStream['pipeTo']>) {
      return passed(this).pipeTo(...args);
    },
    pipeThrough(this: Stream, ...args: Parameters<ReadableStream['pipeThrough']>) {
      return passed(this).pipeThrough(...args);
    },
    cancel(this: Stream, reason?: unknown) {
      const watch = watchOf(this);
      if (watch.passing) return watch.passing.cancel(reason);
      if (!isLocked(this)) tell(watch, 'cancel', reason);
      return cancel.call(this, reason);
    },
    get locked() {
      const stream = this as unknown as Stream;
      return isLocked(stream) || watchOf(stream).passing?.locked === true;
    },
  };
}

function watchedIterator(inner: Iterator, watch: Watch, options?: object): Iterator {
  const keepOpen = (options as { preventCancel?: boolean } | undefined)?.preventCancel === true;
  const { watcher, subject } = watch;
  const onResult = (result: IteratorResult<unknown>): void => {
    try {
      if (result.done === true) watcher.end(subject);
      else watcher.chunk(subject, result.value);
    } catch (error) {
      watch.fault(error);
    }
  };
  const onError = (error: unknown): void => tell(watch, 'fail', error);
  return {
    next() {
      const promise = inner.next();
      // Before the reader's own handlers, and without another turn of the queue for them.
      promise.then(onResult, onError);
      return promise;
    },
    return(value?: unknown) {
      if (!keepOpen) tell(watch, 'cancel');
      return inner.return ? inner.return(value) : Promise.resolve({ done: true as const, value });
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
