import type { CacheCreation, Tokens, Usage, UsageIteration } from './record.js';

/**
 * What a `usage` object bills, in our token classes.
 *
 * - **part**: what one model was paid for at one prompt size: the whole call, or one of its
 *   iterations (an answer, a compaction, an advisor's turn, a fallback).
 * - **assumed**: a rule had to guess, or a number could not be one. The figures are then estimates.
 *
 * Where `iterations` exist they are the bill: compactions and advisors are missing from the top
 * level. A `message` entry without output that a fallback followed was declined, and is not billed.
 */
export interface BilledPart {
  /** `null`: the model of the call. */
  readonly model: string | null;
  readonly fast: boolean;
  /** A compaction or an advisor: no part of the answer. */
  readonly sideWork: boolean;
  uncachedInput: number;
  cacheRead: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
  output: number;
}

export interface Bill {
  readonly parts: readonly BilledPart[];
  readonly thinking: number;
  readonly webSearches: number;
  readonly assumed: boolean;
}

export interface BillOptions {
  /** Lifetime of cache writes whose lifetime the API does not tell; default `5m`. */
  readonly cacheTtl?: '5m' | '1h' | undefined;
  /** The top level's output is an estimate of ours, which `iterations` know nothing of. */
  readonly outputEstimated?: boolean | undefined;
  /** Only compactions and advisors: a refusal before any output costs nothing else. */
  readonly sideWorkOnly?: boolean | undefined;
}

type Draft = { -readonly [K in keyof Bill]: Bill[K] };

export function billOf(usage: Usage, options: BillOptions = {}): Bill {
  const bill: Draft = { parts: [], thinking: 0, webSearches: 0, assumed: false };
  const { iterations } = usage;
  const fast = usage.speed === 'fast';
  // Where an iteration does not split its cache writes, the call may: if it has but one lifetime.
  const ttl = onlyLifetime(usage.cache_creation) ?? options.cacheTtl ?? '5m';
  const entries = Array.isArray(iterations) ? iterations.filter(isEntry) : [];
  const sideWorkOnly = options.sideWorkOnly === true;
  if (entries.length > 0) {
    const fallback = entries.findLastIndex((entry) => entry.type === 'fallback_message');
    const billed = entries.filter((entry, i) =>
      sideWorkOnly ? isSideWork(entry) : i > fallback || !isDeclined(entry),
    );
    bill.parts = billed.map((entry) => partOf(entry, isFast(entry, fast), ttl, bill));
    if (options.outputEstimated === true) addEstimatedOutput(bill, usage);
  } else if (!sideWorkOnly) {
    bill.parts = [partOf(usage, fast, ttl, bill)];
  }
  if (!sideWorkOnly) {
    bill.webSearches = count(usage.server_tool_use?.web_search_requests, bill);
  }
  bill.thinking = count(usage.output_tokens_details?.thinking_tokens, bill);
  // The amount of a redeemed fallback credit is not told: the bill is lower than the list price.
  if (usage.fallback_credit?.status?.type === 'redeemed') bill.assumed = true;
  return bill;
}

/**
 * Tokens as billed, by class: summed over the iterations where those are the bill.
 *
 * @example
 * tokensOf({ input_tokens: 10, output_tokens: 5 }).uncachedInput; // 10
 */
export function tokensOf(usage: Usage, options?: BillOptions): Tokens {
  return totalOf(billOf(usage, options));
}

export function totalOf(bill: Bill): Tokens {
  const total = {
    uncachedInput: 0,
    cacheRead: 0,
    cacheWrite5m: 0,
    cacheWrite1h: 0,
    output: 0,
    thinking: 0,
  };
  for (const part of bill.parts) {
    total.uncachedInput = sum(total.uncachedInput, part.uncachedInput);
    total.cacheRead = sum(total.cacheRead, part.cacheRead);
    total.cacheWrite5m = sum(total.cacheWrite5m, part.cacheWrite5m);
    total.cacheWrite1h = sum(total.cacheWrite1h, part.cacheWrite1h);
    total.output = sum(total.output, part.output);
  }
  total.thinking = Math.min(bill.thinking, total.output);
  return Object.freeze(total);
}

/** Whether there is anything in it to bill by. */
export function hasCounts(usage: Usage): boolean {
  return (
    usage.input_tokens != null ||
    usage.output_tokens != null ||
    usage.cache_read_input_tokens != null ||
    usage.cache_creation_input_tokens != null ||
    (Array.isArray(usage.iterations) && usage.iterations.some(isEntry))
  );
}

/** The part of a prompt-size rule: every token that was read, wherever it came from. */
export function promptTokens(part: BilledPart): number {
  return part.uncachedInput + part.cacheRead + part.cacheWrite5m + part.cacheWrite1h;
}

function partOf(usage: UsageIteration, fast: boolean, ttl: '5m' | '1h', bill: Draft): BilledPart {
  const split = usage.cache_creation;
  let cacheWrite5m = count(split?.ephemeral_5m_input_tokens, bill);
  let cacheWrite1h = count(split?.ephemeral_1h_input_tokens, bill);
  // Deltas of a stream tell the total alone: what exceeds the split has an unknown lifetime.
  const rest = count(usage.cache_creation_input_tokens, bill) - cacheWrite5m - cacheWrite1h;
  if (rest > 0) {
    bill.assumed = true;
    if (ttl === '1h') cacheWrite1h += rest;
    else cacheWrite5m += rest;
  }
  const { model } = usage;
  return {
    model: typeof model === 'string' && model !== '' ? model : null,
    fast,
    sideWork: isSideWork(usage),
    uncachedInput: count(usage.input_tokens, bill),
    cacheRead: count(usage.cache_read_input_tokens, bill),
    cacheWrite5m,
    cacheWrite1h,
    output: count(usage.output_tokens, bill),
  };
}

function addEstimatedOutput(bill: Draft, usage: Usage): void {
  const answers = bill.parts.filter((part) => !part.sideWork);
  const told = answers.reduce((total, part) => total + part.output, 0);
  const last = answers.at(-1);
  if (last) last.output += Math.max(0, count(usage.output_tokens, bill) - told);
}

/** Counts are whole numbers from 0 up; whatever else is there counts nothing and is said so. */
function count(value: unknown, bill: Draft): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number' && value >= 0 && Number.isSafeInteger(value)) return value + 0;
  bill.assumed = true;
  return 0;
}

function sum(a: number, b: number): number {
  return Math.min(a + b, Number.MAX_SAFE_INTEGER);
}

function isEntry(entry: unknown): entry is UsageIteration {
  return typeof entry === 'object' && entry !== null;
}

function isSideWork({ type }: UsageIteration): boolean {
  return type === 'compaction' || type === 'advisor_message';
}

function isDeclined(entry: UsageIteration): boolean {
  return entry.type === 'message' && entry.output_tokens === 0;
}

function isFast(entry: UsageIteration, call: boolean): boolean {
  const { speed } = entry;
  return speed === undefined || speed === null ? call : speed === 'fast';
}

function onlyLifetime(split: CacheCreation | null | undefined): '5m' | '1h' | null {
  const short = (split?.ephemeral_5m_input_tokens ?? 0) > 0;
  const long = (split?.ephemeral_1h_input_tokens ?? 0) > 0;
  if (short === long) return null;
  return long ? '1h' : '5m';
}
