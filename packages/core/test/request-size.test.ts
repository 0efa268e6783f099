import type Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import { jsonBytes } from '../src/json-bytes.js';
import { requestSizeOf, type UnboundedPart } from '../src/request-size.js';

type Body = Anthropic.Beta.Messages.MessageCreateParamsNonStreaming;
type Block = Anthropic.Beta.Messages.BetaContentBlockParam;
type Tool = Anthropic.Beta.Messages.BetaToolUnion;

const empty = requestSizeOf({});
const one = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] });
const textOf = (body: unknown) => requestSizeOf(body).textBytes;
const unboundedOf = (body: unknown) => requestSizeOf(body).unbounded;
const fixedOf = (body: unknown) => requestSizeOf(body).fixedTokens;

describe('text', () => {
  it('is counted in bytes of UTF-8, wherever the model reads it', () => {
    const body = {
      model: 'claude-opus-5-5',
      max_tokens: 100,
      system: [{ type: 'text', text: 'Grüezi' }],
      messages: [
        { role: 'user', content: '日本' },
        { role: 'assistant', content: [{ type: 'text', text: '😀' }] },
      ],
    };
    expect(requestSizeOf(body)).toEqual({
      ...empty,
      textBytes: 7 + 6 + 4,
      fixedTokens: 64 + 2 * 16 + 2 * 16,
      maxTokens: 100,
    });
    expect(textOf({ system: 'Grüezi' })).toBe(7);
  });

  it('of half a character is that of the sign that takes its place', () => {
    expect(textOf({ system: '\ud83d' })).toBe(3);
  });

  it('of results, documents and search results is found however deep', () => {
    const text = { type: 'text', text: 'x'.repeat(1_000) };
    const document = { type: 'document', source: { type: 'content', content: [text] } };
    const plain = { type: 'document', source: { type: 'text', data: 'x'.repeat(1_000) } };
    const search = { type: 'search_result', source: 's', title: 't', content: [text] };
    const result = { type: 'tool_result', tool_use_id: 'a', content: [text, document, search] };
    expect(textOf(one(result, plain))).toBeGreaterThan(4_000);
    expect(textOf(one(result, plain))).toBeLessThan(4_200);
  });

  it('of a cited document counts twice: it is cut into marked sentences', () => {
    const source = { type: 'text', data: 'x'.repeat(1_000) };
    const cited = { type: 'document', source, citations: { enabled: true } };
    expect(textOf(one(cited))).toBeGreaterThan(2_000);
    expect(textOf(one({ ...cited, citations: { enabled: false } }))).toBeLessThan(1_100);
  });

  it('of a tool counts again where a tool is brought in by name', () => {
    const tools = [{ name: 'a', description: 'x'.repeat(1_000), input_schema: {} }];
    const reference = { type: 'tool_reference', tool_name: 'a' };
    const addition = { type: 'tool_addition', tool: { type: 'tool_reference', name: 'a' } };
    const once = textOf({ tools, ...one('') });
    expect(textOf({ tools, ...one(reference) }) - once).toBeGreaterThan(1_000);
    expect(textOf({ tools, ...one(addition) }) - once).toBeGreaterThan(1_000);
  });

  it('that the model does not read is not counted', () => {
    const ignored = { model: 'm', metadata: { user_id: 'u' }, stop_sequences: ['x'], stream: true };
    expect(requestSizeOf({ ...ignored, temperature: 1, top_k: 5 })).toEqual(empty);
  });
});

/** A value as it may stand in a schema, in the input of a tool, or in a block of tomorrow. */
const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });
const half = fc.string({
  unit: fc.constantFrom('\ud83d', '\ude00', '"', '\\', '\n', '\u0001', 'a'),
});
const number = fc.oneof(fc.nat(1e8), fc.double({ noNaN: true }), fc.constant(-1e300));

it('data counts at least as much as its JSON', () => {
  const property = fc.property(
    fc.oneof(json, half, fc.array(half), fc.array(number), fc.object()),
    (value) => {
      let text: string | undefined;
      try {
        text = JSON.stringify(value);
      } catch {
        return; // Nor can it be sent.
      }
      if (text === undefined) return;
      const least = Buffer.byteLength(text);
      const use = { type: 'tool_use', id: 'a', name: 'b', input: value };
      expect(textOf({ tool_choice: value ?? 0 })).toBeGreaterThanOrEqual(least);
      expect(textOf(one(use)) + 4).toBeGreaterThanOrEqual(least);
      expect(textOf(one({ type: 'of tomorrow', value }))).toBeGreaterThanOrEqual(least - 4);
      expect(textOf({ tools: [{ name: 'a', input_schema: value }] })).toBeGreaterThanOrEqual(least);
    },
  );
  fc.assert(property, { numRuns: 500 });
});

