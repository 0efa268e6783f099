/** Rules over budgets: each scope on its own, over the end of a period, and where spending will end. */
import { alert } from '../../src/alerts/rules.js';
import { createBurn } from '../../src/alerts/burn.js';
import { DAY, MINUTE } from '../state-fixture.js';
import { alertRig, budgetOf, HOUR, times, type AlertRig } from './alert-fixture.js';

const NOV_10 = Date.parse('2026-11-10T00:00:00Z');
const december = { from: '2026-12-01T00:00:00.000Z', to: '2027-01-01T00:00:00.000Z' };

describe('a budget', () => {
  it('above its limit is an alert of each scope, for what is spent and not for what is held', async () => {
    const rig = alertRig([alert.budgetAbove(0.8)]);
    rig.budgets.reports = [
      budgetOf([
        { scope: 'ada', spentUsd: 84, heldUsd: 14 },
        { scope: 'bob', spentUsd: 80, heldUsd: 20 },
        { scope: '(other)', spentUsd: 99 },
      ]),
      budgetOf([{ spentUsd: 9, limitUsd: 10 }], { name: 'day', per: 'day', of: 'all' }),
      budgetOf([{ spentUsd: 5, limitUsd: 0 }], { name: 'nothing' }),
      budgetOf([], { name: 'call', per: 'call', from: null, to: null }),
    ];
    await rig.alerts.evaluate();
    expect(rig.titles()).toEqual([
      'Budget monthly of ada: 84 % used, $84 of $100 this month (limit 80 %)',
      'Budget day: 90 % used, $9 of $10 this day (limit 80 %)',
    ]);
    expect(rig.sent[0]?.alert).toMatchObject({
      group: { by: 'budget', key: 'monthly of ada' },
      ...{ value: 0.84, limit: 0.8, unit: 'ratio' },
    });
  });

  it('that has refused a call is an alert, whatever is left, until a new period begins', async () => {
    const rig = alertRig([alert.budgetAbove(0.8)]);
    rig.budgets.reports = [budgetOf([{ scope: 'eve', spentUsd: 31, refusedCalls: 4 }])];
    await rig.alerts.evaluate();
    expect(rig.titles()).toEqual([
      'Budget monthly of eve: 31 % used, $31 of $100 this month (limit 80 %), calls refused: 4',
    ]);
    rig.budgets.reports = [budgetOf([{ scope: 'eve', spentUsd: 0 }])];
    await rig.alerts.evaluate();
    expect(rig.types()).toEqual(['firing', 'resolved']);
  });

  it('of another name is none of its business', async () => {
    const rig = alertRig([alert.budgetAbove(0.8, { budget: 'team' })]);
    rig.budgets.reports = [budgetOf([{ spentUsd: 90 }])];
    await rig.alerts.evaluate();
    expect(rig.sent).toEqual([]);
  });

  it('resolves with hysteresis, and when a new period begins', async () => {
    const rig = alertRig([alert.budgetAbove(0.8)], { at: Date.parse(december.from) - 2 * MINUTE });
    rig.budgets.reports = [budgetOf([{ scope: 'ada', spentUsd: 81 }])];
    await rig.pass(MINUTE);
    rig.budgets.reports = [budgetOf([{ scope: 'ada', spentUsd: 73 }])];
    await rig.pass(MINUTE);
    expect(rig.types()).toEqual(['firing']);
    rig.budgets.reports = [budgetOf([], december)];
    await rig.pass(MINUTE);
    expect(rig.types()).toEqual(['firing', 'resolved']);
  });
});

/** A scope that spends `usdPerHour` from 10 November on; `$30` are spent before. */
const spending = (rig: AlertRig, usdPerHour: (hour: number) => number) => {
  let spentUsd = 30;
  return () => {
    const hour = (rig.clock.now - NOV_10) / HOUR;
    spentUsd += usdPerHour(hour) / 60;
    rig.budgets.reports = [budgetOf([{ scope: 'ada', spentUsd }])];
  };
};
const pass = (rig: AlertRig, hours: number, usdPerHour: (hour: number) => number) =>
  rig.pass(hours * HOUR, spending(rig, usdPerHour), MINUTE);

