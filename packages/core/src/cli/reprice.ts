import { prices } from '../prices.js';
import { DAY_MS, FORMAT_OPTIONS, formatOf, SPAN_OPTIONS, spanOf, type Span } from './arguments.js';
import { EXIT, type Command } from './command.js';
import { cellsBetween, countedOf, looseParts } from './ledger-reading.js';
import { descending } from './money.js';
import { csvOf, jsonText, moneyOf, objectsOf, tableOf, type Column, type Row } from './output.js';
import { PRICE_OPTIONS, priceTableOf } from './price-file.js';
import { pricedAs, repriced, type Repriced } from './repricing.js';
import { STORE_OPTIONS, withStore } from './source.js';
import type { PriceTable } from '../prices.js';
import type { Store } from '../stores/store.js';

/** What a period would have been recorded as, with another price table. */
export interface RepricedModel {
  readonly model: string;
  /** Recorded, and at the other prices: the least, and the most. */
  recorded: bigint;
  now: bigint;
  atMost: bigint;
  /** Tokens that had no price, and those that have none now. */
  loose: bigint;
  unpriced: bigint;
}

export const reprice: Command = {
  name: 'reprice',
  summary: 'what a period costs at the prices of another table',
  options: { ...STORE_OPTIONS, ...PRICE_OPTIONS, ...SPAN_OPTIONS, ...FORMAT_OPTIONS },
  examples: [
    'claude-metrics reprice --store claude-metrics.db --from 2026-10-01 --to 2026-11-01',
    'claude-metrics reprice --store claude-metrics.db --range 30d --prices my-prices.json',
  ],
  about:
    'Prices the quantities of the ledger again, each at the price of its own time: with the table of ' +
    'this release, or with --prices. Tokens that had no price when they were recorded are priced too. ' +
    'The store stays as it is: cells only ever add. Exits with 1 where the money differs.',
  async run(args, io) {
    const format = formatOf(args);
    const span = spanOf(args, io.now(), 30 * DAY_MS);
    const table = priceTableOf(args, io);
    const rows = await withStore(args, io, (store) => repriceSpan(store, span, table));
    const all = total(rows);
    const data = rows.map(toRow);
    if (format === 'csv') io.out(csvOf(COLUMNS, data));
    else if (format === 'json') {
      const { recorded, now, atMost } = all;
      const sums = { recorded: moneyOf(recorded), now: moneyOf(now), atMost: moneyOf(atMost) };
      io.out(jsonText({ prices: table.version, models: objectsOf(COLUMNS, data), total: sums }));
    } else {
      io.out(`Prices ${table.version}\n\n${tableOf(COLUMNS, [...data, toRow(all)])}`);
      if (all.atMost !== all.now) io.out(`\n${RANGE}\n`);
      if (all.unpriced > 0n)
        io.out(`\n${all.unpriced} tokens have no price in this table either.\n`);
    }
    return all.now === all.recorded && all.atMost === all.now ? EXIT.ok : EXIT.findings;
  },
};

export const RANGE =
  'Some models cost more for long prompts, and how long these prompts were is not kept: ' +
  '"at most" is what it costs if all were long.';

const COLUMNS: readonly Column[] = [
  { key: 'model', title: 'model', kind: 'text' },
  { key: 'recorded', title: 'recorded', kind: 'money' },
  { key: 'now', title: 'repriced', kind: 'money' },
  { key: 'atMost', title: 'at most', kind: 'money' },
  { key: 'difference', title: 'difference', kind: 'money' },
  { key: 'loose', title: 'tokens without a price', kind: 'count' },
  { key: 'unpriced', title: 'still without', kind: 'count' },
];

export async function repriceSpan(
  store: Pick<Store, 'read' | 'resolutions'>,
  span: Span,
  table: PriceTable,
  before: PriceTable = prices,
): Promise<RepricedModel[]> {
  const rows = new Map<string, RepricedModel>();
  const rowOf = (model: string): RepricedModel => {
    let row = rows.get(model);
    if (!row) rows.set(model, (row = blank(model)));
    return row;
  };
  for await (const cell of cellsBetween(store, span, ['feature-model'])) {
    const counted = countedOf(cell);
    for (const part of counted.parts) {
      const row = rowOf(part.line.model);
      row.recorded += part.nanoUsd;
      add(row, repriced(part, counted, { table, before }), part.quantity);
    }
    for (const part of looseParts(counted)) {
      const row = rowOf(part.line.model);
      row.loose += part.quantity;
      add(row, pricedAs(part, cell.at, counted, table), part.quantity);
    }
  }
  return [...rows.values()].sort((a, b) => descending(a.now, b.now));
}

function add(row: RepricedModel, { nanoUsd, atMost, reason }: Repriced, quantity: bigint): void {
  row.now += nanoUsd;
  row.atMost += atMost;
  if (reason !== null) row.unpriced += quantity;
}

function total(rows: readonly RepricedModel[]): RepricedModel {
  const sum = blank('total');
  for (const row of rows) {
    sum.recorded += row.recorded;
    sum.now += row.now;
    sum.atMost += row.atMost;
    sum.loose += row.loose;
    sum.unpriced += row.unpriced;
  }
  return sum;
}

function blank(model: string): RepricedModel {
  return { model, recorded: 0n, now: 0n, atMost: 0n, loose: 0n, unpriced: 0n };
}

function toRow(row: RepricedModel): Row {
  return { ...row, difference: row.now - row.recorded };
}
