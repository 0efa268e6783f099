/** Rules that look at rate limits, retirement days, and conditions of the application's own. */
import { alert } from '../../src/alerts/rules.js';
import { callRecord, costing, DAY, MINUTE, QUARTER } from '../state-fixture.js';
import { alertRig, HOUR, SECOND, times, type AlertRig } from './alert-fixture.js';

describe('rate-limit headroom', () => {
  const rule = alert.rateLimitHeadroomBelow(0.1);
  const reset = (rig: AlertRig, ms: number) => new Date(rig.clock.now + ms).toISOString();
  const limited = (rig: AlertRig, remaining: number, ms = 30 * SECOND) =>
    callRecord({
      rateLimit: {
        requests: { limit: 1_000, remaining: 900, reset: reset(rig, 10 * MINUTE) },
        inputTokens: { limit: 100_000, remaining, reset: reset(rig, ms) },
      },
    });

  it('is the smallest of a model, and forgotten with its reset', async () => {
    const rig = alertRig([rule]);
    rig.call(limited(rig, 10_000));
    await rig.pass(15 * SECOND);
    expect(rig.sent).toEqual([]);
    rig.call(limited(rig, 4_000));
    rig.call(callRecord({ rateLimit: null }));
    await rig.pass(15 * SECOND);
    expect(rig.titles()).toEqual([
      'Rate limit: 4 % of input tokens left (limit 10 %), model claude-sonnet-5-5',
    ]);
    await rig.pass(15 * SECOND);
    expect(rig.types()).toEqual(['firing', 'resolved']);
  });

  it('resolves only with some more than the limit', async () => {
    const rig = alertRig([rule]);
    rig.call(limited(rig, 4_000));
    await rig.pass(15 * SECOND);
    rig.call(limited(rig, 10_500));
    await rig.pass(15 * SECOND);
    expect(rig.types()).toEqual(['firing']);
    rig.call(limited(rig, 11_000));
    await rig.pass(15 * SECOND);
    expect(rig.types()).toEqual(['firing', 'resolved']);
  });

  it('is forgotten when the clock was set back, rather than held for a day', async () => {
    const rig = alertRig([rule]);
    rig.call(limited(rig, 4_000));
    await rig.pass(15 * SECOND);
    rig.clock.now -= DAY;
    await rig.pass(2 * MINUTE);
    expect(rig.types()).toEqual(['firing', 'resolved']);
  });

  it('of one model only, under a filter', async () => {
    const rig = alertRig([alert.rateLimitHeadroomBelow(0.1, { filter: { model: 'other' } })]);
    rig.call(limited(rig, 0), { ...limited(rig, 0), model: 'other' });
    await rig.pass(15 * SECOND);
    expect(rig.sent.map(({ alert: { group } }) => group)).toEqual([{ by: 'model', key: 'other' }]);
  });

  it('ignores what says nothing, and holds a bounded number of models', async () => {
    const rig = alertRig([rule]);
    const odd = [
      { limit: 0, remaining: 0, reset: null },
      { limit: null, remaining: 0, reset: null },
      { limit: 5, remaining: null, reset: null },
    ];
    rig.call(...odd.map((requests) => callRecord({ rateLimit: { requests } })));
    await rig.alerts.evaluate();
    expect(rig.sent).toEqual([]);
    const requests = { limit: 10, remaining: 0, reset: 'soon' };
    rig.call(...times(203, (i) => callRecord({ model: `m-${i}`, rateLimit: { requests } })));
    await rig.alerts.evaluate();
    expect(rig.sent).toHaveLength(200);
    expect(rig.health.report().dropped).toEqual({ 'alerts.models': 3 });
    // A limit without a time of its own is one of a minute.
    await rig.pass(MINUTE);
    expect(rig.sent).toHaveLength(400);
  });
});

