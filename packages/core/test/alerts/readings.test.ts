/** What the engine asks of the store, how often, and what it does when there is no answer. */
import { createAlerts } from '../../src/alerts/engine.js';
import { alert } from '../../src/alerts/rules.js';
import { memoryStore } from '../../src/stores/memory.js';
import { DAY, MINUTE } from '../state-fixture.js';
import { settle } from '../ledger-fixture.js';
import { alertRig, budgetOf, HOUR, SECOND, storm } from './alert-fixture.js';
import type { CellSource } from '../../src/snapshot.js';
import type { CellQuery, Store } from '../../src/stores/store.js';

const errors = alert.errorRateAbove(0.05, { window: '5m' });

/** The ledger's cells, and what was asked for. */
function countingRig(rules: Parameters<typeof alertRig>[0]) {
  const inner = memoryStore();
  const asked: CellQuery[] = [];
  const store: Store = {
    ...inner,
    read(query) {
      asked.push(query);
      return inner.read(query);
    },
  };
  return { asked, rig: alertRig(rules, { store }) };
}

describe('reading', () => {
  it('happens once for each window, with the families that its rules need', async () => {
    const { asked, rig } = countingRig([
      errors,
      alert.errorRateAbove(0.1, { by: 'model' }),
      alert.latencyAbove(100, { by: 'feature' }),
      alert.errorRateAbove(0.1, { by: 'user', window: '1h' }),
      alert.spendAbove(5, { by: 'user' }),
      alert.budgetAbove(0.8),
      alert.rateLimitHeadroomBelow(0.1),
    ]);
    await rig.alerts.evaluate();
    expect(asked.map(({ families }) => families)).toEqual([
      ['total', 'feature-model'],
      ['user-model'],
    ]);
    await rig.pass(MINUTE);
    // Every 15 seconds five minutes, and every 36 seconds an hour.
    expect(asked.map(({ families }) => families.length)).toEqual([2, 1, 2, 2, 2, 1, 2]);
  });

  it('of a long window is used again for a while, but not when the clock went back', async () => {
    const { asked, rig } = countingRig([alert.spendAbove(5, { window: '24h' })]);
    await rig.alerts.evaluate();
    await rig.pass(4 * MINUTE);
    expect(asked).toHaveLength(1);
    await rig.pass(2 * MINUTE);
    expect(asked).toHaveLength(2);
    rig.clock.now -= DAY;
    await rig.alerts.evaluate();
    expect(asked).toHaveLength(3);
  });

  it('of habits happens once in a quarter of an hour', async () => {
    const { asked, rig } = countingRig([alert.spendAnomaly({ days: 10 })]);
    await rig.pass(13 * MINUTE);
    expect(asked.filter(({ bucketMs }) => bucketMs > MINUTE)).toHaveLength(10);
    await rig.pass(15 * MINUTE);
    expect(asked.filter(({ bucketMs }) => bucketMs > MINUTE)).toHaveLength(20);
  });

  it('further back than the store keeps is refused at the start', () => {
    const store = memoryStore({ historyRetentionMs: 2 * DAY });
    for (const rule of [alert.spendAbove(5, { window: '7d' }), alert.spendAnomaly({ days: 14 })]) {
      expect(() => alertRig([rule], { store })).toThrow(
        /looks back .*, and the store keeps 2 days/,
      );
    }
    expect(() => alertRig([{} as never])).toThrow('createAlerts: must have at 0 a rule');
  });
});

