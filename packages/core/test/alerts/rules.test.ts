/** Rules are data; what cannot be right is told when they are made. */
import { alert, checkRules } from '../../src/alerts/rules.js';
import type { Rule } from '../../src/alerts/rule.js';

const EVERY: readonly Rule[] = [
  alert.errorRateAbove(0.05),
  alert.latencyAbove(8_000),
  alert.spendAbove(5, { by: 'user' }),
  alert.budgetAbove(0.8),
  alert.burnRate(),
  alert.spendAnomaly(),
  alert.cacheHitRateBelow(0.5),
  alert.acceptanceRateBelow(0.7),
  alert.rateLimitHeadroomBelow(0.1),
  alert.unpricedCalls(),
  alert.unattributedAbove(0.2),
  alert.modelRetiring(),
  alert.condition('many retries', ({ totals }) => totals.retries > 100),
];

describe('a rule', () => {
  it('is named by its kind and limit, unless it is given a name', () => {
    expect(EVERY.map(({ name }) => name)).toEqual([
      'error rate above 5 % over 5 min',
      'p95 latency above 8 s over 5 min',
      'spend above $5 over 1 h by user',
      'a budget above 80 %',
      'a budget on course for 100 %',
      'spend of 1 h out of the ordinary',
      'cache hit rate below 50 % over 1 h',
      'acceptance rate below 70 % over 24 h',
      'rate-limit headroom below 10 %',
      'more than 0 calls without a price over 1 h',
      'calls without user above 20 % over 1 h',
      'model retiring within 30 days',
      'many retries',
    ]);
    expect(alert.budgetAbove(0.8, { budget: 'team' }).name).toBe('budget team above 80 %');
    expect(alert.burnRate({ name: 'burning' }).name).toBe('burning');
  });

  it.each(EVERY.map((rule) => [rule.kind, rule] as const))('of kind %s is frozen', (kind, rule) => {
    expect(alert).toHaveProperty(kind);
    const parts = [rule, ...Object.values(rule)].filter((each) => typeof each === 'object');
    expect(parts.every((each) => Object.isFrozen(each))).toBe(true);
  });

  it('is JSON, but for the function of a condition', () => {
    for (const rule of EVERY.slice(0, -1)) expect(JSON.parse(JSON.stringify(rule))).toEqual(rule);
    expect(() => checkRules('test', JSON.parse(JSON.stringify(EVERY.slice(0, -1))))).not.toThrow();
  });

  it('takes durations in milliseconds or as text', () => {
    const rule = alert.errorRateAbove(0.05, {
      ...{ window: '15m', for: '1h', cooldown: '2d', clearFor: 90_000 },
    });
    expect(rule).toMatchObject({
      ...{ windowMs: 900_000, forMs: 3_600_000, cooldownMs: 172_800_000, clearForMs: 90_000 },
    });
  });

  it('reminds once an hour, resolves at 90 or 110 %, and never alarms for one call', () => {
    const [errors, latency, , budget, , , cache, , headroom] = EVERY;
    expect(errors).toMatchObject({ cooldownMs: 3_600_000, clear: 0.045, minCalls: 20 });
    expect(latency).toMatchObject({ clear: 7_200, forMs: 0, clearForMs: 0, percentile: 95 });
    expect(budget?.clear).toBe(0.72);
    expect(cache?.clear).toBe(0.55);
    expect(headroom?.clear).toBe(0.11);
    // 110 % of it could never be reached.
    expect(alert.cacheHitRateBelow(0.95).clear).toBe(0.975);
  });
});

const wrong = (value: unknown) => value as never;

