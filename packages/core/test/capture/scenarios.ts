import { answers, createSimulator, type Answer, type Simulator } from '@claude-metrics/testing';
import type { CallRecord } from '../../src/record.js';
import { QUESTION, type Client, type ClientOptions, type Sdk } from './sdk.js';

/**
 * Every way a call can end, as an application would bring it about, with the one record it has to
 * leave. Each is run bare and observed, and both have to look alike to the application and to the
 * server.
 */
export interface Scenario {
  readonly name: string;
  /** One for each HTTP request, in order. */
  readonly script?: readonly Answer[];
  readonly client?: ClientOptions;
  /** What the application does; what it resolves with is what it saw. */
  run(parts: { client: Client; simulator: Simulator; Anthropic: Sdk }): Promise<unknown>;
  readonly record: Expected;
  /** Default 1. */
  readonly records?: number;
  /** Without knowing `maxRetries` the end is only certain when no retry came. */
  readonly late?: boolean;
  /** How much of a cut stream reaches the client is up to TCP. */
  readonly tcpDecides?: boolean;
}

export interface Expected extends Partial<
  Pick<CallRecord, 'outcome' | 'status' | 'stream' | 'operation' | 'priceStatus' | 'stopReason'>
> {
  readonly outcome: CallRecord['outcome'];
  /** Status of each attempt. */
  readonly attempts: readonly (number | null)[];
  readonly errorKind?: string | null;
}

const STREAM = { ...QUESTION, stream: true } as const;
/** Long enough that a client can leave in the middle. */
const LONG: Answer = { content: 'word '.repeat(400), chunkText: 5 };
/** Sends a few events, and then nothing: whoever waits for more waits for ever. */
const STALLED: Answer = { ...LONG, ending: 'hang', endAfterEvents: 8 };
const SOON = { 'retry-after-ms': '1' };
const busy = (answer: Answer): Answer => ({ ...answer, headers: { ...answer.headers, ...SOON } });

async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

const ok = { outcome: 'ok', attempts: [200], priceStatus: 'priced', errorKind: null } as const;

