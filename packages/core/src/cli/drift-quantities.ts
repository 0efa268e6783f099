import {
  billed,
  draft,
  grow,
  recorded,
  shownQuantities,
  type Cause,
  type Draft,
  type Finding,
} from './drift-finding.js';
import { DAY_MS } from './arguments.js';
import type { Entry, Place } from './bill-lines.js';
import type { LedgerFacts, Loose } from './ledger-lines.js';

/**
 * Where there is more or less of something on the bill. One cause after the other takes what it explains;
 * what is left at the end was never recorded, or never billed.
 *
 * - **open**: the bill's quantity minus the ledger's, as far as nothing has explained it yet.
 */
interface Open {
  readonly entry: Entry;
  amount: bigint;
}

interface Sum extends Draft {
  readonly cause: Cause;
  readonly day: string;
  readonly model: string;
  readonly from: Place | null;
  readonly to: Place | null;
}

type Sums = Map<string, Sum>;

export function explainQuantities(entries: readonly Entry[], facts: LedgerFacts): Finding[] {
  const opens = entries.map((entry) => ({
    entry,
    amount: entry.bill.quantity - entry.ledger.quantity,
  }));
  const sums: Sums = new Map();
  takeLoose(opens, facts.loose, sums);
  for (const group of groupsOf(opens, ({ day, model, class: part }) => [day, model, part])) {
    swap(group, sums, (from, to) =>
      from.tier !== to.tier ? 'tier' : from.speed !== to.speed ? 'speed' : 'geography',
    );
  }
  const written = opens.filter(({ entry }) => entry.place.class.startsWith('cacheWrite'));
  for (const group of groupsOf(written, ({ day, model, tier, speed, geo }) => [
    day,
    model,
    tier,
    speed,
    geo,
  ])) {
    swap(group, sums, () => 'cache lifetime');
  }
  for (const group of groupsOf(opens, (place) => Object.values({ ...place, day: '' }))) {
    swap(group, sums, () => 'midnight', areNeighbours);
  }
  const unobserved = leftOver(opens, 1n, 'unobserved', sums);
  leftOver(opens, -1n, 'not billed', sums);
  return [...sums.values()].map((sum) => ({
    cause: sum.cause,
    day: sum.day,
    model: sum.model,
    nanoUsd: sum.nanoUsd,
    quantities: sum.quantities,
    ...wordsOf(sum, sum.cause === 'unobserved' ? keysOf(unobserved, sum) : '', facts),
  }));
}

/** Tokens without a price: the bill says where they belong. */
function takeLoose(opens: readonly Open[], loose: readonly Loose[], sums: Sums): void {
  for (const { day, model, class: part, priority, quantity } of loose) {
    let left = quantity;
    for (const open of opens) {
      const { place } = open.entry;
      if (place.day !== day || place.model !== model || place.class !== part) continue;
      if (place.tier.startsWith('priority') !== priority || open.amount <= 0n) continue;
      const taken = open.amount < left ? open.amount : left;
      open.amount -= taken;
      left -= taken;
      // The Priority Tier is paid by contract: its tokens are on the bill, and its money is not.
      if (!priority && taken > 0n) {
        grow(sumOf(sums, 'late price', place, null), part, taken, billed(open.entry, taken));
      }
    }
  }
}

/** What one place has too little of, another has too much of: it was billed as something else. */
function swap(
  group: readonly Open[],
  sums: Sums,
  causeOf: (from: Place, to: Place) => Cause,
  fits: (from: Place, to: Place) => boolean = () => true,
): void {
  for (const from of group) {
    for (const to of group) {
      if (from.amount >= 0n || to.amount <= 0n) continue;
      const [here, there] = [from.entry.place, to.entry.place];
      if (!fits(here, there)) continue;
      const moved = -from.amount < to.amount ? -from.amount : to.amount;
      from.amount += moved;
      to.amount -= moved;
      const nanoUsd = billed(to.entry, moved) - recorded(from.entry, moved);
      grow(sumOf(sums, causeOf(here, there), here, there), there.class, moved, nanoUsd);
    }
  }
}

