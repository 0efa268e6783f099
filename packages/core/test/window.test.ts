/** Which cells a question reads: resolution, widening, cutting, and what cannot be asked. */
import { keyOf } from '../src/cell.js';
import { QueryError } from '../src/stores/store.js';
import {
  DIMENSIONS,
  familyFor,
  filtersOf,
  partOf,
  select,
  windowOf,
  type SnapshotQuery,
} from '../src/window.js';
import { callRecord, DAY, MINUTE, NOW, QUARTER, rigOf } from './state-fixture.js';

const HOUR = 60 * MINUTE;
const RESOLUTIONS = [
  { bucketMs: MINUTE, retentionMs: 3 * HOUR },
  { bucketMs: QUARTER, retentionMs: 30 * DAY },
];
const windowAt = (query: SnapshotQuery, now = NOW) => windowOf(query, now, RESOLUTIONS);
const at = (time: string) => Date.parse(`2026-11-24T${time}Z`);

function refusalOf(run: () => unknown): QueryError {
  try {
    run();
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('the window', () => {
  it('is the last 24 hours when nothing is said', () => {
    expect(windowAt({})).toEqual({
      from: at('14:00:00') - DAY,
      to: at('14:15:00'),
      bucketMs: QUARTER,
    });
  });

  it('is widened to whole buckets, never narrowed', () => {
    const asked = { from: at('13:10:20'), to: at('13:20:01') };
    expect(windowAt(asked)).toEqual({
      from: at('13:10:00'),
      to: at('13:21:00'),
      bucketMs: MINUTE,
    });
  });

  it('is left alone when it consists of whole buckets', () => {
    const asked = { from: at('13:10:00'), to: at('13:20:00') };
    expect(windowAt(asked)).toEqual({ ...asked, bucketMs: MINUTE });
  });

  it('reads a range as ending at `to`', () => {
    expect(windowAt({ to: at('13:20:00'), rangeMs: 5 * MINUTE })).toEqual({
      from: at('13:15:00'),
      to: at('13:20:00'),
      bucketMs: MINUTE,
    });
  });

  it('has minutes as long as they reach back to its beginning, and quarter-hours from there', () => {
    expect(windowAt({ rangeMs: 3 * HOUR }).bucketMs).toBe(MINUTE);
    expect(windowAt({ rangeMs: 3 * HOUR + 1 })).toEqual({
      from: at('11:00:00'),
      to: at('14:15:00'),
      bucketMs: QUARTER,
    });
    expect(windowAt({ from: NOW - 4 * HOUR, to: NOW - HOUR }).bucketMs).toBe(QUARTER);
  });

  it('is cut where nothing is kept any more', () => {
    const month = { from: at('14:00:00') - 30 * DAY, to: at('14:15:00'), bucketMs: QUARTER };
    expect(windowAt({ rangeMs: 365 * DAY })).toEqual(month);
    expect(windowAt({ from: 0 })).toEqual(month);
    expect(windowAt({ rangeMs: 1e300 })).toEqual(month);
  });

  it('ends with the bucket of now, however far it was asked to go', () => {
    const { to } = windowAt({ from: NOW - HOUR, to: NOW + 365 * DAY });
    expect(to).toBe(at('14:01:00'));
  });

  it('holds a call of this very millisecond when it is asked to go beyond it', () => {
    const sharp = at('14:00:00');
    expect(windowAt({ rangeMs: HOUR, to: sharp + 1 }, sharp).to).toBe(at('14:01:00'));
  });
});

describe('a window that makes no sense', () => {
  it.each<[string, SnapshotQuery, string]>([
    ['a time that is not finite', { from: NaN }, 'from must be a time in milliseconds, got NaN'],
    ['an infinite end', { to: Infinity }, 'to must be a time in milliseconds, got Infinity'],
    ['a negative range', { rangeMs: -1 }, 'rangeMs must be a time in milliseconds, got -1'],
    ['a text', { from: '5' as never }, 'from must be a time in milliseconds, got 5'],
    ['two beginnings', { from: NOW - 1, rangeMs: 1 }, 'from and rangeMs cannot be combined'],
    ['no length', { rangeMs: 0 }, 'from must be before to and before now'],
    ['an end before its beginning', { from: NOW - 1, to: NOW - 2 }, 'from must be before to'],
    ['the future', { from: NOW + MINUTE, to: NOW + HOUR }, 'got 2026-11-24T14:01:30.000Z'],
    ['a time without a date', { from: 1e300 }, 'got 1e+300'],
    ['a time before all that is kept', { from: 0, to: NOW - 30 * DAY }, '2026-10-25T14:00:30'],
  ])('is refused with the reason: %s', (_, query, reason) => {
    const { message, status } = refusalOf(() => windowAt(query));
    expect(message).toContain(reason);
    expect(message).toMatch(/^\[claude-metrics\] snapshot: .*\.$/);
    expect(status).toBe(400);
  });

  it('is refused by a store that keeps nothing', () => {
    expect(refusalOf(() => windowOf({}, NOW, [])).message).toContain('nothing is kept');
  });
});

describe('filters', () => {
  it('may be any two names, and are what was given', () => {
    expect(filtersOf({})).toEqual({});
    expect(filtersOf({ user: 'ada', model: undefined, rangeMs: 1 })).toEqual({ user: 'ada' });
    expect(filtersOf({ user: 'ada', feature: '' })).toEqual({ user: 'ada', feature: '' });
  });

  it('are refused when no family of cells knows all of them', () => {
    const { message } = refusalOf(() => filtersOf({ user: 'a', model: 'b', feature: 'c' }));
    expect(message).toContain('cannot be filtered together');
  });

  it('refuse a split by something that is no dimension', () => {
    for (const by of ['session', '__proto__', 'constructor']) {
      const { message } = refusalOf(() => filtersOf({ by: by as never }));
      expect(message).toContain(`by must be one of model, feature, user, got ${by}`);
    }
  });

  it('refuse a split only when it would need all three names', () => {
    for (const by of DIMENSIONS) {
      for (const filtered of DIMENSIONS)
        expect(() => filtersOf({ by, [filtered]: 'x' })).not.toThrow();
      const others = DIMENSIONS.filter((name) => name !== by);
      const query = Object.fromEntries([...others.map((name) => [name, 'x']), ['by', by]]);
      const { message } = refusalOf(() => filtersOf(query));
      expect(message).toContain(
        `by=${by} cannot be told under a filter by ${others.join(' and ')}`,
      );
    }
  });
});

describe('the family that answers', () => {
  it.each([
    [{}, undefined, 'total'],
    [{}, 'model', 'feature-model'],
    [{}, 'user', 'user-model'],
    [{ feature: 'f' }, 'model', 'feature-model'],
    [{ model: 'm' }, 'user', 'user-model'],
    [{ feature: 'f' }, 'user', 'user-feature'],
    [{ user: 'u', feature: 'f' }, 'user', 'user-feature'],
    [{ user: 'u', feature: 'f' }, 'model', null],
  ] as const)('to %j split by %s is %s', (filters, by, family) => {
    expect(familyFor(filters, by)).toBe(family);
  });

  it('prefers one with percentiles', () => {
    expect(familyFor({ model: 'm' })).toBe('feature-model');
    expect(familyFor({ feature: 'f' })).toBe('feature-model');
  });

  it('has a place for each of its names, and none for others', () => {
    expect(DIMENSIONS.map((name) => partOf('user-feature', name))).toEqual([-1, 1, 0]);
    expect(DIMENSIONS.map((name) => partOf('total', name))).toEqual([-1, -1, -1]);
  });
});

describe('the choice of cells', () => {
  const names = [null, '(other)', '(unattributed)', '__proto__', 'constructor', '', 'ada'];

  it('is by exact key, so that no name can pass for a reserved one', async () => {
    const rig = rigOf();
    rig.record(...names.map((userId) => callRecord({ userId })));
    const cells = await rig.ledger.cells({
      ...{ from: 0, to: Infinity, bucketMs: MINUTE },
      families: ['total', 'user-model'],
    });
    for (const name of names) {
      const chosen = select(cells, 'user-model', { user: keyOf(name) });
      expect(chosen.map(({ key }) => key)).toEqual([[keyOf(name), 'claude-sonnet-5-5']]);
    }
    expect(select(cells, 'user-model', { user: '(other)' })).toEqual([]);
    expect(select(cells, 'user-model', { user: 'ada', model: 'another' })).toEqual([]);
    expect(select(cells, 'user-model', {})).toHaveLength(names.length);
  });
});

describe('a percentile', () => {
  const slow = { callMs: 10_000 };
  const p95 = async (rig: ReturnType<typeof rigOf>, query: SnapshotQuery) =>
    (await rig.snapshot(query)).totals.latency?.callMs?.p95 ?? null;

  it('is of the last minutes, however many calls there were: what is older has left it', async () => {
    const rig = rigOf();
    rig.record(...Array.from({ length: 50 }, () => callRecord(slow)));
    for (let minute = 1; minute <= 6; minute += 1) {
      rig.clock.now = NOW + minute * MINUTE;
      rig.record(callRecord({ at: rig.clock.now, callMs: 100 }));
      const found = await p95(rig, { rangeMs: 5 * MINUTE });
      expect(found).toBe(minute <= 5 ? 10_000 : 100);
    }
    rig.clock.now = NOW + 20 * MINUTE;
    expect(await p95(rig, { rangeMs: 5 * MINUTE })).toBeNull();
    expect(await p95(rig, { rangeMs: HOUR })).toBe(10_000);
  });

  it('of a call that ended late is in the minute in which the call started', async () => {
    const rig = rigOf();
    rig.record(callRecord({ at: NOW - 10 * MINUTE, callMs: 600_000 }), callRecord({ callMs: 100 }));
    expect(await p95(rig, { rangeMs: 5 * MINUTE })).toBe(100);
    expect(await p95(rig, { rangeMs: 10 * MINUTE })).toBe(600_000);
  });

  it('survives a clock that is set back and forth', async () => {
    const rig = rigOf();
    rig.record(callRecord());
    for (const now of [NOW - DAY, NOW + DAY, NOW]) {
      rig.clock.now = now;
      rig.record(callRecord({ at: NOW, ...slow }));
    }
    const { totals, health } = await rig.snapshot({ rangeMs: 2 * DAY });
    expect(totals.calls).toBe(4);
    expect(health).toMatchObject({ ok: true, dropped: {} });
    // The call that seemed to start a day ahead was counted at the present of that time.
    expect((await rig.snapshot({ rangeMs: HOUR })).totals.calls).toBe(3);
  });
});
