/** The snapshot: one reading, in which every list sums to the totals and says what it cannot. */
import fc from 'fast-check';
import { createMonitor } from '../src/monitor.js';
import { createSnapshot, DIMENSIONS, QueryError, type Snapshot } from '../src/snapshot.js';
import { memoryStore } from '../src/stores/memory.js';
import {
  anyCall,
  callRecord,
  costing,
  costOf,
  DAY,
  MINUTE,
  NOW,
  QUARTER,
  rigOf,
  NO_BUDGETS,
} from './state-fixture.js';
import type { CallRecord } from '../src/record.js';
import type { Store } from '../src/stores/store.js';

const HOUR = 60 * MINUTE;
const LISTS = { model: 'byModel', feature: 'byFeature', user: 'byUser' } as const;

/** Costs small enough that their sum is exact as a number. */
function cheap(call: CallRecord): CallRecord {
  const lines = call.cost?.lines.map(
    (line) => [line.class, line.quantity, line.nanoUsd % 1_000_000, line.model] as const,
  );
  return callRecord({ ...call, cost: lines ? costOf(...lines) : null });
}

const factsOf = ({ calls, cost, tokens, retries }: Snapshot['totals']) => [
  ...[calls, cost.nanoUsd, cost.estimatedNanoUsd, retries],
  ...Object.values(tokens).map(Number),
];

function sum(rows: readonly number[][]): number[] {
  const zeros = factsOf(EMPTY.totals).map(() => 0);
  return rows.reduce((sums, row) => sums.map((value, i) => value + (row[i] ?? NaN)), zeros);
}

let EMPTY: Snapshot;
beforeAll(async () => {
  EMPTY = await rigOf().snapshot();
});

describe('a snapshot', () => {
  it('of nothing is complete, and JSON-safe', () => {
    expect(JSON.parse(JSON.stringify(EMPTY))).toEqual(EMPTY);
    expect(EMPTY).toMatchObject({
      schema: 'claude-metrics/snapshot@1',
      at: '2026-11-24T14:00:30.000Z',
      from: '2026-11-23T14:00:00.000Z',
      to: '2026-11-24T14:15:00.000Z',
      bucketMs: QUARTER,
      filters: {},
      totals: { calls: 0, errorRate: null },
      ...{ byModel: [], byFeature: [], byUser: [], notKept: [] },
      coverage: { calls: 0, overflowed: 0, unpriced: {}, priceVersion: '2026-11-23' },
      health: { ok: true },
    });
    expect(EMPTY.series).toHaveLength(97);
  });

  it('is made of what a monitor recorded', async () => {
    const clock = { now: () => NOW, monotonic: () => 0 };
    const monitor = createMonitor({ log: false, clock, onNotice: () => undefined });
    const usage = { input_tokens: 1_000, output_tokens: 500 };
    const first = monitor.record({ model: 'claude-opus-5-5', usage, userId: 'ada' });
    monitor.record({ model: 'a-model-without-price', usage });
    const { totals, byUser, byModel, coverage } = await monitor.snapshot({ rangeMs: HOUR });
    await monitor.close();
    expect(totals).toMatchObject({
      calls: 2,
      cost: { nanoUsd: first.cost?.nanoUsd, complete: false },
      tokens: { uncachedInput: 2_000, output: 1_000 },
    });
    expect(first.cost?.nanoUsd).toBeGreaterThan(0);
    expect(byUser.map(({ key }) => key)).toEqual(['ada', '(unattributed)']);
    expect(byModel.map(({ key }) => key)).toEqual(['claude-opus-5-5', 'a-model-without-price']);
    expect(coverage).toMatchObject({
      unpriced: { unknown_model: 1 },
      unpricedModels: ['a-model-without-price'],
      unattributedUser: 1,
      unattributedFeature: 2,
    });
  });

  it('has lists that sum to the totals, whatever was recorded and whatever the caps', async () => {
    const caps = fc.record({ features: fc.integer({ min: 1, max: 4 }), users: fc.nat(3) });
    const calls = fc.array(anyCall(30, 20, 2 * HOUR).map(cheap), { minLength: 1, maxLength: 60 });
    const query = fc.constantFrom({}, { model: 'model-0' }, { feature: 'feature-0' });
    await fc.assert(
      fc.asyncProperty(calls, caps, query, async (some, small, filters) => {
        const rig = rigOf({ caps: small });
        rig.record(...some);
        const snapshot = await rig.snapshot({ rangeMs: 3 * HOUR, ...filters });
        for (const by of DIMENSIONS.filter((name) => !snapshot.notKept.includes(name))) {
          expect(sum(snapshot[LISTS[by]].map(factsOf))).toEqual(factsOf(snapshot.totals));
        }
        const points = snapshot.series.reduce((total, { calls: count }) => total + count, 0);
        expect(points).toBe(snapshot.totals.calls);
      }),
      { numRuns: 60 },
    );
  });

  it('shows how far it can be trusted', async () => {
    const rig = rigOf({ caps: { features: 200, users: 2 } });
    rig.record(
      costing(50, { userId: null }),
      costing(50, { feature: null, estimated: true }),
      callRecord({ cost: null, priceStatus: 'unpriced', unpricedReason: 'no_usage' }),
      ...[1, 2, 3, 4, 5].map((i) => costing(i, { userId: `user-${i}` })),
    );
    const { coverage, byUser, totals } = await rig.snapshot();
    const other = byUser.find(({ key }) => key === '(other)');
    expect(other?.calls).toBeGreaterThan(0);
    expect(coverage).toMatchObject({
      ...{ calls: 8, unattributedUser: 1, unattributedFeature: 1, estimated: 1 },
      ...{ unpriced: { no_usage: 1 }, overflowed: other?.calls },
    });
    expect(totals.cost).toMatchObject({ complete: false, estimatedNanoUsd: 50 });
  });

  it('shows drops and faults in health', async () => {
    const rig = rigOf();
    rig.record(costing(-5), callRecord({ at: NOW - 31 * DAY }));
    const { health, totals } = await rig.snapshot();
    expect(health.dropped).toEqual({ 'ledger.amount': 2, 'ledger.tooOld': 1 });
    expect(totals).toMatchObject({ calls: 1, cost: { nanoUsd: 0 } });
  });
});

