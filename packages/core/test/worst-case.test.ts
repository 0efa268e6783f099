import fc from 'fast-check';
import { prices, type ModelPrice, type PriceTable, type Rates } from '../src/prices.js';
import { costOf } from '../src/pricing.js';
import { requestSizeOf, type RequestSize } from '../src/request-size.js';
import { affordableOutput, inputBoundOf, worstCaseOf } from '../src/worst-case.js';
import { priceTables, requests, textsOf, usagesOf, type Request } from './request-arbitrary.js';

const at = Date.parse('2026-11-23T12:00:00Z');
const opus = 'claude-opus-5-5';
const haiku = 'claude-haiku-5-5';
const size: RequestSize = requestSizeOf({
  max_tokens: 1_000,
  messages: [{ role: 'user', content: 'Hello' }],
});
/** 5 bytes, and what is added to one message. */
const tokens = 85;
const worst = (of: Partial<RequestSize>, model = opus, options = {}) =>
  worstCaseOf({ ...size, ...of }, model, at, prices, options);
const nano = (of: Partial<RequestSize>, model = opus, options = {}) =>
  worst(of, model, options)?.nanoUsd;

describe('the worst case', () => {
  it('is the input bound and max_tokens at the price of the model', () => {
    expect(worst({ geo: 'global' })).toEqual({
      nanoUsd: tokens * 4_000 + 1_000 * 20_000,
      inputNanoUsd: tokens * 4_000,
      inputTokens: tokens,
      outputTokens: 1_000,
    });
  });

  it('is in the US where the request does not say otherwise, and the model knows the difference', () => {
    expect(nano({})).toBe(22_374_000);
    expect(nano({ geo: 'us' })).toBe(22_374_000);
    expect(nano({ geo: null }, 'claude-haiku-4-5')).toBe(tokens * 1_000 + 1_000 * 5_000);
  });

  it.each([
    [null, 4_000],
    ['5m', 5_000],
    ['1h', 8_000],
  ] as const)(
    'writes everything into the cache where the request says so: %s',
    (cacheTtl, rate) => {
      expect(worst({ geo: 'eu', cacheTtl })?.inputNanoUsd).toBe(tokens * rate);
    },
  );

  it('is fast where that was asked for and is sold; in batches it never is', () => {
    const asked = { geo: 'eu', fast: true };
    expect(nano(asked)).toBe(2 * nano({ geo: 'eu' })!);
    expect(nano(asked, opus, { batch: true })).toBe(nano({ geo: 'eu' })! / 2);
    // Fast mode has ended there: such requests run at standard speed.
    expect(nano(asked, 'claude-opus-4-6')).toBe(nano({ geo: 'eu' }, 'claude-opus-4-6'));
  });

  it('has no price where there is none for fast mode, the model, or the day; nor by contract', () => {
    expect(worst({ fast: true }, 'claude-sonnet-5-5')).toBeNull();
    expect(worst({}, 'claude-of-tomorrow')).toBeNull();
    expect(worst({}, 'claude-3-haiku-20240307')).toBeNull();
    expect(worst({ priority: true })).toBeNull();
    expect(worstCaseOf(size, opus, NaN, prices)).toBeNull();
  });

  it('pays the prices of a long prompt from the first token that may make it one', () => {
    const of = (textBytes: number) =>
      worst({ geo: 'eu', textBytes, fixedTokens: 0, maxTokens: 10 }, haiku)?.nanoUsd;
    expect(of(100_000)).toBe(100_000 * 100 + 10 * 500);
    expect(of(100_001)).toBe(100_001 * 500 + 10 * 2_500);
  });

  it('takes the dearest of all tiers in reach, also where a longer prompt is cheaper', () => {
    const { periods, ...model } = prices.models[haiku]!;
    const cheap = { overPromptTokens: 100, input: 0.01, output: 0.01 };
    const tier = { ...cheap, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
    const table: PriceTable = {
      ...prices,
      models: { own: { ...model, periods: [{ ...periods[0]!, tiers: [tier] }] } },
    };
    const cost = worstCaseOf({ ...size, geo: 'eu', textBytes: 200 }, 'own', at, table);
    expect(cost).toMatchObject({ inputNanoUsd: 280 * 100, nanoUsd: 280 * 100 + 1_000 * 500 });
  });

  it('reads no more than the context window', () => {
    expect(worst({ textBytes: 9_000_000 })?.inputTokens).toBe(1_000_000);
    expect(worst({ fillsWindow: true }, 'claude-haiku-4-5')?.inputTokens).toBe(200_000);
    expect(inputBoundOf({ ...size, textBytes: 9_000_000 }, 'claude-haiku-4-5')).toBe(200_000);
    expect(inputBoundOf({ ...size, fillsWindow: true }, 'of tomorrow')).toBe(1_000_000);
    expect(inputBoundOf(size, opus)).toBe(tokens);
  });

  it('writes all that the model can where max_tokens is missing', () => {
    expect(worst({ maxTokens: null })?.outputTokens).toBe(128_000);
    expect(worst({ maxTokens: null }, opus, { batch: true })?.outputTokens).toBe(300_000);
    expect(worst({ maxTokens: 0 })?.outputTokens).toBe(0);
  });

  it('thinks within max_tokens, unless its thinking is interleaved', () => {
    expect(worst({ thinkingTokens: 999 })?.outputTokens).toBe(1_000);
    expect(worst({ thinkingTokens: 16_000 })?.outputTokens).toBe(16_000);
    expect(worst({ thinkingTokens: 16_000 }, opus, { outputTokens: 5 })?.outputTokens).toBe(16_000);
  });

  it('halves in a batch, but not the searches', () => {
    const searches = { webSearches: 3 };
    const whole = worst({ geo: 'eu', ...searches })!.nanoUsd - 30_000_000;
    expect(nano({ geo: 'eu', ...searches }, opus, { batch: true })).toBe(whole / 2 + 30_000_000);
  });

  it('is an estimate with unlimited searches: ten of them', () => {
    expect(worst({ webSearches: Infinity })!.nanoUsd - nano({})!).toBe(100_000_000);
  });

  it('takes other numbers of tokens, and no nonsense', () => {
    const options = { inputTokens: 10.2, outputTokens: 20 };
    const bound = { inputTokens: tokens, outputTokens: 1_000 };
    expect(worst({}, opus, options)).toMatchObject({ inputTokens: 11, outputTokens: 20 });
    expect(worst({}, opus, { inputTokens: NaN, outputTokens: -1 })).toMatchObject(bound);
    expect(worst({}, opus, { inputTokens: Infinity })).toMatchObject(bound);
  });

  it('stays a safe integer, whatever was asked for', () => {
    const most = { maxTokens: Number.MAX_SAFE_INTEGER, webSearches: Number.MAX_SAFE_INTEGER };
    expect(nano(most)).toBe(Number.MAX_SAFE_INTEGER);
    expect(nano({ maxTokens: Number.MAX_SAFE_INTEGER })).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('takes a table as short as can be priced, and finds a model by any alias', () => {
    const own = { input: 1, output: 2, aliases: ['constructor'] };
    const table = { ...prices, models: { own } } as unknown as PriceTable;
    const cost = { nanoUsd: tokens * 1_000 + 1_000 * 2_000 };
    expect(worstCaseOf(size, 'constructor', at, table)).toMatchObject(cost);
    expect(worstCaseOf(size, 'own', at, table)).toMatchObject(cost);
  });

  it('refuses a price table that cannot be right', () => {
    const broken = { ...prices, webSearchUsd: -1 };
    expect(() => worstCaseOf(size, opus, at, broken)).toThrow('webSearchUsd must be');
  });
});

const days = [
  '2024-10-01',
  '2025-06-01',
  '2026-02-20',
  '2026-07-24',
  '2026-10-06',
  '2026-11-23',
  '2026-11-30',
  '2027-03-01',
].map((day) => Date.parse(`${day}T00:00:00Z`));
const names = Object.entries(prices.models).flatMap(([id, { aliases }]) => [id, ...aliases]);

const chances = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }));

