/**
 * The sketch against exact answers: data sets × sizes × quantiles, and what merging must not change.
 */
import fc from 'fast-check';
import {
  createSketch,
  mergeSketch,
  quantile,
  quantiles,
  recordValue,
  sketchFromJSON,
  sketchToJSON,
  type Sketch,
} from '../src/sketch.js';

/** What the sketch promises; 1 % is what is asked of it. */
const BOUND = 0.008;
const SIZES = [1, 2, 3, 10, 100, 10_000];
const QS = [
  ...[0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9],
  ...[0.95, 0.99, 0.999, 0.9999, 1],
];

/** Numbers in [0, 1) from a seed (mulberry32), the same on every machine. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const normal = (random: () => number) =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const DATA: Readonly<Record<string, (random: () => number, i: number, size: number) => number>> = {
  uniform: (random) => random() * 1_000,
  lognormal: (random) => Math.exp(6 + 1.5 * normal(random)),
  pareto: (random) => 50 * (1 - random()) ** (-1 / 1.1),
  bimodal: (random) => (random() < 0.7 ? 300 + 20 * normal(random) : 30_000 + 500 * normal(random)),
  constant: () => 1_234.5,
  zeros: () => 0,
  'half zeros': (random, i) => (i % 2 === 0 ? 0 : random() * 10),
  tiny: (random) => 1e-300 * (1 + 1_000 * random()),
  huge: (random) => 1e300 * (1 + 1e8 * random()),
  'up to the largest double': (random) => Number.MAX_VALUE * (0.9 + 0.1 * random()),
  'every magnitude': (random) => 10 ** (600 * random() - 300),
  sorted: (_, i) => 1 + i * 1.7,
  reversed: (_, i, size) => 1 + (size - i) * 1.7,
  integers: (random) => Math.floor(random() * 5_000),
  'edges of buckets': (_, i) => 2 ** (i % 40) * (1 + (i % 64) / 64),
};

function sketchOf(values: Iterable<number>): Sketch {
  const sketch = createSketch();
  for (const value of values) recordValue(sketch, value);
  return sketch;
}

function merged(...parts: readonly Sketch[]): Sketch {
  const into = createSketch();
  for (const part of parts) mergeSketch(into, part);
  return into;
}

/** Numbers that a sketch takes up, its five counters aside. */
const slotsOf = ({ keys, counts }: Sketch) => counts.length + (keys?.length ?? 0);
const usedOf = ({ counts }: Sketch) => counts.filter((count) => count > 0).length;

describe('quantiles', () => {
  it.each(Object.keys(DATA))('are within 0.8 %% of the exact ones: %s', (name) => {
    const wrong: unknown[] = [];
    for (const size of SIZES) {
      const random = randomOf(size);
      const values = Array.from({ length: size }, (_, i) => DATA[name]!(random, i, size));
      const sketch = sketchOf(values);
      const sorted = values.toSorted((a, b) => a - b);
      for (const q of QS) {
        const exact = sorted[Math.max(Math.ceil(q * size), 1) - 1]!;
        const found = quantile(sketch, q)!;
        const error = found === exact ? 0 : Math.abs(found - exact) / exact;
        if (!(error <= BOUND)) wrong.push({ size, q, exact, found });
      }
      expect(quantiles(sketch, QS)).toEqual(QS.map((q) => quantile(sketch, q)));
    }
    expect(wrong).toEqual([]);
  });

  it('are exact at both ends, and never outside of them', () => {
    // Below and above the middle of their buckets, which is what the sketch would say of others.
    const sketch = sketchOf([101.3, 102.7, 103.9]);
    expect(quantiles(sketch, [0, 0.5, 1])).toEqual([101.3, expect.any(Number), 103.9]);
    const twin = sketchOf([7.77, 7.77, 7.77]);
    expect(quantiles(twin, [0, 0.5, 1])).toEqual([7.77, 7.77, 7.77]);
  });

  it('of nothing are null', () => {
    expect(quantile(createSketch(), 0.5)).toBeNull();
    expect(quantiles(sketchOf([NaN, Infinity]), [0.5])).toBeNull();
  });
});

describe('odd values', () => {
  it('that are not finite are counted, but stand in no quantile', () => {
    const sketch = sketchOf([NaN, 5, Infinity, -Infinity]);
    expect(sketch).toMatchObject({ count: 1, ignored: 3, min: 5, max: 5 });
    expect(quantile(sketch, 1)).toBe(5);
    expect(merged(sketch, sketch)).toMatchObject({ count: 2, ignored: 6 });
  });

  it('below zero count as zero, and so do positive ones too small for a bucket', () => {
    const sketch = sketchOf([-3, -0, 0, -Number.MAX_VALUE, 5e-324, 8]);
    expect(sketch).toMatchObject({ count: 6, zeros: 5, ignored: 0, max: 8 });
    expect(Object.is(sketch.min, 0)).toBe(true);
    expect(quantiles(sketch, [0, 0.5, 1])).toEqual([0, 0, 8]);
  });
});