describe('filters', () => {
  const rig = rigOf();
  rig.record(
    costing(1, { userId: 'ada', feature: 'chat', model: 'm1' }),
    costing(2, { userId: 'ada', feature: 'search', model: 'm1' }),
    costing(4, { userId: 'ada', feature: 'chat', model: 'm2' }),
    costing(8, { userId: 'bob', feature: 'chat', model: 'm1' }),
    costing(16, { userId: null, feature: null, model: 'm2' }),
  );
  const costs = (groups: Snapshot['byUser']) =>
    groups.map(({ key, cost }) => `${key} ${cost.nanoUsd}`);

  it('narrow the totals, the lists and the series alike', async () => {
    const snapshot = await rig.snapshot({ user: 'ada', rangeMs: MINUTE, by: 'feature' });
    expect(snapshot.filters).toEqual({ user: 'ada' });
    expect(snapshot.totals).toMatchObject({ calls: 3, cost: { nanoUsd: 7 }, latency: null });
    expect(costs(snapshot.byModel)).toEqual(['m2 4', 'm1 3']);
    expect(costs(snapshot.byFeature)).toEqual(['chat 5', 'search 2']);
    expect(costs(snapshot.byUser)).toEqual(['ada 7']);
    const last = snapshot.series.filter(({ at }) => at === '2026-11-24T14:00:00.000Z');
    expect(last.map(({ key, nanoUsd }) => `${key} ${nanoUsd}`)).toEqual(['chat 5', 'search 2']);
  });

  it('by two names leave out only the list that would need the third', async () => {
    const snapshot = await rig.snapshot({ user: 'ada', feature: 'chat' });
    expect(snapshot.totals.cost.nanoUsd).toBe(5);
    expect(snapshot.notKept).toEqual(['model']);
    expect(snapshot.byModel).toEqual([]);
    expect(costs(snapshot.byUser)).toEqual(['ada 5']);
    expect(await rig.snapshot({ model: 'm1', feature: 'chat' })).toMatchObject({
      notKept: ['user'],
      totals: { calls: 2, latency: { callMs: { count: 2 } } },
    });
  });

  it('take the keys that snapshots show', async () => {
    const { byUser } = await rig.snapshot();
    for (const { key, calls } of byUser) {
      expect((await rig.snapshot({ user: key })).totals.calls).toBe(calls);
    }
    expect(byUser.map(({ key }) => key)).toContain('(unattributed)');
  });

  it('that match nothing give nothing, not everything', async () => {
    for (const user of ['nobody', '', '__proto__', '(other)']) {
      const snapshot = await rig.snapshot({ user });
      expect(snapshot.totals.calls).toBe(0);
      for (const list of Object.values(LISTS)) expect(snapshot[list]).toEqual([]);
    }
  });

  it('are refused before anything is read', async () => {
    const read = jest.fn<never, []>();
    const source = { resolutions: rig.ledger.resolutions, cells: read };
    const extras = { ...NO_BUDGETS, now: NOW, unobserved: 0, unpricedModels: [], priceVersion: '' };
    const health = rig.health.report();
    for (const query of [{ model: 'a', feature: 'b', user: 'c' }, { rangeMs: -1 }]) {
      const asked = createSnapshot(source, query, { ...extras, health });
      await expect(asked).rejects.toBeInstanceOf(QueryError);
    }
    expect(read).not.toHaveBeenCalled();
  });
});

describe('a store that fails', () => {
  /** A memory store whose `merge` can be made to fail, at once or later. */
  function failingStore() {
    const inner = memoryStore();
    const state = { failing: null as 'throws' | 'rejects' | null };
    const store: Store = {
      ...inner,
      merge(cells, now) {
        if (state.failing === 'throws') throw new Error('disk full');
        if (state.failing === 'rejects') return Promise.reject(new Error('disk full'));
        return inner.merge(cells, now);
      },
    };
    return { state, store };
  }

  it.each(['throws', 'rejects'] as const)(
    'loses nothing and counts nothing twice when its merge %s, once it recovers',
    async (way) => {
      const { state, store } = failingStore();
      const rig = rigOf({ store });
      rig.record(costing(1));
      expect((await rig.snapshot()).totals.calls).toBe(1);
      state.failing = way;
      for (let minute = 1; minute <= 5; minute += 1) {
        rig.clock.now = NOW + minute * MINUTE;
        rig.record(costing(10, { at: rig.clock.now, userId: `user-${minute}` }));
        expect((await rig.snapshot()).totals.calls).toBe(1);
      }
      expect(rig.health.report().faults['ledger.flush']?.lastMessage).toBe('Error: disk full');
      state.failing = null;
      for (const query of [{ rangeMs: HOUR }, {}]) {
        const { totals, byUser, health } = await rig.snapshot(query);
        expect(totals).toMatchObject({ calls: 6, cost: { nanoUsd: 51 } });
        expect(byUser).toHaveLength(6);
        expect(health).toMatchObject({ ok: false, dropped: {} });
      }
    },
  );

  it('makes the snapshot fail, rather than be wrong, when it cannot be read', async () => {
    const store: Store = { ...memoryStore(), read: () => Promise.reject(new Error('gone')) };
    await expect(rigOf({ store }).snapshot()).rejects.toThrow('gone');
  });
});
