/** The simulator itself: what it answers by default, the script, the report, its life. */
import Anthropic from '@anthropic-ai/sdk';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answers, createSimulator, type Simulator } from '../src/index.js';
import { clientOf, collect, QUESTION, SDKS, STREAM, thrownBy, until } from './sdk.js';

let simulator: Simulator;
beforeEach(async () => (simulator = await createSimulator()));
afterEach(() => simulator.close());

describe.each(SDKS)('SDK $version', ({ Anthropic: Sdk }) => {
  it('gets a short, complete message by default', async () => {
    const message = await clientOf(simulator, Sdk).messages.create(QUESTION);
    expect(message).toMatchObject({
      id: expect.stringMatching(/^msg_01[0-9A-Za-z]{22}$/),
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-5-5',
      content: [{ type: 'text', text: expect.stringMatching(/\w/) }],
      stop_reason: 'end_turn',
      stop_sequence: null,
    });
  });

  it('takes one queued answer an attempt, in order, and then the responder again', async () => {
    const client = clientOf(simulator, Sdk, { maxRetries: 2 });
    simulator.respond({ content: 'responder' });
    simulator.enqueue({ ...answers.overloaded(), headers: { 'retry-after-ms': '1' } });
    simulator.enqueue({ content: 'first' }, { content: 'second' });
    const texts: string[] = [];
    for (let call = 0; call < 3; call += 1) {
      const { content } = await client.messages.create(QUESTION);
      texts.push(content[0]?.type === 'text' ? content[0].text : '');
    }
    expect(texts).toEqual(['first', 'second', 'responder']);
    expect(simulator.requests.map(({ status }) => status)).toEqual([529, 200, 200, 200]);
    expect(simulator.requests.map(({ retryCount }) => retryCount)).toEqual([0, 1, 0, 0]);
  });

  it('reports what was sent, and what became of it', async () => {
    const client = clientOf(simulator, Sdk);
    const message = await client.messages.create(QUESTION, { headers: { 'X-Team': 'blue' } });
    await simulator.idle();
    const [request] = simulator.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/v1/messages',
      query: '',
      headers: expect.objectContaining({ 'x-team': 'blue', 'content-type': 'application/json' }),
      body: QUESTION,
      retryCount: 0,
      status: 200,
      requestId: message._request_id,
      eventsSent: 0,
      bytesSent: Buffer.byteLength(JSON.stringify(message)),
      ending: 'complete',
    });
    expect(JSON.parse(request?.rawBody ?? '')).toEqual(QUESTION);
    expect(message._request_id).toMatch(/^req_011C[0-9A-Za-z]{20}$/);
  });

  it('reports the query, and the events of a stream', async () => {
    const client = clientOf(simulator, Sdk);
    const options = { query: { trial: '7' } };
    const events = await collect(await client.messages.create(STREAM, options));
    await simulator.idle();
    const [request] = simulator.requests;
    expect(request).toMatchObject({ path: '/v1/messages', query: '?trial=7' });
    // The SDK keeps the ping to itself.
    expect(request?.eventsSent).toBe(events.length + 1);
  });

  it('answers 50 calls at once, each with its own answer', async () => {
    const client = clientOf(simulator, Sdk);
    simulator.respond(({ body }) => {
      const { messages } = body as typeof QUESTION;
      return { content: `re: ${messages[0]?.content}` };
    });
    const calls = Array.from({ length: 50 }, async (_, i) => {
      const messages = [{ role: 'user' as const, content: `question ${i}` }];
      const message =
        i % 2 === 0
          ? await client.messages.create({ ...QUESTION, messages })
          : await client.messages.stream({ ...QUESTION, messages }).finalMessage();
      expect(message.content).toMatchObject([{ type: 'text', text: `re: question ${i}` }]);
    });
    await Promise.all(calls);
    await simulator.idle();
    expect(new Set(simulator.requests.map(({ requestId }) => requestId)).size).toBe(50);
    expect(simulator.requests.every(({ ending }) => ending === 'complete')).toBe(true);
  });

  it('answers 500 that says so when the responder throws, once', async () => {
    simulator.respond(() => {
      throw new RangeError('no such fixture');
    });
    const client = clientOf(simulator, Sdk, { maxRetries: 2 });
    const error = await thrownBy(client.messages.create(QUESTION));
    expect(error).toBeInstanceOf(Sdk.InternalServerError);
    expect(String(error)).toContain('The responder threw: RangeError: no such fixture');
    expect(simulator.requests).toHaveLength(1);
  });
});

