/** One rule, many groups: each is an alert of its own. */
import { alert } from '../../src/alerts/rules.js';
import { callRecord, costing, failed, MINUTE } from '../state-fixture.js';
import { alertRig, times } from './alert-fixture.js';
import type { CallRecord } from '../../src/record.js';

const overloaded = { kind: 'overloaded', type: 'overloaded_error', message: '' } as const;
const good = (count: number, overrides: Partial<CallRecord> = {}) =>
  times(count, () => callRecord(overrides));
const bad = (count: number, overrides: Partial<CallRecord> = {}) =>
  times(count, () => failed(overloaded, overrides));

describe('groups', () => {
  it('of models, features and users are alerts of their own', async () => {
    const rules = (['model', 'feature', 'user'] as const).map((by) =>
      alert.errorRateAbove(0.5, { by, severity: 'warning' }),
    );
    const rig = alertRig(rules);
    rig.call(...bad(20, { model: 'm-1', feature: 'chat', userId: 'bob' }), ...good(100));
    await rig.pass(MINUTE);
    expect(rig.titles().sort()).toEqual([
      'Error rate 100 % over 5 min (limit 50 %), feature chat',
      'Error rate 100 % over 5 min (limit 50 %), model m-1',
      'Error rate 100 % over 5 min (limit 50 %), user bob',
    ]);
    expect(new Set(rig.sent.map(({ alert: { id } }) => id)).size).toBe(3);
    expect(rig.sent.every(({ alert: { id } }) => /^[\w-]{16}$/.test(id))).toBe(true);
  });

  it('are told apart under a filter, and nothing else is looked at', async () => {
    const rig = alertRig([
      alert.errorRateAbove(0.5, { name: 'a', filter: { feature: 'chat' }, by: 'model' }),
      alert.errorRateAbove(0.5, { name: 'b', filter: { feature: 'chat', model: 'm-2' } }),
      alert.errorRateAbove(0.5, { name: 'c', filter: { model: 'm-2' }, by: 'user' }),
    ]);
    rig.call(...bad(20, { model: 'm-1', feature: 'chat' }));
    rig.call(...bad(20, { model: 'm-1', feature: 'search' }));
    rig.call(...good(20, { model: 'm-2', feature: 'chat' }));
    rig.call(...bad(19, { model: 'm-2', feature: 'search', userId: 'eve' }));
    await rig.pass(MINUTE);
    expect(rig.titles()).toEqual([
      'Error rate 100 % over 5 min (limit 50 %), feature chat, model m-1',
    ]);
    rig.call(...bad(1, { model: 'm-2', feature: 'search', userId: 'eve' }));
    await rig.pass(MINUTE);
    expect(rig.titles()[1]).toBe('Error rate 100 % over 5 min (limit 50 %), model m-2, user eve');
  });

  it('with strange names are one line, and never somebody else', async () => {
    const rig = alertRig([alert.spendAbove(1, { by: 'feature' })]);
    const names = ['__proto__', 'constructor', 'a\u2028b\u202ec', '(other)', '(unattributed)'];
    rig.call(...names.map((feature) => costing(2e9, { feature })));
    await rig.pass(MINUTE);
    expect(rig.titles().map((title) => title.split(', feature ')[1])).toEqual([
      ...['__proto__', 'constructor', 'a b c', '\\(other)', '\\(unattributed)'],
    ]);
    expect(rig.sent.every(({ alert: { title } }) => !/[\p{Cc}\p{Cf}\p{Zl}]/u.test(title))).toBe(
      true,
    );
  });
});
