/** Requests that have a bound, the answers they can get, and price tables; at random. */
import type Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import { prices, type PriceTable, type Rates } from '../src/prices.js';
import type { Usage } from '../src/record.js';

type Block = Anthropic.Beta.Messages.BetaContentBlockParam;
type Tool = Anthropic.Beta.Messages.BetaToolUnion;

const odd = fc.constantFrom('\ud83d', '\ude00', '"', '\\', '\n', '\u0000', 'é', '中', '😀', 'a');
const text = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: 'grapheme' }) },
  { weight: 5, arbitrary: fc.string({ unit: odd }) },
  // So that prompts pass the sizes at which prices change, and the window of small models.
  { weight: 1, arbitrary: fc.nat(60_000).map((times) => 'word '.repeat(times)) },
);
const cache = fc.option(
  fc.constantFrom(
    { type: 'ephemeral' },
    { type: 'ephemeral', ttl: '5m' },
    { type: 'ephemeral', ttl: '1h' },
  ),
  { nil: undefined, freq: 4 },
) as fc.Arbitrary<{ type: 'ephemeral' } | undefined>;

const image = fc.record({
  type: fc.constant('image' as const),
  source: fc.record({
    type: fc.constant('base64' as const),
    media_type: fc.constant('image/png' as const),
    data: fc.string({ unit: fc.constantFrom('A', 'b', '+') }),
  }),
  cache_control: cache,
});
const words = fc.record({ type: fc.constant('text' as const), text, cache_control: cache });
const document = fc.record({
  type: fc.constant('document' as const),
  source: fc.oneof(
    fc.record({
      type: fc.constant('text' as const),
      media_type: fc.constant('text/plain' as const),
      data: text,
    }),
    fc.record({ type: fc.constant('content' as const), content: fc.array(fc.oneof(words, image)) }),
    fc.constant({
      type: 'base64' as const,
      media_type: 'application/pdf' as const,
      data: 'JVBERi0',
    }),
  ),
  title: fc.option(text),
  citations: fc.option(fc.record({ enabled: fc.boolean() })),
});
const block: fc.Arbitrary<Block> = fc.oneof(
  { weight: 5, arbitrary: words },
  image,
  document,
  fc.record({ type: fc.constant('thinking' as const), thinking: text, signature: text }),
  fc.record({
    type: fc.constant('tool_use' as const),
    id: fc.constant('toolu_1'),
    name: fc.constant('weather'),
    input: fc.dictionary(fc.string(), fc.jsonValue()),
    cache_control: cache,
  }),
  fc.record({
    type: fc.constant('tool_result' as const),
    tool_use_id: fc.constant('toolu_1'),
    content: fc.oneof(text, fc.array(fc.oneof(words, image, document), { maxLength: 3 })),
    cache_control: cache,
  }),
) as fc.Arbitrary<Block>;
const tool = fc.oneof(
  fc.record({
    name: fc.constantFrom('weather', 'stock'),
    description: text,
    input_schema: fc.constant({ type: 'object', properties: { place: { type: 'string' } } }),
    cache_control: cache,
  }),
  fc.constant({ type: 'bash_20250124', name: 'bash' }),
  fc.constant({ type: 'text_editor_20250728', name: 'str_replace_based_edit_tool' }),
) as fc.Arbitrary<Tool>;

