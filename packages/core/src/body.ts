/**
 * Watches a response body in place: same Response, same stream, same bytes, same timing.
 *
 * The methods through which a body can be read are shadowed on that one response and its stream.
 * The two ways the SDK reads (`json()`, and iterating the stream) are passed through as they are;
 * any other way reads through a stream of ours that pulls when it is pulled, cancels when it is
 * cancelled and holds nothing back. There is no `clone()` and no `tee()`: both would keep the
 * provider writing (and billing) after the caller has left.
 *
 * - **watcher**: who is told what happens to the body. What it throws goes to `fault`.
 */
export interface BodyWatcher {
  /** Bytes that the reader is about to get. */
  chunk(bytes: unknown): void;
  end(): void;
  fail(error: unknown): void;
  /** The reader left before the end; `reason` as it gave one. */
  cancel(reason?: unknown): void;
  /** The whole body, where the SDK reads it as a whole. */
  json(value: unknown): void;
  text(value: string): void;
}

/** Starts watching. `false`: there is no body, so there will be nothing to see. */
export function watchBody(
  response: Response,
  unguarded: BodyWatcher,
  fault: (error: unknown) => void,
): boolean {
  const stream = response.body;
  if (stream === null || stream === undefined) return false;
  const watcher = guarded(unguarded, fault);
  // While `json()` or `text()` runs it takes the stream's reader itself, and we look at its result.
  const whole = { reading: false };
  watchStream(stream, watcher, whole);
  watchWhole(response, 'json', whole, watcher, watcher.json);
  watchWhole(response, 'text', whole, watcher, watcher.text as (value: unknown) => void);
  return true;
}

function guarded(watcher: BodyWatcher, fault: (error: unknown) => void): BodyWatcher {
  const safely =
    <T>(tell: (value: T) => void) =>
    (value: T) => {
      try {
        tell.call(watcher, value);
      } catch (error) {
        fault(error);
      }
    };
  return {
    chunk: safely(watcher.chunk),
    end: safely(watcher.end) as () => void,
    fail: safely(watcher.fail),
    cancel: safely(watcher.cancel),
    json: safely(watcher.json),
    text: safely(watcher.text),
  };
}

function watchWhole(
  response: Response,
  method: 'json' | 'text',
  whole: { reading: boolean },
  watcher: BodyWatcher,
  seen: (value: unknown) => void,
): void {
  const original: (this: Response) => Promise<unknown> = response[method];
  shadow(response, method, function (this: Response) {
    // Reading twice fails without touching the first reading.
    if (this.bodyUsed) return original.call(this);
    let promise: Promise<unknown>;
    whole.reading = true;
    try {
      promise = original.call(this);
    } finally {
      whole.reading = false;
    }
    return promise.then(
      (value) => {
        seen(value);
        return value;
      },
      (error: unknown) => {
        watcher.fail(error);
        throw error;
      },
    );
  });
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type GetReader = (options?: object) => Reader;
type Iterator = AsyncIterator<unknown> & { [Symbol.asyncIterator](): Iterator };

function watchStream(
  stream: ReadableStream<Uint8Array>,
  watcher: BodyWatcher,
  whole: { readonly reading: boolean },
): void {
  const iterate = stream[Symbol.asyncIterator] as ((options?: object) => Iterator) | undefined;
  if (iterate) {
    const watched = (options?: object) =>
      watchedIterator(iterate.call(stream, options), watcher, options);
    shadow(stream, Symbol.asyncIterator, watched);
    if ('values' in stream) shadow(stream, 'values', watched);
  }
  // A body that is no web stream (a Node one, from a custom fetch) can only be iterated.
  if (typeof stream.getReader !== 'function') return;

  const getReader = stream.getReader.bind(stream) as GetReader;
  const cancel = stream.cancel.bind(stream);
  const isLocked = lockGetter(stream);
  let passing: ReadableStream<Uint8Array> | undefined;
  const passed = () => (passing ??= passThrough(getReader, cancel, watcher));

  shadow(stream, 'getReader', (options?: object) =>
    whole.reading
      ? getReader(options)
      : (passed().getReader(options as never) as unknown as Reader),
  );
  shadow(stream, 'tee', () => passed().tee());
  shadow(stream, 'pipeTo', (...args: Parameters<typeof stream.pipeTo>) => passed().pipeTo(...args));
  shadow(stream, 'pipeThrough', (...args: Parameters<typeof stream.pipeThrough>) =>
    passed().pipeThrough(...args),
  );
  shadow(stream, 'cancel', (reason?: unknown) => {
    if (passing) return passing.cancel(reason);
    if (!isLocked()) watcher.cancel(reason);
    return cancel(reason);
  });
  Object.defineProperty(stream, 'locked', {
    configurable: true,
    get: () => isLocked() || passing?.locked === true,
  });
}

function watchedIterator(inner: Iterator, watcher: BodyWatcher, options?: object): Iterator {
  const keepOpen = (options as { preventCancel?: boolean } | undefined)?.preventCancel === true;
  const onResult = (result: IteratorResult<unknown>) => {
    if (result.done === true) watcher.end();
    else watcher.chunk(result.value);
    return result;
  };
  const onError = (error: unknown): never => {
    watcher.fail(error);
    throw error;
  };
  return {
    next: () => inner.next().then(onResult, onError),
    return(value?: unknown) {
      if (!keepOpen) watcher.cancel();
      return inner.return ? inner.return(value) : Promise.resolve({ done: true as const, value });
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** A stream that gives on what the original gives, when it is asked and not before. */
function passThrough(
  getReader: GetReader,
  cancel: (reason?: unknown) => Promise<void>,
  watcher: BodyWatcher,
): ReadableStream<Uint8Array> {
  let reader: Reader | undefined;
  const source = {
    async pull(
      controller: ReadableStreamDefaultController | ReadableByteStreamController,
    ): Promise<void> {
      reader ??= getReader();
      let result: Awaited<ReturnType<Reader['read']>>;
      try {
        result = await reader.read();
      } catch (error) {
        watcher.fail(error);
        throw error;
      }
      if (result.done) {
        watcher.end();
        controller.close();
        if ('byobRequest' in controller) controller.byobRequest?.respond(0);
      } else {
        watcher.chunk(result.value);
        controller.enqueue(result.value as Uint8Array<ArrayBuffer>);
      }
    },
    cancel(reason: unknown): Promise<void> {
      watcher.cancel(reason);
      return reader ? reader.cancel(reason) : cancel(reason);
    },
  };
  if (isByteStream(getReader)) return new ReadableStream({ ...source, type: 'bytes' });
  return new ReadableStream(source, { highWaterMark: 0 });
}

/** Only a byte stream gives a reader for the caller's own buffers. */
function isByteStream(getReader: GetReader): boolean {
  try {
    getReader({ mode: 'byob' }).releaseLock();
    return true;
  } catch {
    return false;
  }
}

function lockGetter(stream: ReadableStream): () => boolean {
  const prototype: unknown = Object.getPrototypeOf(stream);
  return () => Reflect.get(prototype as object, 'locked', stream) === true;
}

/** Not enumerable, and removable: the object looks as it did. */
function shadow(target: object, name: string | symbol, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}