export const COMPLETE: readonly Scenario[] = [
  {
    name: 'create()',
    run: ({ client }) => client.messages.create(QUESTION),
    record: { ...ok, stream: false, stopReason: 'end_turn' },
  },
  {
    name: 'a stream read to its end',
    run: async ({ client }) => collect(await client.messages.create(STREAM)),
    record: { ...ok, stream: true, stopReason: 'end_turn' },
  },
  {
    name: 'a break after message_stop',
    run: async ({ client }) => {
      for await (const event of await client.messages.create(STREAM)) {
        if (event.type === 'message_stop') break;
      }
    },
    record: { ...ok, stream: true },
  },
  {
    name: 'a stream that comes in one piece',
    client: { fetch: () => Promise.resolve(inOnePiece()) },
    run: async ({ client }) => collect(await client.messages.create(STREAM)),
    record: { ...ok, stream: true, stopReason: 'end_turn' },
  },
  {
    name: 'a stream that comes in one piece, and a break at its last event',
    client: { fetch: () => Promise.resolve(inOnePiece()) },
    run: async ({ client }) => {
      for await (const event of await client.messages.create(STREAM)) {
        if (event.type === 'message_stop') break;
      }
    },
    record: { ...ok, stream: true, stopReason: 'end_turn' },
  },
  {
    name: 'the helper stream()',
    run: ({ client }) => client.messages.stream(QUESTION).finalMessage(),
    record: { ...ok, stream: true },
  },
  {
    name: "the helper stream()'s events",
    run: async ({ client }) => {
      const texts: string[] = [];
      const stream = client.messages.stream(QUESTION).on('text', (text) => texts.push(text));
      await stream.done();
      return texts;
    },
    record: { ...ok, stream: true },
  },
  {
    name: 'withResponse()',
    run: async ({ client }) => {
      const { data, response } = await client.messages.create(QUESTION).withResponse();
      return [data, response.status, response.url, response.bodyUsed, [...response.headers.keys()]];
    },
    record: { ...ok, stream: false },
  },
  {
    name: 'withResponse() of a stream',
    run: async ({ client }) => {
      const { data, response } = await client.messages.create(STREAM).withResponse();
      return [response.status, response.bodyUsed, await collect(data), response.bodyUsed];
    },
    record: { ...ok, stream: true },
  },
  {
    name: 'asResponse(), read as text',
    run: async ({ client }) => {
      const response = await client.messages.create(QUESTION).asResponse();
      const text = await response.text();
      const again = await response.text().catch((error: Error) => error.message);
      return [response.ok, JSON.parse(text), again];
    },
    record: { ...ok, stream: false },
  },
  {
    name: 'asResponse(), read as bytes',
    run: async ({ client }) => {
      const response = await client.messages.create(QUESTION).asResponse();
      return JSON.parse(Buffer.from(await response.arrayBuffer()).toString());
    },
    record: { ...ok, stream: false },
  },
  {
    name: 'asResponse(), a clone of it read first',
    run: async ({ client }) => {
      const response = await client.messages.create(QUESTION).asResponse();
      const clone = (await response.clone().json()) as unknown;
      return [clone, await response.json()];
    },
    record: { ...ok, stream: false },
  },
  {
    name: 'asResponse() of a stream, read with a reader',
    run: async ({ client }) => {
      const response = await client.messages.create(STREAM).asResponse();
      const reader = response.body!.getReader();
      const parts: Uint8Array[] = [];
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        parts.push(next.value);
      }
      return [response.body!.locked, Buffer.concat(parts).toString()];
    },
    record: { ...ok, stream: true },
  },
  {
    name: "a stream's tee()",
    run: async ({ client }) => {
      const [left, right] = (await client.messages.create(STREAM)).tee();
      return Promise.all([collect(left), collect(right)]);
    },
    record: { ...ok, stream: true },
  },
  {
    name: "a stream's toReadableStream()",
    run: async ({ client }) => {
      const stream = (await client.messages.create(STREAM)).toReadableStream();
      return Buffer.concat(
        (await collect(stream as AsyncIterable<unknown>)) as Uint8Array[],
      ).toString();
    },
    record: { ...ok, stream: true },
  },
  {
    name: 'parse()',
    run: ({ client }) => client.messages.parse(QUESTION),
    record: { ...ok, stream: false },
  },
  {
    name: 'beta.messages',
    run: ({ client }) => client.beta.messages.create(QUESTION),
    record: { ...ok, stream: false },
  },
  {
    name: "beta.messages' stream()",
    run: ({ client }) => client.beta.messages.stream(QUESTION).finalMessage(),
    record: { ...ok, stream: true },
  },
  {
    name: 'a raw post()',
    run: ({ client }) => client.post('/v1/messages', { body: QUESTION }),
    record: { ...ok, stream: false },
  },
  {
    name: 'countTokens()',
    run: ({ client }) => {
      const { model, messages } = QUESTION;
      return client.messages.countTokens({ model, messages });
    },
    record: { ...ok, operation: 'count_tokens', priceStatus: 'free' },
  },
  {
    name: 'a withOptions() clone',
    run: ({ client }) => client.withOptions({ maxRetries: 0 }).messages.create(QUESTION),
    record: { ...ok, stream: false },
  },
  {
    name: 'options of one request',
    run: ({ client }) =>
      client.messages.create(QUESTION, { maxRetries: 5, headers: { 'x-trace': '1' } }),
    record: { ...ok, stream: false },
  },
  {
    name: 'a refusal before any output',
    script: [answers.refusal('cyber')],
    run: ({ client }) => client.messages.create(QUESTION),
    record: {
      outcome: 'refused',
      attempts: [200],
      priceStatus: 'free',
      errorKind: 'content_filter',
      stopReason: 'refusal',
    },
  },
  {
    name: 'a refusal in the middle of an answer',
    script: [{ content: 'I was going to say', stopReason: 'refusal' }],
    run: async ({ client }) => collect(await client.messages.create(STREAM)),
    record: {
      outcome: 'refused',
      attempts: [200],
      priceStatus: 'priced',
      errorKind: 'content_filter',
    },
  },
  {
    name: 'thinking and a tool',
    script: [{ ...answers.toolUse('weather', { city: 'Paris' }), thinking: 'Which city is it?' }],
    run: ({ client }) => client.messages.stream(QUESTION).finalMessage(),
    record: { ...ok, stream: true, stopReason: 'tool_use' },
  },
  {
    name: '50 calls in parallel',
    run: ({ client }) =>
      Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          if (i % 2 === 0) return client.messages.create(QUESTION);
          return collect(await client.messages.create(STREAM));
        }),
      ),
    record: { ...ok },
    records: 50,
  },
];

