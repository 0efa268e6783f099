/** Options of budgets: their defaults, and what is said of those that cannot be right. */
import { budgetsOf, isUsd, nanoOf, usdOf, type BudgetOptions } from '../../src/budgets/options.js';

const given = (options: object) => budgetsOf('createMonitor', [options as BudgetOptions]);

describe('a budget', () => {
  it('needs a limit and a period; everything else has a default', () => {
    expect(given({ usd: 5, per: 'day' })).toEqual([
      {
        name: 'all-day',
        per: 'day',
        of: 'all',
        action: 'block',
        limit: 5_000_000_000,
        models: [],
        minTokens: 256,
        warnAt: [0.5, 0.8],
        timeZone: 'UTC',
        weekStart: 1,
        hold: 'worst-case',
        unpriced: 'block',
        unbounded: 'estimate',
        ceiling: null,
        match: null,
        shadow: false,
        onStoreDown: 'lease',
      },
    ]);
  });

  it('is named after whom and how long it is for', () => {
    const budgets = budgetsOf('test', [
      { usd: 1, per: 'hour', of: 'user' },
      { usd: 1, per: 'month', of: { tag: 'team' } },
      { name: 'mine', usd: 1, per: 'month', of: { tag: 'team' } },
    ]);
    expect(budgets.map(({ name }) => name)).toEqual(['user-hour', 'team-month', 'mine']);
  });

  it('that only warns allows models without a price, unless it is told otherwise', () => {
    expect(given({ usd: 1, per: 'day', action: 'warn' })[0]?.unpriced).toBe('allow');
    expect(given({ usd: 1, per: 'day', action: 'warn', unpriced: 'block' })[0]?.unpriced).toBe(
      'block',
    );
  });

  it('that only warns also tells when its limit is passed', () => {
    expect(given({ usd: 1, per: 'day', action: 'warn' })[0]?.warnAt).toEqual([0.5, 0.8, 1]);
  });

  it('tells each of its thresholds once, the lowest first', () => {
    expect(given({ usd: 1, per: 'day', warnAt: [0.9, 0.5, 0.9, 1] })[0]?.warnAt).toEqual([
      0.5, 0.9, 1,
    ]);
  });

  it('takes a list of options without changing it', () => {
    const options = Object.freeze({
      ...{ usd: Infinity, per: 'week', weekStart: 7, timeZone: 'Europe/Paris' },
      ...{ action: 'downgrade', models: Object.freeze(['claude-haiku-4-5']) },
      ...{ maxCostUsd: 0.1, warnAt: Object.freeze([0.9, 0.2]) },
    });
    const [budget] = budgetsOf('test', [options as BudgetOptions]);
    expect(budget).toMatchObject({ limit: Infinity, ceiling: 100_000_000, warnAt: [0.2, 0.9] });
    expect(options.warnAt).toEqual([0.9, 0.2]);
  });
});

