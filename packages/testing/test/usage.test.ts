/** Usage: counted from a request and its answer, overridden by the script, and the prompt cache. */
import Anthropic from '@anthropic-ai/sdk';
import { createSimulator, type Simulator } from '../src/index.js';
import { createPromptCache } from '../src/prompt-cache.js';
import { clientOf, collect, QUESTION, SDKS, STREAM } from './sdk.js';

let simulator: Simulator;
beforeEach(async () => (simulator = await createSimulator()));
afterEach(() => simulator.close());

const PROMPT = 'A long text that is worth keeping. '.repeat(200);
const PROMPT_TOKENS = tokensOf(PROMPT);

/** Tokens of a block of text, as the simulator counts them. */
function tokensOf(text: string): number {
  return Math.ceil(JSON.stringify({ type: 'text', text }).length / 4);
}

function kept(text: string, ttl?: '5m' | '1h') {
  const cache_control = { type: 'ephemeral' as const, ...(ttl ? { ttl } : {}) };
  return { type: 'text' as const, text, cache_control };
}

describe.each(SDKS)('SDK $version', ({ Anthropic: Sdk }) => {
  it('gets every field of usage', async () => {
    simulator.enqueue({ thinking: 'abcd'.repeat(6), content: 'abcd'.repeat(9) });
    const { usage } = await clientOf(simulator, Sdk).messages.create(QUESTION);
    expect(usage).toEqual({
      input_tokens: expect.any(Number),
      output_tokens: 15,
      output_tokens_details: { thinking_tokens: 6 },
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      server_tool_use: null,
      service_tier: 'standard',
      inference_geo: expect.any(String),
    });
  });

  it('gets in a stream first the input side, and cumulative figures at the end', async () => {
    simulator.enqueue({
      content: 'abcd'.repeat(9),
      usage: {
        cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 },
        cache_creation_input_tokens: 7,
        cache_read_input_tokens: 5,
        input_tokens: 11,
        server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
        inference_geo: 'us',
        service_tier: 'priority',
      },
    });
    const events = await collect(await clientOf(simulator, Sdk).messages.create(STREAM));
    const [start] = events;
    const delta = events.find(({ type }) => type === 'message_delta');
    expect(start?.type === 'message_start' && start.message.usage).toMatchObject({
      input_tokens: 11,
      cache_read_input_tokens: 5,
      cache_creation_input_tokens: 7,
      cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 },
      inference_geo: 'us',
      service_tier: 'priority',
      output_tokens: 1,
    });
    expect(delta?.type === 'message_delta' && delta.usage).toEqual({
      input_tokens: 11,
      cache_read_input_tokens: 5,
      cache_creation_input_tokens: 7,
      output_tokens: 9,
      server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
    });
  });

  it('gets iterations with beta calls, in a stream at its end', async () => {
    const iterations = [
      { type: 'compaction', input_tokens: 900, output_tokens: 90 },
      { type: 'advisor_message', model: 'claude-opus-5-5', input_tokens: 5, output_tokens: 6 },
      { type: 'message', input_tokens: 20, output_tokens: 2 },
    ];
    simulator.respond({ usage: { iterations } });
    const client = clientOf(simulator, Sdk);
    const message = await client.beta.messages.create(QUESTION);
    expect(message.usage.iterations).toEqual(iterations);
    const streamed = await client.beta.messages.stream(QUESTION).finalMessage();
    expect(streamed.usage.iterations).toEqual(iterations);
    const [start] = await collect(await client.beta.messages.create(STREAM));
    expect(start).not.toHaveProperty('message.usage.iterations');
  });

  it('writes a prompt once and reads it afterwards, by the lifetime asked for', async () => {
    const client = clientOf(simulator, Sdk);
    const usageOf = async (text: string, ttl?: '5m' | '1h') =>
      (await client.messages.create({ ...QUESTION, system: [kept(text, ttl)] })).usage;
    const written = await usageOf(PROMPT);
    expect(written).toMatchObject({
      cache_creation_input_tokens: PROMPT_TOKENS,
      cache_creation: { ephemeral_5m_input_tokens: PROMPT_TOKENS, ephemeral_1h_input_tokens: 0 },
      cache_read_input_tokens: 0,
    });
    expect(await usageOf(PROMPT)).toMatchObject({
      input_tokens: written.input_tokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: PROMPT_TOKENS,
    });
    expect(await usageOf(`Other. ${PROMPT}`, '1h')).toMatchObject({
      cache_creation: {
        ephemeral_5m_input_tokens: 0,
        ephemeral_1h_input_tokens: tokensOf(`Other. ${PROMPT}`),
      },
      cache_read_input_tokens: 0,
    });
  });
});

