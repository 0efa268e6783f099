/** Recorded responses, sent again. */
import { createSimulator, replay, type Simulator } from '../src/index.js';
import { clientOf, collect, QUESTION, SDKS, STREAM, thrownBy } from './sdk.js';

let simulator: Simulator;
beforeEach(async () => (simulator = await createSimulator()));
afterEach(() => simulator.close());

const MESSAGE = {
  id: 'msg_recorded',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-5-5',
  content: [{ type: 'text', text: 'Grüße aus Paris' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 12, output_tokens: 6, a_new_field: 1 },
};
const { content: _content, ...START } = MESSAGE;
const EVENTS = [
  { type: 'message_start', message: { ...START, content: [], stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'ping' },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Grüße aus ' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Paris' } },
  { type: 'content_block_stop', index: 0 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 6 },
  },
  { type: 'message_stop' },
];
const LINES = EVENTS.map((event) => JSON.stringify(event));

describe.each(SDKS)('SDK $version', ({ Anthropic: Sdk }) => {
  it.each([
    ['on one line', JSON.stringify(MESSAGE)],
    ['indented', JSON.stringify(MESSAGE, null, 2)],
  ])('gets a JSON body that was stored %s', async (_, recording) => {
    simulator.enqueue(replay(recording));
    const { data, response } = await clientOf(simulator, Sdk)
      .messages.create(QUESTION)
      .withResponse();
    expect(data).toEqual(MESSAGE);
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(recording)));
  });

  it.each([
    ['one event a line', LINES.join('\n')],
    ['a last line break', `${LINES.join('\n')}\n`],
    ['Windows line breaks and empty lines', LINES.join('\r\n\r\n')],
    ['data: before each event', LINES.map((line) => `data: ${line}`).join('\n')],
  ])('gets a stream that was stored with %s', async (_, recording) => {
    simulator.enqueue(replay(recording), replay(recording));
    const client = clientOf(simulator, Sdk);
    const events = await collect(await client.messages.create(STREAM));
    expect(events).toEqual(EVENTS.filter(({ type }) => type !== 'ping'));
    const message = await client.messages.stream(QUESTION).finalMessage();
    expect(message).toMatchObject({ ...MESSAGE, usage: { input_tokens: 12, output_tokens: 6 } });
    await simulator.idle();
    expect(simulator.requests[0]).toMatchObject({ eventsSent: 8, ending: 'complete' });
  });

  it('gets a recorded error, with the status of its type or the one that is said', async () => {
    const error = { type: 'overloaded_error', message: 'Overloaded' };
    const recording = JSON.stringify({ type: 'error', error, request_id: 'req_recorded' });
    simulator.enqueue(replay(recording), { ...replay(recording), status: 503 });
    for (const status of [529, 503]) {
      const thrown = await thrownBy(clientOf(simulator, Sdk).messages.create(QUESTION));
      expect(thrown).toBeInstanceOf(Sdk.InternalServerError);
      expect(thrown).toMatchObject({ status, error: { error } });
    }
  });

  it('gets a recording cut short, or with an error, as a script says', async () => {
    const client = clientOf(simulator, Sdk);
    const recorded = replay(LINES.join('\n'));
    simulator.enqueue({ ...recorded, ending: 'truncated', endAfterEvents: 4 });
    expect(await collect(await client.messages.create(STREAM))).toHaveLength(3);
    simulator.enqueue({ ...recorded, ending: 'error' });
    const stream = await client.messages.create(STREAM);
    expect(await thrownBy(collect(stream))).toBeInstanceOf(Sdk.APIError);
  });

  it('gets a malformed body as it is', async () => {
    simulator.enqueue({ body: '{"type":"message","content":' });
    const error = await thrownBy(clientOf(simulator, Sdk).messages.create(QUESTION));
    expect(error).toMatchObject({ name: 'SyntaxError' });
  });
});

it.each([undefined, 7, { type: 'message' }])('refuses %j, which is no text', (recording) => {
  expect(() => replay(recording as never)).toThrow(TypeError);
  expect(() => replay(recording as never)).toThrow('replay: the recording must be a string, got');
});

it('sends any body as a stream when a stream was asked for', async () => {
  simulator.enqueue({ body: 'no events' });
  const response = await fetch(`${simulator.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'test' },
    body: JSON.stringify(STREAM),
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect(await response.text()).toBe('no events');
});

it.each([
  ['', 'the recording is empty'],
  [' \n\n', 'the recording is empty'],
  ['Paris', 'this line is neither: "Paris"'],
  [`${LINES[0]}\n[DONE]`, 'this line is neither: "[DONE]"'],
  [`${LINES[0]}\n{"index":0}`, 'this line is neither: "{\\"index\\":0}"'],
])('refuses %j', (recording, words) => {
  expect(() => replay(recording)).toThrow(TypeError);
  expect(() => replay(recording)).toThrow(`[claude-metrics] replay: `);
  expect(() => replay(recording)).toThrow(words);
});
