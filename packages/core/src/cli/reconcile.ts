import { prices } from '../prices.js';
import { ADMIN_OPTIONS, reportsOf } from './admin.js';
import {
  DAY_MS,
  FORMAT_OPTIONS,
  formatOf,
  SPAN_OPTIONS,
  spanOf,
  wholeDays,
  type Span,
} from './arguments.js';
import { EXIT, type Command, type Io } from './command.js';
import { compare, type Comparison, type DriftRow } from './drift.js';
import { readBill } from './bill-reading.js';
import { readLedger } from './ledger-lines.js';
import { shownUsd } from './money.js';
import {
  csvOf,
  jsonText,
  moneyOf,
  objectsOf,
  oneLine,
  plain,
  tableOf,
  type Column,
  type Row,
} from './output.js';
import { PRICE_OPTIONS, priceTableOf } from './price-file.js';
import { STORE_OPTIONS, withStore } from './source.js';
import type { Entries } from './bill-lines.js';
import type { Finding } from './drift-finding.js';
import type { Reports } from './admin.js';
import type { PriceTable } from '../prices.js';
import type { Store } from '../stores/store.js';

/** The provider's bill against our ledger, and why the two differ. */
export const reconcile: Command = {
  name: 'reconcile',
  summary: "compares the provider's bill with the ledger, and names what makes them differ",
  options: {
    ...STORE_OPTIONS,
    ...ADMIN_OPTIONS,
    ...PRICE_OPTIONS,
    ...SPAN_OPTIONS,
    all: { type: 'boolean', help: 'also the lines that agree' },
    ...FORMAT_OPTIONS,
  },
  examples: [
    'claude-metrics reconcile --store claude-metrics.db --from 2026-11-01 --to 2026-11-24',
    'claude-metrics reconcile --postgres env:DATABASE_URL --range 7d --json',
  ],
  about:
    'Reads the usage and cost reports of the Admin API for whole days of UTC (the last 7 that are over, ' +
    'unless you say which), and compares them with the store by day, model, token class, tier, speed ' +
    'and geography. It needs @anthropic-ai/sdk in the current folder and an Admin key in ' +
    'ANTHROPIC_ADMIN_KEY. The store must be the one that every process of the organization counts ' +
    'into. Exits with 1 where something differs.',
  async run(args, io) {
    const format = formatOf(args);
    const today = Math.floor(io.now() / DAY_MS) * DAY_MS;
    const span = wholeDays(args, spanOf(args, today, 7 * DAY_MS));
    const table = priceTableOf(args, io);
    const found = await withStore(args, io, async (store) =>
      reconciled(store, span, await reportsOf(args, io, span), table),
    );
    const rows = found.rows.filter((row) => args.flag('all') || !row.agrees).map(toRow);
    if (format === 'csv') io.out(csvOf(COLUMNS, rows));
    else if (format === 'json') io.out(jsonText(toJson(span, found, rows)));
    else print(io, span, found, rows);
    return found.findings.length === 0 ? EXIT.ok : EXIT.findings;
  },
};

/** Compares a store with reports that have been read. */
export async function reconciled(
  store: Pick<Store, 'read' | 'resolutions'>,
  span: Span,
  reports: Reports,
  table: PriceTable = prices,
): Promise<Comparison> {
  const entries: Entries = new Map();
  const facts = await readLedger(entries, store, span, table);
  const others = readBill(entries, reports, table);
  return compare(entries, facts, others, table);
}

const COLUMNS: readonly Column[] = [
  { key: 'day', title: 'day', kind: 'text' },
  { key: 'model', title: 'model', kind: 'text' },
  { key: 'class', title: 'class', kind: 'text' },
  { key: 'tier', title: 'tier', kind: 'text' },
  { key: 'speed', title: 'speed', kind: 'text' },
  { key: 'geo', title: 'geo', kind: 'text' },
  { key: 'ledgerQuantity', title: 'ledger', kind: 'count' },
  { key: 'billQuantity', title: 'bill', kind: 'count' },
  { key: 'ledgerCost', title: 'ledger cost', kind: 'money' },
  { key: 'billCost', title: 'bill cost', kind: 'money' },
  { key: 'drift', title: 'drift', kind: 'money' },
];

function toRow({ place, ledger, bill, drift }: DriftRow): Row {
  return {
    ...place,
    ledgerQuantity: ledger.quantity,
    billQuantity: bill.quantity,
    ledgerCost: ledger.nanoUsd,
    billCost: bill.nanoUsd,
    drift,
  };
}

function toJson({ from, to }: Span, found: Comparison, rows: readonly Row[]): object {
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    ledger: moneyOf(found.ledger),
    bill: moneyOf(found.bill),
    drift: moneyOf(found.drift),
    rounding: moneyOf(found.rounding),
    findings: found.findings.map(({ nanoUsd, ...rest }) => ({ ...rest, drift: moneyOf(nanoUsd) })),
    lines: objectsOf(COLUMNS, rows),
  };
}

function print(io: Io, { from, to }: Span, found: Comparison, rows: readonly Row[]): void {
  const { ledger, bill, drift, rounding, findings } = found;
  io.out(`${new Date(from).toISOString()} to ${new Date(to).toISOString()}\n\n`);
  io.out(`ledger  ${shownUsd(ledger)}\nbill    ${shownUsd(bill)}\ndrift   ${shownUsd(drift)}\n`);
  if (rounding !== 0n) io.out(`        (and ${shownUsd(rounding)} of rounding)\n`);
  if (rows.length > 0) io.out(`\n${tableOf(COLUMNS, rows)}`);
  for (const finding of findings) io.out(`\n${shownFinding(finding)}`);
  if (findings.length === 0) io.out('\nBill and ledger agree.\n');
}

function shownFinding({ cause, day, model, nanoUsd, text, fix }: Finding): string {
  const of = model === null ? '' : `, ${plain(model)}`;
  return `${cause}: ${shownUsd(nanoUsd)} on ${day}${of}\n  ${oneLine(text)}\n  ${fix}\n`;
}
