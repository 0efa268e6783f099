import type { ServerResponse } from 'node:http';
import { isObject, type Answer } from './answer.js';
import { createBatches } from './batches.js';
import type { Bill } from './bill.js';
import { createBillDesk } from './bill-desk.js';
import { errorBody, refusalOf, refuse, statusOfType } from './errors.js';
import { encodeEvent, eventsOf } from './events.js';
import { headersOf } from './headers.js';
import { makeRequestId } from './ids.js';
import { messageOf } from './message.js';
import { modelList } from './models.js';
import { createPromptCache } from './prompt-cache.js';
import type { Received, SimulatedRequest } from './request.js';
import { send, type Sendable } from './send.js';
import { promptTokens } from './usage.js';

/** The endpoints: which answer a request gets, and in which form. */
export interface Api {
  answer(received: Received, response: ServerResponse): Promise<void>;
  /** What the Admin API reports. */
  bill(bill: Bill): void;
  reset(): void;
}

export interface ApiOptions {
  url(): string;
  /** The next queued answer. */
  next(): Answer | undefined;
  respond(request: SimulatedRequest): Answer;
}

/** How a route answers well: what it makes of an answer whose status is below 400. */
interface Route {
  readonly required: readonly string[];
  /** Takes a queued answer, if there is one. */
  readonly scripted: boolean;
  readonly refused?: Answer;
  answer(request: SimulatedRequest, answer: Answer): Content;
}

interface Content {
  readonly json?: object;
  readonly lines?: string;
  readonly events?: Iterable<string>;
}

const DEFAULT_CHUNK = 20;

export function createApi(options: ApiOptions): Api {
  const cache = createPromptCache(Date.now);
  const desk = createBillDesk();
  const batches = createBatches(({ custom_id, params }) => {
    const rawBody = JSON.stringify(params) ?? '';
    const request = { ...ITEM, rawBody, body: params ?? null, customId: String(custom_id) };
    const refused = refusalOf(KEY, rawBody, params, messages.required);
    const answer = refused ?? guarded(() => options.respond(request));
    const message = messageOf(params, answer, cache);
    return { answer, message: { ...message, usage: { ...message.usage, service_tier: 'batch' } } };
  });
  let minute = 0;
  let requestsOfMinute = 0;

  const messages: Route = {
    required: ['model', 'max_tokens', 'messages'],
    scripted: true,
    answer({ body }, answer) {
      const message = messageOf(body, answer, cache);
      if (!streams(body)) return { json: message };
      return { events: encoded(eventsOf(message, answer.chunkText ?? DEFAULT_CHUNK)) };
    },
  };
  const countTokens: Route = {
    required: ['model', 'messages'],
    scripted: true,
    answer: ({ body }, { usage }) => ({
      json: { input_tokens: usage?.input_tokens ?? promptTokens(body) },
    }),
  };
  const createBatch: Route = {
    required: ['requests'],
    scripted: true,
    answer: ({ body }) => ({ json: batches.create(body, options.url()) }),
  };

  function routeOf(request: SimulatedRequest): Route | null {
    const { method, path } = request;
    if (method === 'POST' && path === '/v1/messages') return messages;
    if (method === 'POST' && path === '/v1/messages/count_tokens') return countTokens;
    if (method === 'POST' && path === '/v1/messages/batches') return createBatch;
    const report = desk.answer(request);
    if (report) return { required: [], scripted: false, answer: () => report, ...report };
    const found = contentAt(method, path);
    return found && { required: [], scripted: false, answer: () => found };
  }

  /** What is only read. */
  function contentAt(method: string, path: string): Content | null {
    if (method === 'GET' && path === '/v1/models') return { json: modelList() };
    const model = /^\/v1\/models\/([^/]+)$/.exec(path)?.[1];
    const known = modelList().data.find(({ id }) => id === model);
    if (method === 'GET' && known) return { json: known };
    if (method === 'GET' && path === '/v1/messages/batches') return { json: batches.list() };
    const [, id = '', verb] = /^\/v1\/messages\/batches\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    if (method === 'GET' && verb === 'results') {
      const lines = batches.results(id);
      return lines === null ? null : { lines };
    }
    let json: object | null = null;
    if (method === 'GET' && verb === undefined) json = batches.get(id);
    else if (method === 'POST' && verb === 'cancel') json = batches.cancel(id);
    else if (method === 'DELETE' && verb === undefined) json = batches.remove(id);
    return json && { json };
  }

  function answerFor(received: Received, route: Route | null): Answer {
    const { request, tooLarge } = received;
    const { headers, rawBody, body } = request;
    if (tooLarge) return refuse(413, 'Request exceeds the maximum size');
    if (!route) return refuse(404, 'Not Found');
    if (route.refused) return route.refused;
    const refused = refusalOf(
      headers,
      route.scripted ? rawBody : '{}',
      route.scripted ? body : {},
      route.required,
    );
    if (refused) return refused;
    if (!route.scripted) return {};
    const answer = options.next() ?? guarded(() => options.respond(request));
    if (answer.ending !== 'error' || answer.body !== undefined || streams(body)) return answer;
    return { ...answer, status: statusOfType(answer.error?.type), ending: 'complete' };
  }

  function prepare(received: Received, route: Route | null, answer: Answer): Sendable {
    const { request } = received;
    const requestId = makeRequestId();
    request.requestId = requestId;
    const content = contentOf(request, route, answer, requestId);
    const { type, body, events } = content;
    const headers: Record<string, string> = {
      ...headersOf(requestId, { requests: used() }, Date.now()),
      'content-type': type,
      ...(body === undefined ? { 'cache-control': 'no-cache' } : {}),
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    };
    for (const [name, value] of Object.entries(answer.headers ?? {})) {
      if (value === '') delete headers[name.toLowerCase()];
      else headers[name.toLowerCase()] = value;
    }
    const status = answer.status ?? 200;
    return {
      status,
      headers,
      ...(events ? { events } : {}),
      ...(body === undefined ? {} : { body }),
    };
  }

  function used(): number {
    const now = Math.floor(Date.now() / 60_000);
    if (now !== minute) requestsOfMinute = 0;
    minute = now;
    return (requestsOfMinute += 1);
  }

  return {
    answer(received, response) {
      const route = routeOf(received.request);
      const answer = answerFor(received, route);
      return send(response, received, answer, () => prepare(received, route, answer));
    },
    bill: desk.set,
    reset() {
      cache.clear();
      batches.clear();
      desk.set({});
    },
  };
}

