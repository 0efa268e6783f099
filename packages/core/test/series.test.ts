/** The window as points: complete, bounded in number, and summing to what was recorded. */
import fc from 'fast-check';
import { seriesOf, type SeriesPoint } from '../src/series.js';
import { familyFor, type Dimension } from '../src/window.js';
import {
  anyCall,
  callRecord,
  costing,
  failed,
  MINUTE,
  NOW,
  QUARTER,
  rigOf,
} from './state-fixture.js';
import type { CallRecord } from '../src/record.js';

const MINUTE_NOW = Math.floor(NOW / MINUTE) * MINUTE;
const lastMinutes = (count: number) => ({
  from: MINUTE_NOW - (count - 1) * MINUTE,
  to: MINUTE_NOW + MINUTE,
  bucketMs: MINUTE,
});

async function seriesFor(calls: readonly CallRecord[], window = lastMinutes(10), by?: Dimension) {
  const rig = rigOf();
  rig.record(...calls);
  const families = [familyFor({}, by) ?? 'total'];
  return seriesOf(await rig.ledger.cells({ ...window, families }), window, by);
}

const minutesAgo = (minutes: number, overrides: Partial<CallRecord> = {}) =>
  costing(1_000_000, { at: NOW - minutes * MINUTE, ...overrides });

const callsOf = (points: readonly SeriesPoint[]) => points.map(({ calls }) => calls);

