/** Lists of groups: whatever the caps merged, they sum to the whole, exactly. */
import fc from 'fast-check';
import { groupBy, mergeAll, totalsOf, type Group } from '../src/totals.js';
import { DIMENSIONS, familyFor, select } from '../src/window.js';
import {
  anyCall,
  callRecord,
  costing,
  costOf,
  exactOfCalls,
  exactOfCells,
  failed,
  MINUTE,
  rigOf,
} from './state-fixture.js';
import type { Caps } from '../src/bucket.js';
import type { CallRecord } from '../src/record.js';
import type { Cell, Family } from '../src/stores/store.js';

async function cellsOf(
  calls: readonly CallRecord[],
  family: Family,
  caps?: Caps,
): Promise<readonly Cell[]> {
  const rig = rigOf(caps ? { caps } : {});
  rig.record(...calls);
  return rig.ledger.cells({ from: 0, to: Infinity, bucketMs: MINUTE, families: [family] });
}

/** Costs small enough that their sum is exact as a number. */
function cheap(call: CallRecord): CallRecord {
  const lines = call.cost?.lines.map(
    (line) => [line.class, line.quantity, line.nanoUsd % 1_000_000, line.model] as const,
  );
  return callRecord({ ...call, cost: lines ? costOf(...lines) : null });
}

/** Every number of some totals that adds up, by its path; percentiles and rates do not. */
function additive(value: unknown, path = ''): [string, number][] {
  if (typeof value === 'number') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) =>
    ['latency', 'tokensPerCall', 'errorRate', 'usd', 'key'].includes(name)
      ? []
      : additive(part, `${path}/${name}`),
  );
}

function sumsOf(groups: readonly unknown[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [path, value] of groups.flatMap((group) => additive(group))) {
    sums[path] = (sums[path] ?? 0) + value;
  }
  return Object.fromEntries(Object.entries(sums).filter(([, value]) => value !== 0));
}

const keysOf = (groups: readonly Group[] | undefined) => groups?.map(({ key }) => key);

