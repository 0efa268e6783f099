import { modelPriceOf, checks, type ModelPriceInput } from './price-input.js';
import { deepFreeze } from './freeze.js';
import { prices, type ModelPrice, type PriceTable } from './prices.js';

/**
 * Prices registered at run time. They belong to the process, not to this copy of the module: an
 * application in which two versions of us are installed has two copies, and one truth.
 */
interface Registry {
  /** Counts the registrations: the suffix of the table's version. */
  count: number;
  readonly models: Map<string, ModelPrice>;
}

const KEY = Symbol.for('@claude-metrics/core:prices@1');

function registry(): Registry {
  const shared = globalThis as { [KEY]?: Registry };
  return (shared[KEY] ??= { count: 0, models: new Map() });
}

/**
 * Adds models to the price table, or replaces the prices of known ones, for every monitor of this
 * process and from the next call on. Naming an alias replaces the price of the model it stands for.
 * The table's version gets a suffix (`2026-11-23+1`), so that records tell which prices they used.
 *
 * @throws TypeError with the path, the value and what is allowed; then nothing was registered.
 *
 * @example
 * registerPrices({
 *   'acme-gateway-sonnet': { input: 3, output: 15 }, // USD per 1,000,000 tokens
 * });
 */
export function registerPrices(models: Record<string, ModelPriceInput>): void {
  const where = 'registerPrices';
  const known = currentPrices().models;
  const idOf = new Map<string, string>();
  for (const [id, { aliases }] of Object.entries(known)) for (const a of aliases) idOf.set(a, id);
  const added = Object.entries(checks(where).object('models', models)).map(([name, input]) => {
    const path = `models[${JSON.stringify(name.slice(0, 64))}]`;
    checks(where).name('the name of a model', name);
    const id = known[name] ? name : (idOf.get(name) ?? name);
    return [id, deepFreeze(modelPriceOf(where, path, input, known[id]))] as const;
  });
  const shared = registry();
  for (const [id, price] of added) shared.models.set(id, price);
  if (added.length > 0) shared.count += 1;
}

let merged: { readonly count: number; readonly table: PriceTable } | undefined;

/** The built-in price table with everything registered; frozen, and the same until the next change. */
export function currentPrices(): PriceTable {
  const { count, models } = registry();
  if (count === 0) return prices;
  if (merged?.count !== count) {
    const all = Object.assign(Object.create(null) as Record<string, ModelPrice>, prices.models);
    for (const [id, price] of models) all[id] = price;
    const table = { ...prices, version: `${prices.version}+${count}`, models: all };
    merged = { count, table: deepFreeze(table) };
  }
  return merged.table;
}
