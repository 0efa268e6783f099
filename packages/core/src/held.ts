/**
 * The first chunks of a stream, put aside: to read them would delay the first token, and once that is
 * out there is time. They are copied, for a chunk belongs to whoever reads the stream.
 */
export interface Held {
  /** `false`: no more is held, because there is enough, or because it was released. */
  take(bytes: Uint8Array, at: number): boolean;
  /** Gives out what was held, in order and once. */
  release(read: (bytes: Uint8Array, at: number) => void): void;
}

/** The first token comes in the second to fourth chunk. */
const CHUNKS = 4;
const BYTES = 2_048;

export function createHeld(): Held {
  // Made while the request is on its way, so that taking a chunk is a copy and nothing else.
  const bytesHeld = Buffer.allocUnsafe(BYTES);
  const ends: number[] = [];
  const times: number[] = [];
  let released = false;

  return {
    take(bytes, at) {
      const used = ends[ends.length - 1] ?? 0;
      if (released || ends.length >= CHUNKS || used + bytes.length > BYTES) return false;
      bytesHeld.set(bytes, used);
      ends.push(used + bytes.length);
      times.push(at);
      return true;
    },
    release(read) {
      if (released) return;
      released = true;
      for (let i = 0; i < ends.length; i += 1) {
        read(bytesHeld.subarray(ends[i - 1] ?? 0, ends[i]), times[i]!);
      }
    },
  };
}