/** Requests of a batch came with the batch's own key. */
const KEY = { 'x-api-key': 'of the batch' };

/** What a request of a batch looks like to a responder. */
const ITEM: SimulatedRequest = {
  method: 'POST',
  path: '/v1/messages',
  query: '',
  headers: {},
  rawBody: '',
  body: null,
  customId: null,
  retryCount: 0,
  status: null,
  requestId: null,
  eventsSent: 0,
  bytesSent: 0,
  ending: 'complete',
  ended: Promise.resolve(),
};

/** A responder that throws is answered as a failure of the server that says so. */
function guarded(respond: () => Answer): Answer {
  try {
    return respond();
  } catch (error) {
    const headers = { 'x-should-retry': 'false' };
    return { ...refuse(500, `The responder threw: ${String(error)}`), headers };
  }
}

function contentOf(
  request: SimulatedRequest,
  route: Route | null,
  answer: Answer,
  requestId: string,
): { type: string; body?: string; events?: Iterable<string> } {
  if (answer.body !== undefined) {
    const streamed = (answer.status ?? 200) < 400 && streams(request.body);
    if (!streamed && !/^(event|data):/.test(answer.body)) {
      return { type: JSON_TYPE, body: answer.body };
    }
    return { type: STREAM_TYPE, events: answer.body.split(/(?<=\n\n)/) };
  }
  if ((answer.status ?? 200) >= 400 || !route) {
    return { type: JSON_TYPE, body: errorBody(answer, requestId) };
  }
  const { json, lines, events } = route.answer(request, answer);
  if (events) return { type: STREAM_TYPE, events };
  if (lines !== undefined) return { type: 'application/x-jsonl', body: lines };
  return { type: JSON_TYPE, body: JSON.stringify(json) };
}

const JSON_TYPE = 'application/json';
const STREAM_TYPE = 'text/event-stream; charset=utf-8';

function streams(body: unknown): boolean {
  return isObject(body) && body['stream'] === true;
}

function* encoded(events: ReturnType<typeof eventsOf>): Generator<string> {
  for (const event of events) yield encodeEvent(event);
}
