import type {
  Cost,
  CostClass,
  CostLine,
  Operation,
  Outcome,
  PriceStatus,
  Tokens,
  UnpricedReason,
  Usage,
} from './record.js';
import { NO_TOKENS } from './record.js';
import type { PriceTable } from './prices.js';
import { amount, BATCH, FAST, rateBookOf, TOKEN_CLASSES, US, type Rate } from './rates.js';
import { currentPrices } from './registry.js';
import { billOf, hasCounts, promptTokens, totalOf, type Bill, type BillOptions } from './usage.js';

export { currentPrices, registerPrices } from './registry.js';
export { tokensOf } from './usage.js';
export type { ModelPriceInput } from './price-input.js';

/**
 * What a call costs, in integer nano-dollars: each line is `quantity × rate`, rounded once, half
 * up; a cost is the sum of its lines. Docs: `docs/pricing.md`.
 */
export interface CostOptions {
  /** When the call was made; default now. Prices change. */
  readonly at?: Date | undefined;
  /** Default: the built-in table with everything registered. */
  readonly prices?: PriceTable | undefined;
}

/**
 * The list price of a `usage` object of the API: token classes, cache lifetimes, iterations (with
 * their own models), fast mode, US inference, batches, prompt tiers, web searches.
 *
 * @returns `null` where no price is known: an unknown model (also in `usage.iterations`), no price
 * on that day, or the Priority Tier, which is paid by contract.
 * @throws TypeError for a `prices` table that cannot be right; never because of `usage`.
 *
 * @example
 * costOf({ input_tokens: 1_000, output_tokens: 500 }, 'claude-opus-5-5')?.usd; // 0.014
 */
export function costOf(usage: Usage, model: string, options: CostOptions = {}): Cost | null {
  if (typeof usage !== 'object' || usage === null) return null;
  const at = options.at === undefined ? Date.now() : Number(options.at);
  return priceOf(billOf(usage), usage, model, at, options.prices ?? currentPrices(), false).cost;
}

/** A finished call, as far as its price depends on it. */
export interface PricedCall {
  readonly usage: Usage | null;
  /** The model asked for, and the one that answered: the second one bills, if it is known. */
  readonly model: string;
  readonly servedModel: string | null;
  /** Start of the call, milliseconds since the epoch. */
  readonly at: number;
  readonly prices: PriceTable;
  readonly operation: Operation;
  readonly outcome: Outcome;
  /** HTTP status of the last attempt; `null` when no response arrived. */
  readonly status: number | null;
  readonly stopReason: string | null;
  /** Any content was seen. */
  readonly hasOutput: boolean;
  /** Without a response: the request may have reached the provider. Default `true`. */
  readonly mayHaveBilled?: boolean | undefined;
  /** The output tokens in `usage` are an estimate. */
  readonly outputEstimated?: boolean | undefined;
  /** Lifetime of cache writes whose lifetime the API does not tell; default `5m`. */
  readonly cacheTtl?: '5m' | '1h' | undefined;
}

export interface CallPrice {
  readonly tokens: Tokens;
  readonly cost: Cost | null;
  readonly priceStatus: PriceStatus;
  readonly unpricedReason: UnpricedReason | null;
  readonly estimated: boolean;
  /** The model that has no price, where that is the reason. */
  readonly unknownModel: string | null;
}

/**
 * Tokens, cost and price status of a finished call. Never throws because of the call.
 *
 * @throws TypeError for a `prices` table that cannot be right.
 */
export function priceCall(call: PricedCall): CallPrice {
  const { usage, prices } = call;
  if (isFree(call)) return free(prices);
  // A refusal before any output is not charged, whatever usage says; what a compaction or an
  // advisor did before it is.
  const refusedAtOnce = call.stopReason === 'refusal' && !call.hasOutput;
  const known = usage !== null && typeof usage === 'object' && hasCounts(usage);
  if (!known) return refusedAtOnce ? free(prices) : unpriced(NO_TOKENS, 'no_usage', false);
  const options: BillOptions = {
    cacheTtl: call.cacheTtl,
    outputEstimated: call.outputEstimated,
    sideWorkOnly: refusedAtOnce,
  };
  const bill = billOf(usage, options);
  if (refusedAtOnce && bill.parts.length === 0) return free(prices);

  const served = call.servedModel === null || call.servedModel === '' ? null : call.servedModel;
  const inBatch = call.operation === 'batch_results' && usage.service_tier == null;
  const { cost, reason, unknownModel, assumed } = priceOf(
    bill,
    usage,
    served ?? call.model,
    call.at,
    prices,
    inBatch,
  );
  const estimated = assumed || call.outputEstimated === true || refusedAtOnce;
  const tokens = totalOf(bill);
  if (cost === null) return { ...unpriced(tokens, reason, estimated), unknownModel };
  const priceStatus = estimated ? 'estimated' : 'priced';
  return { tokens, cost, priceStatus, unpricedReason: null, estimated, unknownModel: null };
}

