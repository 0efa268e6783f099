import type { ServerResponse } from 'node:http';
import type { Answer, Ending } from './answer.js';
import { errorEvent } from './errors.js';
import { encodeEvent } from './events.js';
import type { Received } from './request.js';

/**
 * Sends one answer, as slowly and as far as its script says, and reports what was handed to the
 * connection. It stops as soon as the client has left, and waits when the client does not read.
 */
export interface Sendable {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Events of a stream, encoded; else there is a body. */
  readonly events?: Iterable<string>;
  readonly body?: string;
}

/** The events that a stream lacks when it ends early, unless the script says how many it has. */
const LAST_EVENTS = 2;

export async function send(
  response: ServerResponse,
  received: Received,
  answer: Answer,
  prepare: () => Sendable,
): Promise<void> {
  const { request } = received;
  const { ending = 'complete', timing = {} } = answer;
  const left = new Promise<void>((resolve) => {
    response.once('close', () => {
      received.end(response.writableFinished ? 'complete' : 'client_closed');
      resolve();
    });
  });
  const pause = (ms: number | undefined) => sleep(ms, left);
  const gone = () => response.destroyed || response.closed;

  await pause(timing.headersMs);
  if (gone()) return;
  if (answer.beforeHeaders === true) return finish(ending);
  const { status, headers, events, body = '' } = prepare();
  request.status = status;
  response.writeHead(status, headers);
  response.flushHeaders();
  if (events) await sendEvents(events);
  else await sendBody(Buffer.from(body));

  async function sendEvents(all: Iterable<string>): Promise<void> {
    const list = ending === 'complete' ? all : early([...all]);
    await pause(timing.firstEventMs);
    let first = true;
    for (const event of list) {
      if (!first) await pause(timing.betweenMs);
      first = false;
      if (gone()) return;
      request.eventsSent += 1;
      await write(Buffer.from(event));
    }
    if (ending === 'error' && !gone()) {
      const event = errorEvent(answer, request.requestId ?? '') as { type: string };
      request.eventsSent += 1;
      await write(Buffer.from(encodeEvent(event)));
    }
    if (!gone()) await finish(ending);
  }

  function early(events: string[]): string[] {
    return events.slice(0, answer.endAfterEvents ?? Math.max(0, events.length - LAST_EVENTS));
  }

  async function sendBody(bytes: Buffer): Promise<void> {
    if (ending === 'complete') {
      await write(bytes);
    } else {
      const part = answer.endAfterEvents === 0 ? 0 : Math.floor(bytes.length / 2);
      if (part > 0) await write(bytes.subarray(0, part));
    }
    if (!gone()) await finish(ending === 'truncated' ? 'short' : ending);
  }

  /** Waits until the connection takes more, and lets a client that has seen enough leave. */
  async function write(bytes: Buffer): Promise<void> {
    request.bytesSent += bytes.length;
    if (!response.write(bytes)) {
      await Promise.race([new Promise((resolve) => response.once('drain', resolve)), left]);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** `short`: fewer bytes than were announced. */
  async function finish(how: Ending | 'short'): Promise<void> {
    if (how === 'hang') return left;
    if (how === 'reset' || how === 'short') {
      // What was written before has to reach the client first.
      await new Promise((resolve) => setTimeout(resolve, 5));
      received.end('cut');
      if (how === 'short') response.socket?.destroySoon();
      else response.socket?.resetAndDestroy();
    } else {
      if (how !== 'complete') received.end('cut');
      response.end();
    }
    return left;
  }
}

function sleep(ms: number | undefined, left: Promise<void>): Promise<void> {
  if (ms === undefined || ms === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void left.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