describe('a series', () => {
  it('has a point for every minute, and zeros where there were no calls', async () => {
    const { bucketMs, points } = await seriesFor([
      minutesAgo(0),
      minutesAgo(3, { callMs: 2_000 }),
      minutesAgo(3, { callMs: 2_000 }),
      failed(null, { at: NOW - 3 * MINUTE, callMs: 2_000 }),
    ]);
    expect(bucketMs).toBe(MINUTE);
    expect(callsOf(points)).toEqual([0, 0, 0, 0, 0, 0, 3, 0, 0, 1]);
    expect(points[5]).toEqual({
      at: '2026-11-24T13:56:00.000Z',
      ...{ key: null, calls: 0, failures: 0, usd: 0, nanoUsd: 0, callMsP95: null },
    });
    expect(points[6]).toEqual({
      at: '2026-11-24T13:57:00.000Z',
      ...{ key: null, calls: 3, failures: 1, usd: 0.002, nanoUsd: 2_000_000, callMsP95: 2_000 },
    });
  });

  it('has its times in order, one width apart', async () => {
    const { points } = await seriesFor([minutesAgo(1)], lastMinutes(180), 'model');
    const times = points.map(({ at }) => Date.parse(at));
    expect(times).toEqual(Array.from({ length: 180 }, (_, i) => MINUTE_NOW + (i - 179) * MINUTE));
  });

  it('tells the P95 of a point from all its calls, not from its last', async () => {
    const calls = Array.from({ length: 100 }, (_, i) => minutesAgo(2, { callMs: 100 - i }));
    const { points } = await seriesFor(calls);
    const p95 = points[7]?.callMsP95 ?? 0;
    expect(Math.abs(p95 - 95)).toBeLessThanOrEqual(0.95);
  });

  it.each([
    [1, 1],
    [720, 1],
    [721, 2],
    [2_880, 4],
  ])('over %i buckets has points of %i buckets: never more than 720', async (buckets, width) => {
    const to = Math.floor(NOW / QUARTER) * QUARTER + QUARTER;
    const window = { from: to - buckets * QUARTER, to, bucketMs: QUARTER };
    const { bucketMs, points } = await seriesFor([minutesAgo(0)], window);
    expect(bucketMs).toBe(width * QUARTER);
    expect(points).toHaveLength(Math.ceil(buckets / width));
    expect(points.length).toBeLessThanOrEqual(720);
    expect(points.at(-1)?.calls).toBe(1);
  });

  it('is complete for any window and split: every call of the window is in one point', async () => {
    const calls = fc.array(anyCall(30, 30, 40 * MINUTE), { maxLength: 40 });
    const by = fc.constantFrom('model', 'feature', 'user', undefined);
    await fc.assert(
      fc.asyncProperty(calls, fc.integer({ min: 1, max: 60 }), by, async (some, length, split) => {
        const window = lastMinutes(length);
        const { points } = await seriesFor(some, window, split);
        const inside = some.filter(({ at }) => at >= window.from);
        expect(callsOf(points).reduce((sum, count) => sum + count, 0)).toBe(inside.length);
        expect(points.length).toBeLessThanOrEqual(720);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a split series', () => {
  it('has a point for every key at every time', async () => {
    const { points } = await seriesFor(
      [
        minutesAgo(0, { feature: 'chat' }),
        minutesAgo(1, { feature: 'search' }),
        minutesAgo(1, { feature: 'search' }),
        minutesAgo(1, { feature: null }),
      ],
      lastMinutes(2),
      'feature',
    );
    expect(points.map(({ at, key, calls }) => [at.slice(14, 16), key, calls])).toEqual([
      ['59', 'search', 2],
      ['59', '(unattributed)', 1],
      ['59', 'chat', 0],
      ['00', 'search', 0],
      ['00', '(unattributed)', 0],
      ['00', 'chat', 1],
    ]);
  });

  it('keeps the ten heaviest of the window apart, and sums the rest as (other)', async () => {
    const calls = Array.from({ length: 14 }, (_, i) =>
      costing(1_000 * (i + 1), { feature: `f${i}`, callMs: 100 * (i + 1) }),
    );
    const { points } = await seriesFor(calls, lastMinutes(1), 'feature');
    const heaviest = Array.from({ length: 10 }, (_, i) => `f${13 - i}`);
    expect(points.map(({ key }) => key)).toEqual([...heaviest, '(other)']);
    expect(points.at(-1)).toMatchObject({ calls: 4, nanoUsd: 1_000 + 2_000 + 3_000 + 4_000 });
    expect(points.at(-1)?.callMsP95).toBe(400);
  });

  it('has no (other) when ten keys are all there are', async () => {
    const calls = Array.from({ length: 10 }, (_, i) => minutesAgo(0, { feature: `f${i}` }));
    const { points } = await seriesFor(calls, lastMinutes(1), 'feature');
    expect(points).toHaveLength(10);
    expect(points.map(({ key }) => key)).not.toContain('(other)');
  });

  it('has one (other), of what the cap merged and of what is not among the ten', async () => {
    const rig = rigOf({ caps: { features: 12, users: 12 } });
    const calls = Array.from({ length: 40 }, (_, i) => costing(1_000 + i, { feature: `f${i}` }));
    rig.record(...calls);
    const window = lastMinutes(1);
    const cells = await rig.ledger.cells({ ...window, families: ['feature-model'] });
    expect(cells.some(({ key }) => key[0] === '(other)')).toBe(true);
    const { points } = seriesOf(cells, window, 'feature');
    expect(points.map(({ key }) => key).filter((key) => key === '(other)')).toHaveLength(1);
    expect(points).toHaveLength(11);
    expect(callsOf(points).reduce((sum, count) => sum + count, 0)).toBe(40);
  });

  it('counts a feature that is really called (other) apart', async () => {
    const { points } = await seriesFor(
      [minutesAgo(0, { feature: '(other)' }), minutesAgo(0, { feature: '__proto__' })],
      lastMinutes(1),
      'feature',
    );
    expect(points.map(({ key, calls }) => [key, calls])).toEqual([
      ['\\(other)', 1],
      ['__proto__', 1],
    ]);
  });

  it('stays below 720 points by making them wider', async () => {
    const calls = Array.from({ length: 12 }, (_, i) => minutesAgo(0, { feature: `f${i}` }));
    const { bucketMs, points } = await seriesFor(calls, lastMinutes(180), 'feature');
    expect(bucketMs).toBe(3 * MINUTE);
    expect(points).toHaveLength(60 * 11);
  });

  it('has no percentile where only sums are kept', async () => {
    const { points } = await seriesFor([callRecord()], lastMinutes(1), 'user');
    expect(points).toMatchObject([{ key: 'ada', calls: 1, callMsP95: null }]);
  });

  it('of nothing has no points', async () => {
    expect((await seriesFor([], lastMinutes(5), 'model')).points).toEqual([]);
  });
});
