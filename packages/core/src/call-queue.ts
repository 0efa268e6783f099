import { randomUUID } from 'node:crypto';
import type { CallRecord } from './record.js';

/**
 * Calls that wait for a store. They are written together a second later at most, and sooner when
 * somebody asks for them.
 *
 * - **load**: what one write brings, under a name. One that failed is brought again under the same name,
 *   as it was, so that a store can tell that it has it already.
 */
export interface CallQueue {
  add(calls: readonly CallRecord[]): void;
  /** Writes what waits. Rejects where a write does; what was not written goes on waiting. */
  flush(): Promise<void>;
  /** Writes no more by itself. */
  stop(): void;
  /** Drops what waits. */
  clear(): void;
  /** Calls that there was no room for. */
  readonly dropped: number;
}

export interface CallQueueOptions {
  /** Calls that wait at most. */
  readonly most: number;
  /** Calls in a load at most. */
  readonly size: number;
  readonly write: (calls: readonly CallRecord[], name: string) => Promise<unknown>;
  readonly onDrop: (count: number) => void;
  /** A write failed that nobody had asked for. */
  readonly onFault: (error: unknown) => void;
  /** How long after such a failure it is tried again. Default one second. */
  readonly retryMs?: number | undefined;
}

const WRITE_AFTER_MS = 1_000;

export function createCallQueue(options: CallQueueOptions): CallQueue {
  const { most, size, retryMs = WRITE_AFTER_MS } = options;
  let waiting: CallRecord[] = [];
  /** The first of those that wait; its name and length stay until it is written. */
  let load: { readonly name: string; readonly length: number } | null = null;
  let writing: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let dropped = 0;

  function drop(count: number): void {
    if (count <= 0) return;
    dropped += count;
    options.onDrop(count);
  }

  function writeSoon(ms: number): void {
    timer ??= setTimeout(() => {
      timer = null;
      flush().catch((error: unknown) => {
        options.onFault(error);
        if (waiting.length > 0) writeSoon(retryMs);
      });
    }, ms).unref();
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const { name, length } = (load ??= {
        name: randomUUID(),
        length: Math.min(waiting.length, size),
      });
      await options.write(waiting.slice(0, length), name);
      waiting.splice(0, length);
      load = null;
    }
  }

  function flush(): Promise<void> {
    writing ??= writeAll().finally(() => (writing = null));
    return writing;
  }

  return {
    add(calls) {
      const room = Math.max(0, most - waiting.length);
      drop(calls.length - room);
      waiting.push(...calls.slice(0, room));
      if (waiting.length > 0) writeSoon(WRITE_AFTER_MS);
    },
    flush,
    stop() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
    clear() {
      drop(waiting.length);
      waiting = [];
      load = null;
    },
    get dropped() {
      return dropped;
    },
  };
}
