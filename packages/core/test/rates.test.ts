import fc from 'fast-check';
import { prices, type ModelPrice, type PriceTable } from '../src/prices.js';
import { amount, BATCH, FAST, rateBookOf, US, type Rate } from '../src/rates.js';

const rates = { input: 4, output: 20, cacheRead: 0.2, cacheWrite5m: 5, cacheWrite1h: 8 };
const period = { ...rates, from: null, to: null, tiers: [], sources: [], confidence: 'test' };
const model: ModelPrice = { aliases: [], usMultiplier: null, fast: null, periods: [period] };

function table(models: Record<string, unknown>, rest: Partial<PriceTable> = {}): PriceTable {
  return { ...prices, models: models as PriceTable['models'], ...rest };
}

function ratesOf(price: Partial<ModelPrice>, rest: Partial<PriceTable> = {}) {
  const found = rateBookOf(table({ m: { ...model, ...price } }, rest)).models.get('m');
  if (!found) throw new Error('no rates');
  return found;
}

/** The rate of one input token at a price, with one multiplier. */
function rateOf(input: number, batchFactor = 1): Rate {
  const row = ratesOf({ periods: [{ ...period, input }] }, { batchFactor }).at(0, 1, BATCH);
  return row!.uncachedInput;
}

const day = (text: string) => Date.parse(`${text}T00:00:00Z`);

