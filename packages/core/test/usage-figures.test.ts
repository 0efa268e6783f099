/** Who uses it, when, and what they thought of it: against what is counted one by one. */
import * as fc from 'fast-check';
import { createCell, addRare, RARE, SUM } from '../src/cell.js';
import { DISTINCT_ERROR, distinctOf, recordName } from '../src/distinct.js';
import { localTimeIn } from '../src/local-time.js';
import { createMonitor } from '../src/monitor.js';
import { FEEDBACK_ACTIONS } from '../src/record.js';
import { createSketch, mergeSketch } from '../src/sketch.js';
import { hoursOf } from '../src/trackers/habit.js';
import { feedbackOf } from '../src/trackers/usage.js';
import { MINUTE, NOW } from './state-fixture.js';

const SEED = 20_261_125;

describe('different names', () => {
  const sketchOf = (names: readonly string[]) => {
    const sketch = createSketch();
    for (const name of names) recordName(sketch, name);
    return sketch;
  };

  it.each([0, 1, 10, 100, 1_000, 20_000])('are told within four standard errors: %i', (count) => {
    const names = Array.from({ length: count }, (_, i) => `user-${i}`);
    const told = distinctOf(sketchOf([...names, ...names]));
    expect(Math.abs(told - count)).toBeLessThanOrEqual(4 * DISTINCT_ERROR * count + 0.5);
  });

  it('are told of sketches that are added as of one of all', () => {
    const names = fc.array(fc.string({ maxLength: 6 }), { maxLength: 200 });
    fc.assert(
      fc.property(names, names, (a, b) => {
        const both = sketchOf(a);
        mergeSketch(both, sketchOf(b));
        expect(distinctOf(both)).toBe(distinctOf(sketchOf([...a, ...b])));
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
});

describe('opinions', () => {
  const cellWith = (counts: readonly number[], calls: number, nanoUsd: number) => {
    const cell = createCell('total', MINUTE, 0, ['', '']);
    cell.sums[SUM.calls] = calls;
    cell.sums[SUM.nanoUsd] = nanoUsd;
    counts.forEach((count, i) => {
      for (let k = 0; k < count; k += 1) addRare(cell, RARE.feedback + i);
    });
    return cell;
  };

  it('make rates and a price of an accepted answer, by the formulas of docs/usage.md', () => {
    const few = fc.integer({ min: 0, max: 30 });
    fc.assert(
      fc.property(few, few, few, few, few, (accept, reject, edit, retry, silent) => {
        const all = accept + reject + edit + retry;
        const calls = all + silent;
        const found = feedbackOf(cellWith([accept, reject, edit, retry], calls, 1_000_000 * calls));
        expect(found === null).toBe(all === 0);
        if (found === null) return;
        const judged = accept + reject;
        const useful = accept + edit;
        expect(found).toMatchObject({
          ...{ accept, reject, edit, retry, editRate: edit / all, retryRate: retry / all },
          acceptanceRate: judged === 0 ? null : accept / judged,
          rejectionRate: judged === 0 ? null : reject / judged,
        });
        expect(found.costPerAccepted?.nanoUsd ?? null).toBe(
          useful === 0 ? null : Math.round((1_000_000 * calls) / useful),
        );
        expect(found.costPerAcceptedAlike?.nanoUsd ?? null).toBe(
          useful === 0 ? null : Math.round(1_000_000 * (all / useful)),
        );
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('count as the application says', () => {
    const cell = cellWith([6, 2, 1, 1], 10, 10);
    const rules = { accepted: ['accept', 'edit'], rejected: ['reject', 'retry'] } as const;
    expect(feedbackOf(cell, rules)?.acceptanceRate).toBe(0.7);
    expect(FEEDBACK_ACTIONS).toEqual(['accept', 'reject', 'edit', 'retry']);
  });
});

it('calls are in their hour of the week, by the zone', () => {
  const cell = createCell('total', MINUTE, Date.parse('2026-11-22T23:30:00Z'), ['', '']);
  cell.sums[SUM.calls] = 4;
  // A Sunday in UTC is a Monday in Tokyo already.
  expect(hoursOf([cell], localTimeIn('UTC')).peak).toEqual({ weekday: 7, hour: 23, calls: 4 });
  expect(hoursOf([cell], localTimeIn('Asia/Tokyo')).peak).toEqual({
    weekday: 1,
    hour: 8,
    calls: 4,
  });
});

it('a snapshot tells of people, sessions, and what they thought of it', async () => {
  const clock = { now: () => NOW, monotonic: () => 0 };
  const monitor = createMonitor({ clock, log: false });
  for (const [i, userId] of ['ada', 'ada', 'bob', null].entries()) {
    const usage = { input_tokens: 100, output_tokens: 50 };
    const call = { model: 'claude-haiku-5-5', usage, userId, feature: 'chat', messageId: `m${i}` };
    monitor.record({ ...call, sessionId: i < 3 ? 's1' : null });
  }
  expect(await monitor.feedback({ messageId: 'm0', action: 'reject' })).toBe(true);
  expect(await monitor.feedback({ messageId: 'm0', action: 'accept' })).toBe(true);
  expect(await monitor.feedback({ messageId: 'm2', action: 'reject' })).toBe(true);
  expect(await monitor.feedback({ messageId: 'unknown', action: 'accept' })).toBe(false);
  const { usage, totals, byFeature } = await monitor.snapshot();
  expect(usage.users).toMatchObject({ count: 2, kind: 'exact', callsPerUser: 1.5 });
  expect(usage.users?.perDay).toMatchObject([{ period: '2026-11-24', count: 2, complete: false }]);
  expect(usage.sessions).toMatchObject({ count: 1, calls: 3, tokens: 450, tokensPerSession: 450 });
  expect(usage.topPairs[0]).toMatchObject({ user: 'ada', feature: 'chat', calls: 2 });
  expect(totals.feedback).toMatchObject({ accept: 1, reject: 1, acceptanceRate: 0.5 });
  expect(byFeature[0]?.feedback).toMatchObject({ accept: 1, reject: 1 });
  expect(monitor.health().dropped).toEqual({ 'feedback.unknownCall': 1 });
  await monitor.close();
});
