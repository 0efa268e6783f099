import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkAnswer, checkFields, fail, type Answer } from './answer.js';
import { createApi } from './api.js';
import type { Bill } from './bill.js';
import { receive, type Received, type SimulatedRequest } from './request.js';

/**
 * A server on 127.0.0.1 that speaks Anthropic's Messages API: JSON and event streams, errors, token
 * counts, batches, and the Admin API's reports. The real SDK cannot tell; point its `baseURL` here.
 */
export interface Simulator {
  /** For `baseURL`: `http://127.0.0.1:41234`. */
  readonly url: string;
  /**
   * Answers to the next requests, in order: one for each HTTP request, so each attempt of a call
   * takes one. After them, what `respond` says is answered again.
   *
   * @throws TypeError for an answer with a field that does not exist or cannot be right.
   */
  enqueue(...answers: Answer[]): void;
  /** What is answered while nothing is queued. @throws TypeError as `enqueue` does. */
  respond(responder: Responder): void;
  /**
   * What the organization is billed, for the usage and cost reports of the Admin API; at the start
   * nothing. The whole bill: it takes the place of the one before.
   *
   * @throws TypeError for a line with a field that does not exist or cannot be right.
   */
  bill(bill: Bill): void;
  /** The last 10,000 requests since the start or the last `reset()`, oldest first. */
  readonly requests: readonly SimulatedRequest[];
  /** As at the start: no requests, no bill, nothing queued, the first responder, no prompts or batches. */
  reset(): void;
  /** Resolves when no request is under way any more. */
  idle(): Promise<void>;
  /** Closes the server, and what is still under way. */
  close(): Promise<void>;
}

/** One answer for all, or a function; `undefined` means the ordinary answer. */
export type Responder = Answer | ((request: SimulatedRequest) => Answer | undefined);

export interface SimulatorOptions {
  /** Default: any free one. */
  readonly port?: number | undefined;
  /** As `simulator.respond()`. */
  readonly respond?: Responder | undefined;
}

const MAX_REQUESTS = 10_000;

/**
 * @throws TypeError for an option that does not exist or cannot be right.
 *
 * @example
 * const simulator = await createSimulator();
 * const client = new Anthropic({ apiKey: 'test', baseURL: simulator.url });
 * simulator.enqueue(answers.overloaded(), answers.text('Paris'));
 * await client.messages.create({ model, max_tokens: 64, messages }); // after one retry: Paris
 * await simulator.close();
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  checkFields('createSimulator', 'options', options, {
    port: [
      'an integer from 0 to 65535',
      (port) => Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535,
    ],
    respond: ['an answer or a function', (value) => value !== null],
  });
  const requests: SimulatedRequest[] = [];
  const underWay = new Set<Received>();
  const queue: Answer[] = [];
  let answerTo = responderOf('createSimulator', options.respond ?? {});
  let url = '';
  const api = createApi({
    url: () => url,
    next: () => queue.shift(),
    respond: (request) => answerTo(request),
  });

  const server = createServer((incoming, response) => {
    void handle(incoming, response).catch(() => response.destroy());
  });

  async function handle(
    incoming: Parameters<typeof receive>[0],
    response: ServerResponse,
  ): Promise<void> {
    const received = await receive(incoming);
    requests.push(received.request);
    if (requests.length > MAX_REQUESTS) requests.shift();
    underWay.add(received);
    void received.request.ended.then(() => underWay.delete(received));
    await api.answer(received, response);
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    requests,
    bill: api.bill,
    enqueue(...answers) {
      queue.push(...answers.map((answer) => checkAnswer('enqueue', answer)));
    },
    respond(responder) {
      answerTo = responderOf('respond', responder);
    },
    reset() {
      requests.length = 0;
      queue.length = 0;
      answerTo = responderOf('reset', options.respond ?? {});
      api.reset();
    },
    async idle() {
      while (underWay.size > 0) {
        await Promise.all([...underWay].map(({ request }) => request.ended));
      }
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const received of underWay) received.end('cut');
      server.closeAllConnections();
      await closed;
    },
  };
}

function responderOf(where: string, responder: Responder): (request: SimulatedRequest) => Answer {
  if (typeof responder !== 'function') {
    const answer = checkAnswer(where, responder);
    return () => answer;
  }
  return (request) => {
    const answer: unknown = responder(request);
    if (answer instanceof Promise) fail('respond', 'the answer', 'an object, not a promise', {});
    return checkAnswer('respond', answer ?? {});
  };
}
