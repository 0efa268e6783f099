import assert from 'node:assert/strict';
import { expectThat, show } from './expectation.js';
import type { ContractCell, ContractSketch, StoreContractCore } from './subject.js';

/**
 * Cells as plain sums, added up in integers of any size and without the code of any store.
 *
 * - **figures**: every number of a cell that is not zero, by a name for people.
 * - **book**: figures by address: what a store must have.
 */
export type Figures = Map<string, bigint | number>;
export type Book = Map<string, Figures>;

const CARRY = 10n ** 15n;
/** Differences that a message lists. */
const MAX_LISTED = 6;

/** Which cell: family, key and bucket. */
export function addressOf({ family, bucketMs, at, key }: ContractCell): string {
  const time = Number.isFinite(at) ? new Date(at).toISOString() : String(at);
  return `${family} ${JSON.stringify(key)} at ${time} of ${bucketMs} ms`;
}

/** @throws AssertionError for a cell that is not formed as cells are. */
export function figuresOf(core: StoreContractCore, cell: ContractCell): Figures {
  const figures: Figures = new Map();
  const where = addressOf(cell);
  const { sums, rare, lines, amounts, sketches } = cell;
  const count = (name: string, value: number | undefined, unit = 1n) => {
    if (value === 0) return;
    expectThat(
      Number.isSafeInteger(value) && value! > 0,
      `${name} of ${where}: expected a whole number from 0, the store gave ${show(value)}`,
    );
    add(figures, name, BigInt(value!) * unit);
  };
  const slots = Object.entries(core.SUM);
  expectLength('sums', sums, slots.length, where);
  for (const [name, slot] of slots) {
    if (name.endsWith('Carry')) count(name.slice(0, -'Carry'.length), sums[slot], CARRY);
    else count(name, sums[slot]);
  }
  if (rare !== null) expectLength('rare', rare, core.RARE.length, where);
  rare?.forEach((value, slot) => count(`rare[${slot}]`, value));
  expectLength('amounts', amounts, 3 * lines.length, where);
  lines.forEach(({ model, class: part, speed, geo, tier }, i) => {
    const name = `line ${JSON.stringify([model, part, speed, geo, tier])}`;
    count(`${name}: quantity`, amounts[3 * i]);
    count(`${name}: nanoUsd`, amounts[3 * i + 1]);
    count(`${name}: nanoUsd`, amounts[3 * i + 2], CARRY);
  });
  const kept = core.FAMILIES[cell.family]?.sketches ?? false;
  expectThat(
    (sketches !== null) === kept,
    `sketches of ${where}: expected ${kept ? 'sketches' : 'null'}, the store gave ${show(sketches)}`,
  );
  for (const [name, sketch] of Object.entries(sketches ?? {})) {
    countSketch(figures, count, name, sketch as ContractSketch);
  }
  return figures;
}

/** The book of these cells; cells of one address are added. */
export function bookOf(core: StoreContractCore, ...groups: (readonly ContractCell[])[]): Book {
  const book: Book = new Map();
  for (const cell of groups.flat()) {
    const address = addressOf(cell);
    const figures = book.get(address) ?? new Map();
    addAll(figures, figuresOf(core, cell));
    book.set(address, figures);
  }
  return book;
}

/** Cells that have nothing but their address say nothing, and a store may leave them out. */
export function expectCells(
  core: StoreContractCore,
  given: readonly ContractCell[],
  expected: Book,
  what: string,
): void {
  const found: Book = new Map();
  const faults: string[] = [];
  for (const cell of given) {
    const address = addressOf(cell);
    if (found.has(address)) faults.push(`${address}: expected one cell, the store gave two`);
    found.set(address, figuresOf(core, cell));
  }
  for (const [address, figures] of expected) {
    if (figures.size === 0 || found.has(address)) continue;
    faults.push(`${address}: expected ${listOf(figures)}, the store gave no such cell`);
  }
  for (const [address, figures] of found) {
    const wanted = expected.get(address) ?? new Map();
    if (wanted.size > 0) faults.push(...differences(figures, wanted, `${address}: `));
    else if (figures.size > 0) faults.push(`${address}: expected none, got ${listOf(figures)}`);
  }
  fail(faults, what, given.length);
}

/** What these cells add up to, whatever their addresses. */
export function sumOf(core: StoreContractCore, cells: readonly ContractCell[]): Figures {
  const sum: Figures = new Map();
  for (const cell of cells) addAll(sum, figuresOf(core, cell));
  return sum;
}

export function expectFigures(given: Figures, expected: Figures, what: string): void {
  fail(differences(given, expected, ''), what);
}

function countSketch(
  figures: Figures,
  count: (name: string, value: number | undefined) => void,
  name: string,
  sketch: ContractSketch,
): void {
  const { keys, offset, counts } = sketch;
  for (const part of ['count', 'zeros', 'ignored'] as const) count(`${name} ${part}`, sketch[part]);
  counts.forEach((value, i) => {
    // Dense sketches are mostly zeros.
    if (value !== 0) count(`${name} bucket ${keys ? keys[i] : offset + i}`, value);
  });
  if (sketch.count === 0) return;
  for (const part of ['min', 'max'] as const) figures.set(`${name} ${part}`, sketch[part]);
}

/** Bounds of sketches are numbers, and all that is counted is a bigint. */
function add(figures: Figures, name: string, value: bigint | number): void {
  const before = figures.get(name);
  if (before === undefined) figures.set(name, value);
  else if (typeof before === 'bigint' && typeof value === 'bigint') {
    figures.set(name, before + value);
  } else {
    const bound = name.endsWith(' min') ? Math.min : Math.max;
    figures.set(name, bound(Number(before), Number(value)));
  }
}

function addAll(into: Figures, from: Figures): void {
  for (const [name, value] of from) add(into, name, value);
}

function differences(given: Figures, expected: Figures, where: string): string[] {
  return [...new Set([...expected.keys(), ...given.keys()])]
    .filter((name) => given.get(name) !== expected.get(name))
    .map((name) => {
      const [wanted, got] = [expected.get(name) ?? 0, given.get(name) ?? 0];
      return `${where}${name}: expected ${wanted}, the store gave ${got}`;
    });
}

function listOf(figures: Figures): string {
  const listed = [...figures].slice(0, 3).map(([name, value]) => `${name} ${value}`);
  return `${listed.join(', ')}${figures.size > 3 ? ', …' : ''}`;
}

function expectLength(name: string, list: readonly number[], length: number, where: string): void {
  expectThat(
    Array.isArray(list) && list.length === length,
    `${name} of ${where}: expected ${length} numbers, the store gave ${show(list)}`,
  );
}

function fail(faults: readonly string[], what: string, cells?: number): void {
  if (faults.length === 0) return;
  const listed = faults.slice(0, MAX_LISTED).map((fault) => `\n  ${fault}`);
  const more = faults.length - listed.length;
  const rest = more > 0 ? `\n  and ${more} more differences` : '';
  const of = cells === undefined ? '' : ` of ${cells} cells`;
  assert.fail(`${what}: ${faults.length} differences in the reading${of}${listed.join('')}${rest}`);
}
