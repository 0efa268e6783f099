import { absolute, descending } from './money.js';
import { explainPrices } from './drift-prices.js';
import { explainQuantities } from './drift-quantities.js';
import type { Entries, Entry, Place } from './bill-lines.js';
import type { OtherCost } from './bill-reading.js';
import type { Finding } from './drift-finding.js';
import type { LedgerFacts } from './ledger-lines.js';
import type { PriceTable } from '../prices.js';

/**
 * Why the bill and the ledger differ.
 *
 * - **drift**: the bill minus the ledger, in nano-dollars. What rounding explains is none.
 * - **finding**: one cause, and the part of the drift that it makes. They add up to the drift, but for
 *   rounding.
 */
export interface Comparison {
  readonly ledger: bigint;
  readonly bill: bigint;
  readonly drift: bigint;
  /** The part of the difference that no finding explains: what single amounts were rounded by. */
  readonly rounding: bigint;
  readonly findings: readonly Finding[];
  readonly rows: readonly DriftRow[];
}

/** One place, as a line of the table. */
export interface DriftRow {
  readonly place: Place;
  readonly ledger: Entry['ledger'];
  readonly bill: Entry['bill'];
  readonly drift: bigint;
  readonly agrees: boolean;
}

export function compare(
  entries: Entries,
  facts: LedgerFacts,
  others: readonly OtherCost[],
  table: PriceTable,
): Comparison {
  const all = [...entries.values()];
  const findings = [
    ...explainQuantities(all, facts),
    ...explainPrices(all, table),
    ...others.map(otherFinding),
  ].sort(bySize);
  const ledger = all.reduce((sum, entry) => sum + entry.ledger.nanoUsd, 0n);
  const ofOthers = others.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0n);
  const bill = all.reduce((sum, entry) => sum + entry.bill.nanoUsd, ofOthers);
  const explained = findings.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0n);
  const rounding = bill - ledger - explained;
  const drift = findings.length === 0 ? 0n : bill - ledger;
  return { ledger, bill, drift, rounding, findings, rows: all.map(rowOf).sort(byPlace) };
}

function rowOf({ place, ledger, bill, slack }: Entry): DriftRow {
  const money = bill.nanoUsd - ledger.nanoUsd;
  const drift = absolute(money) <= slack ? 0n : money;
  return { place, ledger, bill, drift, agrees: drift === 0n && ledger.quantity === bill.quantity };
}

function otherFinding({ day, what, nanoUsd }: OtherCost): Finding {
  return {
    cause: 'not counted',
    day,
    model: null,
    nanoUsd,
    quantities: {},
    text: `"${what}" has no tokens, and the ledger counts tokens and searches only.`,
    fix: 'Add it to your budgets with adjust(), if they have to know of it.',
  };
}

function bySize(a: Finding, b: Finding): number {
  const sizes = descending(absolute(a.nanoUsd), absolute(b.nanoUsd));
  if (sizes !== 0) return sizes;
  return a.day < b.day ? -1 : a.day > b.day ? 1 : 0;
}

function byPlace(a: DriftRow, b: DriftRow): number {
  const [x, y] = [a, b].map(({ place }) => Object.values(place).join('\n')) as [string, string];
  return x < y ? -1 : x > y ? 1 : 0;
}