describe('a store or a source that fails', () => {
  it('makes its rules failing and no other, and keeps what fires as it is', async () => {
    const inner = memoryStore();
    const broken = { is: false };
    const rig = alertRig([errors, alert.budgetAbove(0.8)], {
      store: {
        ...inner,
        read(query) {
          if (broken.is) throw new Error('store is down');
          return inner.read(query);
        },
      },
    });
    storm(rig, 100);
    await rig.pass(MINUTE);
    broken.is = true;
    rig.budgets.reports = [budgetOf([{ spentUsd: 90 }])];
    await rig.pass(10 * MINUTE);
    expect(rig.alerts.page()).toMatchObject({
      firing: [{ rule: errors.name }, { rule: 'a budget above 80 %' }],
      failing: [{ rule: errors.name, message: 'Error: store is down' }],
    });
    broken.is = false;
    await rig.pass(MINUTE);
    expect(rig.alerts.page()).toMatchObject({ firing: [{}], failing: [] });
    expect(rig.types()).toEqual(['firing', 'firing', 'resolved']);
  });

  it('of budgets is counted, and says so', async () => {
    const rig = alertRig([alert.budgetAbove(0.8), alert.burnRate(), errors], {
      budgets: () => {
        throw new Error('no budgets');
      },
    });
    storm(rig, 100);
    await rig.alerts.evaluate();
    expect(rig.types()).toEqual(['firing']);
    expect(rig.alerts.page().failing.map(({ rule }) => rule)).toEqual([
      'a budget above 80 %',
      'a budget on course for 100 %',
    ]);
    expect(rig.health.report().faults).toMatchObject({ 'alerts.budgets': { count: 1 } });
  });
});

describe('the timer', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask'] }));
  afterEach(() => void jest.useRealTimers());

  it('evaluates without traffic, from start() to close()', async () => {
    const rig = alertRig([alert.budgetAbove(0.8)]);
    rig.budgets.reports = [budgetOf([{ spentUsd: 90 }])];
    await jest.advanceTimersByTimeAsync(HOUR);
    expect(rig.sent).toEqual([]);
    rig.alerts.start();
    rig.alerts.start();
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(15 * SECOND);
    expect(rig.types()).toEqual(['firing']);
    await rig.alerts.close();
    expect(jest.getTimerCount()).toBe(0);
    rig.budgets.reports = [];
    await rig.alerts.evaluate();
    rig.alerts.start();
    await jest.advanceTimersByTimeAsync(HOUR);
    expect(rig.types()).toEqual(['firing']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('never runs two evaluations at once, nor asks a store that hangs again and again', async () => {
    let asked = 0;
    let answer: (() => void) | undefined;
    const { ledger, health } = alertRig([]);
    const source: CellSource = {
      resolutions: ledger.resolutions,
      cells: () => {
        asked += 1;
        return new Promise((resolve) => (answer = () => resolve([])));
      },
    };
    const sent: unknown[] = [];
    const clock = { now: Date.parse('2026-11-24T14:00:00Z') };
    const alerts = createAlerts({
      ...{ source, health, now: () => clock.now, rules: [errors, alert.budgetAbove(0.8)] },
      budgets: () => [budgetOf([{ spentUsd: 90 }])],
      snapshot: () => Promise.reject(new Error('not asked for')),
      send: (message) => sent.push(message),
    });
    expect(alerts.evaluate()).toBe(alerts.evaluate());
    alerts.start();
    await jest.advanceTimersByTimeAsync(10 * MINUTE);
    expect(asked).toBe(1);
    // The rule that needs no cells has been told all the same.
    expect(sent).toHaveLength(1);
    expect(alerts.page().failing).toEqual([
      {
        rule: errors.name,
        message: 'Error: no answer yet to the question of an evaluation before',
      },
    ]);
    clock.now += 10 * MINUTE;
    answer?.();
    await jest.advanceTimersByTimeAsync(30 * SECOND);
    expect(asked).toBe(2);
    answer?.();
    await jest.advanceTimersByTimeAsync(15 * SECOND);
    expect(alerts.page().failing).toEqual([]);
    await alerts.close();
  });

  it('sends nothing of an evaluation that was under way when it was closed', async () => {
    const rig = alertRig([errors]);
    storm(rig, 100);
    const evaluation = rig.alerts.evaluate();
    await rig.alerts.close();
    await evaluation;
    await settle();
    expect(rig.sent).toEqual([]);
  });
});
