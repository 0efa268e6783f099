/** Spend that is out of the ordinary for the time of day. */
import { sameTime } from '../../src/alerts/habits.js';
import { alert } from '../../src/alerts/rules.js';
import { costing, DAY, MINUTE, QUARTER } from '../state-fixture.js';
import { alertRig, HOUR, type AlertRig } from './alert-fixture.js';
import type { AnomalyOptions } from '../../src/alerts/outlook-rules.js';
import type { Rule } from '../../src/alerts/rule.js';

/** Ten days in which `usdAt` is spent in every quarter of an hour; the clock is then 12:00 UTC. */
function rigWithHistory(rules: readonly Rule[], usdAt: (at: Date) => number, days = 10): AlertRig {
  const noon = Date.parse('2026-11-24T12:00:00Z');
  const rig = alertRig(rules, { at: noon - days * DAY });
  while (rig.clock.now < noon) {
    const nanoUsd = usdAt(new Date(rig.clock.now)) * 1e9;
    if (nanoUsd > 0) rig.call(costing(nanoUsd));
    rig.clock.now += QUARTER;
  }
  return rig;
}

const busyAtNoon = (at: Date) => (at.getUTCHours() === 11 ? 2 : 0.05);
const anomaly = (options: AnomalyOptions = {}) => [alert.spendAnomaly(options)];

describe('spend out of the ordinary', () => {
  it('fires against the same time of other days, and resolves when it is usual again', async () => {
    const rig = rigWithHistory(anomaly(), busyAtNoon);
    await rig.alerts.evaluate();
    expect(rig.sent).toEqual([]);
    await rig.pass(2 * HOUR);
    expect(rig.sent).toEqual([]);
    rig.call(costing(8e9));
    await rig.pass(MINUTE);
    // At 14:01 an hour costs $0.20, whatever it costs at noon.
    expect(rig.titles()).toEqual(['Spend $8 over 1 h, usual at this time $0.20 (limit $1)']);
    await rig.pass(62 * MINUTE);
    expect(rig.types()).toEqual(['firing', 'reminder', 'resolved']);
  });

  it('lets a busy hour be busy', async () => {
    const rig = rigWithHistory(anomaly(), busyAtNoon);
    rig.call(costing(10e9));
    await rig.alerts.evaluate();
    expect(rig.sent).toEqual([]);
    rig.call(costing(8e9));
    await rig.pass(MINUTE);
    expect(rig.titles()).toEqual(['Spend $26 over 1 h, usual at this time $8 (limit $24)']);
  });

  it('says nothing before it knows enough days', async () => {
    const rig = rigWithHistory(anomaly({ minDays: 5 }), busyAtNoon, 4);
    rig.call(costing(100e9));
    await rig.alerts.evaluate();
    expect(rig.sent).toEqual([]);
    const enough = rigWithHistory(anomaly({ minDays: 4 }), busyAtNoon, 4);
    enough.call(costing(100e9));
    await enough.alerts.evaluate();
    expect(enough.types()).toEqual(['firing']);
  });

  it('says nothing about small money, and takes the spread of the days for what it is', async () => {
    const small = rigWithHistory(anomaly({ minUsd: 5 }), () => 0.1);
    small.call(costing(4.5e9));
    await small.alerts.evaluate();
    expect(small.sent).toEqual([]);
    // $4 and $12 in turns: a median of $8 with deviations of $4 makes $30 nothing to tell.
    const wild = rigWithHistory(anomaly(), (at) => (at.getUTCDate() % 2 === 0 ? 1 : 3));
    wild.call(costing(30e9));
    await wild.alerts.evaluate();
    expect(wild.sent).toEqual([]);
  });

  it('is not what differs a little from days that are all alike', async () => {
    const spent = async (usd: number) => {
      const rig = rigWithHistory(anomaly({ factor: 1.1 }), () => 2);
      rig.call(costing((usd - 8) * 1e9));
      await rig.alerts.evaluate();
      return rig.titles();
    };
    expect(await spent(12.5)).toEqual([]);
    expect(await spent(13)).toEqual(['Spend $13 over 1 h, usual at this time $8 (limit $12.80)']);
  });

  it('of one feature is told apart, and a new feature has no habits yet', async () => {
    const rig = rigWithHistory(anomaly({ by: 'feature' }), () => 0.5);
    rig.call(costing(20e9), costing(50e9, { feature: 'brand-new' }));
    await rig.alerts.evaluate();
    expect(rig.titles()).toEqual([
      'Spend $22 over 1 h, usual at this time $2 (limit $6), feature summarise',
    ]);
  });

  it('means the same time on the clock of the zone, over the change of its offset', () => {
    const at = Date.parse('2026-11-02T14:00:00Z'); // 9:00 in New York, since 1 November UTC-5
    const hourOf = (instant: number) => new Date(instant).toISOString().slice(5, 16);
    expect(hourOf(sameTime(at, 1, 'America/New_York'))).toBe('11-01T14:00');
    expect(hourOf(sameTime(at, 3, 'America/New_York'))).toBe('10-30T13:00');
    expect(hourOf(sameTime(at, 3, 'UTC'))).toBe('10-30T14:00');
    const spring = Date.parse('2026-03-30T07:00:00Z'); // 9:00 in Paris, since 29 March UTC+2
    expect(hourOf(sameTime(spring, 2, 'Europe/Paris'))).toBe('03-28T08:00');
    expect(hourOf(sameTime(spring, 2, 'Asia/Kathmandu'))).toBe('03-28T07:00');
  });

  it('knows that a morning in New York is a morning after the change, too', async () => {
    // Busy from 9 to 10 in New York: 13 UTC until 31 October, 14 UTC from 1 November on.
    const change = Date.parse('2026-11-01T06:00:00Z');
    const busy = (at: Date) => (at.getUTCHours() === (at.getTime() < change ? 13 : 14) ? 2 : 0.02);
    const make = (timeZone: string) => {
      const rig = alertRig(anomaly({ timeZone }), { at: Date.parse('2026-10-20T00:00:00Z') });
      const end = Date.parse('2026-11-02T15:00:00Z');
      for (; rig.clock.now < end; rig.clock.now += QUARTER) {
        rig.call(costing(busy(new Date(rig.clock.now)) * 1e9));
      }
      return rig;
    };
    const [local, utc] = [make('America/New_York'), make('UTC')];
    await local.alerts.evaluate();
    await utc.alerts.evaluate();
    expect(local.sent).toEqual([]);
    expect(utc.types()).toEqual(['firing']);
  });
});