interface Case {
  readonly body: Request;
  readonly model: string;
  readonly at: number;
  readonly table: PriceTable;
  readonly batch: boolean;
  readonly next: () => number;
}

/** The answers to a request that would cost more than was said, and how many could be compared. */
function dearer({ body, model, at, table, batch, next }: Case) {
  const asked = requestSizeOf(body);
  expect(asked.unbounded).toEqual([]);
  const bound = worstCaseOf(asked, model, at, table, { batch });
  const costs = usagesOf(body, inputBoundOf(asked, model), batch, next).flatMap(
    (usage) => costOf(usage, model, { at: new Date(at), prices: table })?.nanoUsd ?? [],
  );
  // What fast mode would cost is not known there, and only standard speed was answered.
  if (bound === null && asked.fast && isNeverFast(model, table)) return { faults: [], compared: 0 };
  const faults = costs.filter((nanoUsd) => bound === null || nanoUsd > bound.nanoUsd);
  return { faults, compared: costs.length };
}

function isNeverFast(model: string, { models }: PriceTable): boolean {
  const named = Object.entries(models).find(
    ([id, { aliases }]) => id === model || aliases.includes(model),
  );
  return named?.[1].fast === null;
}

describe('no answer costs more than the worst case', () => {
  it.each(names)('%s', (model) => {
    let sum = 0;
    const priced = days.filter((day) => worstCaseOf(size, model, day, prices));
    const property = fc.property(
      requests,
      fc.constantFrom(...priced),
      fc.boolean(),
      chances,
      (body, day, batch, random) => {
        const next = () => random.next().value;
        const { faults, compared } = dearer({ body, model, at: day, table: prices, batch, next });
        expect(faults).toEqual([]);
        sum += compared;
      },
    );
    fc.assert(property, { numRuns: 60 });
    expect(sum).toBeGreaterThan(20);
  });

  it('whatever the prices are', () => {
    let sum = 0;
    const property = fc.property(
      requests,
      priceTables,
      fc.boolean(),
      chances,
      (body, table, batch, random) => {
        const next = () => random.next().value;
        const { faults, compared } = dearer({ body, model: 'own', at, table, batch, next });
        expect(faults).toEqual([]);
        sum += compared;
      },
    );
    fc.assert(property, { numRuns: 500 });
    expect(sum).toBeGreaterThan(500);
  });

  it('also where each token class rounds up half a nano-dollar of its own', () => {
    const half = { input: 0.0015, cacheRead: 0.0015, cacheWrite5m: 0.0015, cacheWrite1h: 0.0015 };
    const base = prices.models['claude-opus-4-5-20251101'] as ModelPrice;
    const own = { ...base, periods: [{ ...base.periods[0]!, ...half }] };
    const table = { ...prices, models: { own } };
    const usage = {
      input_tokens: 1,
      cache_read_input_tokens: 1,
      cache_creation: { ephemeral_5m_input_tokens: 1, ephemeral_1h_input_tokens: 1 },
    };
    const options = { inputTokens: 4, outputTokens: 0 };
    const long = { ...size, cacheTtl: '1h' } as const;
    expect(costOf(usage, 'own', { at: new Date(at), prices: table })?.nanoUsd).toBe(8);
    expect(worstCaseOf(long, 'own', at, table, options)?.nanoUsd).toBe(8);
    // Without a cache, 1.5 a token round up once.
    expect(worstCaseOf(size, 'own', at, table, { ...options, inputTokens: 3 })?.nanoUsd).toBe(6);
  });

  it('and it is reached: by an answer that takes all of the dearest', () => {
    const property = fc.property(requests, fc.constantFrom(opus, haiku), (body, model) => {
      const asked = requestSizeOf({ ...body, inference_geo: 'us' });
      const { inputTokens, outputTokens, nanoUsd } = worstCaseOf(asked, model, at, prices) ?? {};
      if (inputTokens === undefined) return; // Fast mode is not sold for Haiku.
      const written = asked.cacheTtl === null ? 0 : inputTokens;
      const usage = {
        input_tokens: inputTokens - written,
        cache_creation: {
          ephemeral_5m_input_tokens: asked.cacheTtl === '5m' ? written : 0,
          ephemeral_1h_input_tokens: asked.cacheTtl === '1h' ? written : 0,
        },
        output_tokens: outputTokens!,
        inference_geo: 'us',
        speed: asked.fast ? 'fast' : 'standard',
      };
      // A nano-dollar or none between them: a bound is rounded up, a bill to the nearest.
      const cost = costOf(usage, model, { at: new Date(at), prices })!.nanoUsd;
      expect(nanoUsd! - cost).toBeLessThanOrEqual(2);
      expect(nanoUsd! - cost).toBeGreaterThanOrEqual(0);
    });
    fc.assert(property, { numRuns: 300 });
  });
});