describe('the burn rate', () => {
  // 21 days are left: $70 in 504 hours are $0.14 an hour.
  it('fires when both windows say that the limit will be passed, and says by when', async () => {
    const rig = alertRig([alert.burnRate()], { at: NOV_10 });
    await pass(rig, 2, () => 0.2);
    expect(rig.types()).toEqual(['firing', 'reminder']);
    expect(rig.titles()[0]).toMatch(
      /^Budget monthly of ada: on course for 13\d\.\d % by 2026-12-01 00:00 UTC \(limit 100 %\)$/,
    );
    const firedAt = Date.parse(rig.sent[0]?.at ?? '');
    // Half of the short window must have been seen, and one sample before it.
    expect(firedAt - NOV_10).toBe(31 * MINUTE);
  });

  it('says nothing while the rate fits into the budget', async () => {
    const rig = alertRig([alert.burnRate()], { at: NOV_10 });
    await pass(rig, 8, () => 0.13);
    expect(rig.sent).toEqual([]);
  });

  it('says nothing about a burst that the long window does not know', async () => {
    const rig = alertRig([alert.burnRate()], { at: NOV_10 });
    await pass(rig, 7, (hour) => (hour > 6 && hour < 6.5 ? 1 : 0.05));
    expect(rig.sent).toEqual([]);
  });

  it('resolves soon after spending has stopped', async () => {
    const rig = alertRig([alert.burnRate()], { at: NOV_10 });
    await pass(rig, 9, (hour) => (hour < 6 ? 0.3 : 0));
    const resolved = rig.sent.find(({ type }) => type === 'resolved');
    expect(Date.parse(resolved?.at ?? '') - NOV_10).toBeLessThan(7 * HOUR);
  });

  it('goes on over the end of a period with the rate it knows', async () => {
    const rig = alertRig([alert.burnRate({ above: 2 })], { at: NOV_10 + 20 * DAY });
    let spentUsd = 10;
    await rig.pass(
      26 * HOUR,
      () => {
        const before = rig.clock.now < Date.parse(december.from);
        if (rig.clock.now === Date.parse(december.from)) spentUsd = 0;
        spentUsd += 0.5 / 60;
        rig.budgets.reports = [budgetOf([{ spentUsd }], before ? {} : december)];
      },
      MINUTE,
    );
    // $0.50 an hour is nothing for the rest of November, and $372 for December.
    expect(rig.sent[0]?.at).toBe('2026-12-01T00:00:00.000Z');
    expect(rig.titles()[0]).toContain('on course for 372 % by 2027-01-01');
  });

  it.each([DAY, -DAY, 3 * HOUR])('is not changed by a clock that is set by %d ms', async (ms) => {
    const rig = alertRig([alert.burnRate()], { at: NOV_10 });
    const spend = spending(rig, () => 0.01);
    await rig.pass(3 * HOUR, spend, MINUTE);
    rig.clock.now += ms;
    await rig.pass(3 * HOUR, spend, MINUTE);
    expect(rig.sent).toEqual([]);
  });
});

describe('samples', () => {
  it('are bounded in time and in scopes', () => {
    const burn = createBurn([HOUR]);
    const scopes = times(400, (i) => ({ scope: `user-${i}`, spentUsd: i }));
    for (let at = 0; at <= 3 * HOUR; at += 1_000) {
      burn.sample(
        [budgetOf(scopes.map((each) => ({ ...each, spentUsd: each.spentUsd + at })))],
        at,
      );
      if (at > 5_000) break;
    }
    expect(burn.rateOf('monthly', 'user-399', HOUR, 0)).toBeCloseTo(1);
    expect(burn.rateOf('monthly', 'user-299', HOUR, 0)).toBeNull();
  });

  it('tell the rate of the last window, within a hundredth of it', () => {
    const burn = createBurn([HOUR]);
    const usdAt = (at: number) => (at < 2 * HOUR ? at * 5 : 10 * HOUR + (at - 2 * HOUR));
    for (let at = 0; at <= 4 * HOUR; at += 15_000) {
      burn.sample([budgetOf([{ spentUsd: usdAt(at) }])], at);
    }
    expect(burn.rateOf('monthly', null, HOUR, HOUR)).toBe(1);
    expect(burn.rateOf('monthly', null, 2 * HOUR, HOUR)).toBeNull();
    expect(burn.rateOf('weekly', null, HOUR, HOUR)).toBeNull();
  });

  it('take back what a correction gives back', () => {
    const burn = createBurn([HOUR]);
    for (const [at, spentUsd] of [
      [0, 10],
      [HOUR / 2, 60],
      [HOUR, 10],
    ] as const) {
      burn.sample([budgetOf([{ spentUsd }])], at);
    }
    expect(burn.rateOf('monthly', null, HOUR, HOUR)).toBe(0);
  });
});
