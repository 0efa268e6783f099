/**
 * Cases in which calls or lists once got lost on their way from records to figures.
 */
import { cellsOf, createBucket, DEFAULT_CAPS, mergeIntoBucket } from '../src/bucket.js';
import { blankCell, createCell, mergeSums, SUM } from '../src/cell.js';
import { createSampler } from '../src/sample.js';
import { memoryStore } from '../src/stores/memory.js';
import { callRecord, costing, costOf, exactOfCells, MINUTE, NOW, rigOf } from './state-fixture.js';
import type { Cell } from '../src/stores/store.js';

it('a second name (other) that arrives at a full group is not lost', () => {
  const bucket = createBucket(0, MINUTE, DEFAULT_CAPS);
  const add = (second: string, calls: number) => {
    const cell = createCell('user-model', MINUTE, 0, ['u', second]);
    cell.sums[SUM.calls] = calls;
    mergeIntoBucket(bucket, cell);
  };
  for (let i = 0; i < 64; i += 1) add(`m-${i}`, 1);
  add('(other)', 1_000);
  for (let i = 64; i < 200; i += 1) add(`m-${i}`, 1);
  const cells: Cell[] = [];
  cellsOf(bucket, ['user-model'], cells);
  expect(exactOfCells(cells)).toEqual({ calls: 1_200n });
});

it('through the ledger: 65 features of one user in each of three minutes', async () => {
  const rig = rigOf();
  for (let minute = 0; minute < 3; minute += 1) {
    rig.clock.now = NOW + minute * MINUTE;
    const stem = minute === 2 ? 'g' : 'f';
    const count = [64, 65, 40][minute] ?? 0;
    for (let i = 0; i < count; i += 1) {
      rig.record(costing(1_000 - i, { at: rig.clock.now, feature: `${stem}-${i}` }));
    }
  }
  const { byFeature } = await rig.snapshot({ user: 'ada' });
  expect(byFeature.reduce((sum, { calls }) => sum + calls, 0)).toBe(64 + 65 + 40);
  const cells = await rig.ledger.cells({
    from: 0,
    to: Infinity,
    bucketMs: 900_000,
    families: ['user-feature'],
  });
  expect(exactOfCells(cells)).toMatchObject({ calls: 64n + 65n + 40n });
});

it('lists are kept with more than 48 kinds of cost lines', async () => {
  const rig = rigOf();
  const classes = ['uncachedInput', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'output'] as const;
  for (let i = 0; i < 24; i += 1) {
    const model = `model-${i % 12}`;
    rig.record(
      callRecord({
        model,
        userId: `u-${(i * 7) % 12}`,
        feature: `f-${i % 5}`,
        cost: costOf(...classes.map((part) => [part, 10 + i, 1_000 * (i + 1), model] as const)),
      }),
    );
  }
  const { notKept, byUser, byModel, byFeature } = await rig.snapshot();
  expect(notKept).toEqual([]);
  for (const list of [byUser, byModel, byFeature]) {
    expect(list.reduce((sum, { cost }) => sum + cost.byClass.output.nanoUsd, 0)).toBe(300_000);
  }
});

it('lists are kept when a call has two lines that differ in their rate alone', async () => {
  const rig = rigOf();
  const twins = costOf(['output', 0, 0], ['output', 100, 2_000]);
  rig.record(callRecord({ cost: twins, userId: 'bob', feature: 'b' }));
  rig.record(callRecord({ cost: costOf(['output', 1, 1]), userId: 'ada', feature: 'a' }));
  rig.clock.now += 16 * MINUTE;
  rig.record(callRecord({ cost: costOf(['output', 1, 1]), userId: 'eve', feature: 'b', at: NOW }));
  expect((await rig.snapshot()).notKept).toEqual([]);
});

it('the same, the twins first in the totals and last in the list', async () => {
  const rig = rigOf();
  rig.record(
    callRecord({
      cost: costOf(['output', 50, 1_000], ['output', 100, 2_000]),
      userId: 'a',
      feature: 'z',
    }),
  );
  rig.record(costing(5, { userId: 'z', feature: 'a' }));
  rig.clock.now += 60 * MINUTE;
  rig.record(
    costing(5, { userId: 'b', at: rig.clock.now }),
    callRecord({
      at: rig.clock.now,
      cost: costOf(['output', 50, 1_000], ['output', 100, 2_000]),
      userId: 'a',
    }),
  );
  expect((await rig.snapshot()).notKept).toEqual([]);
});

it('a late call while the store is down is kept, or counted as dropped', async () => {
  const inner = memoryStore();
  let down = true;
  const rig = rigOf({
    store: {
      ...inner,
      merge(cells, now) {
        if (down) throw new Error('down');
        return inner.merge(cells, now);
      },
    },
  });
  for (let i = 0; i < 240; i += 1) {
    rig.clock.now = NOW + i * MINUTE;
    rig.record(callRecord({ at: rig.clock.now }));
  }
  for (let i = 0; i < 5; i += 1) rig.record(callRecord({ at: NOW - 10 * MINUTE }));
  down = false;
  const { calls } = (await rig.snapshot()).totals;
  expect(calls + (rig.health.report().dropped['ledger.calls'] ?? 0)).toBe(245);
});

it('the same when a slow store gives back what it was given', async () => {
  const inner = memoryStore();
  let fail: (() => void) | undefined;
  let down = true;
  const rig = rigOf({
    store: {
      ...inner,
      merge(cells, now) {
        if (!down) return inner.merge(cells, now);
        return new Promise<void>((_, reject) => (fail = () => reject(new Error('down'))));
      },
    },
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  let recorded = 0;
  const record = (at: number) => {
    rig.record(callRecord({ at }));
    recorded += 1;
  };
  for (let i = 0; i < 239; i += 1) {
    rig.clock.now = NOW + i * MINUTE;
    record(rig.clock.now);
    fail?.();
    await settle();
  }
  record(NOW - 10 * MINUTE);
  for (let i = 0; i < 2; i += 1) {
    rig.clock.now += MINUTE;
    record(rig.clock.now);
  }
  fail?.();
  await settle();
  down = false;
  const { calls } = (await rig.snapshot()).totals;
  expect(calls + (rig.health.report().dropped['ledger.calls'] ?? 0)).toBe(recorded);
});

it('a sum stays exact with a single amount near 2^53', () => {
  const cell = blankCell(false);
  const { sample } = createSampler(() => undefined);
  mergeSums(cell, sample(costing(999_999_999_999_998)));
  mergeSums(cell, sample(costing(Number.MAX_SAFE_INTEGER)));
  mergeSums(cell, sample(costing(8e15 - 1)));
  const exact = 999_999_999_999_998n + 8n * 10n ** 15n - 1n;
  expect(exactOfCells([cell])).toMatchObject({ nanoUsd: exact, 'output nanoUsd': exact });
});

it('a call that starts on the very boundary of a bucket is in the window that ends now', async () => {
  const rig = rigOf();
  rig.clock.now = NOW - (NOW % (60 * MINUTE));
  rig.record(callRecord({ at: rig.clock.now }));
  for (const query of [{}, { rangeMs: MINUTE }, { from: rig.clock.now }]) {
    expect((await rig.snapshot(query)).totals.calls).toBe(1);
  }
});
