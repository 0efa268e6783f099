import { modelFactsOf } from './models.js';
import { modelPriceOf } from './price-input.js';
import type { PriceTable } from './prices.js';
import { BATCH, FAST, rateBookOf, US, type ModelRates, type Rate } from './rates.js';
import type { RequestSize } from './request-size.js';

/**
 * What a request can cost at most, in integer nano-dollars.
 *
 * - **input bound**: the most tokens it can be billed as input: no more than its bytes and what is
 *   added to them, no more than the model's context window.
 * - **dearest rate**: of every token class, speed, place and prompt size that the answer may have.
 *
 * A request with unbounded parts has no worst case. What is said of it is an estimate: one turn of
 * the model, and the web searches it may make.
 */
export interface WorstCase {
  readonly nanoUsd: number;
  /** The part of it that does not depend on the output: input and web searches. */
  readonly inputNanoUsd: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface WorstCaseOptions {
  /** The request is part of a batch. */
  readonly batch?: boolean | undefined;
  /** Instead of the bound: an estimate. */
  readonly inputTokens?: number | undefined;
  /** Instead of the request's `max_tokens`. */
  readonly outputTokens?: number | undefined;
}

/** With server tools the model takes 10 turns a request, unless it is told otherwise. */
const UNLIMITED_SEARCHES = 10;
const MAX = Number.MAX_SAFE_INTEGER;

/**
 * The most that any answer to a request can cost, rounded up; beyond the safe integers, the largest
 * of them. A request without `max_tokens` is taken to ask for all that the model can write.
 * `max_tokens` bounds thinking and text together; the budget of interleaved thinking, which may be
 * larger, then counts in its place.
 *
 * @param at When the call starts, in milliseconds since the epoch.
 * @returns `null`: no price is known for the model on that day, or the Priority Tier was asked for.
 * @throws TypeError for a price table that cannot be right; never because of the request.
 *
 * @example
 * const size = requestSizeOf({ max_tokens: 1_000, messages: [{ role: 'user', content: 'Hello' }] });
 * worstCaseOf(size, 'claude-opus-5-5', Date.now(), prices)?.nanoUsd; // 22_374_000: 2 cents
 */
export function worstCaseOf(
  size: RequestSize,
  model: string,
  at: number,
  prices: PriceTable,
  options: WorstCaseOptions = NO_OPTIONS,
): WorstCase | null {
  const input = inputOf(size, model, at, prices, options);
  if (!input) return null;
  const { nanoUsd: inputNanoUsd, inputTokens, output } = input;
  const outputTokens = outputOf(size, model, options);
  const nanoUsd = Math.min(MAX, inputNanoUsd + roundUp(outputTokens, output));
  return { nanoUsd, inputNanoUsd, inputTokens, outputTokens };
}

/**
 * The largest `max_tokens` with which a request costs at most so much: its worst case fits, that of
 * one token more does not. 0: not even the input fits (or the thinking budget), or there is no price.
 *
 * @throws TypeError for a price table that cannot be right; never because of the request.
 *
 * @example
 * affordableOutput(size, 'claude-opus-5-5', Date.now(), prices, 10_000_000); // 437 tokens for 1 cent
 */
export function affordableOutput(
  size: RequestSize,
  model: string,
  at: number,
  prices: PriceTable,
  nanoUsd: number,
  options: WorstCaseOptions = NO_OPTIONS,
): number {
  const input = inputOf(size, model, at, prices, options);
  if (!input) return 0;
  if (nanoUsd >= MAX) return MAX;
  const left = Math.floor(nanoUsd) - input.nanoUsd;
  if (!(left >= roundUp(leastOutput(size), input.output))) return 0;
  return unitsFor(left, input.output);
}

/**
 * The most tokens a request can be billed as input by a model.
 *
 * @example
 * inputBoundOf(size, 'claude-haiku-4-5'); // at most 200_000, its context window
 */
export function inputBoundOf(size: RequestSize, model: string): number {
  const { contextWindow } = modelFactsOf(model);
  if (size.fillsWindow) return contextWindow;
  return Math.min(size.textBytes + size.fixedTokens, contextWindow);
}

const NO_OPTIONS: WorstCaseOptions = Object.freeze({});

function outputOf(size: RequestSize, model: string, options: WorstCaseOptions): number {
  const { maxOutput, maxBatchOutput } = modelFactsOf(model);
  const most = options.batch === true ? maxBatchOutput : maxOutput;
  return Math.max(whole(options.outputTokens) ?? size.maxTokens ?? most, leastOutput(size));
}

/** A thinking budget that is not below `max_tokens` is that of interleaved thinking. */
function leastOutput({ maxTokens, thinkingTokens }: RequestSize): number {
  return maxTokens !== null && thinkingTokens >= maxTokens ? thinkingTokens : 0;
}

interface Input {
  readonly nanoUsd: number;
  readonly inputTokens: number;
  /** The dearest rate of the output. */
  readonly output: Rate;
}

function inputOf(
  size: RequestSize,
  model: string,
  at: number,
  prices: PriceTable,
  options: WorstCaseOptions,
): Input | null {
  const book = rateBookOf(prices);
  const rates = book.models.get(model);
  if (!rates || size.priority) return null;
  const inputTokens = whole(options.inputTokens) ?? inputBoundOf(size, model);
  const dearest = dearestOf(rates, limitsOf(rates, model, prices), size, at, inputTokens, options);
  if (!dearest) return null;
  const searches = size.webSearches === Infinity ? UNLIMITED_SEARCHES : size.webSearches;
  const nanoUsd =
    roundUp(inputTokens, dearest.input) + dearest.slack + roundUp(searches, book.webSearch);
  return { nanoUsd: Math.min(MAX, nanoUsd), inputTokens, output: dearest.output };
}

function whole(tokens: number | undefined): number | undefined {
  return tokens !== undefined && tokens >= 0 && tokens <= MAX ? Math.ceil(tokens) : undefined;
}

interface Dearest {
  readonly input: Rate;
  readonly output: Rate;
  /** A bill rounds each token class on its own: halves of two nano-dollars are one more. */
  readonly slack: number;
}

function dearestOf(
  rates: ModelRates,
  limits: readonly number[],
  size: RequestSize,
  at: number,
  inputTokens: number,
  { batch }: WorstCaseOptions,
): Dearest | null {
  // Fast mode may fall back to standard, and without a place the workspace's default decides.
  const mayBeUs = rates.hasUs && (size.geo === null || size.geo === 'us');
  const mayBeFast = size.fast && batch !== true;
  if (mayBeFast && !rates.hasFast) return null;
  const options = (mayBeUs ? US : 0) | (mayBeFast ? FAST : 0);
  const always = batch === true ? BATCH : 0;

  let input: Rate | undefined;
  let output: Rate | undefined;
  let fractions = 0;
  for (let mode = options; ; mode = (mode - 1) & options) {
    for (let tier = -1; tier < limits.length; tier += 1) {
      const limit = tier === -1 ? -1 : limits[tier]!;
      if (limit >= inputTokens && tier !== -1) break;
      const row = rates.at(at, limit + 1, mode | always);
      if (!row) continue;
      let uneven = isUneven(row.uncachedInput) + isUneven(row.cacheRead);
      input = dearer(dearer(input, row.uncachedInput), row.cacheRead);
      if (size.cacheTtl !== null) {
        input = dearer(input, row.cacheWrite5m);
        uneven += isUneven(row.cacheWrite5m);
      }
      if (size.cacheTtl === '1h') {
        input = dearer(input, row.cacheWrite1h);
        uneven += isUneven(row.cacheWrite1h);
      }
      fractions = Math.max(fractions, uneven);
      output = dearer(output, row.output);
    }
    if (mode === 0) break;
  }
  if (!input || !output) return null;
  return { input, output, slack: fractions >> 1 };
}

function isUneven(rate: Rate): number {
  return rate.under === 1 ? 0 : 1;
}

function dearer(a: Rate | undefined, b: Rate): Rate {
  if (!a || b.nanoUsdPerUnit > a.nanoUsdPerUnit) return b;
  if (b.nanoUsdPerUnit < a.nanoUsdPerUnit) return a;
  return b.numerator * a.denominator > a.numerator * b.denominator ? b : a;
}

const limitsByRates = new WeakMap<ModelRates, readonly number[]>();

/** The prompt sizes at which a model's price changes, of all periods, the lowest first. */
function limitsOf(rates: ModelRates, model: string, prices: PriceTable): readonly number[] {
  let limits = limitsByRates.get(rates);
  if (!limits) {
    const { models } = prices;
    const isNamed = (id: string) => id === model || (models[id]?.aliases?.includes(model) ?? false);
    const id = Object.hasOwn(models, model) ? model : Object.keys(models).find(isNamed);
    const price = modelPriceOf('price table', 'models', models[id ?? model], undefined);
    const all = price.periods.flatMap(({ tiers }) => tiers.map((tier) => tier.overPromptTokens));
    limits = [...new Set(all)].sort((a, b) => a - b);
    limitsByRates.set(rates, limits);
  }
  return limits;
}

/** `quantity × rate` in nano-dollars, rounded up; exact. */
function roundUp(quantity: number, rate: Rate): number {
  const product = quantity * rate.over;
  if (product <= MAX) {
    const rest = product % rate.under;
    return (product - rest) / rate.under + (rest > 0 ? 1 : 0);
  }
  const { numerator, denominator } = rate;
  return clamp((BigInt(quantity) * numerator + denominator - 1n) / denominator);
}

/** How many units so much money pays for; exact. */
function unitsFor(nanoUsd: number, rate: Rate): number {
  if (rate.over === 0) return MAX;
  const product = nanoUsd * rate.under;
  if (product <= MAX && rate.over <= MAX) {
    return (product - (product % rate.over)) / rate.over;
  }
  return clamp((BigInt(nanoUsd) * rate.denominator) / rate.numerator);
}

function clamp(amount: bigint): number {
  return amount > BigInt(MAX) ? MAX : Number(amount);
}
