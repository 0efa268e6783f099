/** The bound on the cells of a bucket: what it keeps, and that it loses nothing. */
import fc from 'fast-check';
import {
  capBucket,
  cellsOf,
  createBucket,
  DEFAULT_CAPS,
  halveBucket,
  mergeIntoBucket,
  type Bucket,
  type Caps,
} from '../src/bucket.js';
import { createCell, keyOf, mergeSums, NAMED_FAMILIES, SUM } from '../src/cell.js';
import { createSampler } from '../src/sample.js';
import {
  anyCall,
  callRecord,
  costing,
  exactOfCalls,
  exactOfCells,
  MINUTE,
} from './state-fixture.js';
import type { CallRecord } from '../src/record.js';
import type { Cell, Family } from '../src/stores/store.js';

const { sample } = createSampler(() => undefined);

function cellFor(call: CallRecord, family: Family): Cell {
  const names = {
    feature: keyOf(call.feature),
    user: keyOf(call.userId),
    model: keyOf(call.model),
  };
  const key: Readonly<Record<Family, readonly [string, string]>> = {
    total: ['', ''],
    'feature-model': [names.feature, names.model],
    'user-model': [names.user, names.model],
    'user-feature': [names.user, names.feature],
  };
  const cell = createCell(family, MINUTE, 0, key[family]);
  mergeSums(cell, sample(call));
  return cell;
}

function add(bucket: Bucket, ...calls: readonly CallRecord[]): void {
  for (const call of calls) {
    for (const family of NAMED_FAMILIES) mergeIntoBucket(bucket, cellFor(call, family));
    capBucket(bucket);
  }
}

function bucketOf(caps: Caps, ...calls: readonly CallRecord[]): Bucket {
  const bucket = createBucket(0, MINUTE, caps);
  add(bucket, ...calls);
  return bucket;
}

function read(bucket: Bucket, ...families: readonly Family[]): Cell[] {
  const cells: Cell[] = [];
  cellsOf(bucket, families, cells);
  return cells;
}

const leading = (cells: readonly Cell[]) => new Set(cells.map(({ key }) => key[0]));
const callsIn = (cells: readonly Cell[], name: string) =>
  cells.filter(({ key }) => key[0] === name).reduce((sum, { sums }) => sum + sums[SUM.calls]!, 0);

/** Users by number, heavier and heavier: the heaviest come last. */
const rising = (count: number) =>
  Array.from({ length: count }, (_, i) => costing(1_000 + i, { userId: `user-${i}` }));

describe('a bucket', () => {
  it('has a cell for each pair of names of a family, and calls of the same names share it', () => {
    const bucket = bucketOf(
      DEFAULT_CAPS,
      callRecord(),
      callRecord(),
      callRecord({ model: 'claude-haiku-4-5' }),
      callRecord({ userId: 'bob' }),
    );
    const keys = (family: Family) =>
      read(bucket, family).map(({ key, sums }) => `${key.join(' ')} ${sums[SUM.calls]}`);
    expect(keys('feature-model')).toEqual([
      'summarise claude-sonnet-5-5 3',
      'summarise claude-haiku-4-5 1',
    ]);
    expect(keys('user-feature')).toEqual(['ada summarise 3', 'bob summarise 1']);
    expect(read(bucket, 'user-model')).toHaveLength(3);
    expect(read(bucket, 'total')).toEqual([]);
  });

  it('adds nothing to a cell that was merged into it', () => {
    const cell = cellFor(callRecord(), 'user-model');
    const before = structuredClone(cell);
    const bucket = createBucket(0, MINUTE, DEFAULT_CAPS);
    for (let i = 0; i < 3; i += 1) mergeIntoBucket(bucket, cell);
    expect(cell).toEqual(before);
    expect(callsIn(read(bucket, 'user-model'), 'ada')).toBe(3);
  });
});

