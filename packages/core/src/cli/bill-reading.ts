import { show } from '../options.js';
import { wrong } from './command.js';
import { centsToNano, share } from './money.js';
import { amountOf, idOf, ratesFor } from './repricing.js';
import {
  entryAt,
  geoName,
  placeOf,
  speedName,
  tierName,
  type Entries,
  type Entry,
  type Place,
} from './bill-lines.js';
import type { Bucket, Reports } from './admin.js';
import { COST_CLASSES, type CostClass } from '../record.js';
import type { PriceTable } from '../prices.js';

/** What is billed and has no tokens: sandboxes, sessions. Nobody counts it here. */
export interface OtherCost {
  readonly day: string;
  readonly what: string;
  readonly nanoUsd: bigint;
}

type Result = Bucket['results'][number];

const TOKEN_TYPES: Readonly<Record<string, CostClass>> = {
  uncached_input_tokens: 'uncachedInput',
  cache_read_input_tokens: 'cacheRead',
  'cache_creation.ephemeral_5m_input_tokens': 'cacheWrite5m',
  'cache_creation.ephemeral_1h_input_tokens': 'cacheWrite1h',
  output_tokens: 'output',
};

/** Puts the bill's side into the entries. @throws UsageError for an answer that cannot be read. */
export function readBill(entries: Entries, reports: Reports, table: PriceTable): OtherCost[] {
  for (const bucket of reports.usage) {
    const day = bucket.starting_at.slice(0, 10);
    for (const result of bucket.results) addUsage(entries, day, result, table);
  }
  const others: OtherCost[] = [];
  for (const bucket of reports.costs) {
    const day = bucket.starting_at.slice(0, 10);
    const costs = bucket.results.map((result) => costOf(result, table));
    for (const cost of costs) {
      const at = cost.class === null ? [] : entriesOf(entries, day, cost);
      if (cost.class === null) others.push({ day, what: cost.what, nanoUsd: cost.nanoUsd });
      else if (at.length > 0) spread(at, cost, table);
      else addAlone(entries, day, cost);
    }
  }
  return others;
}

function addUsage(entries: Entries, day: string, result: Result, table: PriceTable): void {
  const written = (result['cache_creation'] ?? {}) as Record<string, unknown>;
  const tools = (result['server_tool_use'] ?? {}) as Record<string, unknown>;
  const quantities: Readonly<Record<CostClass, unknown>> = {
    uncachedInput: result['uncached_input_tokens'],
    cacheRead: result['cache_read_input_tokens'],
    cacheWrite5m: written['ephemeral_5m_input_tokens'],
    cacheWrite1h: written['ephemeral_1h_input_tokens'],
    output: result['output_tokens'],
    webSearch: tools['web_search_requests'],
  };
  for (const part of COST_CLASSES) {
    const quantity = countOf(quantities[part]);
    if (quantity === 0n) continue;
    const entry = entryAt(
      entries,
      placeOf({
        day,
        model: idOf(table, text(result['model']) ?? '(unknown)'),
        class: part,
        tier: tierName(text(result['service_tier'])),
        speed: speedName(text(result['speed'])),
        geo: geoName(text(result['inference_geo'])),
      }),
    );
    entry.bill.quantity += quantity;
    const key = text(result['api_key_id']) ?? '(Console)';
    entry.keys.set(key, (entry.keys.get(key) ?? 0n) + quantity);
  }
}

interface BilledCost {
  /** `null`: no tokens and no searches. */
  readonly class: CostClass | null;
  readonly what: string;
  readonly model: string | null;
  readonly tier: string;
  readonly geo: string;
  readonly nanoUsd: bigint;
  readonly roundedBy: bigint;
}

function costOf(result: Result, table: PriceTable): BilledCost {
  const amount = centsToNano(result['amount']);
  if (amount === null || result['currency'] !== 'USD') {
    wrong(
      'reconcile',
      `the cost report has an amount that is no decimal of US cents: ${show(result['amount'])}.`,
    );
  }
  const costType = text(result['cost_type']) ?? 'tokens';
  const model = text(result['model']);
  const ofTokens =
    costType === 'tokens' ? TOKEN_TYPES[text(result['token_type']) ?? ''] : undefined;
  return {
    class: costType === 'web_search' ? 'webSearch' : (ofTokens ?? null),
    what: text(result['description']) ?? costType,
    model: model === null ? null : idOf(table, model),
    tier: tierName(text(result['service_tier'])),
    geo: geoName(text(result['inference_geo'])),
    ...amount,
  };
}

function entriesOf(entries: Entries, day: string, cost: BilledCost): Entry[] {
  return [...entries.values()].filter(({ place, bill }) => {
    if (place.day !== day || place.class !== cost.class || bill.quantity === 0n) return false;
    // Searches are billed without a model.
    if (cost.class === 'webSearch') return true;
    return place.model === cost.model && place.tier === cost.tier && place.geo === cost.geo;
  });
}

/** The cost report does not tell speeds apart: an amount goes to them by what the table says they cost. */
function spread(at: readonly Entry[], { nanoUsd, roundedBy }: BilledCost, table: PriceTable): void {
  const weights = at.map(({ place, bill }) => {
    const rates = ratesFor(table, place, Date.parse(place.day));
    const [rate] = Array.isArray(rates) ? rates : [];
    return rate ? amountOf(bill.quantity, rate) : bill.quantity;
  });
  const whole = weights.reduce((sum, weight) => sum + weight, 0n);
  let left = nanoUsd;
  at.forEach((entry, i) => {
    const part = i === at.length - 1 ? left : share(nanoUsd, weights[i] ?? 0n, whole);
    entry.bill.nanoUsd += part;
    entry.slack += roundedBy + (at.length > 1 ? 1n : 0n);
    left -= part;
  });
}

/** An amount for tokens that the usage report does not have. */
function addAlone(entries: Entries, day: string, cost: BilledCost): void {
  const { model, tier, geo, nanoUsd, roundedBy } = cost;
  const part = cost.class ?? 'output';
  const place: Place = {
    day,
    model: model ?? '(unknown)',
    class: part,
    tier,
    speed: 'standard',
    geo,
  };
  const entry = entryAt(entries, placeOf(place));
  entry.bill.nanoUsd += nanoUsd;
  entry.slack += roundedBy;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, 128) : null;
}

function countOf(value: unknown): bigint {
  if (value === undefined || value === null) return 0n;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  return wrong('reconcile', `the usage report has a count that cannot be one: ${show(value)}.`);
}