export const LEFT: readonly Scenario[] = [
  {
    name: 'a break in the middle of a stream',
    script: [STALLED],
    run: async ({ client }) => {
      for await (const event of await client.messages.create(STREAM)) {
        if (event.type === 'content_block_delta') break;
      }
    },
    record: { outcome: 'cancelled', attempts: [200], priceStatus: 'estimated', errorKind: null },
  },
  {
    name: 'a break of the helper stream()',
    script: [STALLED],
    run: async ({ client }) => {
      for await (const event of client.messages.stream(QUESTION)) {
        if (event.type === 'content_block_delta') break;
      }
    },
    record: { outcome: 'aborted', attempts: [200], priceStatus: 'estimated', errorKind: null },
  },
  {
    name: 'an abort in the middle of a stream',
    script: [STALLED],
    run: async ({ client }) => {
      const { signal, abort } = abortable();
      const types: string[] = [];
      for await (const event of await client.messages.create(STREAM, { signal })) {
        types.push(event.type);
        if (event.type === 'content_block_delta') abort();
      }
      return types.slice(0, 3);
    },
    record: { outcome: 'aborted', attempts: [200], priceStatus: 'estimated', errorKind: null },
  },
  {
    name: "a stream's own controller.abort()",
    script: [STALLED],
    run: async ({ client }) => {
      const stream = await client.messages.create(STREAM);
      for await (const event of stream) {
        if (event.type === 'content_block_delta') stream.controller.abort();
      }
    },
    record: { outcome: 'aborted', attempts: [200], priceStatus: 'estimated', errorKind: null },
  },
  {
    name: "the helper stream()'s abort()",
    script: [STALLED],
    run: async ({ client }) => {
      const stream = client.messages.stream(QUESTION);
      stream.on('text', () => stream.abort());
      return stream.finalMessage();
    },
    record: { outcome: 'aborted', attempts: [200], priceStatus: 'estimated', errorKind: null },
  },
  {
    name: 'a reader that is cancelled',
    script: [STALLED],
    run: async ({ client }) => {
      const response = await client.messages.create(STREAM).asResponse();
      const reader = response.body!.getReader();
      await reader.read();
      await reader.cancel();
    },
    record: { outcome: 'cancelled', attempts: [200], priceStatus: 'estimated', errorKind: null },
  },
  {
    name: 'a body that is cancelled unread',
    script: [STALLED],
    run: async ({ client }) => {
      const response = await client.messages.create(STREAM).asResponse();
      await response.body!.cancel();
      return response.bodyUsed;
    },
    record: { outcome: 'cancelled', attempts: [200], priceStatus: 'unpriced', errorKind: null },
  },
  {
    name: 'an abort before the answer',
    script: [{ ending: 'hang', beforeHeaders: true }],
    run: async ({ client, simulator }) => {
      const { signal, abort } = abortable();
      const promise = client.messages.create(QUESTION, { signal });
      promise.catch(() => {});
      await until(() => simulator.requests.length === 1);
      abort();
      return promise;
    },
    record: { outcome: 'aborted', attempts: [null], priceStatus: 'unpriced', errorKind: null },
  },
  {
    name: 'an abort while the body of an answer arrives',
    script: [{ ending: 'hang' }],
    run: async ({ client }) => {
      const { signal, abort } = abortable();
      const response = await client.messages.create(QUESTION, { signal }).asResponse();
      const text = response.text();
      abort();
      return text;
    },
    record: { outcome: 'aborted', attempts: [200], priceStatus: 'unpriced', errorKind: null },
  },
];

