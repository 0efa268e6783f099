import type { IncomingMessage } from 'node:http';

/** What one request was, and what became of it. Live: it changes while the answer is sent. */
export interface SimulatedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: string;
  /** Parsed JSON; `null` where it is none. */
  readonly body: unknown;
  /** Of a request in a batch, for a responder; otherwise `null`. */
  readonly customId: string | null;
  /** The SDK's own count: 0 for the first attempt of a call. */
  readonly retryCount: number;
  /** `null` until the headers of the answer are sent. */
  readonly status: number | null;
  readonly requestId: string | null;
  /** Events of a stream that were handed to the connection. */
  readonly eventsSent: number;
  /** Bytes of the body that were handed to the connection. */
  readonly bytesSent: number;
  /** `client_closed`: the client left before the end. `cut`: the script ended the answer early. */
  readonly ending: 'pending' | 'complete' | 'client_closed' | 'cut';
  /** Resolves when `ending` is `pending` no longer. */
  readonly ended: Promise<void>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface Received {
  readonly request: Mutable<SimulatedRequest>;
  /** Its body is larger than the API takes, and was not kept. */
  readonly tooLarge: boolean;
  /** The first ending counts. */
  end(ending: Exclude<SimulatedRequest['ending'], 'pending'>): void;
}

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Reads a request to its end. */
export async function receive(incoming: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  const rawBody = Buffer.concat(chunks).toString();
  const [path = '', ...query] = (incoming.url ?? '/').split(/(?=\?)/);
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
  );
  let resolve: () => void = () => {};
  const ended = new Promise<void>((done) => (resolve = done));
  const request: Mutable<SimulatedRequest> = {
    method: incoming.method ?? 'GET',
    path,
    query: query.join(''),
    customId: null,
    headers,
    rawBody,
    body: parsed(rawBody),
    retryCount: Number(headers['x-stainless-retry-count'] ?? 0),
    status: null,
    requestId: null,
    eventsSent: 0,
    bytesSent: 0,
    ending: 'pending',
    ended,
  };
  return {
    request,
    tooLarge: size > MAX_BODY_BYTES,
    end(ending) {
      if (request.ending === 'pending') request.ending = ending;
      resolve();
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