/** Failed requests, counting tokens, creating a batch, and what never reached the provider. */
function isFree(call: PricedCall): boolean {
  const { outcome, operation, status, usage } = call;
  if (operation === 'count_tokens' || operation === 'batches') return true;
  // Refused before it was sent; a retry that was refused follows an attempt that may have billed.
  if (outcome === 'blocked' && call.mayHaveBilled !== true) return true;
  if (status !== null && status >= 400) return true;
  if (usage !== null) return false;
  // A batch bills the results that succeeded; other endpoints bill nothing by the token.
  if (operation === 'batch_results') return outcome !== 'ok' && outcome !== 'refused';
  return operation === 'other' || (status === null && call.mayHaveBilled === false);
}

function free(prices: PriceTable): CallPrice {
  const { cost } = costFrom({ lines: [], rates: [] }, prices.version);
  const none = { unpricedReason: null, estimated: false, unknownModel: null };
  return { tokens: NO_TOKENS, cost, priceStatus: 'free', ...none };
}

function unpriced(tokens: Tokens, reason: UnpricedReason | null, estimated: boolean): CallPrice {
  const status = { priceStatus: 'unpriced', unpricedReason: reason } as const;
  return { tokens, cost: null, ...status, estimated, unknownModel: null };
}

interface Priced {
  readonly cost: Cost | null;
  readonly reason: UnpricedReason | null;
  readonly unknownModel: string | null;
  readonly assumed: boolean;
}

const MAX_MODEL = 128;

/** Lines whose quantities still grow; rounding comes last, once a line. */
interface Draft {
  readonly lines: { -readonly [K in keyof CostLine]: CostLine[K] }[];
  /** Of each line. */
  readonly rates: Rate[];
}

function priceOf(
  bill: Bill,
  usage: Usage,
  model: string,
  at: number,
  prices: PriceTable,
  inBatch: boolean,
): Priced {
  if (usage.service_tier === 'priority') return noPrice('priority_tier', null, bill.assumed);
  const book = rateBookOf(prices);
  const batch = inBatch || usage.service_tier === 'batch';
  const draft: Draft = { lines: [], rates: [] };
  let assumed = bill.assumed;

  for (const part of bill.parts) {
    const name = part.model ?? model;
    const rates = book.models.get(name);
    if (!rates) return noPrice('unknown_model', String(name).slice(0, MAX_MODEL), assumed);
    let mode = batch ? BATCH : 0;
    if (rates.hasUs && usage.inference_geo === 'us') mode |= US;
    if (part.fast) {
      // Batches know no fast mode, and `speed` speaks of the answer, not of an advisor's turn.
      if (batch || (!rates.hasFast && name !== model)) assumed = true;
      else mode |= FAST;
    }
    const row = rates.at(at, promptTokens(part), mode);
    if (!row) return noPrice('no_price_for_date', null, assumed);
    for (const each of TOKEN_CLASSES) addLine(draft, each, name, row[each], part[each]);
  }
  addLine(draft, 'webSearch', model, book.webSearch, bill.webSearches);

  const { cost, exact } = costFrom(draft, prices.version);
  return { cost, reason: null, unknownModel: null, assumed: assumed || !exact };
}

function noPrice(reason: UnpricedReason, unknownModel: string | null, assumed: boolean): Priced {
  return { cost: null, reason, unknownModel, assumed };
}

/** One line for each class, model and rate: a loop of fifty turns is three lines, not 150. */
function addLine(
  { lines, rates }: Draft,
  costClass: CostClass,
  model: string,
  rate: Rate,
  quantity: number,
): void {
  if (quantity === 0) return;
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i]!;
    if (line.class === costClass && line.model === model && rates[i] === rate) {
      line.quantity += quantity;
      return;
    }
  }
  const { nanoUsdPerUnit } = rate;
  lines.push({ class: costClass, model, quantity, nanoUsdPerUnit, nanoUsd: 0 });
  rates.push(rate);
}

function costFrom({ lines, rates }: Draft, version: string): { cost: Cost; exact: boolean } {
  let total = 0;
  let kept = 0;
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i]!;
    const nanoUsd = Number.isSafeInteger(line.quantity) ? amount(line.quantity, rates[i]!) : NaN;
    // No call has quantities that leave the exact integers; a number like that is left out.
    if (!Number.isSafeInteger(total + nanoUsd)) continue;
    total += nanoUsd;
    line.nanoUsd = nanoUsd;
    lines[kept] = Object.freeze(line);
    kept += 1;
  }
  const exact = kept === lines.length;
  lines.length = kept;
  const usd = total / 1e9;
  const cost = { usd, nanoUsd: total, lines: Object.freeze(lines), priceVersion: version };
  return { cost: Object.freeze(cost), exact };
}