it('a string counts as much as its JSON, to the byte', () => {
  const property = fc.property(fc.oneof(half, fc.string({ unit: 'binary' })), (text) => {
    expect(jsonBytes(text)).toBe(Buffer.byteLength(JSON.stringify(text)));
  });
  fc.assert(property, { numRuns: 500 });
});

it('a date is sent as text, and counted as such', () => {
  const input = { at: new Date('2026-11-23T12:00:00Z') };
  const same = { at: '2026-11-23T12:00:00.000Z' };
  const of = (value: object) => textOf(one({ type: 'tool_use', id: '', name: '', input: value }));
  expect(of(input) - of(same)).toBe(2);
  expect(unboundedOf(one({ type: 'tool_use', input }))).toEqual([]);
});

describe('images and files', () => {
  const data = 'A'.repeat(100_000);
  const base64 = { type: 'base64', media_type: 'image/png', data };

  it('an image costs by its pixels, of which there is a limit, and not by its bytes', () => {
    const image = requestSizeOf(one({ type: 'image', source: base64 }));
    expect(image.textBytes).toBe(0);
    expect(image.fixedTokens).toBe(fixedOf(one({ type: 'text', text: '' })) + 4_784);
    expect(image.fillsWindow).toBe(false);
  });

  it('counts every image, those in results and documents too', () => {
    const image = { type: 'image', source: base64 };
    const body = one(
      image,
      { type: 'tool_result', tool_use_id: '', content: [image, image] },
      { type: 'document', source: { type: 'content', content: [image] } },
    );
    expect(Math.floor(fixedOf(body) / 4_784)).toBe(4);
  });

  it('a PDF is bounded by the window only', () => {
    const pdf = { type: 'document', source: { ...base64, media_type: 'application/pdf' } };
    expect(requestSizeOf(one(pdf))).toMatchObject({ fillsWindow: true, unbounded: [] });
    const fetched = { type: 'web_fetch_result', url: 'u', content: pdf };
    const result = { type: 'web_fetch_tool_result', tool_use_id: 'a', content: fetched };
    expect(requestSizeOf(one(result)).fillsWindow).toBe(true);
  });
});

describe('cache_control', () => {
  const short = { type: 'ephemeral' };
  const long = { type: 'ephemeral', ttl: '1h' };
  const text = { type: 'text', text: 'a' };

  it.each([
    ['the request', { cache_control: short }],
    ['the system prompt', { system: [{ ...text, cache_control: short }] }],
    ['a tool', { tools: [{ name: 'a', input_schema: {}, cache_control: short }] }],
    ['a block', one({ ...text, cache_control: short })],
    [
      'the content of a result',
      one({ type: 'tool_result', content: [{ ...text, cache_control: short }] }),
    ],
    [
      'a block of tomorrow',
      one({ type: 'of tomorrow', cache_control: { type: 'ephemeral', ttl: '5m' } }),
    ],
  ])('is found on %s', (_, body) => {
    expect(requestSizeOf(body).cacheTtl).toBe('5m');
  });

  it('of an hour is the dearest, in any order, and so is one that is not known yet', () => {
    const of = (...each: unknown[]) =>
      requestSizeOf(one(...each.map((cache) => ({ ...text, cache_control: cache })))).cacheTtl;
    expect(of(short, long)).toBe('1h');
    expect(of(long, short)).toBe('1h');
    expect(of({ type: 'ephemeral', ttl: '1d' })).toBe('1h');
    expect(of(null)).toBeNull();
  });
});

it('reads what decides the price', () => {
  const body = {
    max_tokens: 8,
    speed: 'fast',
    inference_geo: 'eu',
    service_tier: 'priority',
    thinking: { type: 'enabled', budget_tokens: 2_000 },
  };
  expect(requestSizeOf(body)).toEqual({
    ...empty,
    ...{ maxTokens: 8, fast: true, geo: 'eu', priority: true, thinkingTokens: 2_000 },
  });
  expect(requestSizeOf({ speed: 'standard', service_tier: 'auto' })).toEqual(empty);
  expect(requestSizeOf({ thinking: { type: 'adaptive', budget_tokens: 9 } })).toEqual(empty);
});