/** Latencies close together (dense), numbers of every size (sparse), and what is no amount. */
const someValues = fc.oneof(
  fc.array(fc.double({ min: 50, max: 5_000, noNaN: true }), { maxLength: 200 }),
  fc.array(fc.double(), { maxLength: 60 }),
  fc.array(fc.oneof(fc.nat(50), fc.constantFrom(0, -1, NaN, Infinity)), { maxLength: 60 }),
);

describe('merging', () => {
  it('gives the sketch of all values, in any order and grouping', () => {
    fc.assert(
      fc.property(fc.array(someValues, { maxLength: 6 }), fc.nat(), (lists, seed) => {
        const random = randomOf(seed);
        const whole = sketchToJSON(sketchOf(lists.flat()));
        const sketches = () => lists.map(sketchOf);
        const shuffled = sketches().sort(() => random() - 0.5);
        const backwards = lists.flat().reverse();
        const nested = sketches().reduceRight((sum, each) => merged(each, sum), createSketch());
        const pairs = merged(merged(...sketches().slice(0, 2)), merged(...sketches().slice(2)));
        for (const sketch of [merged(...shuffled), nested, pairs, sketchOf(backwards)]) {
          expect(sketchToJSON(sketch)).toEqual(whole);
          expect(quantiles(sketch, QS)).toEqual(quantiles(sketchOf(lists.flat()), QS));
        }
      }),
    );
  });

  it('leaves what is merged as it was, and shares nothing with it', () => {
    for (const values of [[1, 2, 3], Array.from({ length: 500 }, (_, i) => 100 + i)]) {
      const from = sketchOf(values);
      const before = structuredClone(from);
      const into = merged(from);
      recordValue(into, 2);
      mergeSketch(into, from);
      expect(from).toEqual(before);
    }
  });
});

describe('JSON', () => {
  it('brings a sketch back exactly, ready to go on', () => {
    fc.assert(
      fc.property(someValues, someValues, (values, more) => {
        const sketch = sketchOf(values);
        const text = JSON.stringify(sketchToJSON(sketch));
        const back = sketchFromJSON(JSON.parse(text) as number[]);
        expect(sketchToJSON(back)).toEqual(sketchToJSON(sketch));
        expect([back.min, back.max]).toEqual([sketch.min, sketch.max]);
        expect(quantiles(back, QS)).toEqual(quantiles(sketch, QS));
        for (const value of more) recordValue(back, value);
        mergeSketch(back, sketch);
        expect(sketchToJSON(back)).toEqual(sketchToJSON(sketchOf([...values, ...more, ...values])));
      }),
    );
  });

  it('of an empty sketch has no infinities', () => {
    expect(JSON.stringify(sketchToJSON(createSketch()))).toBe('[0,0,0,0,0]');
    expect(sketchFromJSON([0, 0, 0, 0, 0])).toEqual(createSketch());
  });
});

describe('memory', () => {
  it('does not grow with the number of values', () => {
    const random = randomOf(1);
    const sketch = createSketch();
    for (let i = 0; i < 100_000; i += 1) recordValue(sketch, 1 + 600_000 * random() ** 8);
    // 64 buckets for each of the 20 powers of two up to ten minutes, and room to grow at both ends.
    expect(slotsOf(sketch)).toBeLessThanOrEqual(64 * 20 + 64);
  });

  it.each<[string, (i: number) => number]>([
    ['both ends in turn', (i) => (i % 2 === 0 ? 1e-300 : 1e300) * (1 + i / 1_000)],
    ['a cluster, then outliers', (i) => (i < 300 ? 100 + i : 1e-300 * 10 ** i)],
    ['outliers, then a cluster', (i) => (i < 20 ? 10 ** (30 * (i - 10)) : 100 + i)],
    ['ever wider', (i) => 2 ** (i % 2 === 0 ? i : -i)],
  ])('stays in proportion to the buckets in use: %s', (_, valueAt) => {
    const values = Array.from({ length: 600 }, (_unused, i) => valueAt(i));
    const sketch = createSketch();
    const other = createSketch();
    for (const value of values) {
      recordValue(sketch, value);
      mergeSketch(other, sketchOf([value]));
      for (const each of [sketch, other]) {
        expect(slotsOf(each)).toBeLessThanOrEqual(12 * (usedOf(each) + 32));
      }
    }
    expect(sketchToJSON(other)).toEqual(sketchToJSON(sketch));
    const dense = sketchOf(Array.from({ length: 300 }, (_unused, i) => 100 + i));
    const both = merged(dense, sketch);
    expect(slotsOf(both)).toBeLessThanOrEqual(12 * (usedOf(both) + 32));
  });
});
