import type { Sketch } from './stores/store.js';

/**
 * A quantile sketch: counts of log-linear buckets. Every quantile is within 0.8 % of the exact one,
 * and merging two sketches gives exactly the sketch of all their values.
 *
 * - **bucket key**: the exponent and the top six mantissa bits of a double, so 64 buckets for each
 *   power of two, and no logarithm to take. A bucket [a, b) answers with 2ab/(a+b), which is at most
 *   (b-a)/(b+a) ≤ 1/129 = 0.78 % away from anything in it.
 * - **sparse, dense**: few buckets are two sorted arrays; many close ones are one array of counts.
 */
export type { Sketch } from './stores/store.js';

const MANTISSA_BITS = 6;
const KEY_SHIFT = 20 - MANTISSA_BITS;
const SPARSE_MAX = 24;
/** A dense array may have this many slots for each bucket in use; a wider spread stays sparse. */
const DENSE_SLOTS_PER_KEY = 12;
const GROWTH = 32;
/** Below it doubles lose mantissa bits, and with them the error bound. */
const SMALLEST = 2 ** -1022;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

export function createSketch(): Sketch {
  return {
    count: 0,
    zeros: 0,
    ignored: 0,
    min: Infinity,
    max: -Infinity,
    keys: [],
    offset: 0,
    counts: [],
  };
}

/**
 * Counts one value. Zero and negative values count as 0; `NaN` and infinities are only counted as
 * `ignored`.
 */
export function recordValue(sketch: Sketch, value: number): void {
  if (!(value >= SMALLEST && value < Infinity)) {
    recordEdge(sketch, value);
    return;
  }
  if (value < sketch.min) sketch.min = value;
  if (value > sketch.max) sketch.max = value;
  sketch.count += 1;
  double[0] = value;
  const key = words[HIGH]! >>> KEY_SHIFT;
  if (sketch.keys === null) {
    const slot = key - sketch.offset;
    if (slot >= 0 && slot < sketch.counts.length) {
      sketch.counts[slot]! += 1;
      return;
    }
  }
  addToBucket(sketch, key, 1);
}

/** Adds all of `from` to `into`; `from` stays as it is. */
export function mergeSketch(into: Sketch, from: Sketch): void {
  into.ignored += from.ignored;
  if (from.count === 0) return;
  into.count += from.count;
  into.zeros += from.zeros;
  into.min = Math.min(into.min, from.min);
  into.max = Math.max(into.max, from.max);
  const { keys, counts, offset } = from;
  if (keys === null && counts.length > 0 && into.keys === null) {
    cover(into, offset, offset + counts.length - 1);
  }
  for (let i = 0; i < counts.length; i += 1) {
    const count = counts[i]!;
    if (count > 0) addToBucket(into, keys === null ? offset + i : keys[i]!, count);
  }
}

/**
 * The value that a share `q` of all values does not exceed: the one of rank ⌈q·count⌉, within
 * 0.8 %. `null` when nothing was counted.
 *
 * @example
 * const sketch = createSketch();
 * for (let ms = 1; ms <= 1000; ms += 1) recordValue(sketch, ms);
 * quantile(sketch, 0.95); // 950 ± 7.4
 */
export function quantile(sketch: Sketch, q: number): number | null {
  return quantiles(sketch, [q])?.[0] ?? null;
}

/** Several quantiles in one pass; `qs` ascending, each from 0 to 1. `null` when empty. */
export function quantiles(sketch: Sketch, qs: readonly number[]): number[] | null {
  if (sketch.count === 0) return null;
  const { keys, counts, offset } = sketch;
  const found: number[] = [];
  let seen = sketch.zeros;
  let i = -1;
  for (const q of qs) {
    const rank = Math.min(Math.max(Math.ceil(q * sketch.count), 1), sketch.count);
    while (seen < rank && i + 1 < counts.length) {
      i += 1;
      seen += counts[i]!;
    }
    if (rank === sketch.count) found.push(sketch.max);
    else if (rank === 1) found.push(sketch.min);
    else if (rank <= sketch.zeros) found.push(0);
    else found.push(clamp(valueOf(keys === null ? offset + i : keys[i]!), sketch));
  }
  return found;
}