describe('totals', () => {
  it('say everything about a set of calls', async () => {
    const overloaded = { kind: 'overloaded', type: 'overloaded_error', message: '' } as const;
    const [attempt] = callRecord().attempts;
    const calls = [
      costing(1_000, { attempts: [attempt!, attempt!, attempt!], callMs: 5_000 }),
      failed(overloaded, { callMs: 5_000 }),
    ];
    const totals = totalsOf(mergeAll(await cellsOf(calls, 'total'), 'total'));
    expect(totals).toMatchObject({
      calls: 2,
      attempts: 4,
      retries: 2,
      cost: { nanoUsd: 1_000, usd: 0.000001, complete: true },
      tokens: { uncachedInput: 2_500, output: 500 },
      outcomes: { ok: 1, error: 1 },
      errors: { overloaded: 1 },
      errorRate: 0.5,
      latency: { callMs: { count: 2, p50: 5_000, p99: 5_000 }, ttftMs: { count: 1, p95: 200 } },
      tokensPerCall: { input: { count: 1, p50: 2_500 }, output: { count: 1, p50: 500 } },
    });
  });

  it('of no calls are zeros, and null where a number would be a lie', () => {
    const totals = totalsOf(mergeAll([], 'total'));
    expect(totals).toMatchObject({ calls: 0, errorRate: null, cost: { usd: 0, complete: true } });
    expect(totals.latency).toEqual({ callMs: null, lastAttemptMs: null, ttftMs: null });
    expect(totalsOf(mergeAll([], 'user-model'))).toMatchObject({
      latency: null,
      tokensPerCall: null,
    });
  });

  it('are the sums of the records, in every family and under any caps', async () => {
    const caps = fc.record({ features: fc.integer({ min: 1, max: 4 }), users: fc.nat(3) });
    const calls = fc.array(anyCall(30, 20), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(calls, caps, async (some, small) => {
        for (const family of ['total', 'feature-model', 'user-model', 'user-feature'] as const) {
          const cells = await cellsOf(some, family, small);
          expect(exactOfCells([mergeAll(cells, family)])).toEqual(exactOfCalls(some));
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('groups', () => {
  it('sum to the whole in every number, under any caps and any filter', async () => {
    const caps = fc.record({ features: fc.integer({ min: 1, max: 4 }), users: fc.nat(3) });
    const calls = fc.array(anyCall(30, 20).map(cheap), { minLength: 1, maxLength: 60 });
    const by = fc.constantFrom(...DIMENSIONS);
    await fc.assert(
      fc.asyncProperty(calls, caps, by, by, async (some, small, dimension, filtered) => {
        const rig = rigOf({ caps: small });
        rig.record(...some);
        const cells = await rig.ledger.cells({
          ...{ from: 0, to: Infinity, bucketMs: MINUTE },
          families: ['total', 'feature-model', 'user-model', 'user-feature'],
        });
        for (const filters of [{}, { [filtered]: `${filtered}-0` }]) {
          const own = familyFor(filters) ?? 'total';
          const family = familyFor(filters, dimension);
          if (family === null) throw new Error('two names are always kept');
          const whole = mergeAll(select(cells, own, filters), own);
          const list = groupBy(select(cells, family, filters), dimension, whole);
          const right: unknown[] = [sumsOf([totalsOf(whole)])];
          if (own !== 'total') right.push('not kept');
          expect(right).toContainEqual(list ? sumsOf(list.groups) : 'not kept');
        }
      }),
      { numRuns: 60 },
    );
  });

  it('come heaviest first: by money, then by calls, then by name', async () => {
    const calls = [
      costing(5, { userId: 'two calls' }),
      costing(5, { userId: 'two calls' }),
      costing(10, { userId: 'b' }),
      costing(10, { userId: 'a' }),
      costing(11, { userId: 'rich' }),
    ];
    const cells = await cellsOf(calls, 'user-model');
    const list = groupBy(cells, 'user', mergeAll(cells, 'user-model'));
    expect(keysOf(list?.groups)).toEqual(['rich', 'two calls', 'a', 'b']);
    expect(list?.overflowed).toBe(0);
  });

  it('are at most 100, and then (other), last even when it is the heaviest', async () => {
    const calls = Array.from({ length: 130 }, (_, i) =>
      costing(1_000 + i, { userId: `user-${i}`, feature: `feature-${i}` }),
    );
    const cells = await cellsOf(calls, 'feature-model');
    const list = groupBy(cells, 'feature', mergeAll(cells, 'feature-model'));
    expect(list?.groups).toHaveLength(101);
    expect(list?.groups[0]?.key).toBe('feature-129');
    expect(list?.groups[99]?.key).toBe('feature-30');
    expect(list?.groups[100]).toMatchObject({
      key: '(other)',
      calls: 30,
      latency: { callMs: { count: 30 } },
    });
    expect(list?.overflowed).toBe(0);
  });

  it('count as overflowed what the cap merged, not what the list has no room for', async () => {
    const calls = Array.from({ length: 10 }, (_, i) => costing(i, { userId: `user-${i}` }));
    const cells = await cellsOf(calls, 'user-model', { features: 200, users: 3 });
    const list = groupBy(cells, 'user', mergeAll(cells, 'user-model'));
    const other = list?.groups.find(({ key }) => key === '(other)');
    expect(other?.calls).toBeGreaterThan(0);
    expect(list?.overflowed).toBe(other?.calls);
  });

  it('keep users apart who are called like something reserved', async () => {
    const names = ['(other)', '(unattributed)', '__proto__', 'constructor', 'toString', null];
    const calls = Array.from({ length: 9 }, (_, i) => costing(1, { userId: `small-${i}` }));
    calls.push(...names.map((userId) => costing(1_000, { userId })));
    const before = Object.getOwnPropertyNames(Object.prototype);
    const cells = await cellsOf(calls, 'user-model', { features: 200, users: 7 });
    const list = groupBy(cells, 'user', mergeAll(cells, 'user-model'));
    const known = ['\\(other)', '\\(unattributed)', '__proto__', 'constructor', 'toString'];
    for (const key of [...known, '(unattributed)']) {
      expect(list?.groups.find((group) => group.key === key)).toMatchObject({
        calls: 1,
        cost: { nanoUsd: 1_000 },
      });
    }
    const other = list?.groups.find(({ key }) => key === '(other)');
    expect(other?.calls).toBeGreaterThan(0);
    expect(other?.cost.nanoUsd).toBe(other?.calls);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  });

  it('give to (other) what the whole has beyond them', async () => {
    const cells = await cellsOf([costing(7), costing(8)], 'user-model');
    const whole = mergeAll(
      await cellsOf([costing(7), costing(8), costing(9)], 'feature-model'),
      'feature-model',
    );
    expect(groupBy(cells, 'user', whole)?.groups).toMatchObject([
      { key: 'ada', calls: 2, cost: { nanoUsd: 15 } },
      { key: '(other)', calls: 1, cost: { nanoUsd: 9, byClass: { output: { nanoUsd: 9 } } } },
    ]);
  });

  it('are nothing at all when they have more than the whole', async () => {
    const cells = await cellsOf([costing(7), costing(8)], 'user-model');
    const whole = mergeAll(await cellsOf([costing(20)], 'feature-model'), 'feature-model');
    expect(groupBy(cells, 'user', whole)).toBeNull();
    const dearer = mergeAll(await cellsOf([costing(14), costing(0)], 'total'), 'total');
    expect(groupBy(cells, 'user', dearer)).toBeNull();
  });

  it('of nothing are none', () => {
    expect(groupBy([], 'model', mergeAll([], 'total'))).toEqual({ groups: [], overflowed: 0 });
  });

  it('are told with money beyond 2⁵³ nano-dollars, to the nearest double', async () => {
    const calls = Array.from({ length: 5 }, () => costing(4_000_000_000_000_001));
    const cells = await cellsOf(calls, 'user-model');
    const whole = mergeAll(cells, 'user-model');
    expect(exactOfCells([whole])['nanoUsd']).toBe(20_000_000_000_000_005n);
    const [ada, ...others] = groupBy(cells, 'user', whole)?.groups ?? [];
    expect(ada?.cost.nanoUsd).toBe(Number(20_000_000_000_000_005n));
    expect(others).toEqual([]);
  });
});
