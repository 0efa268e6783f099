import { billed, draft, grow, recorded, type Draft, type Finding } from './drift-finding.js';
import { absolute, decimalUsd, share } from './money.js';
import { amountOf, ratesFor } from './repricing.js';
import type { Entry } from './bill-lines.js';
import type { PriceTable } from '../prices.js';

/** Where bill and ledger have the same tokens, and not the same money for them. */

interface Sum extends Draft {
  readonly day: string;
  readonly model: string;
  readonly late: boolean;
  readonly rates: string[];
}

const PER_MILLION = 1_000_000n;

export function explainPrices(entries: readonly Entry[], table: PriceTable): Finding[] {
  const sums = new Map<string, Sum>();
  const alone: Finding[] = [];
  for (const entry of entries) {
    const { place, bill, ledger, slack } = entry;
    if (bill.quantity === 0n && absolute(bill.nanoUsd) > slack) alone.push(withoutUsage(entry));
    const both = bill.quantity < ledger.quantity ? bill.quantity : ledger.quantity;
    // The Priority Tier is paid by contract: the cost report leaves it out.
    if (both === 0n || place.tier.startsWith('priority')) continue;
    const difference = billed(entry, both) - recorded(entry, both);
    if (absolute(difference) <= slack) continue;
    const late = isLate(entry, both);
    const key = JSON.stringify([place.day, place.model, late]);
    let sum = sums.get(key);
    if (!sum) {
      sums.set(key, (sum = { ...draft(), day: place.day, model: place.model, late, rates: [] }));
    }
    grow(sum, place.class, both, difference);
    sum.rates.push(ratesOf(entry, both, table));
  }
  return [...[...sums.values()].map(findingOf), ...alone];
}

/** What was recorded is not what the table says today, and the bill is. */
function isLate(entry: Entry, both: bigint): boolean {
  const { repriced, ledger, slack } = entry;
  if (repriced === null) return false;
  return absolute(share(repriced, both, ledger.quantity) - billed(entry, both)) <= slack;
}

function ratesOf(entry: Entry, both: bigint, table: PriceTable): string {
  const { place } = entry;
  const unit = place.class === 'webSearch' ? 1n : PER_MILLION;
  const shown = (nanoUsd: bigint) => `$${decimalUsd(share(nanoUsd, unit, both))}`;
  const than = `${shown(billed(entry, both))} instead of ${shown(recorded(entry, both))}`;
  return `${place.class} ${than} ${unit === 1n ? 'each' : 'per million'}${sinceOf(entry, table)}`;
}

/** The day since which the table has the bill's price, if that is another period. */
function sinceOf(entry: Entry, table: PriceTable): string {
  const { place, bill, slack } = entry;
  for (const { from } of table.models[place.model]?.periods ?? []) {
    const at = from === null ? NaN : Date.parse(from);
    const rates = Number.isNaN(at) ? null : ratesFor(table, place, at);
    const [rate] = Array.isArray(rates) ? rates : [];
    if (rate && absolute(amountOf(bill.quantity, rate) - bill.nanoUsd) <= slack) {
      return ` (the price since ${from})`;
    }
  }
  return '';
}

function findingOf({ day, model, late, rates, nanoUsd, quantities }: Sum): Finding {
  const text = `the bill charges ${rates.join('; ')}`;
  const common = { day, model, nanoUsd, quantities };
  if (late) {
    return {
      ...common,
      cause: 'late price',
      text: `${text}: the ledger was priced with another table than today's, which agrees with the bill.`,
      fix: 'Keep the package up to date; `claude-metrics reprice` tells the amount of a whole span.',
    };
  }
  return {
    ...common,
    cause: 'price',
    text: `${text}: the price table does not have this price on that day.`,
    fix: 'See `claude-metrics prices --model`; register a price of your own with registerPrices().',
  };
}

function withoutUsage({ place, bill }: Entry): Finding {
  return {
    cause: 'not counted',
    day: place.day,
    model: place.model,
    nanoUsd: bill.nanoUsd,
    quantities: {},
    text: `the cost report charges for ${place.class}, of which the usage report has none.`,
    fix: 'Ask again later: the two reports are not always equally fresh.',
  };
}