describe('an option that cannot be right is named, with what is allowed', () => {
  it.each<[string, unknown, string]>([
    ['name', '', 'a string that is not empty, got ""'],
    ['name', 7, 'a string that is not empty, got 7'],
    ['usd', -1, 'a number of USD from 0 to 9000000, or Infinity, or a function, got -1'],
    ['usd', NaN, 'a number of USD from 0 to 9000000, or Infinity, or a function, got NaN'],
    ['usd', 9_000_001, 'a number of USD from 0 to 9000000, or Infinity, or a function'],
    ['usd', '5', 'a number of USD from 0 to 9000000, or Infinity, or a function, got "5"'],
    ['usd', undefined, 'a number of USD from 0 to 9000000, or Infinity, or a function'],
    ['per', 'year', "one of 'call', 'hour', 'day', 'week', 'month', got \"year\""],
    ['per', undefined, "one of 'call', 'hour', 'day', 'week', 'month', got undefined"],
    ['of', 'team', "'all', 'user', 'feature', 'model' or { tag: 'its name' }"],
    ['of', { tag: '' }, "'all', 'user', 'feature', 'model' or { tag: 'its name' }"],
    ['of', null, "'all', 'user', 'feature', 'model' or { tag: 'its name' }"],
    ['action', 'stop', "one of 'warn', 'block', 'downgrade', got \"stop\""],
    ['models', 'claude-haiku-4-5', 'an array, each item a string that is not empty'],
    ['models', [''], 'an array, each item a string that is not empty'],
    ['minTokens', 0, 'an integer from 1 to 1000000, got 0'],
    ['minTokens', 1.5, 'an integer from 1 to 1000000, got 1.5'],
    ['warnAt', 0.5, 'an array, each item a share above 0 and up to 1, got 0.5'],
    ['warnAt', [1.5], 'an array, each item a share above 0 and up to 1'],
    ['warnAt', [0], 'an array, each item a share above 0 and up to 1'],
    ['warnAt', [NaN], 'an array, each item a share above 0 and up to 1'],
    ['timeZone', 'Mars/Olympus', 'an IANA time zone such as \'Europe/Paris\', got "Mars/Olympus"'],
    ['timeZone', 'EST', 'an IANA time zone such as \'Europe/Paris\', got "EST"'],
    ['weekStart', 0, 'an integer from 1 to 7, got 0'],
    ['weekStart', 8, 'an integer from 1 to 7, got 8'],
    ['hold', 'all', "one of 'worst-case', 'estimate', 'none', got \"all\""],
    ['unpriced', 'warn', "one of 'allow', 'block', got \"warn\""],
    ['unbounded', 'allow', "one of 'estimate', 'block', got \"allow\""],
    ['maxCostUsd', -0.1, 'a number of USD from 0 to 9000000, or Infinity, got -0.1'],
    ['match', 'chat', 'a function, got "chat"'],
    ['shadow', 'yes', 'true or false, got "yes"'],
  ])('%s: %p', (name, value, allowed) => {
    const run = () => given({ usd: 1, per: 'day', action: 'downgrade', [name]: value });
    expect(run).toThrow(TypeError);
    expect(run).toThrow(
      `[claude-metrics] createMonitor: budgets[0]: options.${name} must be ${allowed}`,
    );
  });

  it('also one that does not exist', () => {
    expect(() => given({ usd: 1, per: 'day', limit: 5 })).toThrow('there is no option "limit"');
  });

  it('also models where nothing is downgraded', () => {
    expect(() => given({ usd: 1, per: 'day', models: ['claude-haiku-4-5'] })).toThrow(
      'budgets[0]: options.models is for the action \'downgrade\', got "block"',
    );
  });

  it('also a name that is taken, by default or not', () => {
    const run = () =>
      budgetsOf('createMonitor', [
        { usd: 1, per: 'day' },
        { name: 'all-day', usd: 2, per: 'month' },
      ]);
    expect(run).toThrow(TypeError);
    expect(run).toThrow('createMonitor: budgets[1].name "all-day" is taken by another budget');
  });

  it('also what is no object', () => {
    expect(() => budgetsOf('test', [[] as never])).toThrow('options must be an object');
  });
});

describe('USD become nano-dollars', () => {
  it('exactly where they are a whole number of them, and else rounded down', () => {
    for (let i = 0; i < 20_000; i += 1) expect(nanoOf(i / 1_000)).toBe(i * 1_000_000);
    expect(nanoOf(0.000_000_001)).toBe(1);
    expect(nanoOf(0.000_000_001_9)).toBe(1);
    expect(nanoOf(9_000_000)).toBe(9_000_000_000_000_000);
    expect(nanoOf(Infinity)).toBe(Infinity);
    expect(usdOf(nanoOf(1_234.567_891_234))).toBe(1_234.567_891_234);
  });

  it.each([NaN, -0.01, 9_000_000.01, '1', null, undefined, 1n, Promise.resolve(1)])(
    'of %p there are none',
    (value) => expect(isUsd(value)).toBe(false),
  );
});
