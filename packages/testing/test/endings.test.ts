/** How answers end early: cut streams and bodies, silence, clients that leave. */
import Anthropic from '@anthropic-ai/sdk';
import { answers, createSimulator, type Answer, type Simulator } from '../src/index.js';
import { clientOf, collect, QUESTION, SDKS, STREAM, thrownBy } from './sdk.js';

let simulator: Simulator;
beforeEach(async () => (simulator = await createSimulator()));
afterEach(() => simulator.close());

/** Ten events of text, in all sixteen: start, block, ping, ten deltas, stop, delta, stop. */
const TEN: Answer = { content: '0123456789', chunkText: 1 };
const ENDLESS: Answer = { content: 'x'.repeat(200_000), chunkText: 1 };
const PLENTY = { ...STREAM, max_tokens: 100_000 };

const last = () => simulator.requests.at(-1);

describe.each(SDKS)('SDK $version', ({ Anthropic: Sdk }) => {
  it('sees an error in the middle of a stream, with status 200 and no retry', async () => {
    const client = clientOf(simulator, Sdk, { maxRetries: 2 });
    simulator.enqueue(answers.streamError('overloaded_error', TEN));
    const seen: string[] = [];
    const error = await thrownBy(
      (async () => {
        for await (const { type } of await client.messages.create(STREAM)) seen.push(type);
      })(),
    );
    expect(error).toBeInstanceOf(Sdk.APIError);
    expect(error).toMatchObject({
      status: undefined,
      error: {
        type: 'error',
        error: { type: 'overloaded_error', message: 'Overloaded' },
        request_id: last()?.requestId,
      },
    });
    expect(seen.filter((type) => type === 'content_block_delta')).toHaveLength(10);
    expect(seen).not.toContain('message_delta');
    await simulator.idle();
    expect(simulator.requests).toHaveLength(1);
    expect(last()).toMatchObject({ status: 200, eventsSent: 15 });
  });

  it('sees an error in the middle as a status, where there is no stream', async () => {
    const client = clientOf(simulator, Sdk);
    simulator.enqueue(answers.streamError(), answers.streamError('api_error'));
    const overloaded = await thrownBy(client.messages.create(QUESTION));
    expect(overloaded).toMatchObject({ status: 529, error: { error: { message: 'Overloaded' } } });
    expect(await thrownBy(client.messages.create(QUESTION))).toMatchObject({ status: 500 });
    await simulator.idle();
    expect(simulator.requests.map(({ ending }) => ending)).toEqual(['complete', 'complete']);
  });

  it('sees the code of an error in the middle of a stream', async () => {
    simulator.enqueue({
      ending: 'error',
      error: { type: 'overloaded_error', message: 'Later', code: 'compaction_unavailable' },
    });
    const stream = await clientOf(simulator, Sdk).messages.create(STREAM);
    expect(await thrownBy(collect(stream))).toMatchObject({
      error: { error: { message: 'Later', details: { error_code: 'compaction_unavailable' } } },
    });
  });

  it('sees a truncated stream end in silence, and its helper throw', async () => {
    const client = clientOf(simulator, Sdk);
    simulator.respond(answers.truncated(TEN));
    const events = await collect(await client.messages.create(STREAM));
    expect(events.at(-1)?.type).toBe('content_block_stop');
    await simulator.idle();
    expect(last()).toMatchObject({ eventsSent: 14, ending: 'cut' });
    const error = await thrownBy(client.messages.stream(QUESTION).finalMessage());
    expect(error).toBeInstanceOf(Sdk.AnthropicError);
    expect(String(error)).toMatch(/stream ended/);
  });

  it('sees a stream torn down', async () => {
    simulator.enqueue(answers.reset({ ...TEN, endAfterEvents: 3 }));
    const stream = await clientOf(simulator, Sdk).messages.create(STREAM);
    expect(await thrownBy(collect(stream))).toMatchObject({
      name: 'TypeError',
      message: 'terminated',
    });
    await simulator.idle();
    expect(last()).toMatchObject({ status: 200, eventsSent: 3, ending: 'cut' });
  });

  it.each([
    ['JSON', QUESTION],
    ['a stream', STREAM],
  ])('retries when the connection is torn down before the headers of %s', async (_, params) => {
    const client = clientOf(simulator, Sdk, { maxRetries: 1 });
    simulator.enqueue({ ...answers.reset(), beforeHeaders: true });
    await client.messages.create(params);
    await simulator.idle();
    expect(simulator.requests).toMatchObject([
      { status: null, requestId: null, bytesSent: 0, ending: 'cut' },
      { status: 200, ending: 'complete' },
    ]);
  });

  it.each([['truncated'], ['reset']] as const)('sees half of a JSON body, %s', async (ending) => {
    simulator.enqueue({ content: 'x'.repeat(400), id: 'msg_1', ending });
    const error = await thrownBy(clientOf(simulator, Sdk).messages.create(QUESTION));
    expect(error).toMatchObject({ name: 'TypeError', message: 'terminated' });
    await simulator.idle();
    expect(last()).toMatchObject({ status: 200, ending: 'cut' });
    expect(last()?.bytesSent).toBeGreaterThan(300);
    expect(last()?.bytesSent).toBeLessThan(800);
  });

  it('times out while nothing comes before the headers', async () => {
    simulator.enqueue({ ...answers.hanging(), beforeHeaders: true });
    const client = clientOf(simulator, Sdk, { timeout: 50 });
    const error = await thrownBy(client.messages.create(QUESTION));
    expect(error).toBeInstanceOf(Sdk.APIConnectionTimeoutError);
    await simulator.idle();
    expect(last()).toMatchObject({ status: null, ending: 'client_closed' });
  });

  it('can leave a stream that hangs', async () => {
    simulator.enqueue(answers.hanging({ ...TEN, endAfterEvents: 5 }));
    const stream = await clientOf(simulator, Sdk).messages.create(STREAM);
    let seen = 0;
    // The ping does not count.
    for await (const _ of stream) if ((seen += 1) === 4) break;
    await simulator.idle();
    expect(last()).toMatchObject({ eventsSent: 5, ending: 'client_closed' });
  });

  it('stops a stream within a few events by a break', async () => {
    simulator.enqueue(ENDLESS);
    for await (const { type } of await clientOf(simulator, Sdk).messages.create(PLENTY)) {
      if (type === 'content_block_delta') break;
    }
    await simulator.idle();
    expect(last()?.ending).toBe('client_closed');
    expect(last()?.eventsSent).toBeGreaterThanOrEqual(4);
    expect(last()?.eventsSent).toBeLessThan(100);
  });

  it('stops a stream by an abort', async () => {
    const abort = new AbortController();
    simulator.enqueue(answers.hanging({ ...TEN, endAfterEvents: 4 }));
    const options = { signal: abort.signal };
    const stream = await clientOf(simulator, Sdk).messages.create(STREAM, options);
    for await (const { type } of stream) if (type === 'content_block_delta') abort.abort();
    await simulator.idle();
    expect(last()).toMatchObject({ eventsSent: 4, ending: 'client_closed' });
  });
});

describe('endAfterEvents', () => {
  it('of 0 ends right after the headers', async () => {
    simulator.enqueue(answers.truncated({ endAfterEvents: 0 }));
    const stream = await clientOf(simulator, Anthropic).messages.create(STREAM);
    expect(await collect(stream)).toEqual([]);
    expect(last()).toMatchObject({ status: 200, eventsSent: 0, bytesSent: 0, ending: 'cut' });
  });

  it('of 0 ends a JSON answer before the first byte of its body', async () => {
    simulator.enqueue(answers.reset({ endAfterEvents: 0 }));
    const error = await thrownBy(clientOf(simulator, Anthropic).messages.create(QUESTION));
    expect(String(error)).toContain('terminated');
    expect(last()).toMatchObject({ status: 200, bytesSent: 0, ending: 'cut' });
  });

  it('beyond the last event sends them all', async () => {
    simulator.enqueue(answers.truncated({ ...TEN, endAfterEvents: 100 }));
    const events = await collect(await clientOf(simulator, Anthropic).messages.create(STREAM));
    expect(events.at(-1)?.type).toBe('message_stop');
    await simulator.idle();
    expect(last()).toMatchObject({ eventsSent: 16, ending: 'cut' });
  });
});