describe('a mistake is told in words', () => {
  const mistakes: readonly (readonly [() => unknown, string])[] = [
    [() => alert.errorRateAbove(5), 'errorRateAbove: limit must be a number from 0 and below 1'],
    [() => alert.errorRateAbove(wrong('5%')), 'errorRateAbove: limit must be'],
    [() => alert.errorRateAbove(NaN), 'got NaN'],
    [() => alert.latencyAbove(0), 'latencyAbove: limitMs must be a number above 0, got 0'],
    [() => alert.spendAbove(-1), 'spendAbove: usd must be a number above 0, got -1'],
    [() => alert.budgetAbove(80), 'budgetAbove: limit must be a number above 0 and up to 10'],
    [() => alert.cacheHitRateBelow(0), 'cacheHitRateBelow: limit must be'],
    [() => alert.acceptanceRateBelow(1.1), 'acceptanceRateBelow: limit must be'],
    [() => alert.rateLimitHeadroomBelow(0), 'rateLimitHeadroomBelow: limit must be'],
    [() => alert.unattributedAbove(1), 'unattributedAbove: limit must be'],
    [() => alert.errorRateAbove(0.1, wrong(null)), 'options must be an object, got null'],
    [() => alert.latencyAbove(1, wrong(null)), 'options must be an object, got null'],
    [() => alert.burnRate(wrong(3)), 'options must be an object, got 3'],
    [() => alert.errorRateAbove(0.1, wrong({ windw: '5m' })), 'there is no option "windw"'],
    [() => alert.errorRateAbove(0.1, { window: wrong('5 minutes') }), 'options.window must be'],
    [() => alert.errorRateAbove(0.1, { window: '400d' }), 'a duration from 1m to 30d'],
    [() => alert.errorRateAbove(0.1, { window: 0.5 }), 'options.window must be'],
    [() => alert.errorRateAbove(0.1, { cooldown: 0 }), 'options.cooldown must be'],
    [() => alert.errorRateAbove(0.1, { for: -1 }), 'options.for must be'],
    [() => alert.errorRateAbove(0.1, { severity: wrong('high') }), '"info", "warning", "critical"'],
    [() => alert.errorRateAbove(0.1, { minCalls: 0 }), 'options.minCalls must be'],
    [() => alert.errorRateAbove(0.1, { by: wrong('team') }), '"model", "feature", "user", got'],
    [() => alert.errorRateAbove(0.1, { filter: wrong({ user: 'a' }) }), 'options.filter must be'],
    [() => alert.errorRateAbove(0.1, { filter: { model: '' } }), 'options.filter must be'],
    [() => alert.errorRateAbove(0.1, { name: 'two\nlines' }), 'options.name must be one line'],
    [() => alert.errorRateAbove(0.1, { name: '' }), 'options.name must be'],
    [() => alert.errorRateAbove(0.1, { clear: 0.2 }), 'options.clear must be at most the limit'],
    [
      () => alert.cacheHitRateBelow(0.5, { clear: 0.4 }),
      'must be at least the limit, 0.5, got 0.4',
    ],
    [() => alert.latencyAbove(1, { percentile: 100 }), 'options.percentile must be'],
    [() => alert.latencyAbove(1, { of: wrong('all') }), 'options.of must be "ttft", "total"'],
    [() => alert.latencyAbove(1, { by: 'user' }), 'because latency is not kept by user'],
    [
      () => alert.spendAbove(1, { by: 'user', filter: { model: 'm', feature: 'f' } }),
      'users are not kept by model and feature together',
    ],
    [() => alert.acceptanceRateBelow(0.5, wrong({ minCalls: 3 })), 'no option "minCalls"'],
    [() => alert.unpricedCalls({ above: -1 }), 'options.above must be an integer'],
    [
      () => alert.burnRate({ windows: ['6h', '1h'] }),
      'options.windows must be a short and a longer',
    ],
    [() => alert.burnRate({ windows: ['1m', '1h'] }), 'options.windows must be'],
    [() => alert.burnRate({ above: 0 }), 'options.above must be a number above 0'],
    [() => alert.spendAnomaly({ factor: 1 }), 'options.factor must be a number from 1.1'],
    [
      () => alert.spendAnomaly({ days: 4, minDays: 5 }),
      'options.minDays must be an integer from 3',
    ],
    [() => alert.spendAnomaly({ timeZone: 'Mars/Olympus' }), 'options.timeZone must be an IANA'],
    [() => alert.rateLimitHeadroomBelow(0.1, { filter: wrong({ feature: 'a' }) }), 'with model'],
    [() => alert.modelRetiring({ withinDays: 1.5 }), 'options.withinDays must be an integer'],
    [() => alert.condition('', () => true), 'condition: name must be one line'],
    [() => alert.condition('a', wrong('b')), 'condition: holds must be a function'],
    [() => alert.condition('a', () => true, wrong({ by: 'user' })), 'no option "by"'],
  ];

  it.each(mistakes.map(([make, text]) => [text, make] as const))('%s', (text, make) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(text);
    expect(make).toThrow('[claude-metrics] alert.');
  });
});

describe('a list of rules', () => {
  it('can be empty, and have every kind', () => {
    expect(() => checkRules('createMonitor', [])).not.toThrow();
    expect(() => checkRules('createMonitor', EVERY)).not.toThrow();
    const same = [alert.spendAbove(1), alert.spendAbove(1, { name: 'another' })];
    expect(() => checkRules('createMonitor', same)).not.toThrow();
  });

  it.each([
    [alert.errorRateAbove(0.1), 'must be an array of rules, got an object'],
    [[alert.errorRateAbove], 'must have at 0 a rule made by alert.errorRateAbove()'],
    [[alert.spendAbove(1), { kind: 'spendAbove' }], 'must have at 1 a rule made by'],
    [[{ ...alert.spendAbove(1), kind: 'constructor' }], 'must have at 0'],
    [[{ ...alert.spendAbove(1), cooldownMs: -1 }], 'must have at 0'],
    [[alert.spendAbove(1), alert.spendAbove(1)], 'has two rules named "spend above $1 over 1 h"'],
    [
      Array.from({ length: 101 }, (_, i) => alert.spendAbove(i + 1)),
      'can have at most 100 rules, got 101',
    ],
  ])('is checked: %#', (rules, text) => {
    expect(() => checkRules('createMonitor', rules)).toThrow(`createMonitor: ${text}`);
  });
});
