import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { rateBookOf } from '../rates.js';
import { reasonOf } from './source.js';
import type { Io } from './command.js';
import type { PriceTable } from '../prices.js';

/**
 * Public price tables, as far as they have models that ours has too. What they lack is no difference:
 * several know no one-hour cache writes, none of them is complete.
 */
export interface TableSource {
  readonly name: 'litellm' | 'models.dev' | 'genai-prices';
  /** An address, or a file. */
  readonly address: string;
  readonly read: (json: unknown, today: string) => Map<string, Prices>;
}

export type Price = 'input' | 'output' | 'cacheRead' | 'cacheWrite5m' | 'cacheWrite1h';
/** USD per 1,000,000 tokens. */
export type Prices = Partial<Record<Price, number>>;

export interface Difference {
  readonly model: string;
  readonly price: Price;
  readonly ours: number;
  readonly theirs: number;
}

export interface CheckedTable {
  readonly name: string;
  /** Models that both have. */
  readonly models: number;
  readonly differences: readonly Difference[];
  /** Why there is nothing to compare. */
  readonly problem: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

const RAW = 'https://raw.githubusercontent.com';
export const PUBLIC_TABLES: readonly TableSource[] = [
  {
    name: 'litellm',
    address: `${RAW}/BerriAI/litellm/main/model_prices_and_context_window.json`,
    read: readLitellm,
  },
  { name: 'models.dev', address: 'https://models.dev/api.json', read: readModelsDev },
  {
    name: 'genai-prices',
    address: `${RAW}/pydantic/genai-prices/main/prices/data.json`,
    read: readGenai,
  },
];

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 64_000_000;
const MILLION = 1_000_000;

export async function checkTables(
  io: Io,
  sources: readonly TableSource[],
  table: PriceTable,
): Promise<CheckedTable[]> {
  return Promise.all(sources.map((source) => checkTable(io, source, table)));
}

async function checkTable(io: Io, source: TableSource, table: PriceTable): Promise<CheckedTable> {
  const { name, address, read } = source;
  const today = new Date(io.now()).toISOString().slice(0, 10);
  try {
    const json = JSON.parse(await textOf(io, address)) as unknown;
    const theirs = read(json, today);
    const known = [...theirs].filter(([model]) => rateBookOf(table).models.has(model));
    const differences = known.flatMap(([model, prices]) =>
      differencesOf(model, prices, table, io.now()),
    );
    if (known.length > 0) return { name, models: known.length, differences, problem: null };
    return {
      name,
      models: 0,
      differences: [],
      problem: 'has none of our models in a form known here',
    };
  } catch (error) {
    return { name, models: 0, differences: [], problem: `cannot be read: ${reasonOf(error)}` };
  }
}

async function textOf(io: Io, address: string): Promise<string> {
  if (!/^https?:\/\//.test(address)) return readFileSync(resolve(io.cwd, address), 'utf8');
  const response = await io.fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${new URL(address).host} answers ${response.status}`);
  const text = await response.text();
  if (text.length > MAX_BYTES) throw new Error('it is larger than 64 MB');
  return text;
}

function differencesOf(
  model: string,
  theirs: Prices,
  table: PriceTable,
  now: number,
): Difference[] {
  const row = rateBookOf(table).models.get(model)?.at(now, 0, 0);
  if (!row) return [];
  const ours: Required<Prices> = {
    input: perMillion(row.uncachedInput.nanoUsdPerUnit),
    output: perMillion(row.output.nanoUsdPerUnit),
    cacheRead: perMillion(row.cacheRead.nanoUsdPerUnit),
    cacheWrite5m: perMillion(row.cacheWrite5m.nanoUsdPerUnit),
    cacheWrite1h: perMillion(row.cacheWrite1h.nanoUsdPerUnit),
  };
  return (Object.entries(theirs) as [Price, number][])
    .filter(([price, value]) => Math.abs(value - ours[price]) > 1e-6)
    .map(([price, value]) => ({ model, price, ours: ours[price], theirs: value }));
}

/** Nano-dollars a token are thousandths of USD a million; nine decimals are all that prices have. */
function perMillion(nanoUsdPerToken: number): number {
  return Math.round(nanoUsdPerToken * 1e6) / 1e9;
}

function readLitellm(json: unknown): Map<string, Prices> {
  const found = new Map<string, Prices>();
  for (const [model, entry] of Object.entries(fieldsOf(json))) {
    const fields = fieldsOf(entry);
    if (fields['litellm_provider'] !== 'anthropic') continue;
    const per = (name: string) => scaled(fields[name], MILLION);
    found.set(
      model,
      some({
        input: per('input_cost_per_token'),
        output: per('output_cost_per_token'),
        cacheRead: per('cache_read_input_token_cost'),
        cacheWrite5m: per('cache_creation_input_token_cost'),
        cacheWrite1h: per('cache_creation_input_token_cost_above_1hr'),
      }),
    );
  }
  return found;
}

function readModelsDev(json: unknown): Map<string, Prices> {
  const models = fieldsOf(fieldsOf(fieldsOf(json)['anthropic'])['models']);
  return new Map(
    Object.entries(models).map(([model, entry]) => {
      const cost = fieldsOf(fieldsOf(entry)['cost']);
      const { input, output, cache_read: cacheRead, cache_write: cacheWrite5m } = cost;
      return [
        model,
        some({
          input: scaled(input, 1),
          output: scaled(output, 1),
          cacheRead: scaled(cacheRead, 1),
          cacheWrite5m: scaled(cacheWrite5m, 1),
        }),
      ];
    }),
  );
}

function readGenai(json: unknown, today: string): Map<string, Prices> {
  const providers = Array.isArray(json) ? json.map(fieldsOf) : [];
  const models = providers.find(({ id }) => id === 'anthropic')?.['models'];
  const found = new Map<string, Prices>();
  for (const entry of Array.isArray(models) ? models.map(fieldsOf) : []) {
    const prices = fieldsOf(currentOf(entry['prices'], today));
    const base = (name: string) => scaled(fieldsOf(prices[name])['base'] ?? prices[name], 1);
    found.set(
      String(entry['id']),
      some({
        input: base('input_mtok'),
        output: base('output_mtok'),
        cacheRead: base('cache_read_mtok'),
        cacheWrite5m: base('cache_write_mtok'),
      }),
    );
  }
  return found;
}

/** Of dated prices, the last that has begun. */
function currentOf(prices: unknown, today: string): unknown {
  if (!Array.isArray(prices)) return prices;
  const begun = prices.map(fieldsOf).filter(({ constraint }) => {
    const start = fieldsOf(constraint)['start_date'];
    return start === undefined || String(start) <= today;
  });
  return begun.at(-1)?.['prices'];
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function scaled(value: unknown, by: number): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
  return Math.round(number * by * 1e9) / 1e9;
}

function some(prices: { readonly [K in Price]?: number | undefined }): Prices {
  return Object.fromEntries(Object.entries(prices).filter(([, value]) => value !== undefined));
}
