import type { Commands } from './client.js';
import type { Keys } from './keys.js';
import type { Server } from './server.js';

/**
 * News that something was merged, from whichever process. A message that is lost costs delay: whoever
 * reads a page reads it from the store all the same.
 */
export interface Watching {
  /** Tells all processes; not more often than they want to know. */
  announce(): void;
  watch(listener: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface WatchingOptions {
  readonly commands: Commands;
  readonly server: Server;
  readonly keys: Keys;
  readonly onFault: (error: unknown) => void;
}

const AT_MOST_EVERY_MS = 1_000;

export function createWatching({ commands, server, keys, onFault }: WatchingOptions): Watching {
  const listeners = new Set<{ readonly tell: () => void }>();
  let connection: Promise<() => Promise<void>> | null = null;
  let failed = false;

  async function publish(): Promise<void> {
    try {
      await server.send('announce a merge', undefined, ['PUBLISH', keys.channel, '']);
      failed = false;
    } catch (error) {
      // Once is enough: it happens with every merge.
      if (!failed) onFault(error);
      failed = true;
    }
  }

  function tellAll(): void {
    for (const { tell } of listeners) tell();
  }

  async function leave(): Promise<void> {
    if (listeners.size > 0 || connection === null) return;
    const open = connection;
    connection = null;
    await (
      await open.catch(() => null)
    )?.();
  }

  const announce = sparingly(() => void publish());
  const news = sparingly(tellAll);

  return {
    announce: announce.call,
    async watch(listener) {
      const entry = { tell: () => safely(listener, onFault) };
      listeners.add(entry);
      const open = (connection ??= commands.subscribe(keys.channel, news.call));
      try {
        await server.within('watch', open);
      } catch (error) {
        listeners.delete(entry);
        if (connection === open) connection = null;
        // It may still come; then nobody wants it.
        void open.then(
          (stop) => stop(),
          () => undefined,
        );
        throw error;
      }
      return async () => {
        listeners.delete(entry);
        await leave();
      };
    },
    async close() {
      announce.stop();
      news.stop();
      listeners.clear();
      await leave();
    },
  };
}

/** At once, and then at most once in a while: the last call is never left out. */
function sparingly(work: () => void): { readonly call: () => void; readonly stop: () => void } {
  let timer: NodeJS.Timeout | null = null;
  let again = false;
  function call(): void {
    if (timer !== null) {
      again = true;
      return;
    }
    timer = setTimeout(() => {
      timer = null;
      if (again) call();
    }, AT_MOST_EVERY_MS).unref();
    again = false;
    work();
  }
  return {
    call,
    stop() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      again = false;
    },
  };
}

function safely(listener: () => void, onFault: (error: unknown) => void): void {
  try {
    listener();
  } catch (error) {
    onFault(error);
  }
}
