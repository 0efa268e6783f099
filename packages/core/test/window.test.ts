/** Windows by time, and the filters that cells can answer. */
import {
  familyFor,
  filtersOf,
  partOf,
  select,
  windowOf,
  type SnapshotQuery,
} from '../src/window.js';
import { createCell } from '../src/cell.js';
import { QueryError } from '../src/stores/store.js';
import { callRecord, DAY, MINUTE, NOW, QUARTER, rigOf } from './state-fixture.js';

const HOUR = 60 * MINUTE;
const resolutions = [
  { bucketMs: MINUTE, retentionMs: 3 * HOUR },
  { bucketMs: QUARTER, retentionMs: 30 * DAY },
];
const windowFor = (query: SnapshotQuery, now = NOW) => {
  const { from, to, bucketMs } = windowOf(query, now, resolutions);
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), bucketMs };
};

describe('a window', () => {
  it('is the last 24 hours when nothing is asked for', () => {
    expect(windowFor({})).toEqual({
      from: '2026-11-23T14:00:00.000Z',
      to: '2026-11-24T14:15:00.000Z',
      bucketMs: QUARTER,
    });
  });

  it('is made of minutes as long as minutes are kept, and of quarters of an hour beyond', () => {
    expect(windowFor({ rangeMs: HOUR })).toEqual({
      from: '2026-11-24T13:00:00.000Z',
      to: '2026-11-24T14:01:00.000Z',
      bucketMs: MINUTE,
    });
    expect(windowFor({ rangeMs: 3 * HOUR }).bucketMs).toBe(MINUTE);
    expect(windowFor({ rangeMs: 3 * HOUR + 1 }).bucketMs).toBe(QUARTER);
  });

  it('is widened to whole buckets, and says so', () => {
    const from = Date.parse('2026-11-24T13:17:42.123Z');
    const to = Date.parse('2026-11-24T13:20:00.001Z');
    expect(windowFor({ from, to })).toEqual({
      from: '2026-11-24T13:17:00.000Z',
      to: '2026-11-24T13:21:00.000Z',
      bucketMs: MINUTE,
    });
    expect(windowFor({ from, to }, NOW + DAY)).toEqual({
      from: '2026-11-24T13:15:00.000Z',
      to: '2026-11-24T13:30:00.000Z',
      bucketMs: QUARTER,
    });
  });

  it('ends now, even when asked for the future', () => {
    expect(windowFor({ rangeMs: MINUTE, to: NOW + DAY }).to).toBe('2026-11-24T14:01:00.000Z');
  });

  it('begins where something is still kept', () => {
    expect(windowFor({ rangeMs: 400 * DAY }).from).toBe('2026-10-25T14:00:00.000Z');
    expect(windowFor({ from: 0 }).from).toBe('2026-10-25T14:00:00.000Z');
  });

  it.each<[string, SnapshotQuery, RegExp]>([
    ['a range of nothing', { rangeMs: 0 }, /from must be before to/],
    ['an end before its start', { from: NOW - 5, to: NOW - 9 }, /from must be before to/],
    ['a start in the future', { from: NOW + MINUTE }, /before now, got 2026-11-24T14:01:30/],
    ['no time at all', { from: NaN }, /from must be a time in milliseconds, got NaN/],
    ['an endless range', { rangeMs: Infinity }, /rangeMs must be a time in milliseconds/],
    ['a negative time', { to: -1 }, /to must be a time in milliseconds, got -1/],
    ['two starts', { from: NOW - 5, rangeMs: 5 }, /cannot be combined, got both\. Give one/],
    ['what is kept no more', { from: 0, to: NOW - 31 * DAY }, /nothing is kept from before/],
  ])('of %s is refused with a reason', (_, query, reason) => {
    const ask = () => windowOf(query, NOW, resolutions);
    expect(ask).toThrow(QueryError);
    expect(ask).toThrow(reason);
    expect(ask).toThrow(/^\[claude-metrics\] snapshot: /);
  });

  it('of a store that keeps nothing is refused', () => {
    expect(() => windowOf({}, NOW, [])).toThrow(QueryError);
  });
});