/** A sketch as JSON: `[count, zeros, ignored, min, max, key, count, key step, count, …]`. */
export function sketchToJSON(sketch: Sketch): number[] {
  const { count, zeros, ignored, min, max, keys, counts, offset } = sketch;
  const json = [count, zeros, ignored, count > 0 ? min : 0, count > 0 ? max : 0];
  let last = 0;
  for (let i = 0; i < counts.length; i += 1) {
    if (counts[i] === 0) continue;
    const key = keys === null ? offset + i : keys[i]!;
    json.push(key - last, counts[i]!);
    last = key;
  }
  return json;
}

/** The inverse of `sketchToJSON`. */
export function sketchFromJSON(json: readonly number[]): Sketch {
  const sketch = createSketch();
  const [count = 0, zeros = 0, ignored = 0, min = 0, max = 0] = json;
  sketch.ignored = ignored;
  if (count === 0) return sketch;
  Object.assign(sketch, { count, zeros, min, max });
  let key = 0;
  for (let i = 5; i + 1 < json.length; i += 2) {
    key += json[i]!;
    addToBucket(sketch, key, json[i + 1]!);
  }
  return sketch;
}

function recordEdge(sketch: Sketch, value: number): void {
  if (Number.isNaN(value) || value === Infinity || value === -Infinity) {
    sketch.ignored += 1;
    return;
  }
  const low = Math.max(value, 0);
  if (low < sketch.min) sketch.min = low;
  if (low > sketch.max) sketch.max = low;
  sketch.count += 1;
  sketch.zeros += 1;
}

function addToBucket(sketch: Sketch, key: number, count: number): void {
  const { keys, counts } = sketch;
  if (keys === null) {
    if (!cover(sketch, key, key)) addToBucket(sketch, key, count);
    else sketch.counts[key - sketch.offset]! += count;
    return;
  }
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  if (keys[low] === key) {
    counts[low]! += count;
    return;
  }
  keys.splice(low, 0, key);
  counts.splice(low, 0, count);
  if (keys.length > SPARSE_MAX) makeDense(sketch, keys);
}

function makeDense(sketch: Sketch, keys: readonly number[]): void {
  const offset = keys[0]!;
  const span = keys[keys.length - 1]! - offset + 1;
  if (span > keys.length * DENSE_SLOTS_PER_KEY) return;
  const counts = zerosOf(span);
  keys.forEach((key, i) => (counts[key - offset] = sketch.counts[i]!));
  Object.assign(sketch, { keys: null, offset, counts });
}

/** Makes a dense sketch reach from `low` to `high`; too wide a reach makes it sparse: `false`. */
function cover(sketch: Sketch, low: number, high: number): boolean {
  const { counts, offset } = sketch;
  const end = offset + counts.length - 1;
  if (low >= offset && high <= end) return true;
  const first = low < offset ? Math.max(low - GROWTH, 0) : offset;
  const last = high > end ? high + GROWTH : end;
  let used = 0;
  for (const count of counts) if (count > 0) used += 1;
  if (last - first + 1 > (used + GROWTH) * DENSE_SLOTS_PER_KEY) {
    makeSparse(sketch);
    return false;
  }
  sketch.counts = [...zerosOf(offset - first), ...counts, ...zerosOf(last - end)];
  sketch.offset = first;
  return true;
}

function makeSparse(sketch: Sketch): void {
  const keys: number[] = [];
  const counts: number[] = [];
  sketch.counts.forEach((count, slot) => {
    if (count === 0) return;
    keys.push(sketch.offset + slot);
    counts.push(count);
  });
  Object.assign(sketch, { keys, counts, offset: 0 });
}

function zerosOf(length: number): number[] {
  return Array.from({ length }, () => 0);
}

function clamp(value: number, { min, max }: Sketch): number {
  return Math.min(Math.max(value, min), max);
}

function valueOf(key: number): number {
  const low = edgeOf(key);
  const high = edgeOf(key + 1);
  return high === Infinity ? low : low * (2 / (1 + low / high));
}

function edgeOf(key: number): number {
  words[HIGH] = key << KEY_SHIFT;
  words[1 - HIGH] = 0;
  return double[0]!;
}
