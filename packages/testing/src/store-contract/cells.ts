import { HOSTILE_NAMES } from './hostile-names.js';
import { NOW, startOf, widthsOf, type Opened, type Stage } from './stage.js';
import type { Random } from './random.js';
import type { ContractCell, ContractLine, ContractSketch, StoreContractCore } from './subject.js';

/**
 * Cells to bring: plain ones, and any.
 *
 * - **plain**: a number of calls that cost something, all of it one line.
 * - **any**: chance decides every number, so that a mistake in any of them shows.
 */
export type Key = readonly [string, string];

/** Where a cell belongs. */
export interface Address {
  readonly family: string;
  readonly bucketMs: number;
  readonly at: number;
  readonly key: Key;
}

const REST = 1e15;
const CLASSES = ['uncachedInput', 'cacheRead', 'output', 'webSearch'];

/** Lines that differ in one thing each, so that none may be taken for another. */
export const LINES: readonly ContractLine[] = [
  ...CLASSES.map((part) => lineOf('claude-sonnet-5-5', part)),
  lineOf('claude-opus-5-5', 'output'),
  { ...lineOf('claude-sonnet-5-5', 'output'), speed: 'fast' },
  { ...lineOf('claude-sonnet-5-5', 'output'), geo: 'eu' },
  { ...lineOf('claude-sonnet-5-5', 'output'), geo: 'us' },
  { ...lineOf('claude-sonnet-5-5', 'output'), tier: 'standard' },
  { ...lineOf('claude-sonnet-5-5', 'output'), tier: 'batch', geo: 'us', speed: 'fast' },
  { ...lineOf('claude-sonnet-5-5', 'output'), tier: 'null', geo: '', speed: 'undefined' },
  lineOf('(other)', 'output'),
  ...HOSTILE_NAMES.slice(0, 8).map((name) => lineOf(name, 'output')),
];

export function lineOf(model: string, part: string): ContractLine {
  return { model, class: part, speed: null, geo: null, tier: null };
}

export function cellAt(core: StoreContractCore, address: Address): ContractCell {
  const { family, bucketMs, at, key } = address;
  return core.createCell(family, bucketMs, at, key);
}

/** @param nanoUsd Of all calls together; below 10¹⁵. */
export function plainCell(
  core: StoreContractCore,
  address: Address,
  { calls = 1, nanoUsd = 7, line = LINES[2]! } = {},
): ContractCell {
  const cell = cellAt(core, address);
  cell.sums[core.SUM['calls']!] = calls;
  cell.sums[core.SUM['nanoUsd']!] = nanoUsd;
  cell.lines = [line];
  cell.amounts = [calls, nanoUsd, 0];
  for (const sketch of Object.values(cell.sketches ?? {}) as ContractSketch[]) {
    for (let i = 0; i < calls; i += 1) core.recordValue(sketch, 100);
  }
  return cell;
}

export function anyCell(core: StoreContractCore, random: Random, address: Address): ContractCell {
  const cell = cellAt(core, address);
  const { sums } = cell;
  for (const [name, slot] of Object.entries(core.SUM)) {
    if (random.once(4)) continue;
    if (name.endsWith('Carry')) sums[slot] = random.below(1_000);
    else sums[slot] = random.below(`${name}Carry` in core.SUM ? REST : 1_000_000);
  }
  if (!random.once(3)) {
    cell.rare = Array.from({ length: core.RARE.length }, () =>
      random.once(2) ? 0 : random.below(1_000),
    );
  }
  cell.lines = random.shuffled(LINES).slice(0, random.below(6));
  cell.amounts = cell.lines.flatMap(() => {
    return [random.below(1_000_000), random.below(REST), random.below(3)];
  });
  for (const sketch of Object.values(cell.sketches ?? {}) as ContractSketch[]) {
    const values = random.below(12);
    for (let i = 0; i < values; i += 1) core.recordValue(sketch, anyValue(random));
  }
  return cell;
}

/** Ordinary ones close together, and now and then one that is not. */
function anyValue(random: Random): number {
  if (random.once(12)) return random.pick([0, -1, NaN, Infinity, 1e-300, 0.1, 1e15, 1e300]);
  return 200 + random.below(100_000) / 128;
}

/** A few addresses of every family, in two buckets of every width. */
export function addressesIn({ families }: Stage, { store }: Opened): Address[] {
  const names = ['', 'ada', 'summarise', 'claude-sonnet-5-5'];
  return widthsOf(store).flatMap((bucketMs) =>
    [NOW, NOW - bucketMs].flatMap((time) =>
      families.flatMap((family): Address[] => {
        const at = startOf(time, bucketMs);
        if (family === 'total') return [{ family, bucketMs, at, key: ['', ''] }];
        return names.slice(1).flatMap((name, i) => [
          { family, bucketMs, at, key: [name, names[i]!] },
          { family, bucketMs, at, key: [names[i]!, name] },
        ]);
      }),
    ),
  );
}
