import { show } from '../options.js';
import { rateBookOf } from '../rates.js';
import { DAY_MS, FORMAT_OPTIONS, formatOf, SPAN_OPTIONS, spanOf, type Span } from './arguments.js';
import { EXIT, wrong, type Command } from './command.js';
import { cellsBetween, countedOf, looseParts } from './ledger-reading.js';
import { descending } from './money.js';
import { csvOf, jsonText, moneyOf, objectsOf, tableOf, type Column, type Row } from './output.js';
import { PRICE_OPTIONS, priceTableOf } from './price-file.js';
import { idOf, pricedAs, ratesFor } from './repricing.js';
import { RANGE } from './reprice.js';
import { STORE_OPTIONS, withStore } from './source.js';
import type { PriceTable } from '../prices.js';
import type { Line, Store } from '../stores/store.js';

/** What the same tokens would cost from another model. */
export interface Instead {
  readonly model: string;
  tokens: bigint;
  cost: bigint;
  instead: bigint;
  atMost: bigint;
}

export interface WhatIf {
  readonly model: string;
  /** Only what this model did; default all. */
  readonly of?: string | undefined;
  readonly table: PriceTable;
  /** Whose prices: those of this time. */
  readonly at: number;
}

export const whatif: Command = {
  name: 'whatif',
  summary: 'what the same traffic would have cost from another model',
  options: {
    ...STORE_OPTIONS,
    model: { type: 'string', value: 'model', help: 'the model to ask about' },
    of: { type: 'string', value: 'model', help: 'only the traffic of this model (all)' },
    ...PRICE_OPTIONS,
    ...SPAN_OPTIONS,
    ...FORMAT_OPTIONS,
  },
  examples: [
    'claude-metrics whatif --store claude-metrics.db --model claude-haiku-5-5 --range 30d',
    'claude-metrics whatif --store claude-metrics.db --model claude-sonnet-5-5 --of claude-opus-5-5',
  ],
  about:
    'The tokens of the ledger at the prices that the model has today: batches, fast mode and US ' +
    'inference where the model has them, web searches as they were. Another model would have written ' +
    'other answers, and may count the same text as other tokens: it is an estimate of prices alone.',
  async run(args, io) {
    const format = formatOf(args);
    const span = spanOf(args, io.now(), 30 * DAY_MS);
    const table = priceTableOf(args, io);
    const model = args.text('model');
    if (model === undefined) wrong('whatif', 'say which model with --model.');
    if (!rateBookOf(table).models.has(model)) {
      const known = Object.keys(table.models).slice(0, 12).join(', ');
      wrong('whatif', `--model: there is no price for ${show(model)}; known are ${known}, …`);
    }
    const line: Line = { model, class: 'output', speed: null, geo: null, tier: null };
    if (ratesFor(table, line, io.now()) === 'no_price_for_date') {
      wrong(
        'whatif',
        `--model: ${show(model)} has no price today; choose a model that is still sold.`,
      );
    }
    const asked = { model, of: args.text('of'), table, at: io.now() };
    const rows = await withStore(args, io, (store) => insteadOf(store, span, asked));
    const all = total(rows);
    const data = rows.map(toRow);
    if (format === 'csv') io.out(csvOf(COLUMNS, data));
    else if (format === 'json') {
      const sums = {
        cost: moneyOf(all.cost),
        instead: moneyOf(all.instead),
        atMost: moneyOf(all.atMost),
      };
      const models = objectsOf(COLUMNS, data);
      io.out(jsonText({ model, prices: table.version, models, total: sums }));
    } else {
      io.out(
        `From ${model}, prices ${table.version}\n\n${tableOf(COLUMNS, [...data, toRow(all)])}`,
      );
      if (all.atMost !== all.instead) io.out(`\n${RANGE}\n`);
    }
    return EXIT.ok;
  },
};

const COLUMNS: readonly Column[] = [
  { key: 'model', title: 'traffic of', kind: 'text' },
  { key: 'tokens', title: 'tokens', kind: 'count' },
  { key: 'cost', title: 'cost', kind: 'money' },
  { key: 'instead', title: 'instead', kind: 'money' },
  { key: 'atMost', title: 'at most', kind: 'money' },
  { key: 'difference', title: 'difference', kind: 'money' },
  { key: 'change', title: 'change', kind: 'percent' },
];

export async function insteadOf(
  store: Pick<Store, 'read' | 'resolutions'>,
  span: Span,
  { model, of, table, at }: WhatIf,
): Promise<Instead[]> {
  const rows = new Map<string, Instead>();
  const only = of === undefined ? null : idOf(table, of);
  for await (const cell of cellsBetween(store, span, ['feature-model'])) {
    const counted = countedOf(cell);
    const parts = [...counted.parts, ...looseParts(counted)];
    for (const { line, quantity, nanoUsd } of parts) {
      if (only !== null && idOf(table, line.model) !== only) continue;
      let row = rows.get(line.model);
      if (!row) rows.set(line.model, (row = blank(line.model)));
      const as = (speed: string | null) =>
        pricedAs({ quantity, line: { ...line, model, speed } }, at, counted, table);
      const fast = as(line.speed);
      // Fast mode comes and goes; without it the model answers at its ordinary price.
      const other = fast.reason === 'no_price_for_date' ? as(null) : fast;
      row.cost += nanoUsd;
      if (line.class !== 'webSearch') row.tokens += quantity;
      row.instead += other.nanoUsd;
      row.atMost += other.atMost;
    }
  }
  return [...rows.values()].sort((a, b) => descending(a.cost, b.cost));
}

function total(rows: readonly Instead[]): Instead {
  const sum = blank('total');
  for (const row of rows) {
    sum.tokens += row.tokens;
    sum.cost += row.cost;
    sum.instead += row.instead;
    sum.atMost += row.atMost;
  }
  return sum;
}

function blank(model: string): Instead {
  return { model, tokens: 0n, cost: 0n, instead: 0n, atMost: 0n };
}

function toRow(row: Instead): Row {
  const difference = row.instead - row.cost;
  const change = row.cost === 0n ? null : Number((difference * 1_000_000n) / row.cost) / 1_000_000;
  return { ...row, difference, change };
}