describe('a retiring model', () => {
  it('is told once a day while it is in use, from the given number of days on', async () => {
    const rig = alertRig([alert.modelRetiring({ withinDays: 7 })], {
      at: Date.parse('2026-11-22T23:45:00Z'),
      everyMs: QUARTER,
    });
    const use = () => {
      if (rig.clock.now % HOUR === 0) {
        rig.call(callRecord({ model: 'claude-sonnet-4-5-20250929' }));
        // Not announced, unknown, and gone for long but not in use.
        rig.call(callRecord({ model: 'claude-opus-4-5-20251101' }), callRecord({ model: 'm' }));
      }
    };
    await rig.pass(QUARTER, use, QUARTER);
    expect(rig.titles()).toEqual([
      'Model claude-sonnet-4-5-20250929 retires on 2026-11-30, in 7 days',
    ]);
    await rig.pass(9 * DAY, use, QUARTER);
    expect(rig.types()).toEqual(['firing', ...times(9, () => 'reminder')]);
    expect(rig.titles()[7]).toBe('Model claude-sonnet-4-5-20250929 retires today');
    expect(rig.titles()[9]).toBe(
      'Model claude-sonnet-4-5-20250929 was retired on 2026-11-30, 2 days ago, and is still in use',
    );
    await rig.pass(25 * HOUR, undefined, QUARTER);
    expect(rig.types().at(-1)).toBe('resolved');
  });

  it('is asked of the given source, and says what it cannot tell', async () => {
    const days: Record<string, string> = { a: '2026-11-25', b: 'someday' };
    const rig = alertRig([alert.modelRetiring({ minCalls: 2 })], {
      retirementOf: (model) => ({ day: days[model] ?? '2030-01-01', announced: true }),
    });
    rig.call(callRecord({ model: 'a' }), callRecord({ model: 'c' }), callRecord({ model: 'c' }));
    await rig.alerts.evaluate();
    expect(rig.sent).toEqual([]);
    rig.call(callRecord({ model: 'a' }));
    await rig.pass(5 * MINUTE);
    expect(rig.titles()).toEqual(['Model a retires on 2026-11-25, in 1 day']);
    expect(rig.sent[0]?.alert).toMatchObject({ value: 1, limit: 30, unit: 'days' });
    rig.call(callRecord({ model: 'b' }), callRecord({ model: 'b' }));
    await rig.pass(5 * MINUTE);
    expect(rig.alerts.page().failing).toMatchObject([
      { message: 'Error: the retirement of b is no day' },
    ]);
  });
});

describe('a condition', () => {
  it('may say yes or no about the snapshot of its window', async () => {
    const rig = alertRig([
      alert.condition(
        'many features',
        ({ byFeature, from }) => {
          expect(Date.parse(from)).toBeGreaterThanOrEqual(rig.clock.now - 11 * MINUTE);
          return byFeature.length > 2;
        },
        { window: '10m', minCalls: 3, severity: 'info' },
      ),
    ]);
    rig.call(...['a', 'b'].map((feature) => callRecord({ feature })));
    await rig.pass(MINUTE);
    expect(rig.sent).toEqual([]);
    rig.call(callRecord({ feature: 'c' }));
    await rig.pass(MINUTE);
    expect(rig.sent[0]?.alert).toMatchObject({
      ...{ title: 'many features', value: null, limit: null, unit: null, severity: 'info' },
    });
    await rig.pass(12 * MINUTE);
    expect(rig.types()).toEqual(['firing', 'resolved']);
    expect(rig.health.report().faults).toEqual({});
  });

  it('may answer with value and limit, and looks at its filter only', async () => {
    const filter = { feature: 'chat' };
    const rig = alertRig([
      alert.condition('calls', ({ totals }) => ({ value: totals.calls, limit: 10 }), { filter }),
      alert.condition('titled', () => ({ value: 2, limit: 1, title: 'Two\nlines' })),
    ]);
    rig.call(...times(10, () => callRecord({ feature: 'chat' })), callRecord());
    await rig.pass(15 * SECOND);
    expect(rig.titles()).toEqual(['Two lines']);
    rig.call(callRecord({ feature: 'chat' }));
    await rig.pass(15 * SECOND);
    expect(rig.titles()[1]).toBe('calls: 11 (limit 10), feature chat');
  });

  it.each([
    [
      'throws',
      () => {
        throw new RangeError('no such thing');
      },
      'RangeError: no such thing',
    ],
    ['answers later', async () => true, 'must answer true, false, or { value, limit }'],
    ['answers nonsense', () => ({ value: 'much', limit: 1 }), 'TypeError: a condition must answer'],
    ['answers nothing', () => undefined, 'TypeError: a condition must answer'],
  ])('that %s is failing, and nothing else is', async (_, holds, message) => {
    const rig = alertRig([alert.condition('broken', holds as never), alert.spendAbove(1)]);
    rig.call(costing(2e9));
    await rig.alerts.evaluate();
    expect(rig.types()).toEqual(['firing']);
    const [failing, ...others] = rig.alerts.page().failing;
    expect(failing).toMatchObject({ rule: 'broken' });
    expect(failing?.message).toContain(message);
    expect(others).toEqual([]);
    expect(rig.health.report().faults).toMatchObject({ 'alert:broken': { count: 1 } });
  });
});
