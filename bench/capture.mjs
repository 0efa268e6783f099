// One variant of one scenario in a fresh process: prints CPU and allocation per call.
import { Writable } from 'node:stream';
import Anthropic from '@anthropic-ai/sdk';
import { createMonitor, jsonLines } from '@claude-metrics/core';

const [scenario, variant, calls] = process.argv.slice(2);
const CALLS = Number(calls);
const WARM_UP = Math.ceil(CALLS / 2);

const usage = {
  input_tokens: 1200,
  output_tokens: 350,
  cache_creation_input_tokens: 100,
  cache_read_input_tokens: 4000,
  cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 0 },
  server_tool_use: null,
  service_tier: 'standard',
  inference_geo: 'global',
};
const message = {
  id: 'msg_01',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-5-5',
  content: [{ type: 'text', text: 'A plain answer of some length. '.repeat(40) }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage,
};
const json = JSON.stringify(message);
const headers = {
  'request-id': 'req_011CSHoEeqs5C35K2UUqR7Fy',
  'anthropic-ratelimit-requests-limit': '4000',
  'anthropic-ratelimit-requests-remaining': '3999',
  'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:00Z',
  'anthropic-ratelimit-input-tokens-limit': '400000',
  'anthropic-ratelimit-input-tokens-remaining': '399000',
  'anthropic-ratelimit-input-tokens-reset': '2026-01-01T00:00:00Z',
};

const encoder = new TextEncoder();
const event = (data) => encoder.encode(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);

function events(deltas) {
  return [
    event({ type: 'message_start', message: { ...message, content: [], stop_reason: null } }),
    event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    ...Array.from({ length: deltas }, () =>
      event({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'text_delta', text: ' some more words' },
      }),
    ),
    event({ type: 'content_block_stop', index: 0 }),
    event({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn' },
      usage: { output_tokens: 9 },
    }),
    event({ type: 'message_stop' }),
  ];
}

const deltas = scenario.startsWith('stream-') ? Number(scenario.slice(7)) : 0;
const chunks = events(deltas);

const fetch = () => {
  if (!deltas) {
    const type = { 'content-type': 'application/json' };
    return Promise.resolve(new Response(json, { headers: { ...headers, ...type } }));
  }
  let next = 0;
  const body = new ReadableStream(
    {
      pull(controller) {
        if (next < chunks.length) controller.enqueue(chunks[next++]);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const type = { 'content-type': 'text/event-stream' };
  return Promise.resolve(new Response(body, { headers: { ...headers, ...type } }));
};

const client = new Anthropic({ apiKey: 'none', fetch, maxRetries: 2 });
const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
let monitor;
// What the SDK itself takes for having a middleware.
if (variant === 'middleware') client.middleware = [(r, next) => next(r)];
if (variant === 'observed') (monitor = createMonitor({ log: false })).observe(client);
if (variant === 'auto') monitor = createMonitor({ log: false, instrument: true });
if (variant === 'logged') {
  monitor = createMonitor({ log: false, sinks: [jsonLines({ stream: nowhere })] });
  monitor.observe(client);
}

const request = {
  model: 'claude-sonnet-5-5',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Say something plain. '.repeat(20) }],
};

async function call() {
  if (!deltas) return client.messages.create(request);
  for await (const _ of await client.messages.create({ ...request, stream: true }));
}

async function calls_(count) {
  for (let i = 0; i < count; i += 1) await call();
}

await calls_(WARM_UP);
const cpu = await measuredCpu();
const heapBytes = await measuredHeap();
if (monitor) {
  const { totals } = await monitor.snapshot();
  const expected = WARM_UP + CALLS + heapCalls();
  if (totals.calls !== expected) throw new Error(`recorded ${totals.calls} of ${expected} calls`);
}
await monitor?.close();
console.log(JSON.stringify({ cpuMicros: cpu, heapBytes }));

async function measuredCpu() {
  globalThis.gc();
  const before = process.cpuUsage();
  await calls_(CALLS);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CALLS;
}

/** So few calls that the young generation holds them all: what is used then is what was allocated. */
async function measuredHeap() {
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  await calls_(heapCalls());
  return (process.memoryUsage().heapUsed - before) / heapCalls();
}

function heapCalls() {
  return deltas === 0 ? 1_500 : deltas > 100 ? 50 : 300;
}