describe('amount', () => {
  it.each([
    [1, 4, 1, 4_000],
    [0, 4, 1, 0],
    [1, 0, 1, 0],
    [1, 0.000000001, 1, 0],
    [499_999, 0.000000001, 1, 0],
    [500_000, 0.000000001, 1, 1],
    [1, 0.0005, 1, 1],
    [1, 0.000499999, 1, 0],
    [3, 0.125, 1.1, 413],
    [1_000_000, 100_000, 1, 100_000_000_000_000],
  ])('of %d tokens at %d USD per million × %d is %d nano-dollars', (count, usd, times, nano) => {
    expect(amount(count, rateOf(usd, times))).toBe(nano);
  });

  it('is the exact product rounded half up, for every price, multiplier and count', () => {
    const count = fc.oneof(fc.nat(1_000_000), fc.maxSafeNat());
    const billionths = fc.oneof(fc.nat(1_000_000), fc.bigInt(0n, 10n ** 14n).map(Number));
    const property = fc.property(
      count,
      billionths,
      fc.nat(3_000),
      (quantity, price, thousandths) => {
        const rate = rateOf(price / 1e9, thousandths / 1e3);
        // price × 10⁻⁹ USD × 10⁹ nano-dollars ÷ 10⁶ tokens × thousandths × 10⁻³
        const product = BigInt(quantity) * BigInt(price) * BigInt(thousandths);
        const exact = (2n * product + 10n ** 9n) / (2n * 10n ** 9n);
        expect(amount(quantity, rate)).toBe(Number(exact));
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  it('does not lose the half where a floating-point product would', () => {
    // 1.1 × 0.15 USD is 165 nano-dollars; as numbers, 0.16500000000000004.
    const rate = rateOf(0.15, 1.1);
    expect(rate).toMatchObject({ numerator: 165n, denominator: 1n, nanoUsdPerUnit: 165 });
    // 1.005 × 1 USD: 1.005 nano-dollars times 100 is 100.5, and rounds up.
    expect(amount(100, rateOf(0.001005))).toBe(101);
  });
});

describe('the rates of a day', () => {
  const old = { ...period, from: '2026-01-01', to: '2026-02-01', input: 1 };
  const now = { ...period, from: '2026-02-01', input: 2 };
  const gap = { ...period, from: '2025-01-01', to: '2025-02-01', input: 3 };
  const { at } = ratesOf({ periods: [now, gap, old] });
  const input = (time: number) => at(time, 1, 0)?.uncachedInput.nanoUsdPerUnit ?? null;

  it('hold from the first millisecond of a day, UTC, to the last one', () => {
    expect(input(day('2026-01-01') - 1)).toBeNull();
    expect(input(day('2026-01-01'))).toBe(1_000);
    expect(input(day('2026-02-01') - 1)).toBe(1_000);
    expect(input(day('2026-02-01'))).toBe(2_000);
    expect(input(day('2099-01-01'))).toBe(2_000);
  });

  it('are none between two periods, and at no time', () => {
    expect(input(day('2025-01-31'))).toBe(3_000);
    expect(input(day('2025-02-01'))).toBeNull();
    expect(input(NaN)).toBeNull();
  });

  it('are the same object when asked again', () => {
    expect(at(day('2026-03-01'), 1, 0)).toBe(at(day('2026-04-01'), 9, 0));
  });
});

describe('the rates of a prompt size', () => {
  const tiers = [
    { ...rates, overPromptTokens: 10, input: 1 },
    { ...rates, overPromptTokens: 100, input: 2 },
  ];
  it.each([[tiers], [tiers.toReversed()]])('are those of the highest limit exceeded', (tier) => {
    const { at } = ratesOf({ periods: [{ ...period, tiers: tier }] });
    const input = (size: number) => at(0, size, 0)?.uncachedInput.nanoUsdPerUnit;
    expect([0, 10, 11, 100, 101, 2 ** 60].map(input)).toEqual([
      4_000, 4_000, 1_000, 1_000, 2_000, 2_000,
    ]);
  });
});

describe('a mode', () => {
  const fast = { multiplier: 3, from: null, until: null, sources: [], confidence: 'test' };
  const both = ratesOf({ fast, usMultiplier: 1.5 }, { batchFactor: 0.25 });

  it.each([
    [0, 4_000],
    [FAST, 12_000],
    [US, 6_000],
    [BATCH, 1_000],
    [FAST | US, 18_000],
    [US | BATCH, 1_500],
  ])('%d multiplies', (mode, nano) => {
    expect(both.at(0, 1, mode)?.uncachedInput.nanoUsdPerUnit).toBe(nano);
  });

  it('is known of a model that has a price for it', () => {
    expect(both).toMatchObject({ hasFast: true, hasUs: true });
    expect(ratesOf({})).toMatchObject({ hasFast: false, hasUs: false });
  });

  it('of fast answers has no price before and after its days, while others do', () => {
    const { at } = ratesOf({ fast: { ...fast, from: '2026-01-01', until: '2026-02-01' } });
    expect(at(day('2026-01-01') - 1, 1, FAST)).toBeNull();
    expect(at(day('2026-01-01'), 1, FAST)).not.toBeNull();
    expect(at(day('2026-02-01') - 1, 1, FAST)).not.toBeNull();
    expect(at(day('2026-02-01'), 1, FAST)).toBeNull();
    expect(at(day('2026-02-01'), 1, 0)).not.toBeNull();
    expect(ratesOf({}).at(0, 1, FAST)).toBeNull();
  });
});

describe('a rate book', () => {
  it('is made once for a table', () => {
    expect(rateBookOf(prices)).toBe(rateBookOf(prices));
    expect(rateBookOf({ ...prices })).not.toBe(rateBookOf(prices));
  });

  it('knows models by id and alias, and an id beats an alias', () => {
    const other = { ...model, periods: [{ ...period, input: 9 }] };
    const book = rateBookOf(
      table({ a: { ...model, aliases: ['x', 'b', 'constructor'] }, b: other }),
    );
    const input = (name: string) => book.models.get(name)?.at(0, 1, 0)?.uncachedInput.over;
    expect([input('a'), input('x'), input('constructor')]).toEqual([4_000, 4_000, 4_000]);
    expect(input('b')).toBe(9_000);
    expect(book.models.get('toString')).toBeUndefined();
  });

  it('prices a web search by the request', () => {
    expect(amount(3, rateBookOf(prices).webSearch)).toBe(30_000_000);
    expect(rateBookOf(table({}, { webSearchUsd: 0.000000001 })).webSearch.nanoUsdPerUnit).toBe(1);
  });

  it.each<[string, unknown, string]>([
    ['no table', {}, 'batchFactor must be a number from 0 to 100 with at most 3 decimals'],
    ['a batch factor', { ...prices, batchFactor: NaN }, 'batchFactor must be a number from 0'],
    ['a search', { ...prices, webSearchUsd: -1 }, 'webSearchUsd must be a number of USD from 0'],
    ['models', { ...prices, models: [] }, 'models must be an object, got an array of 0'],
    ['a model', table({ m: null }), 'models["m"] must be an object, got null'],
    [
      'a price',
      table({ m: { ...model, periods: [{ ...period, output: '20' }] } }),
      'models["m"].periods[0].output must be a number of USD from 0 to 100000 ' +
        'with at most 9 decimals, got "20".',
    ],
  ])('says what is wrong with %s', (_, broken, message) => {
    const compile = () => rateBookOf(broken as PriceTable);
    expect(compile).toThrow(TypeError);
    expect(compile).toThrow(`[claude-metrics] price table: ${message}`);
  });
});