it.each([undefined, null, -1, 1.5, NaN, Infinity, '100', 2 ** 60])(
  'takes %p for no max_tokens',
  (value) => expect(requestSizeOf({ max_tokens: value }).maxTokens).toBeNull(),
);

/** Of each field of the SDK's type: what makes a request with it unbounded. */
const fields: Record<keyof Body, { value: unknown; parts: UnboundedPart[] }> = {
  max_tokens: { value: 1, parts: [] },
  messages: { value: [], parts: [] },
  model: { value: 'm', parts: [] },
  billing_policy: { value: { type: 'billing_policy', bill_to: 'self' }, parts: [] },
  cache_control: { value: { type: 'ephemeral' }, parts: [] },
  compaction: { value: { type: 'summarize' }, parts: ['compaction'] },
  container: { value: { id: 'c', skills: [{ skill_id: 's' }] }, parts: ['container', 'skills'] },
  context_management: { value: { edits: [{ type: 'compact_20260112' }] }, parts: ['compaction'] },
  diagnostics: { value: { previous_message_id: null }, parts: [] },
  fallback_credit_token: { value: 'token', parts: [] },
  fallbacks: { value: 'default', parts: ['fallbacks'] },
  inference_geo: { value: 'us', parts: [] },
  mcp_servers: { value: [{ type: 'url', name: 'n', url: 'u' }], parts: ['mcp'] },
  metadata: { value: { user_id: 'u' }, parts: [] },
  output_config: { value: { effort: 'low' }, parts: [] },
  output_format: { value: { type: 'json_schema', schema: {} }, parts: [] },
  service_tier: { value: 'auto', parts: [] },
  speed: { value: 'fast', parts: [] },
  stop_sequences: { value: ['x'], parts: [] },
  stream: { value: false, parts: [] },
  system: { value: 's', parts: [] },
  thinking: { value: { type: 'adaptive' }, parts: [] },
  thread: { value: { type: 'continue', previous_message_id: 'm' }, parts: ['thread'] },
  tool_choice: { value: { type: 'any' }, parts: [] },
  tools: { value: [], parts: [] },
  betas: { value: ['b'], parts: [] },
  user_profile_id: { value: 'u', parts: [] },
  workspace_id: { value: 'w', parts: [] },
};

/** Of each tool of the SDK's type. */
const tools: Record<NonNullable<Tool['type']>, UnboundedPart[]> = {
  custom: [],
  bash_20241022: [],
  bash_20250124: [],
  browser_toolset_20260801: [],
  computer_20241022: [],
  computer_20250124: [],
  computer_20251124: [],
  computer_toolset_20260801: [],
  memory_20250818: [],
  text_editor_20241022: [],
  text_editor_20250124: [],
  text_editor_20250429: [],
  text_editor_20250728: [],
  advisor_20260301: ['advisor'],
  mcp_toolset: ['mcp'],
  code_execution_20250522: ['server_tool'],
  code_execution_20250825: ['server_tool'],
  code_execution_20260120: ['server_tool'],
  code_execution_20260521: ['server_tool'],
  tool_search_tool_bm25: ['server_tool'],
  tool_search_tool_bm25_20251119: ['server_tool'],
  tool_search_tool_regex: ['server_tool'],
  tool_search_tool_regex_20251119: ['server_tool'],
  web_fetch_20250910: ['server_tool'],
  web_fetch_20260209: ['server_tool'],
  web_fetch_20260309: ['server_tool'],
  web_fetch_20260318: ['server_tool'],
  web_search_20250305: ['server_tool'],
  web_search_20260209: ['server_tool'],
  web_search_20260318: ['server_tool'],
};

/** Of each content block of the SDK's type. */
const blocks: Record<Block['type'], UnboundedPart[]> = {
  text: [],
  image: [],
  document: [],
  search_result: [],
  thinking: [],
  redacted_thinking: [],
  tool_use: [],
  tool_result: [],
  server_tool_use: [],
  web_search_tool_result: [],
  web_fetch_tool_result: [],
  advisor_tool_result: [],
  code_execution_tool_result: [],
  bash_code_execution_tool_result: [],
  text_editor_code_execution_tool_result: [],
  tool_search_tool_result: [],
  mcp_tool_use: [],
  mcp_tool_result: [],
  container_upload: ['container'],
  compaction: [],
  tool_addition: [],
  tool_removal: [],
  mcp_tool_listing: [],
  fallback: [],
};

