/** The engine as a whole: its messages, silences, page and groups. */
import { alert } from '../../src/alerts/rules.js';
import { callRecord, costing, MINUTE } from '../state-fixture.js';
import { alertRig, HOUR, SECOND, storm, times } from './alert-fixture.js';

const errors = alert.errorRateAbove(0.05, { window: '5m' });

describe('messages', () => {
  it('say everything in plain text, have ids of their own, and where to look', async () => {
    const rig = alertRig([errors], { link: ({ id }) => `https://ops.example/metrics?alert=${id}` });
    storm(rig, 100);
    await rig.pass(HOUR + MINUTE, () => storm(rig, 10));
    await rig.pass(10 * MINUTE);
    const id = rig.sent[0]?.alert.id;
    expect(rig.sent.map(({ text }) => text.replaceAll(id ?? '', 'ID').split('\n'))).toEqual([
      [
        'CRITICAL: Error rate 100 % over 5 min (limit 5 %)',
        'Since 2026-11-24 14:00 UTC (rule: error rate above 5 % over 5 min).',
        'https://ops.example/metrics?alert=ID',
      ],
      [
        'STILL CRITICAL: Error rate 100 % over 5 min (limit 5 %)',
        'Since 2026-11-24 14:00 UTC (rule: error rate above 5 % over 5 min).',
        'https://ops.example/metrics?alert=ID',
      ],
      [
        'RESOLVED: Error rate 100 % over 5 min (limit 5 %)',
        'In order again since 2026-11-24 15:07 UTC, after 1 h 6 min ' +
          '(rule: error rate above 5 % over 5 min).',
        'https://ops.example/metrics?alert=ID',
      ],
    ]);
    expect(new Set(rig.sent.map((message) => message.id)).size).toBe(3);
    expect(JSON.parse(JSON.stringify(rig.sent))).toEqual(rig.sent);
  });

  it('have the same alert id in every process', async () => {
    const [one, other] = [alertRig([errors]), alertRig([errors], { at: Date.parse('2027-01-01') })];
    for (const rig of [one, other]) {
      storm(rig, 100);
      await rig.alerts.evaluate();
    }
    expect(one.sent[0]?.alert.id).toBe(other.sent[0]?.alert.id);
    expect(one.sent[0]?.id).not.toBe(other.sent[0]?.id);
  });

  it('that cannot be sent, or linked, are counted and stop nothing', async () => {
    const rig = alertRig([errors, alert.unpricedCalls()], {
      send: () => {
        throw new Error('no way');
      },
      link: () => {
        throw new Error('no address');
      },
    });
    storm(rig, 100);
    rig.call(callRecord({ cost: null, priceStatus: 'unpriced', unpricedReason: 'no_usage' }));
    await rig.alerts.evaluate();
    expect(rig.alerts.page().firing).toHaveLength(2);
    expect(rig.health.report().faults).toMatchObject({
      'alerts.send': { count: 2 },
      'alerts.link': { count: 2 },
    });
  });
});

describe('silencing', () => {
  it('keeps an alert from people until then, and shows it', async () => {
    const rig = alertRig([errors]);
    storm(rig, 100);
    await rig.pass(MINUTE);
    const id = rig.sent[0]?.alert.id ?? '';
    const until = rig.clock.now + 2 * HOUR;
    expect(rig.alerts.silence(id, until)).toMatchObject({
      silencedUntil: new Date(until).toISOString(),
    });
    await rig.pass(2 * HOUR - MINUTE, () => storm(rig, 10));
    expect(rig.types()).toEqual(['firing']);
    expect(rig.alerts.page()).toMatchObject({ firing: [], silenced: [{ id, state: 'firing' }] });
    await rig.pass(2 * MINUTE, () => storm(rig, 10));
    expect(rig.types()).toEqual(['firing', 'reminder']);
    expect(rig.alerts.page()).toMatchObject({ firing: [{ id }], silenced: [] });
  });

  it('can be ended, knows its alerts, and wants a time', async () => {
    const rig = alertRig([errors]);
    storm(rig, 100);
    await rig.pass(MINUTE);
    const id = rig.sent[0]?.alert.id ?? '';
    rig.alerts.silence(id, rig.clock.now + HOUR);
    expect(rig.alerts.silence(id, null)).toMatchObject({ id, silencedUntil: null });
    expect(rig.alerts.silence('nobody', null)).toBeNull();
    for (const time of [NaN, Infinity, 9e15]) {
      expect(() => rig.alerts.silence(id, time)).toThrow('untilMs must be a time in milliseconds');
    }
  });
});

describe('the page', () => {
  it('shows what is pending, firing and resolved, as JSON', async () => {
    const rig = alertRig([alert.errorRateAbove(0.05, { for: '2m' })]);
    storm(rig, 100);
    await rig.pass(MINUTE);
    expect(rig.alerts.page()).toMatchObject({ pending: [{ firedAt: null }], firing: [] });
    await rig.pass(2 * MINUTE);
    expect(rig.alerts.page()).toMatchObject({ pending: [], firing: [{ resolvedAt: null }] });
    await rig.pass(6 * MINUTE);
    const page = rig.alerts.page();
    expect(page).toMatchObject({ firing: [], recent: [{ state: 'resolved' }], failing: [] });
    expect(JSON.parse(JSON.stringify(page))).toEqual(page);
    expect(page.at).toBe(new Date(rig.clock.now).toISOString());
  });

  it('lists the last hundred that were resolved, each once, and none that fires again', async () => {
    const rig = alertRig([alert.spendAbove(1, { by: 'user', window: '1m' })]);
    const round = async (from: number, to: number) => {
      rig.call(...times(to - from, (i) => costing(2e9, { userId: `user-${from + i}` })));
      await rig.pass(30 * SECOND);
      await rig.pass(3 * MINUTE);
    };
    await round(0, 60);
    await round(50, 130);
    const { recent } = rig.alerts.page();
    const keys = recent.map(({ group }) => group?.key);
    expect(recent).toHaveLength(100);
    expect(new Set(keys).size).toBe(100);
    expect(keys).toContain('user-129');
    expect(keys).not.toContain('user-0');
    rig.call(costing(2e9, { userId: 'user-129' }));
    await rig.pass(30 * SECOND);
    expect(rig.alerts.page().recent.map(({ group }) => group?.key)).not.toContain('user-129');
  });
});

describe('groups', () => {
  it('that are not in order are bounded, and what is left out is counted', async () => {
    const rig = alertRig([alert.spendAbove(1, { by: 'user' })], { maxGroups: 5 });
    rig.call(...times(8, (i) => costing(1e9 * (i + 2), { userId: `user-${i}` })));
    await rig.alerts.evaluate();
    // The heaviest.
    const keys = rig.alerts.page().firing.map(({ group }) => group?.key);
    expect(new Set(keys)).toEqual(new Set(times(5, (i) => `user-${i + 3}`)));
    expect(rig.health.report().dropped).toEqual({ 'alerts.groups': 3 });
  });

  it('that are in order take no room', async () => {
    const rig = alertRig(
      [alert.spendAbove(1, { by: 'user' }), alert.spendAbove(1, { by: 'feature' })],
      { maxGroups: 300 },
    );
    rig.call(...times(299, (i) => costing(1, { userId: `user-${i}` })));
    rig.call(costing(2e9, { userId: 'rich' }));
    await rig.alerts.evaluate();
    expect(rig.sent).toHaveLength(2);
    expect(rig.health.report().dropped).toEqual({});
  });
});
