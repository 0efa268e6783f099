/** What a message holds, as JSON and as a stream: text, thinking, tools, citations, refusals. */
import type Anthropic from '@anthropic-ai/sdk';
import { answers, createSimulator, type Answer, type Simulator } from '../src/index.js';
import { clientOf, collect, QUESTION, SDKS, STREAM } from './sdk.js';

let simulator: Simulator;
beforeEach(async () => (simulator = await createSimulator()));
afterEach(() => simulator.close());

const CITED = {
  type: 'text',
  text: 'Paris is the capital of France.',
  citations: [
    {
      type: 'char_location',
      cited_text: 'the capital, Paris',
      document_index: 0,
      document_title: 'France',
      start_char_index: 3,
      end_char_index: 21,
      file_id: null,
    },
  ],
};
const SEARCH = [
  { type: 'server_tool_use', id: 'srvtoolu_01', name: 'web_search', input: { query: 'Paris' } },
  {
    type: 'web_search_tool_result',
    tool_use_id: 'srvtoolu_01',
    content: [
      { type: 'web_search_result', title: 'Paris', url: 'https://example.com', page_age: null },
    ],
  },
];

/** Each with the content that has to arrive, in both forms. */
const CONTENTS: readonly [
  name: string,
  answer: Answer,
  content: readonly object[],
  stop: string,
][] = [
  ['text', { content: 'Paris.' }, [{ type: 'text', text: 'Paris.' }], 'end_turn'],
  [
    'text of many alphabets, in deltas of one character',
    { content: 'Zürich 東京 👩‍👩‍👧 𝒳', chunkText: 1 },
    [{ type: 'text', text: 'Zürich 東京 👩‍👩‍👧 𝒳' }],
    'end_turn',
  ],
  ['an empty text', { content: '' }, [{ type: 'text', text: '' }], 'end_turn'],
  ['no block at all', { content: [] }, [], 'end_turn'],
  [
    'thinking, with its signature',
    { thinking: 'France, so Paris.', content: 'Paris.' },
    [
      { type: 'thinking', thinking: 'France, so Paris.', signature: expect.stringMatching(/./) },
      { type: 'text', text: 'Paris.' },
    ],
    'end_turn',
  ],
  [
    'redacted thinking',
    { content: [{ type: 'redacted_thinking', data: 'c2VjcmV0' }] },
    [{ type: 'redacted_thinking', data: 'c2VjcmV0' }],
    'end_turn',
  ],
  [
    'the use of a tool',
    answers.toolUse('weather', { city: 'Paris', days: [1, 2], more: { unit: '°C' } }),
    [
      {
        type: 'tool_use',
        id: expect.stringMatching(/^toolu_01/),
        name: 'weather',
        input: { city: 'Paris', days: [1, 2], more: { unit: '°C' } },
      },
    ],
    'tool_use',
  ],
  ['citations', { content: [CITED] }, [CITED], 'end_turn'],
  ['a tool of the server', { content: SEARCH, stopReason: 'pause_turn' }, SEARCH, 'pause_turn'],
  ['a refusal', answers.refusal('cyber'), [], 'refusal'],
  ['a stop sequence', { content: 'A', stopReason: 'stop_sequence' }, [{}], 'stop_sequence'],
];