function leftOver(opens: readonly Open[], sign: bigint, cause: Cause, sums: Sums): Open[] {
  const left = opens.filter(({ amount }) => amount * sign > 0n);
  for (const { entry, amount } of left) {
    const nanoUsd = sign > 0n ? billed(entry, amount) : -recorded(entry, -amount);
    grow(sumOf(sums, cause, entry.place, null), entry.place.class, amount * sign, nanoUsd);
  }
  return left;
}

function sumOf(sums: Sums, cause: Cause, from: Place, to: Place | null): Sum {
  const kind =
    to === null ? [] : [from.tier, from.speed, from.geo, to.tier, to.speed, to.geo, to.day];
  const key = JSON.stringify([cause, from.day, from.model, ...kind]);
  let sum = sums.get(key);
  if (!sum)
    sums.set(key, (sum = { ...draft(), cause, day: from.day, model: from.model, from, to }));
  return sum;
}

function groupsOf(opens: readonly Open[], keyOf: (place: Place) => readonly string[]): Open[][] {
  const groups = new Map<string, Open[]>();
  for (const open of opens) {
    const key = JSON.stringify(keyOf(open.entry.place));
    const group = groups.get(key);
    if (group) group.push(open);
    else groups.set(key, [open]);
  }
  return [...groups.values()];
}

function areNeighbours(from: Place, to: Place): boolean {
  return Math.abs(Date.parse(from.day) - Date.parse(to.day)) === DAY_MS;
}

/** The API keys whose whole usage is what is missing; else those that there were. */
function keysOf(left: readonly Open[], { day, model }: Sum): string {
  const here = left.filter(({ entry: { place } }) => place.day === day && place.model === model);
  const keys = [...new Set(here.flatMap(({ entry }) => [...entry.keys.keys()]))].sort();
  const whole = keys.filter((key) =>
    here.every(({ entry, amount }) => (entry.keys.get(key) ?? 0n) === amount),
  );
  const [only] = whole;
  if (whole.length === 1 && only !== undefined) return ` It is all that the API key ${only} used.`;
  return keys.length === 0 ? '' : ` API keys in use: ${keys.slice(0, 5).join(', ')}.`;
}

function wordsOf(
  sum: Sum,
  keys: string,
  { estimated }: LedgerFacts,
): { text: string; fix: string } {
  const shown = shownQuantities(sum.quantities);
  const { from, to } = sum;
  switch (sum.cause) {
    case 'unobserved':
      return {
        text: `${shown} were billed and never recorded: a client that is not observed.${keys}`,
        fix: 'Find the process with that key; instrument it, or hand its client to observe().',
      };
    case 'not billed':
      return {
        text: `${shown} were recorded and are not on the bill.${estimated > 0 ? ` ${estimated} calls of the span are estimates.` : ''}`,
        fix: 'Look for calls to another organization, to Bedrock or Vertex, or of tests, in this store.',
      };
    case 'late price':
      return {
        text: `${shown} were recorded before the model had a price.`,
        fix: 'Update the package, or registerPrices(); `claude-metrics reprice` tells the amount.',
      };
    case 'midnight':
      return {
        text: `${shown} were counted on ${from?.day} and billed on ${to?.day}.`,
        fix: 'Nothing: a call counts where it began, and is billed where it ended.',
      };
    case 'cache lifetime':
      return {
        text: `${shown} were recorded with the other lifetime.`,
        fix: 'Streams tell the total alone; the bill is right.',
      };
    default: {
      const name = sum.cause === 'geography' ? 'geo' : (sum.cause as 'tier' | 'speed');
      return {
        text: `${shown} were recorded as ${name} ${from?.[name]} and billed as ${to?.[name]}.`,
        fix: 'The bill is right; imports with record() need the usage as the API sent it.',
      };
    }
  }
}
