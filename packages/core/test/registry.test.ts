import type { ModelPriceInput } from '../src/price-input.js';
import { prices } from '../src/prices.js';

type Registry = typeof import('../src/registry.js') & typeof import('../src/pricing.js');

/** Where every copy of the module in a process keeps what was registered: a promise, too. */
const KEY = Symbol.for('@claude-metrics/core:prices@1');
const shared = globalThis as { [KEY]?: unknown };
const at = new Date('2026-11-23');
const ok = { input: 3, output: 15 };

/** Another copy of the module, as an application has that loads us as ESM and as CommonJS. */
async function copy(): Promise<Registry> {
  let module: Registry | undefined;
  await jest.isolateModulesAsync(async () => {
    module = { ...(await import('../src/registry.js')), ...(await import('../src/pricing.js')) };
  });
  return module as Registry;
}

let registry: Registry;
beforeEach(async () => {
  delete shared[KEY];
  registry = await copy();
});

function costOf(model: string, of: Registry = registry): number | undefined {
  return of.costOf({ input_tokens: 1, cache_read_input_tokens: 1 }, model, { at })?.nanoUsd;
}

describe('registerPrices', () => {
  it('adds a model, from the next call on', () => {
    expect(costOf('acme')).toBeUndefined();
    registry.registerPrices({ acme: ok });
    expect(costOf('acme')).toBe(3_000 + 300);
    expect(costOf('acme-2')).toBeUndefined();
  });

  it('replaces the price of a known model, and leaves the others', () => {
    registry.registerPrices({ 'claude-opus-5-5': ok });
    expect(costOf('claude-opus-5-5')).toBe(3_300);
    expect(costOf('claude-opus-5')).toBe(5_500);
    const { aliases, usMultiplier, fast } = registry.currentPrices().models['claude-opus-5-5']!;
    expect({ aliases, usMultiplier, fast }).toMatchObject({
      aliases: [],
      usMultiplier: 1.1,
      fast: { multiplier: 2 },
    });
  });

  it('replaces the price of the model that an alias stands for', () => {
    registry.registerPrices({ 'claude-haiku-4-5': ok });
    expect(costOf('claude-haiku-4-5')).toBe(3_300);
    expect(costOf('claude-haiku-4-5-20251001')).toBe(3_300);
    expect(registry.currentPrices().models['claude-haiku-4-5']).toBeUndefined();
  });

  it('knows the aliases that were registered', () => {
    registry.registerPrices({ acme: { ...ok, aliases: ['acme-latest'] } });
    registry.registerPrices({ 'acme-latest': { input: 5, output: 1 } });
    expect(costOf('acme')).toBe(5_500);
    expect(costOf('acme-latest')).toBe(5_500);
  });

  it('lets the last word count', () => {
    registry.registerPrices({ acme: ok });
    registry.registerPrices({ acme: { input: 7, output: 1 } });
    expect(costOf('acme')).toBe(7_700);
  });

  it('registers nothing when anything is wrong', () => {
    const models = { acme: ok, other: { input: -1, output: 1 } };
    expect(() => registry.registerPrices(models)).toThrow(
      '[claude-metrics] registerPrices: models["other"].input must be a number of USD',
    );
    expect(costOf('acme')).toBeUndefined();
    expect(registry.currentPrices().version).toBe(prices.version);
  });

  it.each([
    ['no object', 7, 'models must be an object, got 7.'],
    ['nothing', undefined, 'models must be an object, got undefined.'],
    ['a list', [ok], 'models must be an object, got an array of 1.'],
    ['no name', { '': ok }, 'the name of a model must be a string of 1 to 256 characters, got "".'],
    ['a long name', { ['x'.repeat(257)]: ok }, 'the name of a model must be a string of 1 to 256'],
  ])('refuses %s', (_, models, message) => {
    const register = () => registry.registerPrices(models as Record<string, ModelPriceInput>);
    expect(register).toThrow(TypeError);
    expect(register).toThrow(`[claude-metrics] registerPrices: ${message}`);
    expect(registry.currentPrices().version).toBe(prices.version);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'takes %s for a name like any other',
    (name) => {
      expect(costOf(name)).toBeUndefined();
      registry.registerPrices({ acme: ok });
      expect(costOf(name)).toBeUndefined();
      registry.registerPrices(JSON.parse(`{ "${name}": { "input": 3, "output": 15 } }`));
      expect(costOf(name)).toBe(3_300);
      expect(({} as Record<string, unknown>)['input']).toBeUndefined();
      expect(Object.getPrototypeOf(registry.currentPrices().models)).toBeNull();
    },
  );
});

describe('the table', () => {
  it('tells by its version what was registered', () => {
    const version = () => registry.currentPrices().version;
    registry.registerPrices({});
    expect(version()).toBe(prices.version);
    registry.registerPrices({ acme: ok, other: ok });
    expect(version()).toBe(`${prices.version}+1`);
    registry.registerPrices({ acme: ok });
    expect(version()).toBe(`${prices.version}+2`);
    expect(registry.costOf({ input_tokens: 1 }, 'acme', { at })?.priceVersion).toBe(
      `${prices.version}+2`,
    );
  });

  it('is the same object until the next registration, and stays as it was', () => {
    const before = registry.currentPrices();
    expect(registry.currentPrices()).toBe(before);
    registry.registerPrices({ acme: ok });
    const after = registry.currentPrices();
    expect(after).not.toBe(before);
    expect(registry.currentPrices()).toBe(after);
    expect(before.models['acme']).toBeUndefined();
  });

  it('is frozen through and through', () => {
    const unfrozen: string[] = [];
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) unfrozen.push(path);
      for (const [name, part] of Object.entries(value)) walk(part, `${path}.${name}`);
    };
    walk(registry.currentPrices(), 'built-in');
    registry.registerPrices({ acme: { ...ok, aliases: ['a'], fast: { multiplier: 2 } } });
    walk(registry.currentPrices(), 'registered');
    expect(unfrozen).toEqual([]);
  });

  it('is one for the process, however often the module is loaded', async () => {
    const other = await copy();
    expect(other.registerPrices).not.toBe(registry.registerPrices);
    other.registerPrices({ acme: ok });
    expect(costOf('acme')).toBe(3_300);
    registry.registerPrices({ acme: { input: 7, output: 1 } });
    expect(costOf('acme', other)).toBe(7_700);
    expect(costOf('acme', await copy())).toBe(7_700);
    expect(other.currentPrices().version).toBe(`${prices.version}+2`);
    expect(shared[KEY]).toBeDefined();
  });

  it('of a monitor of its own knows nothing of what was registered', () => {
    const own = registry.currentPrices();
    registry.registerPrices({ acme: ok });
    expect(registry.costOf({ input_tokens: 1 }, 'acme', { at, prices: own })).toBeNull();
  });
});