/** Only requests without unbounded parts. */
export const requests = fc.record(
  {
    model: fc.constant('claude-opus-5-5'),
    max_tokens: fc.oneof(fc.nat(10), fc.nat(128_000)),
    system: fc.oneof(text, fc.array(words, { maxLength: 2 })),
    messages: fc.array(
      fc.record({
        role: fc.constantFrom('user' as const, 'assistant' as const),
        content: fc.oneof(text, fc.array(block, { maxLength: 3 })),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    tools: fc.array(tool, { maxLength: 2 }),
    thinking: fc.oneof(
      fc.constant({ type: 'adaptive' as const }),
      fc.record({ type: fc.constant('enabled' as const), budget_tokens: fc.nat(64_000) }),
    ),
    cache_control: cache,
    speed: fc.constantFrom('fast' as const, 'standard' as const),
    inference_geo: fc.constantFrom('us', 'eu', null),
  },
  { requiredKeys: ['model', 'max_tokens', 'messages'] },
);

export type Request = typeof requests extends fc.Arbitrary<infer T> ? T : never;

/** Text bytes and images of a request, counted by its JSON: an oracle for the walk over it. */
export function textsOf(body: Request): { bytes: number; images: number } {
  const sum = { bytes: 0, images: 0 };
  const unread = ['type', 'role', 'model', 'data', 'media_type', 'ttl', 'speed', 'inference_geo'];
  const read = { messages: body.messages, system: body.system, tools: body.tools };
  JSON.parse(JSON.stringify(read), function (this: object, key, value: unknown) {
    const isPlain = 'type' in this && this.type === 'text';
    if (key === 'type' && value === 'image' && 'source' in this) sum.images += 1;
    if (typeof value === 'string' && (!unread.includes(key) || (key === 'data' && isPlain))) {
      sum.bytes += Buffer.byteLength(value);
    }
    return value;
  });
  return sum;
}

/** Some bills that a request can end with: everything read once, by any class that can apply. */
export function usagesOf(
  body: Request,
  inputBound: number,
  batch: boolean,
  next: () => number,
): Usage[] {
  const lives = JSON.stringify(body).match(/"cache_control":\{[^}]*\}/g) ?? [];
  const mayWrite = lives.length > 0;
  const mayWriteLong = lives.some((life) => life.includes('1h'));
  const { thinking } = body;
  const budget = thinking && 'budget_tokens' in thinking ? thinking.budget_tokens : 0;
  const output = budget >= body.max_tokens ? budget : body.max_tokens;
  return [1, next(), next() ** 8].map((share) => {
    let left = Math.round(inputBound * share);
    const part = (may: boolean) => {
      const taken = may ? Math.floor(left * [0, 1, next()][Math.floor(next() * 3)]!) : 0;
      left -= taken;
      return taken;
    };
    const long = part(mayWriteLong);
    const short = part(mayWrite);
    const counts = {
      cache_read_input_tokens: part(mayWrite),
      cache_creation_input_tokens: long + short,
      cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
      input_tokens: left,
      output_tokens: Math.round(output * (next() < 0.5 ? 1 : next())),
    };
    return {
      ...counts,
      iterations: next() < 0.5 ? null : [{ type: 'message', ...counts }],
      speed: body.speed === 'fast' && !batch && next() < 0.7 ? 'fast' : 'standard',
      inference_geo: body.inference_geo ?? (next() < 0.7 ? 'us' : 'global'),
      service_tier: batch ? 'batch' : 'standard',
    };
  });
}

/** Down to fractions of a nano-dollar a token, so that rounding shows. */
const price = fc.oneof(
  fc.nat(100_000).map((n) => n / 1e5),
  fc.nat(1e6).map((n) => n / 1e4),
);
const multiplier = fc.nat({ max: 4_000 }).map((n) => n / 1e3);
const rates: fc.Arbitrary<Rates> = fc.record({
  ...{ input: price, output: price, cacheRead: price, cacheWrite5m: price, cacheWrite1h: price },
});

/** Tables with one model, `own`; a longer prompt may be cheaper, and a multiplier below 1. */
export const priceTables: fc.Arbitrary<PriceTable> = fc
  .record({
    base: rates,
    tiers: fc.array(fc.tuple(fc.nat(400_000), rates), { maxLength: 3 }),
    us: fc.option(multiplier),
    fast: fc.option(multiplier),
    batchFactor: multiplier,
  })
  .map(({ base, tiers, us, fast, batchFactor }) => {
    const none = { from: null, to: null, sources: [], confidence: 'random' };
    const period = {
      ...none,
      ...base,
      tiers: tiers.map(([overPromptTokens, each]) => ({ overPromptTokens, ...each })),
    };
    const own = {
      aliases: [],
      usMultiplier: us,
      fast:
        fast === null
          ? null
          : { multiplier: fast, from: null, until: null, sources: [], confidence: 'random' },
      periods: [period],
    };
    return { ...prices, batchFactor, models: { own } };
  });