describe('a responder', () => {
  it('sees the request, and leaves the ordinary answer with undefined', async () => {
    const client = clientOf(simulator, Anthropic);
    simulator.respond(({ body }) =>
      (body as { model: string }).model === 'claude-opus-5-5' ? { content: 'Opus' } : undefined,
    );
    const opus = await client.messages.create({ ...QUESTION, model: 'claude-opus-5-5' });
    const sonnet = await client.messages.create(QUESTION);
    expect(opus.content).toMatchObject([{ text: 'Opus' }]);
    expect(sonnet.content).not.toMatchObject([{ text: 'Opus' }]);
  });

  it.each([
    ['a promise', () => Promise.resolve({}), 'not a promise'],
    ['no answer', () => 'Paris', 'answer must be an object, got \\"Paris\\"'],
    ['an unknown field', () => ({ text: 'Paris' }), 'there is no answer.text'],
  ])('that gives %s is answered 500 that says so', async (_, responder, words) => {
    simulator.respond(responder as never);
    const error = await thrownBy(clientOf(simulator, Anthropic).messages.create(QUESTION));
    expect(error).toMatchObject({ status: 500 });
    expect(String(error)).toContain(words);
  });

  it('can be given at the start, and comes back with reset()', async () => {
    const other = await createSimulator({ respond: { content: 'at the start' } });
    const client = clientOf(other, Anthropic);
    const textOf = async () => (await client.messages.create(QUESTION)).content[0];
    other.respond({ content: 'later' });
    expect(await textOf()).toMatchObject({ text: 'later' });
    other.reset();
    expect(await textOf()).toMatchObject({ text: 'at the start' });
    await other.close();
  });
});

describe('reset()', () => {
  it('forgets requests, the queue, cached prompts and batches', async () => {
    const client = clientOf(simulator, Anthropic);
    const cached = {
      ...QUESTION,
      system: [{ type: 'text' as const, text: 'x'.repeat(4_000), cache_control: EPHEMERAL }],
    };
    await client.messages.create(cached);
    const { id } = await client.messages.batches.create({
      requests: [{ custom_id: 'a', params: QUESTION }],
    });
    simulator.enqueue(answers.overloaded());
    simulator.reset();
    expect(simulator.requests).toEqual([]);
    const { usage } = await client.messages.create(cached);
    expect(usage.cache_read_input_tokens).toBe(0);
    expect(usage.cache_creation_input_tokens).toBeGreaterThan(900);
    expect(await thrownBy(client.messages.batches.retrieve(id))).toMatchObject({ status: 404 });
  });
});
const EPHEMERAL = { type: 'ephemeral' as const };

describe('idle()', () => {
  it('resolves at once when nothing is under way', async () => {
    await simulator.idle();
    expect(simulator.requests).toEqual([]);
  });

  it('waits for an answer that hangs until its client has left', async () => {
    simulator.enqueue(answers.hanging());
    const stream = await clientOf(simulator, Anthropic).messages.create(STREAM);
    let idle = false;
    const waiting = simulator.idle().then(() => (idle = true));
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    expect(idle).toBe(false);
    stream.controller.abort();
    await waiting;
    expect(simulator.requests[0]?.ending).toBe('client_closed');
  });
});

describe('close()', () => {
  it('cuts what hangs, and refuses what comes later', async () => {
    const client = clientOf(simulator, Anthropic);
    simulator.enqueue({ ...answers.hanging(), beforeHeaders: true }, answers.hanging());
    const json = thrownBy(client.messages.create(QUESTION));
    await until(() => simulator.requests.length === 1);
    const streamed = thrownBy(collect(await client.messages.create(STREAM)));
    await simulator.close();
    expect(simulator.requests.map(({ ending }) => ending)).toEqual(['cut', 'cut']);
    expect(await json).toBeInstanceOf(Anthropic.APIConnectionError);
    expect(await streamed).toMatchObject({ name: 'TypeError', message: 'terminated' });
    await simulator.idle();
    expect(await thrownBy(client.messages.create(QUESTION))).toBeInstanceOf(
      Anthropic.APIConnectionError,
    );
    await simulator.close();
  });
});

describe('createSimulator()', () => {
  it('takes a port', async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await expect(createSimulator({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => probe.close(resolve));
    const other = await createSimulator({ port });
    expect(other.url).toBe(`http://127.0.0.1:${port}`);
    await other.close();
  });

  it.each([
    [{ port: 65_536 }, 'options.port must be an integer from 0 to 65535, got 65536'],
    [{ port: '80' }, 'options.port must be an integer from 0 to 65535, got "80"'],
    [{ respond: null }, 'options.respond must be an answer or a function, got null'],
    [{ respond: { status: 0 } }, 'answer.status must be an integer from 200 to 599, got 0'],
    [{ answers: [] }, 'there is no options.answers. Fields are: port, respond'],
    [7, 'options must be an object, got 7'],
  ])('refuses %j', async (options, words) => {
    const error = await thrownBy(createSimulator(options as never));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(`[claude-metrics] createSimulator: ${words}.`);
  });
});
