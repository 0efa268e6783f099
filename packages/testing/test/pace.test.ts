/** The pace of an answer: pauses, a client that does not read, connections that stay open. */
import Anthropic from '@anthropic-ai/sdk';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { createSimulator, type Simulator } from '../src/index.js';
import { clientOf, collect, QUESTION, STREAM, thrownBy, until } from './sdk.js';

let simulator: Simulator;
beforeEach(async () => (simulator = await createSimulator()));
afterEach(() => simulator.close());

const last = () => simulator.requests.at(-1);

function post(body: string): string {
  const head = 'POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nx-api-key: test\r\n';
  return `${head}content-length: ${body.length}\r\n\r\n${body}`;
}

describe('a client that does not read', () => {
  it('makes the simulator wait, until it reads on or leaves', async () => {
    simulator.enqueue({ content: 'x'.repeat(40_000_000), chunkText: 100_000 });
    const body = JSON.stringify({ ...STREAM, max_tokens: 100_000_000 });
    const socket = connect(Number(new URL(simulator.url).port), '127.0.0.1');
    socket.pause();
    socket.write(post(body));
    const stalledAt = await standstill(() => last()?.bytesSent ?? 0);
    expect(stalledAt).toBeGreaterThan(100_000);
    expect(stalledAt).toBeLessThan(30_000_000);
    socket.resume();
    await until(() => (last()?.bytesSent ?? 0) > stalledAt);
    socket.destroy();
    await simulator.idle();
    expect(last()).toMatchObject({ ending: 'client_closed' });
    expect(last()?.bytesSent).toBeLessThan(40_000_000);
  });
});

/** The first value that stays the same over many turns of the event loop. */
async function standstill(read: () => number): Promise<number> {
  let value = read();
  for (let same = 0; same < 2_000; same += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (value === 0 || read() !== value) same = 0;
    value = read();
  }
  return value;
}

it.each([
  ['reset', {}, 'ECONNRESET'],
  ['reset', { beforeHeaders: true }, 'ECONNRESET'],
  ['truncated', {}, 'end'],
] as const)('ends %s %j on the wire with %s', async (ending, more, how) => {
  simulator.enqueue({ ending, ...more });
  const socket = connect(Number(new URL(simulator.url).port), '127.0.0.1').resume();
  const ended = new Promise((resolve) => {
    socket.once('end', () => resolve('end'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  const body = JSON.stringify(QUESTION);
  socket.write(post(body));
  expect(await ended).toBe(how);
  socket.destroy();
});

describe('timing', () => {
  it('holds the headers back while a client waits', async () => {
    simulator.enqueue({ timing: { headersMs: 60_000 } });
    const abort = new AbortController();
    const options = { signal: abort.signal };
    const call = clientOf(simulator, Anthropic).messages.create(QUESTION, options);
    const error = thrownBy(call);
    await until(() => simulator.requests.length === 1);
    expect(last()).toMatchObject({ status: null, requestId: null, ending: 'pending' });
    abort.abort();
    expect(await error).toBeInstanceOf(Anthropic.APIUserAbortError);
    await simulator.idle();
    expect(last()).toMatchObject({ status: null, ending: 'client_closed' });
  });

  it('holds the first event back after the headers', async () => {
    simulator.enqueue({ timing: { firstEventMs: 60_000 } });
    const stream = await clientOf(simulator, Anthropic).messages.create(STREAM);
    expect(last()).toMatchObject({ status: 200, eventsSent: 0, ending: 'pending' });
    stream.controller.abort();
    await simulator.idle();
    expect(last()).toMatchObject({ eventsSent: 0, ending: 'client_closed' });
  });

  it('holds each further event back after the first', async () => {
    simulator.enqueue({ timing: { betweenMs: 60_000 } });
    for await (const { type } of await clientOf(simulator, Anthropic).messages.create(STREAM)) {
      expect(type).toBe('message_start');
      break;
    }
    await simulator.idle();
    expect(last()).toMatchObject({ eventsSent: 1, ending: 'client_closed' });
  });

  it('ends by itself, and takes at least as long as it says', async () => {
    simulator.enqueue({ timing: { headersMs: 20, firstEventMs: 20, betweenMs: 5 } });
    const start = performance.now();
    await collect(await clientOf(simulator, Anthropic).messages.create(STREAM));
    // Timers may fire a millisecond early; nine events have eight pauses between them.
    expect(performance.now() - start).toBeGreaterThan(60);
    await simulator.idle();
    expect(last()).toMatchObject({ eventsSent: 9, ending: 'complete' });
  });
});

it('keeps a connection open from one answer to the next', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  for (let call = 0; call < 3; call += 1) {
    await new Promise<void>((resolve, reject) => {
      const headers = { 'x-api-key': 'test' };
      get(`${simulator.url}/v1/models`, { agent, headers }, (response) => {
        ports.add(response.socket.localPort);
        response.resume().once('end', resolve);
      }).once('error', reject);
    });
    await new Promise((resolve) => setImmediate(resolve));
  }
  agent.destroy();
  expect(ports.size).toBe(1);
});
