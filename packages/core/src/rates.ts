import { checks, modelPriceOf } from './price-input.js';
import type { ModelPrice, PriceTable, Rates } from './prices.js';
import type { CostClass } from './record.js';

/**
 * A price table made ready for exact arithmetic.
 *
 * - **rate**: nano-dollars per unit as a fraction of integers, every multiplier applied. Money is
 *   never a product of floating-point numbers: 1.1 × 0.125 USD has no binary form, 11/80 has.
 * - **mode**: which multipliers apply, as bits.
 */
export interface Rate {
  readonly numerator: bigint;
  readonly denominator: bigint;
  /** The same as numbers, for speed. The denominator is always a safe integer. */
  readonly over: number;
  readonly under: number;
  readonly nanoUsdPerUnit: number;
}

export type RateRow = Readonly<Record<TokenClass, Rate>>;
export const TOKEN_CLASSES = [
  'uncachedInput',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'output',
] as const satisfies readonly CostClass[];
export type TokenClass = (typeof TOKEN_CLASSES)[number];

export const FAST = 1;
export const US = 2;
export const BATCH = 4;
const MODES = 8;

/** The prices of one model, by day, prompt size and mode. */
export interface ModelRates {
  readonly hasFast: boolean;
  readonly hasUs: boolean;
  /** `null`: no price is known for that day (or for fast mode on that day). */
  at(time: number, promptTokens: number, mode: number): RateRow | null;
}

export interface RateBook {
  readonly models: ReadonlyMap<string, ModelRates>;
  readonly webSearch: Rate;
}

const NANO_PER_USD = 1_000_000_000;
/** Prices have at most nine decimals, and multipliers three. */
const PRICE_SCALE = 1e9;
const MULTIPLIER_SCALE = 1e3;

const books = new WeakMap<PriceTable, RateBook>();

/**
 * @throws TypeError for a table with prices or days that cannot be.
 */
export function rateBookOf(table: PriceTable): RateBook {
  let book = books.get(table);
  if (!book) {
    book = compile(table);
    books.set(table, book);
  }
  return book;
}

/** `quantity × rate` in integer nano-dollars, rounded half up; exact for every safe integer. */
export function amount(quantity: number, rate: Rate): number {
  const { numerator, denominator, under } = rate;
  const product = quantity * rate.over;
  if (product <= Number.MAX_SAFE_INTEGER) {
    const rest = product % under;
    return (product - rest) / under + (rest * 2 >= under ? 1 : 0);
  }
  return Number((2n * BigInt(quantity) * numerator + denominator) / (2n * denominator));
}

function compile(table: PriceTable): RateBook {
  const check = checks('price table');
  const batchFactor = check.multiplier('batchFactor', table.batchFactor);
  const webSearchUsd = check.price('webSearchUsd', table.webSearchUsd);
  const models = new Map<string, ModelRates>();
  const priced = Object.entries(check.object('models', table.models)).map(([id, input]) => {
    const path = `models[${JSON.stringify(id.slice(0, 64))}]`;
    const price = modelPriceOf('price table', path, input, undefined);
    return { id, aliases: price.aliases, rates: ratesOf(price, batchFactor) };
  });
  for (const { aliases, rates } of priced) for (const alias of aliases) models.set(alias, rates);
  // An id beats an alias of the same name.
  for (const { id, rates } of priced) models.set(id, rates);
  return { models, webSearch: rateOf(webSearchUsd, NANO_PER_USD, []) };
}

interface Step {
  readonly over: number;
  readonly price: Rates;
  /** By mode; made when first asked for. */
  readonly rows: (RateRow | undefined)[];
}

function ratesOf(model: ModelPrice, batchFactor: number): ModelRates {
  const periods = model.periods.map((period) => ({
    from: dayStart(period.from, -Infinity),
    to: dayStart(period.to, Infinity),
    // The highest limit first: the first one the prompt exceeds decides.
    steps: [...period.tiers]
      .sort((a, b) => b.overPromptTokens - a.overPromptTokens)
      .map((tier) => step(tier.overPromptTokens, tier))
      .concat(step(-1, period)),
  }));
  const { fast } = model;
  const fastFrom = dayStart(fast?.from ?? null, -Infinity);
  const fastUntil = dayStart(fast?.until ?? null, Infinity);
  const multipliers = [fast?.multiplier ?? 1, model.usMultiplier ?? 1, batchFactor];

  return {
    hasFast: fast !== null,
    hasUs: model.usMultiplier !== null,
    at(time, promptTokens, mode) {
      if ((mode & FAST) !== 0 && !(fast && time >= fastFrom && time < fastUntil)) return null;
      for (const period of periods) {
        if (!(time >= period.from && time < period.to)) continue;
        for (const { over, price, rows } of period.steps) {
          if (promptTokens > over) return (rows[mode] ??= rowOf(price, multipliers, mode));
        }
      }
      return null;
    },
  };
}

function step(over: number, price: Rates): Step {
  return { over, price, rows: Array.from({ length: MODES }) };
}

function rowOf(price: Rates, multipliers: readonly number[], mode: number): RateRow {
  const applied = multipliers.filter((_, bit) => (mode & (1 << bit)) !== 0);
  const rate = (usdPerMillion: number) => rateOf(usdPerMillion, 1_000, applied);
  return {
    uncachedInput: rate(price.input),
    cacheRead: rate(price.cacheRead),
    cacheWrite5m: rate(price.cacheWrite5m),
    cacheWrite1h: rate(price.cacheWrite1h),
    output: rate(price.output),
  };
}

/** `price × nanoPerUnit × multipliers`, as a reduced fraction. */
function rateOf(price: number, nanoPerUnit: number, multipliers: readonly number[]): Rate {
  let numerator = BigInt(Math.round(price * PRICE_SCALE)) * BigInt(nanoPerUnit);
  let denominator = BigInt(PRICE_SCALE);
  for (const multiplier of multipliers) {
    numerator *= BigInt(Math.round(multiplier * MULTIPLIER_SCALE));
    denominator *= BigInt(MULTIPLIER_SCALE);
  }
  const common = greatestCommonDivisor(numerator, denominator);
  numerator /= common;
  denominator /= common;
  const over = Number(numerator);
  const under = Number(denominator);
  return { numerator, denominator, over, under, nanoUsdPerUnit: over / under };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}

function dayStart(day: string | null, open: number): number {
  return day === null ? open : Date.parse(`${day}T00:00:00Z`);
}
