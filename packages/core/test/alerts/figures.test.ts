/** Each rule over figures: fires, says nothing under little traffic, and resolves with hysteresis. */
import { alert } from '../../src/alerts/rules.js';
import { FEEDBACK_ACTIONS, NO_TOKENS, type CallRecord } from '../../src/record.js';
import { memoryStore } from '../../src/stores/memory.js';
import { createCell, RARE } from '../../src/cell.js';
import { callRecord, costing, failed, MINUTE, QUARTER } from '../state-fixture.js';
import { alertRig, HOUR, times, type AlertRig } from './alert-fixture.js';
import type { Rule } from '../../src/alerts/rule.js';

const overloaded = { kind: 'overloaded', type: 'overloaded_error', message: '' } as const;
const good = (count: number, overrides: Partial<CallRecord> = {}) =>
  times(count, () => callRecord(overrides));
const bad = (count: number, overrides: Partial<CallRecord> = {}) =>
  times(count, () => failed(overloaded, overrides));

interface Case {
  readonly rule: Rule;
  /** One call fewer than the rule wants, all of them bad. */
  readonly few: readonly CallRecord[];
  readonly many: readonly CallRecord[];
  readonly title: string;
  /** What to add so that the value is between limit and clear value, and then clear. */
  readonly between: readonly CallRecord[];
  readonly clear: readonly CallRecord[];
}

const slow = { callMs: 9_000, ttftMs: 3_000 };
const cached = (cacheRead: number, uncachedInput: number) =>
  callRecord({ tokens: { ...NO_TOKENS, cacheRead, uncachedInput, output: 5 } });
const unpriced = { cost: null, priceStatus: 'unpriced', unpricedReason: 'unknown_model' } as const;

const cases: readonly Case[] = [
  {
    rule: alert.errorRateAbove(0.05, { window: '5m' }),
    few: bad(19),
    many: [...bad(6), ...good(54)],
    title: 'Error rate 10 % over 5 min (limit 5 %)',
    between: good(65),
    clear: good(20),
  },
  {
    rule: alert.latencyAbove(8_000, { percentile: 95 }),
    few: good(19, slow),
    many: [...good(10, slow), ...good(90)],
    title: 'P95 latency 9 s over 5 min (limit 8 s)',
    between: good(150, { callMs: 7_500 }),
    clear: good(4_000),
  },
  {
    rule: alert.latencyAbove(2_000, { percentile: 50, of: 'ttft', minCalls: 5 }),
    // Only streams have a time to first token.
    few: [...good(4, slow), ...good(50, { ttftMs: null, stream: false })],
    many: good(5, slow),
    title: 'P50 time to first token 3 s over 5 min (limit 2 s)',
    between: good(6, { ttftMs: 1_900 }),
    clear: good(20),
  },
  {
    rule: alert.cacheHitRateBelow(0.5),
    few: times(19, () => cached(0, 100)),
    many: times(20, () => cached(20, 80)),
    title: 'Cache hit rate 20 % over 1 h (limit 50 %)',
    between: [cached(1_300, 0)],
    clear: [cached(1_000, 0)],
  },
  {
    rule: alert.unattributedAbove(0.2, { of: 'user' }),
    few: good(19, { userId: null }),
    many: [...good(30, { userId: null }), ...good(30)],
    title: '50 % of calls without user over 1 h (limit 20 %)',
    between: good(95),
    clear: good(20),
  },
  {
    rule: alert.unattributedAbove(0.2, { of: 'feature' }),
    few: good(19, { feature: null }),
    many: [...good(30, { feature: null }), ...good(30)],
    title: '50 % of calls without feature over 1 h (limit 20 %)',
    between: good(95),
    clear: good(20),
  },
];

describe.each(cases.map((each) => [each.rule.name, each] as const))('%s', (_, each) => {
  it('says nothing under little traffic', async () => {
    const rig = alertRig([each.rule]);
    rig.call(...each.few);
    await rig.pass(2 * MINUTE);
    expect(rig.alerts.page()).toMatchObject({ firing: [], pending: [], failing: [] });
  });

  it('fires, stays between limit and clear value, and resolves beyond it', async () => {
    const rig = alertRig([each.rule]);
    rig.call(...each.many);
    await rig.pass(MINUTE);
    expect(rig.titles()).toEqual([each.title]);
    rig.call(...each.between);
    await rig.pass(MINUTE);
    const [still] = rig.alerts.page().firing;
    const { limit, clear } = each.rule;
    expect(still?.value).toBeGreaterThanOrEqual(Math.min(limit, clear) * 0.999);
    expect(still?.value).toBeLessThanOrEqual(Math.max(limit, clear));
    rig.call(...each.clear);
    await rig.pass(MINUTE);
    expect(rig.types()).toEqual(['firing', 'resolved']);
  });

  it('resolves when the window has passed without traffic', async () => {
    const rig = alertRig([each.rule]);
    rig.call(...each.many);
    await rig.pass(each.rule.windowMs - MINUTE);
    expect(rig.types()).toEqual(['firing']);
    await rig.pass(3 * MINUTE);
    const reminders = each.rule.windowMs >= each.rule.cooldownMs ? ['reminder'] : [];
    expect(rig.types()).toEqual(['firing', ...reminders, 'resolved']);
    expect(rig.alerts.page().recent).toMatchObject([{ state: 'resolved', value: null }]);
  });
});

