/** How many people there were, in which days, weeks and months: against sets of names. */
import fc from 'fast-check';
import { createCell, SUM } from '../src/cell.js';
import { DISTINCT_ERROR } from '../src/distinct.js';
import { createSnapshot, type SnapshotQuery, type UsageOptions } from '../src/snapshot.js';
import { mostCallsByPair } from '../src/trackers/habit.js';
import type { CallRecord } from '../src/record.js';
import { callRecord, DAY, NO_BUDGETS, NOW, QUARTER, rigOf, type Rig } from './state-fixture.js';

const SEED = 20_261_125;
const HOUR = 3_600_000;

function usageFrom(rig: Rig, query: SnapshotQuery, usage: UsageOptions = {}) {
  const { ledger, clock, health } = rig;
  const extras = {
    ...{ now: clock.now, health: health.report(), unobserved: 0, unpricedModels: [], usage },
    ...{ priceVersion: '2026-11-23', ...NO_BUDGETS },
  };
  return createSnapshot(ledger, query, extras).then((snapshot) => snapshot.usage);
}

/** The date of a call's quarter of an hour, as a calendar of that zone shows it. */
function dateIn(timeZone: string, at: number): string {
  const start = Math.floor(at / QUARTER) * QUARTER;
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(start);
}

function mondayOf(date: string): string {
  const day = Date.parse(`${date}T00:00:00Z`);
  const weekday = new Date(day).getUTCDay();
  return new Date(day - ((weekday + 6) % 7) * DAY).toISOString().slice(0, 10);
}

function countsBy(calls: readonly CallRecord[], periodOf: (at: number) => string) {
  const names = new Map<string, Set<string>>();
  for (const { at, userId } of calls) {
    const period = periodOf(at);
    const found = names.get(period) ?? new Set();
    names.set(period, found);
    if (userId !== null) found.add(userId);
  }
  return [...names].map(([period, { size }]) => `${period}: ${size}`).sort();
}

const ZONES = ['UTC', 'Asia/Kathmandu', 'America/St_Johns', 'Australia/Lord_Howe', 'Europe/Paris'];

