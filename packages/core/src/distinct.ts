import { recordValue, type Sketch } from './sketch.js';

/**
 * How many different names there were: a HyperLogLog, kept as counts so that adding two is enough to
 * merge them. The standard error is 1.04 ÷ √512 = 4.6 %, at any number of names, and less below a hundred.
 *
 * - **register**: 9 bits of a name's hash say which of 512; its **rank** is the place of the first 1 in
 *   the 23 bits that remain.
 * - A sketch counts names by register and rank. What HyperLogLog keeps, the highest rank of every register,
 *   is the highest one that has been counted: so sketches that are added say as much as one of all names.
 *
 * No name can be found out of it: 32 bits of a hash become one of some thousand places.
 */
const REGISTERS = 512;
const REGISTER_BITS = 9;
const RANKS = 32 - REGISTER_BITS + 1;

/** Standard error of `distinctOf`, as a share. */
export const DISTINCT_ERROR = 1.04 / Math.sqrt(REGISTERS);

/** Key of the sketch's bucket for the value 1, where ours begin. */
const FIRST_KEY = 1023 * 64;

/** Counts a name. */
export function recordName(sketch: Sketch, name: string): void {
  const hash = hashOf(name);
  const rank = Math.min(Math.clz32(hash >>> REGISTER_BITS) - REGISTER_BITS + 1, RANKS);
  const place = (rank - 1) * REGISTERS + (hash & (REGISTERS - 1));
  // The lower edge of a bucket of the sketch: see sketch.ts.
  recordValue(sketch, 2 ** (place >>> 6) * (1 + (place & 63) / 64));
}

/**
 * The number of different names, by Ertl's estimator, which needs no correction at either end (Otmar
 * Ertl, New cardinality estimation algorithms for HyperLogLog sketches, 2017).
 *
 * @example
 * const sketch = createSketch();
 * for (const name of ['ada', 'bob', 'ada']) recordName(sketch, name);
 * Math.round(distinctOf(sketch)); // 2
 */
export function distinctOf({ keys, counts, offset }: Sketch): number {
  const highest = new Uint8Array(REGISTERS);
  for (let i = 0; i < counts.length; i += 1) {
    if (counts[i] === 0) continue;
    const place = (keys === null ? offset + i : keys[i]!) - FIRST_KEY;
    if (place < 0 || place >= REGISTERS * RANKS) continue;
    const register = place % REGISTERS;
    highest[register] = Math.max(highest[register]!, Math.floor(place / REGISTERS) + 1);
  }
  const having = Array.from({ length: RANKS + 1 }, () => 0);
  for (const rank of highest) having[rank]! += 1;
  if (having[0] === REGISTERS) return 0;
  let z = REGISTERS * tau(1 - having[RANKS]! / REGISTERS);
  for (let rank = RANKS - 1; rank >= 1; rank -= 1) z = 0.5 * (z + having[rank]!);
  z += REGISTERS * sigma(having[0]! / REGISTERS);
  return REGISTERS ** 2 / (2 * Math.LN2 * z);
}

function sigma(share: number): number {
  let [x, y, z, before] = [share, 1, share, NaN];
  while (z !== before) {
    before = z;
    x *= x;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let [x, y, z, before] = [share, 1, 1 - share, NaN];
  while (z !== before) {
    before = z;
    x = Math.sqrt(x);
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}

/** FNV-1a, and the last steps of MurmurHash3, so that every bit depends on every character. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
