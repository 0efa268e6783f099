/** Whose money is where: scopes, their limits, the cap on them, and the change of periods. */
import { createAccounts } from '../../src/budgets/accounts.js';
import { budgetsOf, type BudgetOptions } from '../../src/budgets/options.js';
import { createHealth } from '../../src/health.js';
import { loadCalendar } from '../../src/period.js';
import { NOW } from '../state-fixture.js';
import { asked, HOUR, ended, held, moneyOf, readyEngine, refused, usd, worstOf } from './engine.js';

const one = worstOf();

async function accountsOf(options: BudgetOptions, maxScopes?: number) {
  const [budget] = budgetsOf('test', [options]);
  if (!budget || budget.per === 'call') throw new Error('expected a budget with a period');
  const calendar = await loadCalendar();
  const health = createHealth();
  const { per } = budget;
  const periodAt = calendar.periods({ ...budget, per });
  return { health, accounts: createAccounts(budget, periodAt, health, null, maxScopes) };
}

describe('scopes', () => {
  it.each([
    ['user', { userId: 'ada' }, { userId: 'bob' }],
    ['feature', { feature: 'chat' }, { feature: 'search' }],
    ['model', { model: 'claude-sonnet-5-5' }, { model: 'claude-haiku-4-5' }],
    [{ tag: 'team' }, { tags: { team: 'red' } }, { tags: { team: 'blue' } }],
  ] as const)('of %p have a limit each', async (of, first, second) => {
    const { budgets } = await readyEngine({ usd: usd(one), per: 'day', of });
    expect(budgets.admit(asked(first))?.error).toBeUndefined();
    expect(budgets.admit(asked(first))?.error).toBeDefined();
    expect(budgets.admit(asked(second))?.error).toBeUndefined();
  });

  it('without a name share one, and a name like it is another', async () => {
    const engine = await readyEngine({ usd: usd(one), per: 'day', of: 'user' });
    held(engine.budgets.admit(asked({ userId: null })));
    expect(refused(engine.budgets.admit(asked({ userId: null }))).error.scope).toBe(
      '(unattributed)',
    );
    held(engine.budgets.admit(asked({ userId: '(unattributed)' })));
    expect(moneyOf(engine, 'user-day', '\\(unattributed)').held).toBe(one);
  });

  it.each(['__proto__', 'constructor', 'toString', '\\(other)', '(other)'])(
    'may be called %s',
    async (name) => {
      const { budgets } = await readyEngine(
        { usd: usd(one), per: 'day', of: 'user' },
        { usd: usd(one), per: 'day', of: { tag: name } },
      );
      const call = asked({ userId: name, tags: Object.fromEntries([[name, name]]) });
      held(budgets.admit(call));
      refused(budgets.admit(call));
      held(budgets.admit(asked({ userId: 'ada' })));
      expect(Object.prototype).not.toHaveProperty('spent');
    },
  );

  it('beyond the cap share one limit, which none of them passes', async () => {
    const { accounts, health } = await accountsOf({ usd: 1, per: 'day', of: 'user' }, 3);
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((scope) => accounts.of(scope, NOW));
    expect([a, b, c].map((each) => each?.scope)).toEqual(['a', 'b', 'c']);
    expect(d?.scope).toBe('(other)');
    expect(e).toBe(d);
    expect(accounts.of('a', NOW)).toBe(a);
    expect(health.report().dropped).toEqual({ 'budget.scopes:user-day': 2 });
    // The next day has room again.
    expect(accounts.of('e', NOW + 24 * HOUR).scope).toBe('e');
  });

  it('beyond the cap never have more accounts than the cap and that one', async () => {
    const { accounts } = await accountsOf({ usd: 1, per: 'hour', of: 'user' }, 10);
    for (let hour = 0; hour < 5; hour += 1) {
      const at = NOW + hour * HOUR;
      for (let i = 0; i < 50; i += 1) accounts.of(`user-${i * (hour + 1)}`, at).spent = 1;
      expect(accounts.current(at)).toHaveLength(11);
    }
  });
});

