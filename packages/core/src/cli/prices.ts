import { show } from '../options.js';
import { checkTables, PUBLIC_TABLES, type Difference, type TableSource } from './price-check.js';
import { FORMAT_OPTIONS, formatOf, type Arguments } from './arguments.js';
import { EXIT, wrong, type Command, type Io } from './command.js';
import {
  csvOf,
  jsonText,
  objectsOf,
  oneLine,
  plain,
  tableOf,
  type Column,
  type Row,
} from './output.js';
import { PRICE_OPTIONS, priceTableOf } from './price-file.js';
import { idOf } from './repricing.js';
import type { PriceTable } from '../prices.js';

/** The price table, where it was read, and what other public tables say. */
export const pricesCommand: Command = {
  name: 'prices',
  summary: 'the price table, its sources and dates; `prices check` compares it with public tables',
  words: { most: 1, shown: '[check]' },
  options: {
    model: { type: 'string', value: 'model', help: 'only this one, with its former prices' },
    all: { type: 'boolean', help: 'also prices that have ended' },
    against: {
      type: 'string',
      value: 'name=url',
      help: `check against one table only, from an address or a file (${PUBLIC_TABLES.map(({ name }) => name).join(', ')})`,
    },
    ...PRICE_OPTIONS,
    ...FORMAT_OPTIONS,
  },
  examples: [
    'claude-metrics prices --model claude-sonnet-5-5',
    'claude-metrics prices check',
    'claude-metrics prices check --against litellm=./model_prices.json',
  ],
  about:
    'USD per 1,000,000 tokens. `prices check` reads the public tables of LiteLLM, models.dev and ' +
    'genai-prices over the network, and exits with 1 where a price of today differs. One that cannot ' +
    'be reached is said, and is no difference.',
  async run(args, io) {
    const format = formatOf(args);
    const table = priceTableOf(args, io);
    const [word] = args.words;
    if (word === 'check') return check(args, io, table, format);
    if (word !== undefined) wrong('prices', `the word after it can be check, got ${show(word)}.`);
    const rows = rowsOf(args, table, new Date(io.now()).toISOString().slice(0, 10));
    if (format === 'csv') io.out(csvOf(COLUMNS, rows));
    else if (format === 'json') {
      const { version, batchFactor, webSearchUsd, sources } = table;
      io.out(
        jsonText({ version, batchFactor, webSearchUsd, sources, prices: objectsOf(COLUMNS, rows) }),
      );
    } else {
      const named = Object.entries(table.sources).map(
        ([key, text]) => `  ${key}: ${oneLine(text)}`,
      );
      const { batchFactor, webSearchUsd } = table;
      io.out(
        `Prices ${table.version}, USD per 1,000,000 tokens; batches × ${batchFactor}, ` +
          `web search $${webSearchUsd}\n\n${tableOf(COLUMNS, rows)}\nSources\n${named.join('\n')}\n`,
      );
    }
    return EXIT.ok;
  },
};

const COLUMNS: readonly Column[] = [
  { key: 'model', title: 'model', kind: 'text' },
  { key: 'input', title: 'input', kind: 'price' },
  { key: 'output', title: 'output', kind: 'price' },
  { key: 'cacheRead', title: 'cache read', kind: 'price' },
  { key: 'cacheWrite5m', title: 'write 5 min', kind: 'price' },
  { key: 'cacheWrite1h', title: 'write 1 h', kind: 'price' },
  { key: 'from', title: 'from', kind: 'text' },
  { key: 'to', title: 'to', kind: 'text' },
  { key: 'sources', title: 'sources', kind: 'text' },
  { key: 'confidence', title: 'confidence', kind: 'text' },
];

function rowsOf(args: Arguments, table: PriceTable, today: string): Row[] {
  const asked = args.text('model');
  const only = asked === undefined ? null : idOf(table, asked);
  const all = args.flag('all') || only !== null;
  if (only !== null && !Object.hasOwn(table.models, only)) {
    wrong(
      'prices',
      `--model: there is no price for ${show(asked)}; see \`claude-metrics prices --all\`.`,
    );
  }
  return Object.entries(table.models).flatMap(([id, { periods }]) =>
    periods
      .filter(({ to }) => (only === null || id === only) && (all || to === null || to > today))
      .flatMap(({ tiers, from, to, sources, confidence, ...rates }) => [
        { ...rates, model: id, from, to, sources: sources.join(' '), confidence },
        ...tiers.map(({ overPromptTokens, ...tier }) => ({
          ...tier,
          ...{ model: `${id} > ${overPromptTokens / 1_000}k`, from, to },
          ...{ sources: sources.join(' '), confidence },
        })),
      ]),
  );
}

const CHECKED: readonly Column[] = [
  { key: 'source', title: 'table', kind: 'text' },
  { key: 'model', title: 'model', kind: 'text' },
  { key: 'price', title: 'price', kind: 'text' },
  { key: 'ours', title: 'ours', kind: 'price' },
  { key: 'theirs', title: 'theirs', kind: 'price' },
];

async function check(args: Arguments, io: Io, table: PriceTable, format: string): Promise<number> {
  const found = await checkTables(io, againstOf(args), table);
  const rows = found.flatMap(({ name, differences }) =>
    differences.map((each: Difference): Row => ({ source: name, ...each })),
  );
  if (format === 'csv') io.out(csvOf(CHECKED, rows));
  else if (format === 'json') io.out(jsonText({ version: table.version, tables: found }));
  else {
    for (const { name, models, differences, problem } of found) {
      const said =
        problem === null ? `${models} models, ${differences.length} differences` : problem;
      io.out(`${plain(name)}: ${oneLine(said)}\n`);
    }
    if (rows.length > 0) io.out(`\n${tableOf(CHECKED, rows)}`);
  }
  return rows.length === 0 ? EXIT.ok : EXIT.findings;
}

function againstOf(args: Arguments): readonly TableSource[] {
  const text = args.text('against');
  if (text === undefined) return PUBLIC_TABLES;
  const [name = '', ...rest] = text.split('=');
  const known = PUBLIC_TABLES.find((each) => each.name === name);
  const names = PUBLIC_TABLES.map((each) => each.name).join(', ');
  if (!known) wrong('prices', `--against must begin with one of ${names}, got ${show(text)}.`);
  return [rest.length === 0 ? known : { ...known, address: rest.join('=') }];
}
