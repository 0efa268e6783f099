import { modelPriceOf } from '../src/price-input.js';
import type { ModelPrice } from '../src/prices.js';

const ok = { input: 4, output: 20 };
const of = (input: unknown, known?: ModelPrice) =>
  modelPriceOf('registerPrices', 'models["m"]', input, known);

describe('a price', () => {
  it('of input and output alone has the usual cache rates, for ever', () => {
    expect(of(ok)).toEqual({
      aliases: [],
      usMultiplier: null,
      fast: null,
      periods: [
        {
          input: 4,
          output: 20,
          cacheRead: 0.4,
          cacheWrite5m: 5,
          cacheWrite1h: 8,
          from: null,
          to: null,
          tiers: [],
          sources: [],
          confidence: 'registered',
        },
      ],
    });
  });

  it('keeps what it is told', () => {
    const told = {
      ...{ input: 4, output: 20, cacheRead: 0, cacheWrite5m: 1, cacheWrite1h: 2 },
      ...{ from: '2026-01-01', to: '2027-01-01', sources: ['contract'], confidence: 'signed' },
      tiers: [
        {
          overPromptTokens: 0,
          input: 8,
          output: 40,
          cacheRead: 1,
          cacheWrite5m: 2,
          cacheWrite1h: 3,
        },
      ],
    };
    const fast = { multiplier: 2.5, from: '2026-02-01', until: null, sources: [], confidence: 'x' };
    const price = of({ ...told, aliases: ['a'], usMultiplier: 1.25, fast });
    expect(price).toEqual({ aliases: ['a'], usMultiplier: 1.25, fast, periods: [told] });
  });

  it('of a tier and of fast mode has defaults, too', () => {
    const tiers = [{ overPromptTokens: 5, input: 8, output: 40 }];
    const price = of({ ...ok, tiers, fast: { multiplier: 2 } });
    expect(price.periods[0]?.tiers[0]).toMatchObject({ cacheRead: 0.8, cacheWrite5m: 10 });
    expect(price.fast).toEqual({
      multiplier: 2,
      from: null,
      until: null,
      sources: [],
      confidence: 'registered',
    });
  });

  it('has decimal cache rates, not those of floating-point products', () => {
    // As numbers, 0.7 × 0.1 is 0.06999999999999999, and 1.1 × 1.25 is 1.3750000000000002.
    expect(of({ input: 0.7, output: 1 }).periods[0]?.cacheRead).toBe(0.07);
    expect(of({ input: 1.1, output: 1 }).periods[0]?.cacheWrite5m).toBe(1.375);
  });

  it('may differ by period, told in any order', () => {
    const later = { ...ok, from: '2026-02-01' };
    const first = { ...ok, to: '2026-02-01' };
    const days = of({ periods: [later, first] }).periods.map(({ from, to }) => [from, to]);
    expect(days).toEqual([
      [null, '2026-02-01'],
      ['2026-02-01', null],
    ]);
  });

  it('shares nothing with what was handed in', () => {
    const input = {
      ...ok,
      aliases: ['a'],
      sources: ['s'],
      tiers: [{ overPromptTokens: 1, ...ok }],
    };
    const price = of(input);
    input.aliases.push('b');
    input.sources.push('t');
    input.tiers[0]!.input = 9;
    input.input = 9;
    expect(price.aliases).toEqual(['a']);
    expect(price.periods[0]).toMatchObject({ input: 4, sources: ['s'], tiers: [{ input: 4 }] });
  });
});

describe('of a known model', () => {
  const known = of({ ...ok, aliases: ['a'], usMultiplier: 1.1, fast: { multiplier: 2 } });

  it('aliases, fast mode and the US multiplier are kept where nothing is said', () => {
    expect(of({ input: 1, output: 2 }, known)).toMatchObject({
      aliases: ['a'],
      usMultiplier: 1.1,
      fast: { multiplier: 2 },
      periods: [{ input: 1, cacheRead: 0.1 }],
    });
  });

  it('they are given up by saying so', () => {
    const none = { ...ok, aliases: [], usMultiplier: null, fast: null };
    expect(of(none, known)).toMatchObject({ aliases: [], usMultiplier: null, fast: null });
  });
});