describe('a request', () => {
  it.each(Object.entries(fields))('with the field %s is bounded or not', (name, each) => {
    expect(unboundedOf({ [name]: each.value })).toEqual(each.parts);
    expect(unboundedOf({ [name]: null })).toEqual([]);
  });

  it.each(Object.entries(tools))('with the tool %s is bounded or not', (type, parts) => {
    expect(unboundedOf({ tools: [{ type, name: 'n' }] })).toEqual(parts);
    const definition = { type: 'tool_definition', definition: { type, name: 'n' } };
    const addition = { type: 'tool_addition', tool: definition };
    expect(unboundedOf(one(addition))).toEqual(parts);
    expect(unboundedOf(one({ type: 'compaction', tool_changes: [addition] }))).toEqual(parts);
  });

  it.each(Object.entries(blocks))('with the block %s is bounded or not', (type, parts) => {
    expect(unboundedOf(one({ type }))).toEqual(parts);
  });

  it.each([
    ['a field', { of_tomorrow: 1 }, ['unknown']],
    ['a tool', { tools: [{ type: 'of_tomorrow', name: 'n' }] }, ['server_tool', 'unknown']],
    ['a source', one({ type: 'image', source: { type: 'of tomorrow' } }), ['unknown']],
    [
      'an edit',
      { context_management: { edits: [{ type: 'of_tomorrow' }] } },
      ['context_management'],
    ],
  ])('with %s that is not known has no bound', (_, body, parts) => {
    expect(unboundedOf(body)).toEqual(parts);
  });

  it.each([
    ['image', 'url', 'url_source'],
    ['image', 'file', 'file_source'],
    ['document', 'url', 'url_source'],
    ['document', 'file', 'file_source'],
  ])('with the source of an %s given as %s has no bound', (type, source, part) => {
    const block = { type, source: { type: source } };
    expect(unboundedOf(one(block))).toEqual([part]);
    expect(unboundedOf(one({ type: 'tool_result', content: [block] }))).toEqual([part]);
  });

  it('that only clears its context, or begins a thread, is bounded', () => {
    const edits = [{ type: 'clear_tool_uses_20250919' }, { type: 'clear_thinking_20251015' }];
    expect(unboundedOf({ context_management: { edits } })).toEqual([]);
    expect(unboundedOf({ context_management: {}, mcp_servers: [], fallbacks: [] })).toEqual([]);
    expect(unboundedOf({ thread: { type: 'create' } })).toEqual([]);
  });

  it('in a thread that its caller knows of is unbounded', () => {
    expect(requestSizeOf({}, { threaded: true }).unbounded).toEqual(['thread']);
    expect(requestSizeOf({}, { threaded: false }).unbounded).toEqual([]);
  });

  it('shares the empty list, and gives no list that can be changed', () => {
    expect(empty.unbounded).toBe(requestSizeOf({ max_tokens: 1 }).unbounded);
    expect(Object.isFrozen(empty.unbounded)).toBe(true);
    expect(Object.isFrozen(unboundedOf({ container: 'c' }))).toBe(true);
  });
});

it('adds up the web searches that are allowed', () => {
  const search = (max_uses?: unknown) => ({ type: 'web_search_20260318', name: 's', max_uses });
  const of = (...all: unknown[]) => requestSizeOf({ tools: all }).webSearches;
  expect(of(search(3), search(2))).toBe(5);
  expect(of(search(3), search())).toBe(Infinity);
  expect(of(search(-1))).toBe(Infinity);
  expect(of({ type: 'web_fetch_20260318', name: 'f', max_uses: 5 })).toBe(0);
});

it('adds what Anthropic adds for tools: once for all, and for each of its own', () => {
  const custom = { name: 'a', input_schema: {} };
  const first = fixedOf({ tools: [custom] }) - fixedOf({});
  expect(first).toBeGreaterThanOrEqual(804);
  expect(fixedOf({ tools: [custom, custom] }) - fixedOf({ tools: [custom] })).toBeLessThan(100);
  const own = (type: string) =>
    fixedOf({ tools: [{ type, name: 'n' }] }) - fixedOf({ tools: [custom] });
  expect(own('bash_20250124')).toBeGreaterThanOrEqual(325);
  expect(own('text_editor_20250728')).toBeGreaterThanOrEqual(700);
  expect(own('computer_20251124')).toBeGreaterThanOrEqual(735 + 499);
});