describe('users', () => {
  it('are counted exactly by day, week and month of any zone', async () => {
    const call = fc.record({
      // Clocks are moved in Europe and in America in this time.
      back: fc.nat(29 * DAY),
      userId: fc.option(fc.constantFrom('ada', 'bob', 'cy', '(other)', '__proto__')),
    });
    const calls = fc.array(call, { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(calls, fc.constantFrom(...ZONES), async (made, timeZone) => {
        const rig = rigOf({ now: Date.parse('2026-11-12T14:00:30Z') });
        const records = made.map(({ back, userId }, i) =>
          callRecord({ id: `c${i}`, at: rig.clock.now - back, userId }),
        );
        rig.record(...records);
        const { users } = await usageFrom(rig, { rangeMs: 29.9 * DAY }, { timeZone });
        const day = (at: number) => dateIn(timeZone, at);
        const listed = (periods: readonly { period: string; count: number }[] = []) =>
          periods.map(({ period, count }) => `${period}: ${count}`);
        expect(listed(users?.perDay)).toEqual(countsBy(records, day));
        expect(listed(users?.perWeek)).toEqual(countsBy(records, (at) => mondayOf(day(at))));
        expect(listed(users?.perMonth)).toEqual(countsBy(records, (at) => day(at).slice(0, 7)));
        const names = new Set(records.flatMap(({ userId }) => userId ?? []));
        const named = records.filter(({ userId }) => userId !== null).length;
        expect(users).toMatchObject({ count: names.size, kind: 'exact', error: 0 });
        expect(users?.callsPerUser).toBe(names.size === 0 ? null : named / names.size);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('of periods that the window has in part only are told apart', async () => {
    const rig = rigOf();
    for (const days of [0, 1, 2, 3]) rig.record(callRecord({ at: NOW - days * DAY }));
    const { users } = await usageFrom(rig, { from: NOW - 3 * DAY, to: NOW - DAY + 10 * HOUR });
    expect(users?.perDay.map(({ period, complete }) => [period, complete])).toEqual([
      ['2026-11-21', false],
      ['2026-11-22', true],
      ['2026-11-23', true],
    ]);
    expect(users?.perWeek.map(({ period, complete }) => [period, complete])).toEqual([
      ['2026-11-16', false],
      ['2026-11-23', false],
    ]);
  });

  it('beyond the cap are estimated, in the window and in its periods', async () => {
    const rig = rigOf({ caps: { features: 5, users: 50 } });
    const count = 3_000;
    for (let i = 0; i < count; i += 1) {
      rig.record(callRecord({ id: `c${i}`, userId: `user-${i}`, at: NOW - (i % 2) * DAY }));
    }
    const { users } = await usageFrom(rig, { rangeMs: 2 * DAY });
    expect(users?.kind).toBe('estimate');
    expect(users?.error).toBeCloseTo(0.046, 3);
    expect(Math.abs(users!.count - count)).toBeLessThan(3 * DISTINCT_ERROR * count);
    for (const day of users!.perDay) {
      expect(day.kind).toBe('estimate');
      expect(Math.abs(day.count - count / 2)).toBeLessThan((3 * DISTINCT_ERROR * count) / 2);
    }
  });

  it('beyond the cap, under a filter, are at least those whose names are left', async () => {
    const rig = rigOf({ caps: { features: 5, users: 50 } });
    for (let i = 0; i < 3_000; i += 1) rig.record(callRecord({ userId: `user-${i}` }));
    const { users } = await usageFrom(rig, { feature: 'summarise' });
    expect(users).toMatchObject({ kind: 'at_least', error: null });
    expect(users!.count).toBeGreaterThanOrEqual(50);
    expect(users!.count).toBeLessThan(3_000);
  });

  it('of a feature and a model together cannot be told', async () => {
    const rig = rigOf();
    rig.record(callRecord());
    const query = { feature: 'summarise', model: 'claude-sonnet-5-5' };
    expect(await usageFrom(rig, query)).toMatchObject({ users: null, topUsers: [], topPairs: [] });
  });

  it('whose feedback comes late, after their name was merged, are not counted for it', async () => {
    const rig = rigOf();
    rig.record(callRecord({ userId: null }));
    rig.ledger.addFeedback({ ...callRecord(), userId: 'late' }, 'accept');
    const { users } = await usageFrom(rig, {});
    expect(users).toMatchObject({ count: 0, kind: 'exact' });
  });
});

describe('sessions', () => {
  it('are counted once, in whatever buckets, and share out their tokens', async () => {
    const rig = rigOf();
    for (let i = 0; i < 40; i += 1) {
      const sessionId = i < 30 ? `session-${i % 6}` : null;
      rig.record(callRecord({ id: `c${i}`, sessionId, at: NOW - i * HOUR }));
    }
    const { sessions } = await usageFrom(rig, { rangeMs: 3 * DAY });
    expect(sessions).toMatchObject({
      ...{ count: 6, kind: 'estimate', calls: 30, tokens: 90_000 },
      ...{ callsPerSession: 5, tokensPerSession: 15_000 },
    });
  });

  it('of calls under a filter are not told', async () => {
    const rig = rigOf();
    rig.record(callRecord({ sessionId: 's' }));
    expect((await usageFrom(rig, { feature: 'summarise' })).sessions).toBeNull();
  });
});

describe('the most calls', () => {
  it('of many pairs are those that sorting all of them finds', () => {
    const cell = fc.tuple(fc.nat(4), fc.nat(4), fc.nat(3), fc.nat(1_000));
    fc.assert(
      fc.property(
        fc.array(cell, { maxLength: 80 }),
        fc.integer({ min: 1, max: 8 }),
        (made, most) => {
          const cells = made.map(([user, feature, calls, nanoUsd]) => {
            const found = createCell('user-feature', QUARTER, 0, [`u${user}`, `f${feature}`]);
            found.sums[SUM.calls] = calls;
            found.sums[SUM.nanoUsd] = nanoUsd;
            return found;
          });
          const sums = new Map<string, { calls: number; nanoUsd: number }>();
          for (const [user, feature, calls, nanoUsd] of made) {
            const name = `u${user} f${feature}`;
            const sum = sums.get(name) ?? { calls: 0, nanoUsd: 0 };
            sums.set(name, { calls: sum.calls + calls, nanoUsd: sum.nanoUsd + nanoUsd });
          }
          const expected = [...sums]
            .filter(([, { calls }]) => calls > 0)
            .sort(([a, x], [b, y]) => y.calls - x.calls || (a < b ? -1 : 1))
            .slice(0, most)
            .map(([name, sum]) => [name, sum.calls, sum.nanoUsd]);
          const found = mostCallsByPair(cells, most).map(({ user, feature, calls, nanoUsd }) => {
            return [`${user} ${feature}`, calls, nanoUsd];
          });
          expect(found).toEqual(expected);
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('are ranked by calls, not by spend, and never by what is nobody’s name', async () => {
    const rig = rigOf();
    const make = (count: number, patch: Partial<CallRecord>) => {
      for (let i = 0; i < count; i += 1) rig.record(callRecord(patch));
    };
    make(3, { userId: 'ada', feature: 'chat', cost: null });
    make(1, { userId: 'bob', feature: 'chat' });
    make(2, { userId: 'bob', feature: '(other)' });
    make(9, { userId: null, feature: null });
    const usage = await usageFrom(rig, {});
    const figures = (list: readonly { calls: number }[]) =>
      list.map(({ calls, ...names }) => [
        ...Object.values(names).filter((each) => typeof each === 'string'),
        calls,
      ]);
    expect(figures(usage.topFeatures)).toEqual([
      ['chat', 4],
      ['\\(other)', 2],
    ]);
    expect(figures(usage.topUsers)).toEqual([
      ['ada', 3],
      ['bob', 3],
    ]);
    expect(figures(usage.topPairs)).toEqual([
      ['ada', 'chat', 3],
      ['bob', '\\(other)', 2],
      ['bob', 'chat', 1],
    ]);
    expect(usage.hours.peak?.calls).toBe(15);
    expect(usage.hours.calls.flat().reduce((sum, calls) => sum + calls)).toBe(15);
  });
});