it('the input bound is no less than all text and images of a request', () => {
  const property = fc.property(requests, (body) => {
    const { bytes, images } = textsOf(body);
    const bound = Math.min(bytes + images * 4_784, 1_000_000);
    expect(inputBoundOf(requestSizeOf(body), opus)).toBeGreaterThanOrEqual(bound);
  });
  fc.assert(property, { numRuns: 500 });
});

it('more text, and more max_tokens, never cost less', () => {
  const property = fc.property(
    requests,
    fc.string({ unit: 'binary' }),
    fc.nat(500_000),
    fc.constantFrom(...names),
    fc.constantFrom(...days),
    (body, text, more, model, day) => {
      const longer = {
        ...body,
        max_tokens: body.max_tokens + more,
        messages: [...body.messages, { role: 'user' as const, content: text }],
      };
      const less = worstCaseOf(requestSizeOf(body), model, day, prices);
      const greater = worstCaseOf(requestSizeOf(longer), model, day, prices);
      expect(greater === null).toBe(less === null);
      if (!less || !greater) return;
      expect(greater.nanoUsd).toBeGreaterThanOrEqual(less.nanoUsd);
      expect(greater.inputNanoUsd).toBeGreaterThanOrEqual(less.inputNanoUsd);
    },
  );
  fc.assert(property, { numRuns: 500 });
});

