import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { isObserved } from './context.js';
import { operationOf } from './request.js';

const CHANNEL = 'undici:request:create';

/**
 * Calls `onUnobserved` for every request that Node's own `fetch` (undici) sends to a Messages
 * endpoint outside any recorded call. Returns the way back.
 */
export function watchUnobserved(onUnobserved: () => void): () => void {
  const listener = (message: unknown): void => {
    // A subscriber that throws would become an uncaught exception of the application.
    try {
      const { request } = message as { request?: { path?: unknown; method?: unknown } };
      if (operationOf(request?.path, request?.method) === 'messages' && !isObserved()) {
        onUnobserved();
      }
    } catch {
      onUnobserved();
    }
  };
  subscribe(CHANNEL, listener);
  return () => unsubscribe(CHANNEL, listener);
}
