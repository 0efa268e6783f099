/**
 * A stream that gives on what another gives: when it is asked and not before, without holding
 * anything back, and cancelled when it is cancelled. What passes is told.
 */
export type Reader = ReadableStreamDefaultReader<Uint8Array>;

export function passThrough(
  getReader: (options?: object) => Reader,
  cancel: (reason?: unknown) => Promise<void>,
  tell: (what: 'chunk' | 'end' | 'fail' | 'cancel', value?: unknown) => void,
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
        tell('fail', error);
        throw error;
      }
      if (result.done) {
        tell('end');
        controller.close();
        if ('byobRequest' in controller) controller.byobRequest?.respond(0);
      } else {
        tell('chunk', result.value);
        controller.enqueue(result.value as Uint8Array<ArrayBuffer>);
      }
    },
    cancel(reason: unknown): Promise<void> {
      tell('cancel', reason);
      return reader ? reader.cancel(reason) : cancel(reason);
    },
  };
  if (isByteStream(getReader)) return new ReadableStream({ ...source, type: 'bytes' });
  return new ReadableStream(source, { highWaterMark: 0 });
}

/** Only a byte stream gives a reader for the caller's own buffers. */
function isByteStream(getReader: (options?: object) => Reader): boolean {
  try {
    getReader({ mode: 'byob' }).releaseLock();
    return true;
  } catch {
    return false;
  }
}