describe('a limit that is asked for', () => {
  it('is each scope’s own, and may change', async () => {
    let bob = usd(one);
    const { budgets } = await readyEngine({
      usd: (scope) => (scope === 'bob' ? bob : 0),
      per: 'day',
      of: 'user',
    });
    refused(budgets.admit(asked({ userId: 'ada' })));
    held(budgets.admit(asked({ userId: 'bob' })));
    refused(budgets.admit(asked({ userId: 'bob' })));
    bob = usd(2 * one);
    const ticket = held(budgets.admit(asked({ userId: 'bob' })));
    expect(ticket.hold.parts[0]?.balance).toMatchObject({ limit: 2 * one, held: 2 * one });
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no such user');
      },
    ],
    ['gives NaN', () => NaN],
    ['gives a negative amount', () => -1],
    ['gives more than can be counted', () => 1e12],
    ['gives a string', () => '5'],
    ['is asynchronous', () => Promise.resolve(5)],
  ])('and %s is 0, and a fault that is counted', async (_, limit) => {
    const { budgets, health } = await readyEngine({ usd: limit as () => number, per: 'day' });
    const { error } = refused(budgets.admit(asked()));
    expect(error).toMatchObject({ reason: 'limit', limitUsd: 0 });
    expect(health.report().faults['budget.usd:all-day']?.count).toBe(1);
  });

  it('while the clock goes on, is that of the period in which the call began', async () => {
    const engine = await readyEngine({
      usd: () => {
        engine.clock.now += 20 * HOUR;
        return 1;
      },
      per: 'day',
    });
    const ticket = held(engine.budgets.admit(asked()));
    expect(ticket.hold.parts[0]?.balance.period.from).toBe(Date.UTC(2026, 10, 24));
  });

  it('and asks for admission itself does not let two calls through', async () => {
    let nested = 0;
    const engine = await readyEngine(
      { usd: usd(one), per: 'day' },
      {
        usd: () => {
          nested += 1;
          if (nested === 1) engine.budgets.admit(asked());
          return 1;
        },
        per: 'month',
      },
    );
    refused(engine.budgets.admit(asked()));
    expect(moneyOf(engine, 'all-day')).toEqual({ spent: 0, held: one });
  });
});

describe('match', () => {
  it('says which calls a budget is about', async () => {
    const { budgets } = await readyEngine({
      usd: 0,
      per: 'day',
      match: ({ feature, model }) => feature === 'chat' && model === 'claude-sonnet-5-5',
    });
    refused(budgets.admit(asked()));
    expect(budgets.admit(asked({ feature: 'search' }))).toBeNull();
    expect(budgets.canSpend(asked({ feature: 'search' }))).toMatchObject({ verdict: 'allow' });
  });

  it('that throws leaves the budget on, and is a fault that is counted', async () => {
    const { budgets, health } = await readyEngine({
      usd: 0,
      per: 'day',
      match: () => {
        throw new Error('no');
      },
    });
    refused(budgets.admit(asked()));
    expect(health.report().faults['budget.match:all-day']?.count).toBe(1);
  });

  it.each([undefined, null, 0, NaN, Promise.resolve(false)])(
    'that gives %p leaves the budget on',
    async (answer) => {
      const { budgets } = await readyEngine({ usd: 0, per: 'day', match: () => answer as never });
      expect(refused(budgets.admit(asked())).error.reason).toBe('limit');
    },
  );
});

describe('a period', () => {
  it('keeps what was held in it: a call that crosses midnight is of the day in which it began', async () => {
    const engine = await readyEngine({ usd: usd(one), per: 'day' });
    const ticket = held(engine.budgets.admit(asked()));
    const before = ticket.hold.parts[0]!.balance;
    engine.clock.now += 12 * HOUR;
    held(engine.budgets.admit(asked({ at: engine.clock.now })));
    engine.budgets.sweep();
    engine.budgets.settle(ticket, ended.priced(7));
    expect(before).toMatchObject({ spent: 7, held: 0 });
    expect(moneyOf(engine, 'all-day')).toEqual({ spent: 0, held: one });
  });

  it('that is over is not opened again by a clock that is set back', async () => {
    const engine = await readyEngine({ usd: usd(one), per: 'day' });
    held(engine.budgets.admit(asked()));
    const tomorrow = NOW + 24 * HOUR;
    held(engine.budgets.admit(asked({ at: tomorrow })));
    const { error } = refused(engine.budgets.admit(asked({ at: NOW })));
    expect(error.resetsAt).toBe('2026-11-26T00:00:00.000Z');
    expect(error.retryAfterSeconds).toBeGreaterThan(0);
  });

  it('of one call is the call: no other one takes its room', async () => {
    const engine = await readyEngine({ usd: usd(one), per: 'call' });
    const tickets = Array.from({ length: 20 }, () => held(engine.budgets.admit(asked())));
    for (const ticket of tickets) engine.budgets.settle(ticket, ended.priced(one));
    held(engine.budgets.admit(asked()));
    const { error } = refused(engine.budgets.admit(asked({ maxTokens: 1_001 })));
    expect(error).toMatchObject({ reason: 'limit', resetsAt: null, retryAfterSeconds: null });
    expect(error.headers).toEqual({});
    expect(engine.events).toEqual([]);
    expect(engine.budgets.reports()[0]).toMatchObject({ from: null, to: null, scopes: [] });
  });
});