describe('the cap', () => {
  it('loses no number of any call, in any family', () => {
    const caps = fc.record({ features: fc.integer({ min: 1, max: 4 }), users: fc.nat(4) });
    const calls = fc.array(anyCall(30, 30), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(caps, calls, fc.nat(3), (cap, list, halvings) => {
        const bucket = bucketOf(cap, ...list);
        for (let i = 0; i < halvings; i += 1) halveBucket(bucket);
        const exact = exactOfCalls(list);
        for (const family of NAMED_FAMILIES) {
          expect(exactOfCells(read(bucket, family))).toEqual(exact);
        }
        expect(leading(read(bucket, 'feature-model')).size).toBeLessThanOrEqual(
          2 * cap.features + 1,
        );
        expect(leading(read(bucket, 'user-model')).size).toBeLessThanOrEqual(2 * cap.users + 1);
      }),
    );
  });

  it('keeps the heaviest names, not the first', () => {
    const bucket = bucketOf({ features: 5, users: 5 }, ...rising(11));
    const expected = ['(other)', 'user-10', 'user-6', 'user-7', 'user-8', 'user-9'];
    expect([...leading(read(bucket, 'user-model'))].sort()).toEqual(expected);
    expect([...leading(read(bucket, 'user-feature'))].sort()).toEqual(expected);
    expect(callsIn(read(bucket, 'user-model'), '(other)')).toBe(6);
  });

  it('weighs by money, and by calls where nothing has a price', () => {
    const free = (userId: string, calls: number) =>
      Array.from({ length: calls }, () => costing(0, { userId }));
    const calls = [...free('rare', 1), ...free('busy', 9), costing(1, { userId: 'paid' })];
    const bucket = bucketOf(
      { features: 1, users: 2 },
      ...calls,
      ...free('late', 2),
      ...free('x', 1),
    );
    expect(leading(read(bucket, 'user-model'))).toEqual(new Set(['paid', 'busy', '(other)']));
  });

  it('is 200 features and 500 users by default, up to twice as many before a merge', () => {
    const calls = Array.from({ length: 1_001 }, (_, i) =>
      costing(i, { userId: `user-${i}`, feature: `feature-${i % 401}` }),
    );
    const bucket = bucketOf(DEFAULT_CAPS, ...calls.slice(0, 400));
    expect(leading(read(bucket, 'feature-model')).size).toBe(400);
    add(bucket, calls[400]!);
    expect(leading(read(bucket, 'feature-model')).size).toBe(201);
    add(bucket, ...calls.slice(401, 1_000));
    expect(leading(read(bucket, 'user-model')).size).toBe(1_000);
    add(bucket, calls[1_000]!);
    expect(leading(read(bucket, 'user-model')).size).toBe(501);
  });

  it('folds a user in both families at once, so that they add up to the same', () => {
    const calls = rising(300).map((call, i) => ({ ...call, feature: `feature-${i % 7}` }));
    const bucket = bucketOf({ features: 3, users: 9 }, ...calls);
    const [models, features] = [read(bucket, 'user-model'), read(bucket, 'user-feature')];
    expect(leading(models)).toEqual(leading(features));
    for (const name of leading(models)) {
      expect(callsIn(models, name)).toBe(callsIn(features, name));
    }
  });

  it('leaves models and features of the users it merged to be told apart', () => {
    const calls = rising(40).map((call, i) => ({ ...call, feature: `feature-${i % 2}` }));
    const other = read(bucketOf({ features: 3, users: 2 }, ...calls), 'user-feature')
      .filter(({ key }) => key[0] === '(other)')
      .map(({ key }) => key[1]);
    expect(other.sort()).toEqual(['feature-0', 'feature-1']);
  });

  it('bounds the second names of one name, keeping the heaviest', () => {
    const calls = Array.from({ length: 1_000 }, (_, i) => costing(i, { feature: `feature-${i}` }));
    const cells = read(bucketOf({ features: 5, users: 5 }, ...calls), 'user-feature');
    expect(cells.length).toBeLessThanOrEqual(65);
    const seconds = cells.map(({ key }) => key[1]);
    expect(seconds).toEqual(expect.arrayContaining(['(other)', 'feature-999', 'feature-970']));
    expect(seconds).not.toContain('feature-0');
    expect(exactOfCells(cells)).toEqual(exactOfCalls(calls));
  });

  it('bounds the cells of a table, too, when every name has many second names', () => {
    const calls = Array.from({ length: 3_000 }, (_, i) =>
      costing(i, {
        userId: `user-${i % 60}`,
        model: `model-${i % 47}`,
        feature: `feature-${i % 41}`,
      }),
    );
    const bucket = bucketOf({ features: 60, users: 60 }, ...calls);
    expect(read(bucket, 'user-model', 'user-feature').length).toBeLessThanOrEqual(2 * 8 * 60);
    expect(exactOfCells(read(bucket, 'user-feature'))).toEqual(exactOfCalls(calls));
    expect(bucket.users.size).toBe(read(bucket, 'user-model', 'user-feature').length);
  });

  it('holds from the first name to the thirty-thousandth', () => {
    const bucket = createBucket(0, MINUTE, { features: 10, users: 20 });
    let most = 0;
    for (const call of rising(30_000)) {
      add(bucket, call);
      most = Math.max(most, bucket.users.size);
    }
    // Two cells a name, one for each family.
    expect(most).toBeLessThanOrEqual(2 * (2 * 20 + 1));
    expect(leading(read(bucket, 'user-model'))).toContain('user-29999');
    expect(callsIn(read(bucket, 'user-model'), '(other)')).toBeGreaterThan(29_900);
  });
});

describe('halving', () => {
  it('keeps the heaviest half, whatever the cap, down to (other) alone', () => {
    const bucket = bucketOf(DEFAULT_CAPS, ...rising(8));
    const names: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      halveBucket(bucket);
      const found = leading(read(bucket, 'user-model'));
      names.push(found.size);
      expect(found.has('user-7')).toBe(i < 3);
    }
    expect(names).toEqual([5, 3, 2, 1]);
    expect(callsIn(read(bucket, 'user-model'), '(other)')).toBe(8);
  });

  it('keeps the heaviest half of the second names, too', () => {
    const calls = Array.from({ length: 9 }, (_, i) => costing(i, { feature: `feature-${i}` }));
    const bucket = bucketOf(DEFAULT_CAPS, ...calls, costing(0, { userId: 'bob' }));
    const seconds = () =>
      read(bucket, 'user-feature')
        .filter(({ key }) => key[0] === 'ada')
        .map(({ key }) => key[1])
        .sort();
    expect(seconds()).toHaveLength(9);
    add(bucket, costing(2_000));
    halveBucket(bucket);
    expect(seconds()).toEqual(['(other)', 'feature-6', 'feature-7', 'feature-8', 'summarise']);
    expect(callsIn(read(bucket, 'user-feature'), 'ada')).toBe(10);
    expect(bucket.users.size).toBe(read(bucket, 'user-model', 'user-feature').length);
  });
});

describe('names', () => {
  it('that mean something to JavaScript are names like others', () => {
    const strange = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '(other)', ''];
    const calls = strange.map((name) => callRecord({ userId: name, feature: name, model: name }));
    const bucket = bucketOf(DEFAULT_CAPS, ...calls, ...calls);
    const found = strange.map((name) => (name === '(other)' ? '\\(other)' : name));
    for (const family of NAMED_FAMILIES) {
      expect([...leading(read(bucket, family))]).toEqual(found);
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect({}).not.toHaveProperty('calls');
  });
});
