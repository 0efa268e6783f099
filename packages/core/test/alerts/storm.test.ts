/** What is told when very much goes wrong at once, at every edge of the calendar and of the clock. */
import { alert } from '../../src/alerts/rules.js';
import { callRecord, DAY, MINUTE } from '../state-fixture.js';
import { alertRig, SECOND, storm } from './alert-fixture.js';

const errors = alert.errorRateAbove(0.05, { window: '5m' });

/** The clock begins half a minute before an edge; the storm, a quarter of a minute before it. */
const START = 15 * SECOND;

describe('a storm of 10,000 failing calls in one minute', () => {
  it.each([
    ['within an hour', '2026-11-24T14:00:30Z'],
    ['over the end of an hour', '2026-11-24T14:59:30Z'],
    ['over midnight', '2026-11-24T23:59:30Z'],
    ['over the end of a month', '2026-11-30T23:59:30Z'],
    ['over the end of a year', '2026-12-31T23:59:30Z'],
    ['when clocks in Europe are set ahead', '2026-03-29T00:59:30Z'],
    ['when clocks in America are set back', '2026-11-01T05:59:30Z'],
  ])('is one alert and one end of it, %s', async (_, at) => {
    const rig = alertRig([errors], { at: Date.parse(at) });
    let passed = 0;
    await rig.pass(40 * MINUTE, () => {
      passed += 15 * SECOND;
      if (passed > START && passed <= START + MINUTE) storm(rig, 2_500);
      rig.call(callRecord());
    });
    expect(rig.types()).toEqual(['firing', 'resolved']);
    const [firing, resolved] = rig.sent;
    expect(firing?.alert).toMatchObject({
      state: 'firing',
      resolvedAt: null,
      severity: 'critical',
    });
    expect(resolved?.alert).toMatchObject({ state: 'resolved', id: firing?.alert.id });
    expect(Date.parse(firing?.at ?? '') - Date.parse(at)).toBe(START + 15 * SECOND);
    // Five minutes after the last failure, and the rest of its minute.
    const lasted = Date.parse(resolved?.at ?? '') - Date.parse(firing?.at ?? '');
    expect(lasted).toBeGreaterThan(5 * MINUTE);
    expect(lasted).toBeLessThanOrEqual(7 * MINUTE);
    expect(rig.alerts.page()).toMatchObject({ firing: [], recent: [resolved?.alert] });
  });
});

describe('a clock that is set', () => {
  it.each([DAY, -DAY])('by %d ms sends nothing and resolves nothing by itself', async (ms) => {
    const rig = alertRig([errors]);
    const both = () => storm(rig, 10);
    await rig.pass(10 * MINUTE, both);
    rig.clock.now += ms;
    // So few calls that there is no rate until two minutes have passed.
    await rig.pass(10 * MINUTE, () => storm(rig, 3));
    expect(rig.types()).toEqual(['firing']);
    await rig.pass(15 * MINUTE);
    expect(rig.types()).toEqual(['firing', 'resolved']);
  });

  it('to and fro by a day at every step makes no storm of messages', async () => {
    const rig = alertRig([errors]);
    let flip = 1;
    await rig.pass(25 * MINUTE, () => {
      rig.clock.now += flip * DAY;
      flip = -flip;
      storm(rig, 30);
    });
    expect(rig.types()).toEqual(['firing']);
  });
});
