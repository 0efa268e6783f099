import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { costOf, registerPrices } from '../src/pricing.js';
import { modelPriceOf } from '../src/price-input.js';
import { prices, type ModelPrice, type PricePeriod, type Rates } from '../src/prices.js';
import { rateBookOf } from '../src/rates.js';
import { repository } from './sources.js';

const all = Object.entries(prices.models);
const today = prices.version;
const isOpen = ({ from, to }: { from: string | null; to: string | null }) =>
  (from === null || from <= today) && (to === null || to > today);

describe.each(all)('%s', (id, model) => {
  it('is a price as registerPrices() would take it, complete and in order', () => {
    expect(modelPriceOf('prices', id, model, undefined)).toEqual(model);
  });

  it('has periods with a beginning, each of which ends where the next one begins', () => {
    const { periods } = model;
    expect(periods.length).toBeGreaterThan(0);
    for (const { from, to } of periods) {
      expect(from).toMatch(/^\d{4}-\d\d-\d\d$/);
      expect(to === null || from! < to).toBe(true);
    }
    const begun = periods.slice(1).map(({ from }) => from);
    expect(begun).toEqual(periods.slice(0, -1).map(({ to }) => to));
  });

  it('has prices that can be, in the proportions the list has', () => {
    for (const period of model.periods) {
      for (const price of [period, ...period.tiers]) {
        const { input, output, cacheRead, cacheWrite5m, cacheWrite1h } = price;
        expect(output / input).toBeGreaterThan(3);
        expect(cacheRead).toBeLessThanOrEqual(input * 0.12);
        expect(cacheWrite5m).toBeGreaterThan(input);
        expect(cacheWrite1h).toBe(input * 2);
      }
      const sizes = period.tiers.map(({ overPromptTokens, input }) => [overPromptTokens, input]);
      for (const [size, input] of sizes) {
        expect(size).toBeGreaterThanOrEqual(100_000);
        expect(input).toBeGreaterThan(period.input);
      }
    }
  });

  it('tells where each price was read, and how far to trust it', () => {
    for (const { sources, confidence } of [...model.periods, ...(model.fast ? [model.fast] : [])]) {
      expect(sources.length).toBeGreaterThan(0);
      expect(sources.filter((source) => !Object.hasOwn(prices.sources, source))).toEqual([]);
      expect(confidence).not.toBe('');
    }
  });
});

