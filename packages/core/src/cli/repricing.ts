import { BATCH, FAST, rateBookOf, US, type ModelRates, type Rate } from '../rates.js';
import { isFolded, type Counted, type Part } from './ledger-reading.js';
import { absolute } from './money.js';
import type { PriceTable } from '../prices.js';
import type { UnpricedReason } from '../record.js';
import type { Line } from '../stores/store.js';

/**
 * Quantities of the ledger at other prices.
 *
 * A line keeps all that a price depends on, but for the size of the prompt. Where prices depend on it,
 * the split is told by the largest prompt of the cell, or by the money that was recorded: two rates and
 * their sum have one solution. Where neither tells, there is a least and a most.
 */
export interface Repriced {
  /** The least. */
  readonly nanoUsd: bigint;
  readonly atMost: bigint;
  /** Why there is no price; then the amounts are 0. */
  readonly reason: UnpricedReason | null;
}

export interface Pricing {
  readonly table: PriceTable;
  /** The table that the recorded money may be from. */
  readonly before: PriceTable;
}

/** `quantity × rate`, rounded half up. */
export function amountOf(quantity: bigint, { numerator, denominator }: Rate): bigint {
  return (2n * quantity * numerator + denominator) / (2n * denominator);
}

/**
 * A part at the prices of its time.
 *
 * @param part Its line may name another model than the cell's: what an advisor cost, say.
 */
export function repriced(part: Part, counted: Counted, { table, before }: Pricing): Repriced {
  const { line } = part;
  const { at } = counted.cell;
  const rates = ratesFor(table, line, at);
  if (typeof rates === 'string') return nothing(rates);
  if (rates === null) return between(part.nanoUsd, part.nanoUsd);
  const [base] = rates;
  if (base === undefined) return nothing('no_price_for_date');
  if (rates.length === 1 || isShort(table, line.model, at, counted))
    return priced(part, base, counted);
  return split(part, counted, rates, ratesFor(before, line, at)) ?? extremes(part.quantity, rates);
}

/** The same quantity of another model, at the prices of `at`. */
export function pricedAs(
  part: { readonly quantity: bigint; readonly line: Line },
  at: number,
  counted: Counted,
  table: PriceTable,
): Repriced {
  const rates = ratesFor(table, part.line, at);
  if (typeof rates === 'string') return nothing(rates);
  const [base] = rates ?? [];
  if (rates === null || base === undefined) return nothing('no_price_for_date');
  const short = rates.length === 1 || isShort(table, part.line.model, at, counted);
  if (!short) return extremes(part.quantity, rates);
  const nanoUsd = amountOf(part.quantity, base);
  return between(nanoUsd, nanoUsd);
}

/**
 * The rates that a line can have had, the one of short prompts first; `null` for a line whose model was
 * merged away, a reason where there is no price.
 */
export function ratesFor(
  table: PriceTable,
  line: Line,
  at: number,
): Rate[] | UnpricedReason | null {
  const book = rateBookOf(table);
  if (line.class === 'webSearch') return [book.webSearch];
  if (isFolded(line)) return null;
  if (line.tier?.startsWith('priority')) return 'priority_tier';
  const model = book.models.get(line.model);
  if (!model) return 'unknown_model';
  const mode = modeOf(line, model);
  const part = line.class;
  const found: Rate[] = [];
  for (const tokens of [0, ...limitsOf(table, line.model, at).map((limit) => limit + 1)]) {
    const rate = model.at(at, tokens, mode)?.[part];
    if (rate && !found.some((each) => isSame(each, rate))) found.push(rate);
  }
  return found.length === 0 ? 'no_price_for_date' : found;
}

function modeOf({ tier, geo, speed }: Line, { hasUs, hasFast }: ModelRates): number {
  let mode = tier === 'batch' ? BATCH : 0;
  if (geo === 'us' && hasUs) mode |= US;
  // As calls are priced: batches know no fast mode, and neither does an advisor's model.
  if (speed === 'fast' && hasFast && tier !== 'batch') mode |= FAST;
  return mode;
}

/** Tokens beyond which a prompt costs more. */
function limitsOf(table: PriceTable, model: string, at: number): number[] {
  const price = table.models[idOf(table, model)];
  const day = new Date(at).toISOString().slice(0, 10);
  const period = price?.periods.find(
    ({ from, to }) => (from === null || from <= day) && (to === null || day < to),
  );
  return (period?.tiers ?? []).map((tier) => tier.overPromptTokens).sort((a, b) => a - b);
}

/** The id that an alias stands for. */
export function idOf(table: PriceTable, model: string): string {
  if (Object.hasOwn(table.models, model)) return model;
  const found = Object.entries(table.models).find(([, { aliases }]) => aliases.includes(model));
  return found?.[0] ?? model;
}

/** No call of the cell was long enough to cost more. */
function isShort(table: PriceTable, model: string, at: number, { largestInput }: Counted): boolean {
  const [limit] = limitsOf(table, model, at);
  return limit === undefined || (largestInput !== null && largestInput <= limit);
}

/** Each call was rounded on its own: money that differs by no more than that is left as it was. */
function priced(part: Part, rate: Rate, { calls }: Counted): Repriced {
  const { quantity, nanoUsd } = part;
  const { numerator, denominator } = rate;
  const off = absolute(nanoUsd * denominator - quantity * numerator);
  const same = denominator > 1n && 2n * off <= denominator * BigInt(calls);
  const exact = same ? nanoUsd : amountOf(quantity, rate);
  return between(exact, exact);
}

function split(
  part: Part,
  { calls }: Counted,
  rates: readonly Rate[],
  former: Rate[] | string | null,
): Repriced | null {
  const [short, long] = rates;
  if (!Array.isArray(former) || former.length !== 2 || rates.length !== 2 || !short || !long)
    return null;
  const [a, b] = former as [Rate, Rate];
  const { quantity, nanoUsd } = part;
  // quantity × a + x × (b − a) = nanoUsd
  const over = nanoUsd * a.denominator * b.denominator - quantity * a.numerator * b.denominator;
  const under = b.numerator * a.denominator - a.numerator * b.denominator;
  if (under <= 0n || over < 0n) return null;
  const x = (2n * over + under) / (2n * under);
  if (x > quantity) return null;
  // Each call was rounded on its own.
  const off = absolute(amountOf(quantity - x, a) + amountOf(x, b) - nanoUsd);
  if (off > BigInt(calls)) return null;
  if (isSame(a, short) && isSame(b, long)) return between(nanoUsd, nanoUsd);
  const exact = amountOf(quantity - x, short) + amountOf(x, long);
  return between(exact, exact);
}

function extremes(quantity: bigint, rates: readonly Rate[]): Repriced {
  const amounts = rates.map((rate) => amountOf(quantity, rate)).sort((a, b) => (a < b ? -1 : 1));
  return between(amounts[0] ?? 0n, amounts.at(-1) ?? 0n);
}

function between(nanoUsd: bigint, atMost: bigint): Repriced {
  return { nanoUsd, atMost, reason: null };
}

function nothing(reason: UnpricedReason): Repriced {
  return { nanoUsd: 0n, atMost: 0n, reason };
}

function isSame(a: Rate, b: Rate): boolean {
  return a.numerator === b.numerator && a.denominator === b.denominator;
}
