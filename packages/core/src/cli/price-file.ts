import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { modelPriceOf } from '../price-input.js';
import { prices, type ModelPrice, type PriceTable } from '../prices.js';
import { rateBookOf } from '../rates.js';
import { wrong, type Io } from './command.js';
import { reasonOf } from './source.js';
import type { Arguments, OptionSpecs } from './arguments.js';

/** The price table of a command: the built-in one, or that with a file's prices put into it. */
export const PRICE_OPTIONS: OptionSpecs = {
  prices: {
    type: 'string',
    value: 'file',
    help: 'JSON: models by id as for registerPrices(), or a whole price table',
  },
};

/** @throws UsageError for a file that cannot be read, or prices that cannot be. */
export function priceTableOf(args: Arguments, io: Io): PriceTable {
  const file = args.text('prices');
  if (file === undefined) return prices;
  try {
    const given = JSON.parse(readFileSync(resolve(io.cwd, file), 'utf8')) as Record<
      string,
      unknown
    >;
    const table = isTable(given) ? given : withModels(given);
    rateBookOf(table);
    return table;
  } catch (error) {
    const text = reasonOf(error).replace(/^\[claude-metrics\] /, '');
    return wrong(args.command, `--prices: ${file} cannot be used: ${text}`, error);
  }
}

function isTable(given: Record<string, unknown>): given is Record<string, unknown> & PriceTable {
  return typeof given['models'] === 'object' && 'batchFactor' in given && 'version' in given;
}

function withModels(given: Record<string, unknown>): PriceTable {
  const models = Object.assign(Object.create(null) as Record<string, ModelPrice>, prices.models);
  for (const [id, input] of Object.entries(given)) {
    models[id] = modelPriceOf('--prices', id.slice(0, 64), input, prices.models[id]);
  }
  return { ...prices, version: `${prices.version}+file`, models };
}