describe('the table', () => {
  const names = all.flatMap(([id, { aliases }]) => [id, ...aliases]);

  it('has every name once, ids and aliases together', () => {
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it('uses every source it lists', () => {
    const used = all.flatMap(([, { periods, fast }]) => [
      ...periods.flatMap(({ sources }) => sources),
      ...(fast?.sources ?? []),
    ]);
    expect(Object.keys(prices.sources).filter((source) => !used.includes(source))).toEqual([]);
  });

  it('finds a model by its whole name only', () => {
    const { models } = rateBookOf(prices);
    expect([...models.keys()].toSorted()).toEqual(names.toSorted());
    const near = names.flatMap((name) => [
      name.slice(0, -1),
      `${name}-5`,
      `${name}-20260101`,
      `anthropic.${name}-v1:0`,
      name.toUpperCase(),
      ` ${name}`,
    ]);
    const unknown = near.filter((name) => !names.includes(name));
    expect(unknown.length).toBeGreaterThan(names.length * 5);
    const usage = { input_tokens: 1_000_000 };
    expect(unknown.filter((name) => costOf(usage, name, { at: new Date(today) }))).toEqual([]);
  });

  it('does not take Sonnet 5.5 for Sonnet 5', () => {
    const read = (model: string) =>
      costOf({ cache_read_input_tokens: 1_000_000 }, model, { at: new Date(today) })?.usd;
    expect([read('claude-sonnet-5'), read('claude-sonnet-5-5')]).toEqual([0.2, 0.1]);
  });

  it('has no names but its own', () => {
    expect(Object.getPrototypeOf(prices.models)).toBeNull();
  });
});

describe('docs/pricing.md', () => {
  const page = readFileSync(join(repository, 'docs', 'pricing.md'), 'utf8');

  /** The rows of the table under a heading, cell by cell, without its head. */
  function tableUnder(heading: string): string[][] {
    const section = page.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
    const lines = section.split('\n').filter((line) => line.startsWith('|'));
    return lines.slice(2).map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }

  const code = (name: string) => `\`${name}\``;
  const numbers = ({ input, output, cacheRead, cacheWrite5m, cacheWrite1h }: Rates) =>
    [input, output, cacheRead, cacheWrite5m, cacheWrite1h].map(String);
  const dates = (from: string | null, until: string | null) => [from ?? '–', until ?? '–'];

  function rowsOf(
    pick: (period: PricePeriod) => boolean,
    rest: (model: ModelPrice, period: PricePeriod) => string[],
  ) {
    return all.flatMap(([id, model]) =>
      model.periods
        .filter(pick)
        .flatMap((period) => [
          [code(id), ...numbers(period), ...rest(model, period)],
          ...period.tiers.map((tier) => [
            `${code(id)} above ${tier.overPromptTokens.toLocaleString('en-US')} tokens`,
            ...numbers(tier),
            ...rest(model, period),
          ]),
        ]),
    );
  }

  it('shows the prices of the day of the table', () => {
    const us = (model: ModelPrice) => [
      model.usMultiplier === null ? '–' : `× ${model.usMultiplier}`,
    ];
    expect(tableUnder(`Prices on ${today}`)).toEqual(rowsOf(isOpen, us));
  });

  it('shows the prices of former days', () => {
    const days = (_: ModelPrice, { from, to }: PricePeriod) => dates(from, to);
    expect(tableUnder('Former prices')).toEqual(rowsOf((period) => !isOpen(period), days));
  });

  it('shows who is fast, when, and at what price', () => {
    const rows = all.flatMap(([id, { fast }]) =>
      fast ? [[code(id), `× ${fast.multiplier}`, ...dates(fast.from, fast.until)]] : [],
    );
    expect(tableUnder('Fast mode')).toEqual(rows);
  });

  it('shows the other names of models', () => {
    const rows = all.flatMap(([id, { aliases }]) =>
      aliases.map((alias) => [code(alias), code(id)]),
    );
    expect(tableUnder('Aliases')).toEqual(rows);
  });

  it('shows where prices were read, and how far to trust them', () => {
    const rows = all.flatMap(([id, { periods, fast }]) => [
      ...periods.map(({ from, sources, confidence }) => [
        code(id),
        from,
        sources.join(' '),
        confidence,
      ]),
      ...(fast
        ? [[`${code(id)} fast`, fast.from ?? '–', fast.sources.join(' '), fast.confidence]]
        : []),
    ]);
    expect(tableUnder('Confidence')).toEqual(rows);
    const sources = Object.entries(prices.sources).map(([name, text]) => [code(name), text]);
    expect(tableUnder('Sources')).toEqual(sources);
  });

  it('has examples that give what they say', () => {
    jest.spyOn(Date, 'now').mockReturnValue(Date.parse(today));
    const examples = [...page.matchAll(/^```js\n([^]*?)^```/gm)].map(([, text = '']) => text);
    const seen: [string, string][] = [];
    const told = (value: unknown, text: string) =>
      seen.push([inspect(value, { breakLength: Infinity }), text]);
    const script = examples.join('\n').replace(/^import .*$/gm, '');
    // `expression; // value` is a promise.
    const checked = script.replace(
      /^([^\s].*); \/\/ (.+)$/gm,
      (_, expression, value) => `told(${expression}, ${JSON.stringify(value)});`,
    );
    runInNewContext(checked, { costOf, registerPrices, prices, told });
    expect(seen.length).toBeGreaterThan(8);
    for (const [value, text] of seen) expect(value).toBe(text);
  });
});
