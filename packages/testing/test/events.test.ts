/** The events of a stream: their order, their deltas, and how they are written. */
import { answers, createSimulator, type Simulator } from '../src/index.js';
import { clientOf, collect, SDKS, STREAM } from './sdk.js';

let simulator: Simulator;
beforeEach(async () => (simulator = await createSimulator()));
afterEach(() => simulator.close());

describe.each(SDKS)('SDK $version', ({ Anthropic: Sdk }) => {
  it('gets the events of the API in their order', async () => {
    simulator.enqueue({ thinking: 'Hm.', content: 'word '.repeat(3), chunkText: 5 });
    const stream = await clientOf(simulator, Sdk).messages.create(STREAM);
    const seen = (await collect(stream)).map((event) =>
      event.type === 'content_block_delta' ? event.delta.type : event.type,
    );
    expect(seen).toEqual([
      'message_start',
      ...['content_block_start', 'thinking_delta', 'signature_delta', 'content_block_stop'],
      ...['content_block_start', 'text_delta', 'text_delta', 'text_delta', 'content_block_stop'],
      ...['message_delta', 'message_stop'],
    ]);
  });

  it('gets deltas in which no character is cut in two', async () => {
    simulator.enqueue({ content: 'a𝒳👩‍👩‍👧𝒳', chunkText: 2 });
    const events = await collect(await clientOf(simulator, Sdk).messages.create(STREAM));
    const pieces = events.flatMap((event) =>
      event.type === 'content_block_delta' && event.delta.type === 'text_delta'
        ? [event.delta.text]
        : [],
    );
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.join('')).toBe('a𝒳👩‍👩‍👧𝒳');
    // In a Unicode expression only half of a character is a surrogate.
    expect(pieces.filter((piece) => /[\ud800-\udfff]/u.test(piece))).toEqual([]);
  });

  it('gets the input of a tool in pieces that are JSON together', async () => {
    simulator.enqueue(answers.toolUse('weather', { city: 'Paris' }, { chunkText: 4 }));
    const events = await collect(await clientOf(simulator, Sdk).messages.create(STREAM));
    const pieces = events.flatMap((event) =>
      event.type === 'content_block_delta' && event.delta.type === 'input_json_delta'
        ? [event.delta.partial_json]
        : [],
    );
    expect(pieces.length).toBeGreaterThan(3);
    expect(JSON.parse(pieces.join(''))).toEqual({ city: 'Paris' });
    const start = events.find(({ type }) => type === 'content_block_start');
    expect(start).toMatchObject({ content_block: { name: 'weather', input: {} } });
  });
});

it('separates events as the API does, with compact JSON', async () => {
  simulator.enqueue({ content: 'Hi', id: 'msg_1' });
  const response = await fetch(`${simulator.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'test' },
    body: JSON.stringify(STREAM),
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const text = await response.text();
  expect(text).toMatch(/^(event: (\w+)\ndata: \{"type":"\2".*\}\n\n)+$/);
  expect(text.match(/^event: \w+/gm)).toEqual([
    'event: message_start',
    'event: content_block_start',
    'event: ping',
    'event: content_block_delta',
    'event: content_block_stop',
    'event: message_delta',
    'event: message_stop',
  ]);
  await simulator.idle();
  expect(simulator.requests[0]).toMatchObject({
    eventsSent: 7,
    bytesSent: Buffer.byteLength(text),
    ending: 'complete',
  });
});