describe('says what is wrong with', () => {
  const usd = 'a number of USD from 0 to 100000 with at most 9 decimals';
  const times = 'a number from 0 to 100 with at most 3 decimals';
  const name = 'a string of 1 to 256 characters';
  const order = 'periods that end after they begin and do not overlap';
  const day = 'a day as "YYYY-MM-DD", or null';
  const tier = { overPromptTokens: 1, ...ok };

  it.each<[string, unknown, string]>([
    ['no object', 7, ' must be an object, got 7.'],
    ['null', null, ' must be an object, got null.'],
    ['a list', [], ' must be an object, got an array of 0.'],
    ['nothing', {}, `.input must be ${usd}, got undefined.`],
    ['a misspelt field', { ...ok, cache_read: 1 }, ' must be aliases, usMultiplier, fast, input, '],
    ['no output', { input: 1 }, `.output must be ${usd}, got undefined.`],
    ['text', { ...ok, input: '4' }, `.input must be ${usd}, got "4".`],
    ['NaN', { ...ok, input: NaN }, `.input must be ${usd}, got NaN.`],
    ['less than nothing', { ...ok, input: -1 }, `.input must be ${usd}, got -1.`],
    ['no end of money', { ...ok, output: Infinity }, `.output must be ${usd}, got Infinity.`],
    ['too much', { ...ok, output: 100_001 }, `.output must be ${usd}, got 100001.`],
    ['a default too high', { ...ok, input: 6e4 }, `.cacheWrite1h must be ${usd}, got 120000.`],
    ['ten decimals', { ...ok, cacheRead: 1e-10 }, `.cacheRead must be ${usd}, got 1e-10.`],
    ['a null rate', { ...ok, cacheWrite5m: null }, `.cacheWrite5m must be ${usd}, got null.`],
    ['a big rate', { ...ok, cacheWrite1h: 1n }, `.cacheWrite1h must be ${usd}, got 1.`],
    ['a day', { ...ok, from: '2026-02-30' }, `.from must be ${day}, got "2026-02-30".`],
    ['a time', { ...ok, to: '2026-02-03T00:00Z' }, `.to must be ${day}, got "2026-02-03T00:00Z".`],
    ['a date', { ...ok, from: new Date(0) }, `.from must be ${day}, got an object.`],
    ['tiers', { ...ok, tiers: {} }, '.tiers must be an array, got an object.'],
    ['a tier', { ...ok, tiers: [7] }, '.tiers[0] must be an object, got 7.'],
    [
      'a limit',
      { ...ok, tiers: [tier, { ...tier, overPromptTokens: 1.5 }] },
      '.tiers[1].overPromptTokens must be a whole number of tokens, got 1.5.',
    ],
    [
      'a limit below 0',
      { ...ok, tiers: [{ ...tier, overPromptTokens: -1 }] },
      '.tiers[0].overPromptTokens must be a whole number of tokens, got -1.',
    ],
    [
      "a tier's rate",
      { ...ok, tiers: [{ ...tier, input: -1 }] },
      `.tiers[0].input must be ${usd}, got -1.`,
    ],
    ['sources', { ...ok, sources: 'x' }, '.sources must be an array of strings, got "x".'],
    ['aliases', { ...ok, aliases: ['a', ''] }, `.aliases[1] must be ${name}, got "".`],
    ['an alias', { ...ok, aliases: ['a'.repeat(257)] }, `.aliases[0] must be ${name}, got "aaa`],
    ['a multiplier', { ...ok, usMultiplier: 101 }, `.usMultiplier must be ${times}, got 101.`],
    [
      'its decimals',
      { ...ok, usMultiplier: 1.0001 },
      `.usMultiplier must be ${times}, got 1.0001.`,
    ],
    ['fast mode', { ...ok, fast: true }, '.fast must be an object, got true.'],
    ['its price', { ...ok, fast: {} }, `.fast.multiplier must be ${times}, got undefined.`],
    ['its end', { ...ok, fast: { multiplier: 2, until: 'soon' } }, `.fast.until must be ${day}`],
    ['periods', { periods: 'x' }, '.periods must be an array, got "x".'],
    ['no periods', { periods: [] }, '.periods must be an array that is not empty, got an array'],
    ['a period', { periods: [ok, null] }, '.periods[1] must be an object, got null.'],
    ["a period's rate", { periods: [{ input: 1 }] }, `.periods[0].output must be ${usd}`],
    [
      'a period and periods',
      { ...ok, periods: [ok] },
      ' must be aliases, usMultiplier, fast, periods, got "input".',
    ],
    ['a field of a period', { periods: [{ ...ok, aliases: [] }] }, '.periods[0] must be input, '],
    [
      'a field of a tier',
      { ...ok, tiers: [{ ...tier, over: 1 }] },
      '.tiers[0] must be overPromptTokens, ',
    ],
    [
      'a field of fast mode',
      { ...ok, fast: { multiplier: 2, to: null } },
      '.fast must be multiplier, ',
    ],
    ['no days', { ...ok, from: '2026-01-01', to: '2026-01-01' }, `.periods must be ${order}`],
    [
      'days from behind',
      { ...ok, from: '2026-01-02', to: '2026-01-01' },
      `.periods must be ${order}`,
    ],
    ['two prices at once', { periods: [ok, ok] }, `.periods must be ${order}, got "null inside`],
    [
      'a price that goes on',
      {
        periods: [
          { ...ok, from: '2026-01-01' },
          { ...ok, from: '2026-02-01' },
        ],
      },
      `.periods must be ${order}, got "2026-02-01 inside 2026-01-01..null".`,
    ],
    [
      'a day of two prices',
      {
        periods: [
          { ...ok, to: '2026-02-02' },
          { ...ok, from: '2026-02-01' },
        ],
      },
      `.periods must be ${order}, got "2026-02-01 inside null..2026-02-02".`,
    ],
  ])('%s', (_, input, message) => {
    expect(() => of(input)).toThrow(TypeError);
    expect(() => of(input)).toThrow(`models["m"]${message}`);
    expect(() => of(input)).toThrow(/^\[claude-metrics\] registerPrices: (a field of )?models/);
  });
});