describe.each(SDKS)('SDK $version', ({ Anthropic: Sdk }) => {
  it.each(CONTENTS)('gets %s as JSON', async (_, answer, content, stop) => {
    simulator.enqueue(answer);
    const message = await clientOf(simulator, Sdk).messages.create(QUESTION);
    expect(message.content).toMatchObject(content);
    expect(message.content).toHaveLength(content.length);
    expect(message.stop_reason).toBe(stop);
  });

  it.each(CONTENTS)('gets %s as a stream, with the same content and usage', async (_, answer) => {
    const same = { ...answer, id: 'msg_same' };
    simulator.enqueue(same, same);
    const client = clientOf(simulator, Sdk);
    const whole = await client.messages.create(QUESTION);
    const streamed = await client.messages.stream(QUESTION).finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(streamed.usage).toMatchObject({ output_tokens: whole.usage.output_tokens });
    expect(streamed.usage.input_tokens).toBeGreaterThan(0);
    const { id, model, role, stop_reason, stop_sequence } = whole;
    expect(streamed).toMatchObject({ id, model, role, stop_reason, stop_sequence });
  });

  it('gets the details of a refusal in both forms', async () => {
    const client = clientOf(simulator, Sdk);
    simulator.respond(answers.refusal('cyber'));
    const details = { type: 'refusal', category: 'cyber' };
    const message = await client.messages.create(QUESTION);
    expect(message.stop_details).toMatchObject(details);
    const streamed = await client.messages.stream(QUESTION).finalMessage();
    expect(streamed.stop_details).toMatchObject(details);
    expect(message.usage.output_tokens).toBe(0);
  });

  it('gets text as long as max_tokens allows, and is told so', async () => {
    simulator.respond({ content: 'abcd'.repeat(100) });
    const client = clientOf(simulator, Sdk);
    const short = await client.messages.create({ ...QUESTION, max_tokens: 10 });
    expect(short).toMatchObject({
      content: [{ type: 'text', text: 'abcd'.repeat(10) }],
      stop_reason: 'max_tokens',
      usage: { output_tokens: 10 },
    });
    const long = await client.messages.create({ ...QUESTION, max_tokens: 100 });
    expect(long).toMatchObject({ stop_reason: 'end_turn', usage: { output_tokens: 100 } });
  });

  it.each([
    ['東京東京', 2, '東京'],
    ['𝒳𝒳𝒳', 2, '𝒳𝒳'],
    ['a𝒳𝒳', 1, 'a'],
    ['é'.repeat(9), 3, 'é'.repeat(6)],
  ])('gets of %j no more than %i tokens, and no half character', async (content, limit, text) => {
    simulator.enqueue({ content });
    const params = { ...QUESTION, max_tokens: limit };
    const message = await clientOf(simulator, Sdk).messages.create(params);
    expect(message).toMatchObject({ content: [{ text }], stop_reason: 'max_tokens' });
    expect(message.usage.output_tokens).toBeLessThanOrEqual(limit);
  });

  it('gets stop_details with every message, null where there are none', async () => {
    const client = clientOf(simulator, Sdk);
    expect(await client.messages.create(QUESTION)).toMatchObject({ stop_details: null });
    const events = await collect(await client.messages.create(STREAM));
    expect(events[0]).toMatchObject({ message: { stop_details: null, stop_reason: null } });
    expect(events.at(-2)).toMatchObject({ delta: { stop_details: null, stop_reason: 'end_turn' } });
  });

  it('gets what the answer says: model, id, stop sequence', async () => {
    simulator.respond({
      model: 'claude-opus-5-5',
      id: 'msg_42',
      stopReason: 'stop_sequence',
      stopSequence: 'END',
    });
    const client = clientOf(simulator, Sdk);
    const said = {
      model: 'claude-opus-5-5',
      id: 'msg_42',
      stop_reason: 'stop_sequence',
      stop_sequence: 'END',
    };
    expect(await client.messages.create(QUESTION)).toMatchObject(said);
    expect(await client.messages.stream(QUESTION).finalMessage()).toMatchObject(said);
  });

  it('can run tools until the answer is there', async () => {
    simulator.enqueue(answers.toolUse('weather', { city: 'Paris' }), answers.text('Sunny.'));
    const asked: unknown[] = [];
    const runner = clientOf(simulator, Sdk).beta.messages.toolRunner({
      ...QUESTION,
      tools: [weather(asked)],
    });
    expect((await runner.runUntilDone()).content).toMatchObject([{ text: 'Sunny.' }]);
    expect(asked).toEqual([{ city: 'Paris' }]);
    expect(simulator.requests).toHaveLength(2);
  });
});

function weather(asked: unknown[]) {
  return {
    type: 'custom' as const,
    name: 'weather',
    description: 'The weather of a city',
    input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } },
    parse: (input: unknown) => input,
    run(input: unknown): string {
      asked.push(input);
      return 'sunny';
    },
  } satisfies Parameters<Anthropic['beta']['messages']['toolRunner']>[0]['tools'][number];
}