describe('filters', () => {
  it.each<[SnapshotQuery, string]>([
    [{}, 'total'],
    [{ model: 'm' }, 'feature-model'],
    [{ feature: 'f' }, 'feature-model'],
    [{ user: 'u' }, 'user-model'],
    [{ model: 'm', feature: 'f' }, 'feature-model'],
    [{ model: 'm', user: 'u' }, 'user-model'],
    [{ feature: 'f', user: 'u' }, 'user-feature'],
  ])('%j are answered by the family %s', (query, family) => {
    expect(familyFor(filtersOf(query))).toBe(family);
    expect(filtersOf(query)).toEqual(query);
  });

  it('by all three are refused, because that is not kept', () => {
    const ask = () => filtersOf({ model: 'm', feature: 'f', user: 'u' });
    expect(ask).toThrow(QueryError);
    expect(ask).toThrow(/cannot be filtered together/);
  });

  it('leave the split that a family knows beside them, and refuse the others', () => {
    expect(familyFor({ user: 'u' }, 'feature')).toBe('user-feature');
    expect(familyFor({ user: 'u', feature: 'f' }, 'feature')).toBe('user-feature');
    expect(familyFor({ user: 'u', feature: 'f' }, 'model')).toBeNull();
    expect(() => filtersOf({ user: 'u', feature: 'f', by: 'model' })).toThrow(
      /by=model cannot be told under a filter by feature and user, because that is not kept/,
    );
    expect(() => filtersOf({ by: 'colour' as 'user' })).toThrow(/by must be one of model, feature/);
  });

  it('select the cells of the family whose names match, `(other)` like any', () => {
    const cell = (user: string, model: string) =>
      createCell('user-model', MINUTE, 0, [user, model]);
    const cells = [cell('ada', 'm'), cell('ada', 'n'), cell('(other)', 'm')];
    const strangers = [createCell('user-feature', MINUTE, 0, ['ada', 'm'])];
    const keys = (filters: { user?: string; model?: string }) =>
      select([...cells, ...strangers], 'user-model', filters).map(({ key }) => key.join());
    expect(keys({})).toEqual(['ada,m', 'ada,n', '(other),m']);
    expect(keys({ user: 'ada' })).toEqual(['ada,m', 'ada,n']);
    expect(keys({ user: 'ada', model: 'm' })).toEqual(['ada,m']);
    expect(keys({ user: '(other)' })).toEqual(['(other),m']);
    expect(partOf('user-model', 'feature')).toBe(-1);
  });
});

describe('a percentile', () => {
  const p95 = async (rig: ReturnType<typeof rigOf>, rangeMs: number) =>
    (await rig.snapshot({ rangeMs })).totals.latency?.callMs?.p95 ?? null;

  it('means "of the last minutes": a value leaves it when its minute leaves the window', async () => {
    const rig = rigOf();
    rig.record(callRecord({ callMs: 60_000 }));
    for (let i = 0; i < 5; i += 1) {
      rig.clock.now += MINUTE;
      rig.record(callRecord({ at: rig.clock.now, callMs: 100 }));
    }
    expect(await p95(rig, 5 * MINUTE)).toBe(60_000);
    rig.clock.now += MINUTE;
    expect(await p95(rig, 5 * MINUTE)).toBe(100);
    rig.clock.now += 10 * MINUTE;
    expect(await p95(rig, 5 * MINUTE)).toBeNull();
    expect(await p95(rig, HOUR)).toBe(60_000);
  });

  it('does not depend on how many calls came since the start', async () => {
    const rig = rigOf();
    for (let i = 0; i < 12_000; i += 1) rig.record(callRecord({ callMs: 9_000 }));
    rig.clock.now += 6 * MINUTE;
    for (let i = 0; i < 3; i += 1) rig.record(callRecord({ at: rig.clock.now, callMs: 100 }));
    expect(await p95(rig, 5 * MINUTE)).toBe(100);
    expect(await p95(rig, HOUR)).toBe(9_000);
  });

  it('of days comes from quarters of an hour, and is the same', async () => {
    const rig = rigOf();
    for (let i = 1; i <= 1_000; i += 1) {
      rig.clock.now = NOW + i * 3_000;
      rig.record(callRecord({ at: rig.clock.now, callMs: i }));
    }
    const [minutes, days] = [await rig.snapshot({ rangeMs: HOUR }), await rig.snapshot()];
    expect(days.bucketMs).toBe(QUARTER);
    expect(minutes.bucketMs).toBe(MINUTE);
    expect(days.totals).toEqual(minutes.totals);
    expect(Math.abs((await p95(rig, HOUR))! / 950 - 1)).toBeLessThan(0.01);
  });
});