describe('affordableOutput', () => {
  const most = Number.MAX_SAFE_INTEGER;
  const affordable = (of: Partial<RequestSize>, nanoUsd: number, model = opus) =>
    affordableOutput({ ...size, ...of }, model, at, prices, nanoUsd);

  it('is what is left after the input, in tokens', () => {
    expect(affordable({}, 10_000_000)).toBe(437);
    expect(affordable({ geo: 'eu' }, 340_000 + 20_000 * 7)).toBe(7);
    expect(affordable({ geo: 'eu' }, 340_000 + 20_000 * 7 - 1)).toBe(6);
  });

  it('is nothing where the input alone is too dear, or nothing is known', () => {
    expect(affordable({}, 373_999)).toBe(0);
    expect(affordable({}, 374_000)).toBe(0);
    expect(affordable({}, 1e12, 'claude-of-tomorrow')).toBe(0);
    for (const nonsense of [NaN, -1, -Infinity]) expect(affordable({}, nonsense)).toBe(0);
  });

  it('leaves room for interleaved thinking, or is nothing', () => {
    expect(affordable({ geo: 'eu', thinkingTokens: 2_000 }, 340_000 + 2_000 * 20_000)).toBe(2_000);
    expect(affordable({ geo: 'eu', thinkingTokens: 2_000 }, 340_000 + 1_999 * 20_000)).toBe(0);
  });

  it('is all there is where money is no object', () => {
    expect(affordable({}, Infinity)).toBe(most);
    expect(affordable({}, most)).toBe(most);
    const free: Rates = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
    const base = prices.models[opus] as ModelPrice;
    const own = { ...base, periods: [{ ...base.periods[0]!, ...free }] };
    expect(affordableOutput(size, 'own', at, { ...prices, models: { own } }, 1)).toBe(most);
  });

  it('is exact: it fits, and one token more does not', () => {
    const money = fc.oneof(fc.nat(1_000), fc.nat(1_000_000_000), fc.maxSafeInteger());
    const property = fc.property(
      requests,
      priceTables,
      money,
      fc.boolean(),
      (body, table, nanoUsd, batch) => {
        const asked = requestSizeOf(body);
        const found = affordableOutput(asked, 'own', at, table, nanoUsd, { batch });
        const fits = (outputTokens: number) => {
          const cost = worstCaseOf(asked, 'own', at, table, { batch, outputTokens });
          return cost !== null && cost.nanoUsd <= nanoUsd;
        };
        expect(fits(found)).toBe(fits(0));
        expect(found > 0 && !fits(0)).toBe(false);
        expect(fits(found + 1) && found < most).toBe(false);
      },
    );
    fc.assert(property, { numRuns: 1_000 });
  });
});
