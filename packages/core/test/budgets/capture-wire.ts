import type { ServerResponse } from 'node:http';
import type { Answer, SimulatedRequest } from '@claude-metrics/testing';
import { createApi } from '../../../testing/src/api.js';
import type { Received } from '../../../testing/src/request.js';

/**
 * The simulator's own handler behind a `fetch`, without a socket between them: every event is a chunk,
 * and a chunk is sent when somebody reads. So what was sent is what was read, and thousands of calls
 * take a second.
 */
export interface Wire {
  readonly fetch: Fetch;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What came over the wire for one request. */
export interface Seen {
  readonly request: SimulatedRequest;
  /** Of the body, as far as it was read. */
  readonly chunks: string[];
  /** It was read to its end. */
  whole: boolean;
}

export function createWire(
  respond: (request: SimulatedRequest) => Answer,
  see: (seen: Seen) => void,
): Wire {
  const api = createApi({ url: () => '', next: () => undefined, respond });
  return {
    fetch(url, init) {
      const request = requestOf(url, init);
      const seen: Seen = { request, chunks: [], whole: false };
      see(seen);
      return new Promise((resolve, reject) => {
        const response = createResponse(seen, init.signal ?? null, resolve, reject);
        const end: Received['end'] = (ending) => {
          if (request.ending === 'pending') request.ending = ending;
        };
        api.answer({ request, tooLarge: false, end }, response).catch(reject);
      });
    },
  };
}

function requestOf(url: string, init: RequestInit): Received['request'] {
  const headers = Object.fromEntries(init.headers as Headers);
  const rawBody = init.body as string;
  return {
    ...{ method: init.method ?? 'GET', path: new URL(url).pathname, query: '', headers, rawBody },
    body: JSON.parse(rawBody) as unknown,
    customId: null,
    retryCount: Number(headers['x-stainless-retry-count'] ?? 0),
    ...{ status: null, requestId: null, eventsSent: 0, bytesSent: 0, ending: 'pending' },
    ended: Promise.resolve(),
  };
}

/** What the handler needs of a ServerResponse, with a Response at its other end. */
function createResponse(
  seen: Seen,
  signal: AbortSignal | null,
  resolve: (response: Response) => void,
  reject: (error: Error) => void,
): ServerResponse {
  const pending: Buffer[] = [];
  const heard = new Map<string, () => void>();
  let body: ReadableStreamDefaultController<Uint8Array> | null = null;
  let wanted = false;
  let ended = false;
  let closed = false;

  function close(): void {
    if (closed) return;
    closed = true;
    signal?.removeEventListener('abort', abort);
    heard.get('close')?.();
  }

  function fail(error: Error): void {
    if (closed) return;
    if (body) body.error(error);
    else reject(error);
    close();
  }

  function abort(): void {
    fail(Object.assign(new Error('This operation was aborted'), { name: 'AbortError' }));
  }

  function lose(): void {
    const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    fail(new TypeError(body ? 'terminated' : 'fetch failed', { cause }));
  }

  function flush(): void {
    if (!body || closed || !wanted) return;
    const next = pending.shift();
    if (next) {
      wanted = false;
      seen.chunks.push(next.toString());
      body.enqueue(new Uint8Array(next));
      heard.get('drain')?.();
    } else if (ended) {
      seen.whole = true;
      body.close();
      close();
    }
  }

  signal?.addEventListener('abort', abort);
  if (signal?.aborted === true) queueMicrotask(abort);
  let opened = { status: 200, headers: {} as Record<string, string> };
  const response = {
    once: (name: string, listener: () => void) => void heard.set(name, listener),
    writeHead(status: number, headers: Record<string, string>) {
      opened = { status, headers };
    },
    flushHeaders() {
      const stream = new ReadableStream<Uint8Array>(
        {
          start(controller) {
            body = controller;
          },
          pull() {
            wanted = true;
            flush();
          },
          cancel: close,
        },
        { highWaterMark: 0 },
      );
      resolve(new Response(stream, opened));
    },
    write(bytes: Buffer) {
      pending.push(bytes);
      flush();
      return pending.length === 0;
    },
    end() {
      ended = true;
      flush();
    },
    socket: { destroySoon: lose, resetAndDestroy: lose },
    get writableFinished() {
      return ended;
    },
    get destroyed() {
      return closed;
    },
    get closed() {
      return closed;
    },
  };
  return response as unknown as ServerResponse;
}