export const FAILED: readonly Scenario[] = [
  {
    name: 'an error in the middle of a stream',
    script: [{ ...answers.streamError('overloaded_error'), endAfterEvents: 4 }],
    run: async ({ client }) => collect(await client.messages.create(STREAM)),
    record: {
      outcome: 'error',
      attempts: [200],
      priceStatus: 'estimated',
      errorKind: 'overloaded',
      status: 200,
    },
  },
  {
    name: 'an error in the middle of the helper stream()',
    script: [{ ...answers.streamError('api_error'), endAfterEvents: 4 }],
    run: ({ client }) => client.messages.stream(QUESTION).finalMessage(),
    record: { outcome: 'error', attempts: [200], errorKind: 'server_error' },
  },
  {
    name: 'a stream without its last events',
    script: [{ ...LONG, ending: 'truncated', endAfterEvents: 20 }],
    run: async ({ client }) => collect(await client.messages.create(STREAM)),
    record: {
      outcome: 'truncated',
      attempts: [200],
      priceStatus: 'estimated',
      errorKind: 'connection',
    },
  },
  {
    name: 'a helper stream() without its last events',
    script: [{ ...LONG, ending: 'truncated', endAfterEvents: 20 }],
    run: ({ client }) => client.messages.stream(QUESTION).finalMessage(),
    record: { outcome: 'truncated', attempts: [200], errorKind: 'connection' },
  },
  {
    name: 'a connection that is reset in the middle of a stream',
    script: [{ ...LONG, ending: 'reset', endAfterEvents: 10, timing: { betweenMs: 2 } }],
    run: async ({ client }) => {
      for await (const _ of await client.messages.create(STREAM));
    },
    record: { outcome: 'error', attempts: [200], errorKind: 'connection' },
    tcpDecides: true,
  },
  {
    name: 'a JSON body that is cut',
    script: [{ ending: 'truncated' }],
    run: ({ client }) => client.messages.create(QUESTION),
    record: { outcome: 'error', attempts: [200], priceStatus: 'unpriced' },
  },
  {
    name: 'a body that is no JSON',
    script: [{ body: '{"id": "msg_1", "usage": ' }],
    run: ({ client }) => client.messages.create(QUESTION),
    record: { outcome: 'error', attempts: [200], errorKind: 'malformed_response' },
  },
  {
    name: "a proxy's page instead of an answer",
    script: [{ body: '<html>Welcome</html>', headers: { 'content-type': 'text/html' } }],
    run: ({ client }) => client.messages.create(QUESTION),
    record: { outcome: 'error', attempts: [200], errorKind: 'malformed_response' },
  },
  {
    name: '429, and then an answer',
    script: [busy(answers.rateLimited({ retryAfter: null }))],
    run: ({ client }) => client.messages.create(QUESTION),
    record: { ...ok, attempts: [429, 200] },
  },
  {
    name: '529 and 500, and then a stream',
    script: [busy(answers.overloaded()), busy(answers.serverError())],
    run: async ({ client }) => collect(await client.messages.create(STREAM)),
    record: { ...ok, attempts: [529, 500, 200], stream: true },
  },
  {
    name: '529 three times',
    script: [busy(answers.overloaded()), busy(answers.overloaded()), busy(answers.overloaded())],
    run: ({ client }) => client.messages.create(QUESTION),
    record: {
      outcome: 'error',
      attempts: [529, 529, 529],
      errorKind: 'overloaded',
      priceStatus: 'free',
      status: 529,
    },
  },
  {
    name: 'maxRetries: 0',
    script: [answers.rateLimited()],
    client: { maxRetries: 0 },
    run: ({ client }) => client.messages.create(QUESTION),
    record: { outcome: 'error', attempts: [429], errorKind: 'rate_limit', priceStatus: 'free' },
  },
  {
    name: 'x-should-retry: false',
    script: [{ ...answers.overloaded(), headers: { 'x-should-retry': 'false' } }],
    run: ({ client }) => client.messages.create(QUESTION),
    record: { outcome: 'error', attempts: [529], errorKind: 'overloaded' },
  },
  {
    name: 'x-should-retry: true',
    script: [busy({ ...answers.badRequest(), headers: { 'x-should-retry': 'true' } })],
    run: ({ client }) => client.messages.create(QUESTION),
    record: { ...ok, attempts: [400, 200] },
  },
  {
    name: "an organisation's spend limit",
    script: [answers.spendLimited()],
    client: { maxRetries: 0 },
    run: ({ client }) => client.messages.create(QUESTION),
    record: { outcome: 'error', attempts: [429], errorKind: 'spend_limit' },
  },
  {
    name: 'a prompt that is too long',
    script: [answers.promptTooLong()],
    run: ({ client }) => client.messages.create(QUESTION),
    record: { outcome: 'error', attempts: [400], errorKind: 'context_too_long' },
  },
  {
    name: 'an error answer to a stream',
    script: [answers.unauthorized()],
    run: ({ client }) => client.messages.create(STREAM),
    record: { outcome: 'error', attempts: [401], errorKind: 'auth_error' },
  },
  {
    name: 'an error answer, asked for asResponse()',
    script: [answers.notFound()],
    run: ({ client }) => client.messages.create(QUESTION).asResponse(),
    record: { outcome: 'error', attempts: [404], errorKind: 'not_found' },
  },
  {
    name: 'a connection that is reset before the answer, and then an answer',
    script: [{ ending: 'reset', beforeHeaders: true }],
    run: ({ client }) => client.messages.create(QUESTION),
    record: { ...ok, attempts: [null, 200], priceStatus: 'estimated' },
  },
  {
    name: 'a connection that is reset before the answer, for good',
    script: [{ ending: 'reset', beforeHeaders: true }],
    client: { maxRetries: 0 },
    run: ({ client }) => client.messages.create(QUESTION),
    record: { outcome: 'error', attempts: [null], errorKind: 'connection' },
    late: true,
  },
  {
    name: 'a refused connection',
    client: { maxRetries: 0 },
    run: async ({ client }) =>
      client.withOptions({ baseURL: await closedAddress() }).messages.create(QUESTION),
    record: {
      outcome: 'error',
      attempts: [null],
      errorKind: 'connection',
      status: null,
      priceStatus: 'free',
    },
    late: true,
  },
  {
    name: 'a timeout',
    script: [{ ending: 'hang', beforeHeaders: true }],
    run: ({ client }) => client.messages.create(QUESTION, { timeout: 50, maxRetries: 0 }),
    record: {
      outcome: 'error',
      attempts: [null],
      errorKind: 'timeout',
      priceStatus: 'unpriced',
    },
  },
  {
    name: 'a fetch of your own that throws, and then an answer',
    client: { fetch: throwingOnce() },
    run: ({ client }) => client.messages.create(QUESTION),
    record: { ...ok, attempts: [null, 200], priceStatus: 'estimated' },
  },
];

/** As a proxy that gathers what it passes on would send it. */
function inOnePiece(): Response {
  const usage = { input_tokens: 9, output_tokens: 1 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', content: [], usage };
  const text = { type: 'text_delta', text: 'Paris' };
  const events = [
    { type: 'message_start', message: { ...message, model: QUESTION.model } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: text },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
    { type: 'message_stop' },
  ];
  const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  return new Response(body.join(''), { headers: { 'content-type': 'text/event-stream' } });
}

async function closedAddress(): Promise<string> {
  const simulator = await createSimulator();
  await simulator.close();
  return simulator.url;
}

function throwingOnce(): NonNullable<ClientOptions['fetch']> {
  let calls = 0;
  return (...args) => {
    calls += 1;
    // Scenarios run once bare and once observed, each with two requests.
    if (calls % 2 === 1) return Promise.reject(new Error('socket hang up'));
    return fetch(...args);
  };
}

function abortable(): { readonly signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

/** Looks again after every turn of the event loop. */
export async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}
