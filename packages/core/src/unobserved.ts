import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { operationOf } from './request.js';

/**
 * Counts the calls that nobody recorded: requests to a Messages endpoint that Node's own `fetch`
 * (undici) reports on its diagnostics channel, beyond those that captures have sent.
 *
 * - **expected**: requests that captures have sent and that have no answer yet.
 * - **reported**: how many of these the channel has told. The next one it tells is nobody's.
 *
 * Counting is all it takes, and costs nothing; marking the asynchronous context of each request
 * would slow every promise of the process down. Where a recorded request does not pass through
 * undici (a `fetch` of the application's own), one that nobody recorded can be missed meanwhile.
 */
interface Watch {
  expected: number;
  reported: number;
  readonly listeners: Set<() => void>;
}

const CHANNEL = 'undici:request:create';

// One count a process, however many copies of this package send requests.
const WATCH = Symbol.for('@claude-metrics/core:unobserved@1');
const shared = globalThis as typeof globalThis & { [WATCH]?: Watch };
const watch = (shared[WATCH] ??= { expected: 0, reported: 0, listeners: new Set() });

/** A capture is about to send a request. */
export function expectRequest(): void {
  watch.expected += 1;
}

/** It has been answered, or has failed. */
export function settleRequest(): void {
  watch.expected -= 1;
  if (watch.reported > watch.expected) watch.reported = watch.expected;
}

/** Calls `onUnobserved` for every request that no capture has sent. Returns the way back. */
export function watchUnobserved(onUnobserved: () => void): () => void {
  if (watch.listeners.size === 0) subscribe(CHANNEL, onRequest);
  // One of our own: the same function may be given twice.
  const listener = () => onUnobserved();
  watch.listeners.add(listener);
  return () => {
    if (watch.listeners.delete(listener) && watch.listeners.size === 0) {
      unsubscribe(CHANNEL, onRequest);
    }
  };
}

function onRequest(message: unknown): void {
  // A subscriber that throws would become an uncaught exception of the application.
  try {
    const { request } = message as { request?: { path?: unknown; method?: unknown } };
    if (operationOf(request?.path, request?.method) !== 'messages') return;
    if (watch.reported < watch.expected) watch.reported += 1;
    else for (const listener of watch.listeners) listener();
  } catch {
    // What cannot be looked at is not counted.
  }
}
