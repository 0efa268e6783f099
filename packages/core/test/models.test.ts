import { maxOutputOf, modelFactsOf } from '../src/models.js';
import { prices } from '../src/prices.js';

const priced = Object.entries(prices.models);
const names = priced.flatMap(([id, { aliases }]) => [id, ...aliases]);
const unknown = modelFactsOf('no such model');

describe('modelFactsOf', () => {
  it('knows every id and alias that has a price', () => {
    expect(names.filter((name) => modelFactsOf(name) === unknown)).toEqual([]);
  });

  it('gives an alias the facts of its model', () => {
    for (const [id, { aliases }] of priced) {
      for (const alias of aliases) expect(modelFactsOf(alias)).toBe(modelFactsOf(id));
    }
  });

  it('gives an unknown model the largest of everything, and no retirement', () => {
    expect(unknown).toEqual({
      contextWindow: 1_000_000,
      maxOutput: 128_000,
      maxBatchOutput: 300_000,
      retirement: null,
    });
    for (const name of ['constructor', '__proto__', '', 'claude-opus-5-5-20260922']) {
      expect(modelFactsOf(name)).toBe(unknown);
    }
  });

  it('keeps windows above every prompt size at which a price changes', () => {
    for (const [id, { periods }] of priced) {
      for (const { tiers } of periods) {
        for (const { overPromptTokens } of tiers) {
          expect(modelFactsOf(id).contextWindow).toBeGreaterThan(overPromptTokens);
        }
      }
    }
  });

  it.each(names)('%s writes less than it can hold, and more in batches', (name) => {
    const { contextWindow, maxOutput, maxBatchOutput } = modelFactsOf(name);
    expect(maxOutput).toBeGreaterThan(0);
    expect(maxBatchOutput).toBeGreaterThanOrEqual(maxOutput);
    expect(contextWindow).toBeGreaterThan(maxBatchOutput);
  });

  it('agrees with the prices on the day a model was retired', () => {
    const ended = priced.flatMap(([id, { periods }]) => {
      const to = periods.at(-1)?.to;
      return to ? [{ id, retirement: { day: to, announced: true } }] : [];
    });
    expect(ended).toHaveLength(6);
    for (const { id, retirement } of ended) expect(modelFactsOf(id)).toMatchObject({ retirement });
  });

  it('tells a fixed day from a promise', () => {
    expect(modelFactsOf('claude-sonnet-4-5').retirement).toEqual({
      day: '2026-11-30',
      announced: true,
    });
    expect(modelFactsOf('claude-haiku-4-5').retirement).toEqual({
      day: '2026-10-15',
      announced: false,
    });
  });

  it('has only days that exist, all after the first price', () => {
    for (const [id, { periods }] of priced) {
      const { retirement } = modelFactsOf(id);
      if (!retirement) continue;
      expect(new Date(retirement.day).toISOString().slice(0, 10)).toBe(retirement.day);
      expect(retirement.day > periods[0]!.from!).toBe(true);
    }
  });

  it('cannot be changed', () => {
    expect(Object.isFrozen(modelFactsOf('claude-opus-5-5'))).toBe(true);
    expect(Object.isFrozen(modelFactsOf('claude-opus-5-5').retirement)).toBe(true);
  });
});

it('maxOutputOf does not guess', () => {
  expect(maxOutputOf('claude-haiku-4-5')).toBe(64_000);
  expect(maxOutputOf('no such model')).toBeNull();
});
