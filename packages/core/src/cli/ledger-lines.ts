import { SUM } from '../cell.js';
import {
  dayOf,
  entryAt,
  geoName,
  placeOf,
  speedName,
  tierName,
  type Entries,
} from './bill-lines.js';
import { cellsBetween, countedOf, looseTier } from './ledger-reading.js';
import { idOf, repriced } from './repricing.js';
import type { Span } from './arguments.js';
import type { CostClass } from '../record.js';
import type { PriceTable } from '../prices.js';
import type { Store } from '../stores/store.js';

/** Tokens that were recorded without a price: their tier, speed and geography are not known. */
export interface Loose {
  readonly day: string;
  readonly model: string;
  readonly class: CostClass;
  /** Paid by contract, so no list has a price for them. */
  readonly priority: boolean;
  quantity: bigint;
}

export interface LedgerFacts {
  readonly loose: readonly Loose[];
  readonly calls: number;
  readonly estimated: number;
}

/** Puts the ledger's side into the entries. */
export async function readLedger(
  entries: Entries,
  store: Pick<Store, 'read' | 'resolutions'>,
  span: Span,
  table: PriceTable,
): Promise<LedgerFacts> {
  const loose = new Map<string, Loose>();
  let calls = 0;
  let estimated = 0;
  for await (const cell of cellsBetween(store, span, ['feature-model'])) {
    const counted = countedOf(cell);
    const day = dayOf(cell.at);
    calls += counted.calls;
    estimated += cell.sums[SUM.estimated] ?? 0;
    for (const part of counted.parts) {
      const { line, quantity, nanoUsd } = part;
      const entry = entryAt(
        entries,
        placeOf({
          day,
          model: idOf(table, line.model),
          class: line.class,
          tier: tierName(line.tier),
          speed: speedName(line.speed),
          geo: geoName(line.geo),
        }),
      );
      entry.ledger.quantity += quantity;
      entry.ledger.nanoUsd += nanoUsd;
      entry.slack += BigInt(counted.calls);
      const now = repriced(part, counted, { table, before: table });
      const known = now.reason === null && now.atMost === now.nanoUsd;
      entry.repriced = entry.repriced !== null && known ? entry.repriced + now.nanoUsd : null;
    }
    const model = idOf(table, cell.key[1]);
    const priority = looseTier(counted) !== null;
    for (const { class: part, quantity } of counted.loose) {
      const key = JSON.stringify([day, model, part, priority]);
      const sum = loose.get(key) ?? { day, model, class: part, priority, quantity: 0n };
      sum.quantity += quantity;
      loose.set(key, sum);
    }
  }
  return { loose: [...loose.values()], calls, estimated };
}