describe('a body that cannot be read', () => {
  const deep = (depth: number): unknown => {
    let value: unknown = 1;
    for (let i = 0; i < depth; i += 1) value = [value];
    return value;
  };
  const ring: unknown[] = [];
  ring.push(ring, ring, ring);
  const nested: { type: string; content: unknown[] } = { type: 'tool_result', content: [] };
  nested.content.push(nested, nested);
  const message = { role: 'user', content: 'a' };
  const holes: unknown[] = [];
  holes.length = 2 ** 32 - 1;
  const thrower = {
    get messages(): unknown {
      throw new Error('no');
    },
  };

  it.each([
    ['100,000 nested lists', one({ type: 'tool_use', input: deep(100_000) })],
    ['100,000 nested lists as content', { messages: [{ role: 'user', content: deep(100_000) }] }],
    ['a ring of lists', { tool_choice: ring }],
    ['a block that holds itself', one(nested)],
    ['a list without end', { messages: Array.from({ length: 2 ** 21 }, () => message) }],
    ['a list of holes', { messages: holes }],
    ['a getter that throws', thrower],
    ['a proxy that throws', new Proxy({}, { get: () => raise(), ownKeys: () => raise() })],
    ['a bigint', { tool_choice: 1n }],
    ['messages that are none', { messages: 'a' }],
    ['tools that are none', { tools: {} }],
    ['null', null],
    ['nothing', undefined],
    ['a number', 7],
    ['broken JSON', '{"messages": ['],
  ])('fills the window and has no bound: %s', (_, body) => {
    const size = requestSizeOf(body);
    expect(size).toMatchObject({ fillsWindow: true, unbounded: ['unreadable'], cacheTtl: '1h' });
    for (const count of [size.textBytes, size.fixedTokens]) {
      expect(Number.isSafeInteger(count)).toBe(true);
    }
  });

  it('is one that is nested deeper than any data', () => {
    const input = (depth: number) => one({ type: 'tool_use', input: deep(depth) });
    expect(unboundedOf(input(400))).toEqual([]);
    expect(unboundedOf(input(600))).toEqual(['unreadable']);
    const results = (depth: number): unknown =>
      depth === 0 ? 'a' : [{ type: 'tool_result', content: results(depth - 1) }];
    expect(unboundedOf(one(...(results(8) as unknown[])))).toEqual([]);
    expect(unboundedOf(one(...(results(20) as unknown[])))).toEqual(['unreadable']);
  });

  it('never makes it throw, whatever it is', () => {
    const anything = fc.anything({
      ...{ withBigInt: true, withMap: true, withSet: true, withTypedArray: true, withDate: true },
      ...{ withNullPrototype: true, withSparseArray: true, withObjectString: true },
    });
    const body = fc.oneof(
      anything,
      fc.record(
        {
          ...{ messages: anything, system: anything, tools: anything, thinking: anything },
          ...{ max_tokens: anything, cache_control: anything, context_management: anything },
          ...{ container: anything, thread: anything, fallbacks: anything, mcp_servers: anything },
        },
        { requiredKeys: [] },
      ),
      fc.record({ messages: fc.array(fc.record({ content: fc.array(anything) })) }),
    );
    const property = fc.property(body, (value) => {
      const { textBytes, fixedTokens } = requestSizeOf(value);
      expect(Number.isSafeInteger(textBytes + fixedTokens)).toBe(true);
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it('is one that makes its own JSON, where a shape is needed', () => {
    const own = { type: 'text', text: 'a', toJSON: () => ({ type: 'text', text: 'b'.repeat(99) }) };
    expect(unboundedOf(one(own))).toEqual(['unreadable']);
  });

  function raise(): never {
    throw new Error('no');
  }
});

it('reads a body that is JSON text', () => {
  const body = { max_tokens: 5, messages: [{ role: 'user', content: 'Grüezi' }] };
  expect(requestSizeOf(JSON.stringify(body))).toEqual(requestSizeOf(body));
});

it('knows no prototype', () => {
  const body: unknown = JSON.parse('{"messages": [], "__proto__": {"tools": [1]}}');
  expect(requestSizeOf(body).unbounded).toEqual(['unknown']);
  expect(textOf(Object.assign(Object.create(null), { system: 'abc' }))).toBe(3);
});

it('leaves the body as it was', () => {
  const body = {
    system: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }],
    messages: [{ role: 'user', content: [{ type: 'tool_result', content: 'x' }] }],
  };
  const before = JSON.stringify(body);
  requestSizeOf(Object.freeze(body));
  expect(JSON.stringify(body)).toBe(before);
});
