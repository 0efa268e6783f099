import { OTHER, RARE, SUM, UNPRICED_REASONS } from '../cell.js';
import { DAY_MS, type Span } from './arguments.js';
import { nanoAt } from './money.js';
import type { UnpricedReason } from '../record.js';
import { TOKEN_CLASSES, type TokenClass } from '../rates.js';
import type { Cell, Family, Line, Store } from '../stores/store.js';

/**
 * Cells as the bill would list them.
 *
 * - **part**: one line of a cell: what it was priced by, how much of it, and what that cost.
 * - **loose**: tokens of calls that had no price when they were recorded; they have no line.
 */
export interface Part {
  readonly line: Line;
  readonly quantity: bigint;
  readonly nanoUsd: bigint;
}

export interface Counted {
  readonly cell: Cell;
  readonly calls: number;
  readonly parts: readonly Part[];
  readonly loose: readonly { readonly class: TokenClass; readonly quantity: bigint }[];
  /** Calls without a price, by why. */
  readonly unpriced: Readonly<Partial<Record<UnpricedReason, number>>>;
  /** The most input tokens of a call; `null`: not kept. */
  readonly largestInput: number | null;
}

/** Cells of a span, from the widest buckets, a day at a time. */
export async function* cellsBetween(
  store: Pick<Store, 'read' | 'resolutions'>,
  { from, to }: Span,
  families: readonly Family[],
): AsyncGenerator<Cell> {
  const bucketMs = Math.max(...store.resolutions.map((each) => each.bucketMs));
  const end = Math.ceil(to / bucketMs) * bucketMs;
  let at = Math.floor(from / bucketMs) * bucketMs;
  while (at < end) {
    const next = Math.min(end, (Math.floor(at / DAY_MS) + 1) * DAY_MS);
    yield* await store.read({ from: at, to: next, bucketMs, families });
    at = next;
  }
}

export function countedOf(cell: Cell): Counted {
  const { sums, rare, sketches } = cell;
  const parts = cell.lines.map((line, i) => ({
    line,
    quantity: BigInt(cell.amounts[3 * i] ?? 0),
    nanoUsd: nanoAt(cell.amounts, 3 * i + 1),
  }));
  const loose = TOKEN_CLASSES.map((each) => {
    const priced = parts.reduce((sum, p) => (p.line.class === each ? sum + p.quantity : sum), 0n);
    return { class: each, quantity: BigInt(sums[SUM[each]] ?? 0) - priced };
  });
  const unpriced: Partial<Record<UnpricedReason, number>> = {};
  UNPRICED_REASONS.forEach((reason, i) => {
    const calls = rare?.[RARE.unpriced + i] ?? 0;
    if (calls > 0) unpriced[reason] = calls;
  });
  const most = sketches?.input.max;
  return {
    cell,
    calls: sums[SUM.calls] ?? 0,
    parts,
    loose: loose.filter(({ quantity }) => quantity > 0n),
    unpriced,
    largestInput: most !== undefined && Number.isFinite(most) ? most : null,
  };
}

/** What has no line as parts: its speed and geography are not known, and it has cost nothing so far. */
export function looseParts(counted: Counted): Part[] {
  const [, model] = counted.cell.key;
  const tier = looseTier(counted);
  return counted.loose.map(({ class: part, quantity }) => {
    return { line: { model, class: part, speed: null, geo: null, tier }, quantity, nanoUsd: 0n };
  });
}

/** Paid by contract, all of it: no list has its price. */
export function looseTier({ unpriced }: Counted): string | null {
  return Object.keys(unpriced).join() === 'priority_tier' ? 'priority' : null;
}

/** Where a line's model was merged away, and with it what it was priced by. */
export function isFolded({ model }: Line): boolean {
  return model === OTHER;
}
