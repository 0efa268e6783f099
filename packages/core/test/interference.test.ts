import { createSimulator, type Simulator } from '@claude-metrics/testing';
import { getEventListeners } from 'node:events';
import { createMonitor, type Monitor } from '../src/monitor.js';
import { until } from './capture/run.js';
import { QUESTION, SDKS, type Client } from './capture/sdk.js';

/** What the SDK's own tests would not notice: traces on the caller's objects, lost backpressure. */
const STREAM = { ...QUESTION, stream: true } as const;

describe.each(SDKS)('an observed client of @anthropic-ai/sdk $version', ({ Anthropic }) => {
  let simulator: Simulator;
  let monitor: Monitor;
  let bare: Client;
  let observed: Client;

  beforeEach(async () => {
    simulator = await createSimulator();
    monitor = createMonitor({ log: false });
    const options = { apiKey: 'sk-ant-test', baseURL: simulator.url };
    bare = new Anthropic(options);
    observed = monitor.observe(new Anthropic(options));
  });
  afterEach(async () => {
    await monitor.close();
    await simulator.close();
  });

  it('has the same type, the same properties and one middleware more', () => {
    expect(observed).toBeInstanceOf(Anthropic);
    expect(Reflect.ownKeys(observed)).toEqual(Reflect.ownKeys(bare));
    expect(Object.getPrototypeOf(observed)).toBe(Object.getPrototypeOf(bare));
    expect(observed.middleware).toHaveLength(1);
    expect(Object.keys(observed.messages)).toEqual(Object.keys(bare.messages));
  });

  it('gives promises and streams of the SDK’s own classes', async () => {
    const look = async (client: Client) => {
      const promise = client.messages.create(STREAM);
      const { data, response } = await promise.withResponse();
      const body = response.body!;
      const seen = [
        promise.constructor.name,
        data.constructor.name,
        response.constructor === Response,
        body.constructor === ReadableStream,
        [response.type, response.redirected, response.url, response.statusText],
        Object.keys(response),
        Object.keys(body),
        [...response.headers.keys()].sort(),
      ];
      data.controller.abort();
      return seen;
    };
    expect(await look(observed)).toEqual(await look(bare));
  });

  it('leaves no listener on the caller’s signal', async () => {
    const listeners = async (client: Client) => {
      const { signal } = new AbortController();
      await client.messages.create(QUESTION, { signal });
      for await (const _ of await client.messages.create(STREAM, { signal }));
      for await (const _ of await client.messages.create(STREAM, { signal })) break;
      return getEventListeners(signal, 'abort').length;
    };
    expect(await listeners(observed)).toBe(await listeners(bare));
  });

  it('sends what a bare one sends, and changes none of the caller’s objects', async () => {
    const request = { ...QUESTION, metadata: { user_id: 'u' } };
    const options = { headers: { 'x-own': '1' }, maxRetries: 1 };
    const before = JSON.stringify([request, options]);
    for (const client of [bare, observed]) await client.messages.create(request, options);
    expect(JSON.stringify([request, options])).toBe(before);
    const [first, second] = simulator.requests;
    expect(second?.rawBody).toBe(first?.rawBody);
    expect(second?.headers).toEqual(first?.headers);
  });

  it('pulls no more of a stream than a bare one while the caller pauses', async () => {
    const large = { content: 'x'.repeat(8_000_000), chunkText: 20_000 };
    const pulled = async (client: Client) => {
      simulator.enqueue(large);
      const stream = await client.messages.create({ ...STREAM, max_tokens: 4_000_000 });
      const iterator = stream[Symbol.asyncIterator]();
      await iterator.next();
      await iterator.next();
      const request = simulator.requests.at(-1)!;
      // Until the server has been waiting for the client for a while.
      for (let sent = -1, still = 0; still < 200; still += 1) {
        if (request.bytesSent !== sent) still = 0;
        sent = request.bytesSent;
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { bytesSent } = request;
      await iterator.return?.();
      await simulator.idle();
      return bytesSent;
    };
    const usual = await pulled(bare);
    // Not nothing, and by far not all.
    expect(usual).toBeGreaterThan(20_000);
    expect(usual).toBeLessThan(7_000_000);
    // Buffers of the sockets differ a little from run to run.
    expect(await pulled(observed)).toBeLessThan(usual + 1_000_000);
  });

  it('closes the connection of a stream that is left early', async () => {
    for (const client of [bare, observed]) {
      simulator.enqueue({ content: 'word '.repeat(50), ending: 'hang', endAfterEvents: 9 });
      for await (const event of await client.messages.create(STREAM)) {
        if (event.type === 'content_block_delta') break;
      }
    }
    await simulator.idle();
    expect(simulator.requests.map(({ ending }) => ending)).toEqual([
      'client_closed',
      'client_closed',
    ]);
    await until(() => monitor.health().ok);
  });
});