describe('figures', () => {
  const usageOf = async (params: object) =>
    (await clientOf(simulator, Anthropic).messages.create({ ...QUESTION, ...params })).usage;

  it('grow with the prompt: a token for four bytes of messages, system and tools', async () => {
    const { input_tokens: short } = await usageOf({});
    const { input_tokens: long } = await usageOf({ system: 'x'.repeat(4_000) });
    const tools = [{ name: 'x'.repeat(2_000), input_schema: { type: 'object' } }];
    const { input_tokens: tooled } = await usageOf({ tools });
    const { input_tokens: wide } = await usageOf({ system: 'é'.repeat(4_000) });
    expect(long - short).toBe(1_000);
    expect(tooled - short).toBeGreaterThan(500);
    expect(wide - short).toBe(2_000);
  });

  it('are overridden field by field', async () => {
    simulator.respond({ usage: { output_tokens: 7, speed: 'fast', extra: { a: 1 } } });
    const usage = await usageOf({});
    expect(usage).toMatchObject({ output_tokens: 7, speed: 'fast', extra: { a: 1 } });
    expect(usage.input_tokens).toBeGreaterThan(5);
  });

  it('name the speed that was asked for, and none otherwise', async () => {
    expect(await usageOf({ speed: 'fast' })).toMatchObject({ speed: 'fast' });
    expect(await usageOf({})).not.toHaveProperty('speed');
  });

  it('name the place of inference that was asked for', async () => {
    expect(await usageOf({ inference_geo: 'us' })).toMatchObject({ inference_geo: 'us' });
    expect(await usageOf({})).toMatchObject({ inference_geo: 'global' });
  });

  it('agree with those of count_tokens', async () => {
    const { model, messages } = QUESTION;
    const client = clientOf(simulator, Anthropic);
    const counted = await client.messages.countTokens({ model, messages, system: 'Be short.' });
    const { input_tokens } = await usageOf({ system: 'Be short.' });
    expect(counted).toEqual({ input_tokens });
  });
});

describe('the prompt cache', () => {
  const body = (...blocks: object[]) => ({
    model: 'claude-sonnet-5-5',
    messages: [{ role: 'user', content: blocks }],
  });

  it('forgets a prefix after its lifetime, and each read prolongs it', () => {
    let time = 0;
    const cache = createPromptCache(() => time);
    const use = (ttl: '5m' | '1h') => cache.use(body(kept(ttl + PROMPT, ttl))).read > 0;
    expect([use('5m'), use('1h')]).toEqual([false, false]);
    time += 299_999;
    expect(use('5m')).toBe(true);
    time += 299_999;
    expect(use('5m')).toBe(true);
    time += 300_000;
    expect([use('5m'), use('1h')]).toEqual([false, true]);
    time += 3_600_000;
    expect(use('1h')).toBe(false);
  });

  it('splits by lifetime what it writes, and reads up to the last mark it knows', () => {
    const cache = createPromptCache(() => 0);
    const [one, two, three] = ['one', 'and two', 'and also three'] as const;
    const first = cache.use(body(kept(one, '1h'), kept(two)));
    expect(first).toEqual({ read: 0, write1h: tokensOf(one), write5m: tokensOf(two) });
    const second = cache.use(body(kept(one, '1h'), kept(two), kept(three)));
    expect(second).toEqual({
      read: tokensOf(one) + tokensOf(two),
      write5m: tokensOf(three),
      write1h: 0,
    });
    const third = cache.use(body(kept(one, '1h'), kept('another')));
    expect(third).toEqual({ read: tokensOf(one), write5m: tokensOf('another'), write1h: 0 });
  });

  it('reads in each turn of a conversation what was written in the turn before', () => {
    const cache = createPromptCache(() => 0);
    const turn = (role: string, text: string, marked: boolean) => {
      return { role, content: [marked ? kept(text) : { type: 'text', text }] };
    };
    const ask = (...messages: object[]) => cache.use({ model: 'm', messages });
    const [first, second, third] = ['Hello', 'Hi. What is it?', 'A question'] as const;
    ask(turn('user', first, true));
    const later = [turn('assistant', second, false), turn('user', third, true)];
    expect(ask(turn('user', first, false), ...later)).toEqual({
      read: tokensOf(first),
      write5m: tokensOf(second) + tokensOf(third),
      write1h: 0,
    });
  });

  it('prolongs what it reads, though it has no mark any more', () => {
    let time = 0;
    const cache = createPromptCache(() => time);
    const first = { type: 'text', text: 'first' };
    cache.use(body(kept('first')));
    time = 200_000;
    expect(cache.use(body(first, kept('second'))).read).toBe(tokensOf('first'));
    time = 400_000;
    expect(cache.use(body(first, kept('other'))).read).toBe(tokensOf('first'));
  });

  it('takes a mark of the whole request for one of its last block', () => {
    const cache = createPromptCache(() => 0);
    const plain = { type: 'text', text: 'plain' };
    const marked = { ...body(plain), cache_control: { type: 'ephemeral', ttl: '1h' } };
    expect(cache.use(marked)).toEqual({ read: 0, write5m: 0, write1h: tokensOf('plain') });
    expect(cache.use(marked)).toEqual({ read: tokensOf('plain'), write5m: 0, write1h: 0 });
  });

  it('keeps a bounded number of prefixes: the oldest goes first', () => {
    const cache = createPromptCache(() => 0);
    for (let i = 0; i <= 10_000; i += 1) cache.use(body(kept(`prompt ${i}`)));
    expect(cache.use(body(kept('prompt 10000'))).read).toBeGreaterThan(0);
    expect(cache.use(body(kept('prompt 0'))).read).toBe(0);
  });

  it('keeps models, and what stands before a mark, apart', () => {
    const cache = createPromptCache(() => 0);
    cache.use(body(kept('same')));
    expect(cache.use({ ...body(kept('same')), model: 'claude-opus-5-5' }).read).toBe(0);
    expect(cache.use({ ...body(kept('same')), system: 'Be short.' }).read).toBe(0);
    expect(cache.use({ ...body(kept('same')), tools: [{ name: 't' }] }).read).toBe(0);
    expect(cache.use(body(kept('same'))).read).toBe(tokensOf('same'));
  });

  it('keeps nothing without a mark, and takes any body', () => {
    const cache = createPromptCache(() => 0);
    const nothing = { read: 0, write5m: 0, write1h: 0 };
    for (const value of [body({ type: 'text', text: 'a' }), null, 'text', {}, { messages: 3 }]) {
      expect(cache.use(value)).toEqual(nothing);
    }
  });
});