describe('spend', () => {
  it('fires for one dear call too, and resolves when it has left the window', async () => {
    const rig = alertRig([alert.spendAbove(5, { window: '1h' })]);
    rig.call(costing(5e9));
    await rig.pass(MINUTE);
    expect(rig.sent).toEqual([]);
    rig.call(costing(1.2e9));
    await rig.pass(10 * MINUTE);
    expect(rig.titles()).toEqual(['Spend $6.20 over 1 h (limit $5)']);
    expect(rig.sent[0]?.alert).toMatchObject({ value: 6.2, limit: 5, unit: 'usd' });
    await rig.pass(HOUR);
    expect(rig.types()).toEqual(['firing', 'resolved']);
  });

  it('of a user, of those without one, and of nobody whom the cap has merged', async () => {
    const caps = { features: 200, users: 2 };
    const rig = alertRig([alert.spendAbove(5, { by: 'user' })], { caps });
    rig.call(costing(6e9, { userId: 'ada' }), costing(7e9, { userId: null }));
    rig.call(...times(30, (i) => costing(1e9, { userId: `user-${i}` })));
    await rig.pass(MINUTE);
    expect(rig.titles().sort()).toEqual([
      'Spend $6 over 1 h (limit $5), user ada',
      'Spend $7 over 1 h (limit $5), user (unattributed)',
    ]);
  });

  it('is read exactly beyond what one slot of a cell holds', async () => {
    const rig = alertRig([alert.spendAbove(3_000_000)]);
    rig.call(...times(4, () => costing(1e15)));
    await rig.pass(MINUTE);
    expect(rig.titles()).toEqual(['Spend $4,000,000 over 1 h (limit $3,000,000)']);
  });
});

describe('calls without a price', () => {
  it('fire with the first one, by model', async () => {
    const rig = alertRig([alert.unpricedCalls({ by: 'model' })]);
    rig.call(...good(50));
    await rig.pass(MINUTE);
    expect(rig.sent).toEqual([]);
    rig.call(callRecord({ ...unpriced, model: 'claude-next' }));
    await rig.pass(HOUR + 2 * MINUTE);
    expect(rig.types()).toEqual(['firing', 'resolved']);
    expect(rig.titles()[0]).toBe('1 call without a price over 1 h (limit 0), model claude-next');
  });

  it('are counted from the given number on', async () => {
    const rig = alertRig([alert.unpricedCalls({ above: 2 })]);
    rig.call(...times(2, () => callRecord(unpriced)));
    await rig.pass(MINUTE);
    expect(rig.sent).toEqual([]);
    rig.call(callRecord(unpriced));
    await rig.pass(MINUTE);
    expect(rig.titles()).toEqual(['3 calls without a price over 1 h (limit 2)']);
  });
});

describe('the acceptance rate', () => {
  const answers = async (rig: AlertRig, action: 'accept' | 'reject', count: number) => {
    const { now } = rig.clock;
    for (const bucketMs of [MINUTE, QUARTER]) {
      const at = Math.floor(now / bucketMs) * bucketMs;
      const cell = createCell('total', bucketMs, at, ['', '']);
      cell.rare = times(RARE.length, () => 0);
      cell.rare[RARE.feedback + FEEDBACK_ACTIONS.indexOf(action)] = count;
      await rig.store.merge([cell], now);
    }
  };

  it('fires with enough answers, whatever the calls, and resolves with better ones', async () => {
    const rig = alertRig([alert.acceptanceRateBelow(0.7)], { store: memoryStore() });
    rig.call(...good(100));
    await answers(rig, 'accept', 11);
    await answers(rig, 'reject', 8);
    await rig.pass(5 * MINUTE);
    expect(rig.sent).toEqual([]);
    await answers(rig, 'reject', 1);
    await rig.pass(5 * MINUTE);
    expect(rig.titles()).toEqual(['55 % of 20 answers accepted over 24 h (limit 70 %)']);
    await answers(rig, 'accept', 11);
    await rig.pass(5 * MINUTE);
    expect(rig.alerts.page().firing).toMatchObject([{ value: 22 / 31 }]);
    await answers(rig, 'accept', 40);
    await rig.pass(5 * MINUTE);
    expect(rig.types()).toEqual(['firing', 'resolved']);
  });
});
