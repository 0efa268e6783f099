/** What budgets tell: reports, thresholds, and the corrections that were made by hand. */
import fc from 'fast-check';
import { asked, ended, held, HOUR, moneyOf, NANO, readyEngine, usd, worstOf } from './engine.js';
import { callRecord, NOW } from '../state-fixture.js';

const one = worstOf();

describe('a report', () => {
  it('shows those nearest to their limit first, and no more than were asked for', async () => {
    const engine = await readyEngine({
      usd: (scope) => (scope === 'user-7' ? 0.01 : 1),
      per: 'day',
      of: 'user',
    });
    for (let i = 0; i < 40; i += 1) {
      engine.budgets.charge(ended.priced(i * 1_000_000, { userId: `user-${i}` }));
    }
    const [report] = engine.budgets.reports();
    expect(report).toMatchObject({ scopeCount: 39, from: '2026-11-24T00:00:00.000Z' });
    expect(report!.scopes).toHaveLength(20);
    expect(report!.scopes.slice(0, 3).map(({ scope }) => scope)).toEqual([
      ...['user-7', 'user-39', 'user-38'],
    ]);
    expect(report!.scopes[0]).toEqual({
      ...{ scope: 'user-7', spentUsd: 0.007, heldUsd: 0, limitUsd: 0.01, used: 0.7 },
      ...{ uncertainUsd: 0, overrunUsd: 0, refusedCalls: 0, unpricedCalls: 0 },
    });
    expect(engine.budgets.reports(2)[0]!.scopes).toHaveLength(2);
  });

  it('has no share of a limit of 0 or without end', async () => {
    const engine = await readyEngine(
      { usd: 0, per: 'day' },
      { usd: Infinity, per: 'week', weekStart: 7 },
    );
    engine.budgets.charge(ended.priced(5));
    const reports = engine.budgets.reports();
    expect(reports.map(({ scopes }) => scopes[0]?.used)).toEqual([null, null]);
    expect(reports[1]).toMatchObject({
      ...{ from: '2026-11-22T00:00:00.000Z', to: '2026-11-29T00:00:00.000Z' },
    });
  });

  it('leaves out scopes that were only asked about, and counts the calls that were refused', async () => {
    const { budgets } = await readyEngine({ usd: usd(one - 1), per: 'day', of: 'user' });
    budgets.canSpend(asked({ userId: 'ada' }));
    for (let i = 0; i < 3; i += 1) budgets.admit(asked({ userId: 'bob' }));
    expect(budgets.reports()[0]).toMatchObject({
      scopeCount: 1,
      scopes: [{ scope: 'bob', spentUsd: 0, heldUsd: 0, refusedCalls: 3 }],
      calls: { block: 3 },
    });
  });

  it('counts unpriced calls of scopes that have spent nothing', async () => {
    const engine = await readyEngine({ usd: 1, per: 'day', of: 'user' });
    engine.budgets.charge(ended.unpriced('unknown_model'));
    expect(engine.budgets.reports()[0]!.scopes[0]).toMatchObject({ unpricedCalls: 1 });
  });

  it('begins anew with the period', async () => {
    const engine = await readyEngine({ usd: 1, per: 'hour' });
    engine.budgets.charge(ended.priced(5));
    engine.clock.now += HOUR;
    expect(engine.budgets.reports()[0]).toMatchObject({ scopeCount: 0 });
  });
});

describe('thresholds', () => {
  it('are told once a period and scope, and again in the next one', async () => {
    const engine = await readyEngine({ usd: usd(10 * one), per: 'day', of: 'user' });
    const tell = () => engine.events.map(({ type, scope, threshold }) => [type, scope, threshold]);
    const spend = (userId: string) => {
      const ticket = held(engine.budgets.admit(asked({ userId })));
      engine.budgets.settle(ticket, ended.priced(one));
    };
    for (let i = 0; i < 10; i += 1) spend('ada');
    expect(tell()).toEqual([
      ['threshold', 'ada', 0.5],
      ['threshold', 'ada', 0.8],
    ]);
    for (let i = 0; i < 3; i += 1) engine.budgets.admit(asked());
    for (let i = 0; i < 5; i += 1) spend('bob');
    expect(tell().slice(2)).toEqual([
      ['exhausted', 'ada', null],
      ['threshold', 'bob', 0.5],
    ]);
    expect(engine.events[2]).toMatchObject({
      ...{ at: '2026-11-24T14:00:30.000Z', resetsAt: '2026-11-25T00:00:00.000Z', per: 'day' },
      text:
        `Budget "user-day" of "ada" has no room for a call: $${usd(10 * one)} spent and $0 held ` +
        `of $${usd(10 * one)}.`,
    });
    engine.clock.now += 24 * HOUR;
    engine.budgets.charge(ended.priced(9 * one, { at: engine.clock.now }));
    expect(tell().slice(4)).toEqual([
      ['threshold', 'ada', 0.5],
      ['threshold', 'ada', 0.8],
    ]);
  });

  it('are told by whatever passes them, and never twice', () => {
    const step = fc.record({
      kind: fc.constantFrom('admit', 'settle', 'charge', 'adjust', 'tomorrow'),
      userId: fc.constantFrom('ada', 'bob'),
      nanoUsd: fc.nat(6 * one),
    });
    return fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const engine = await readyEngine({
          ...{ usd: usd(10 * one), per: 'day', of: 'user', warnAt: [0.3, 0.6, 1] },
        });
        const { budgets, clock } = engine;
        const open = [];
        for (const { kind, userId, nanoUsd } of steps) {
          const names = { userId, at: clock.now };
          if (kind === 'tomorrow') clock.now += 24 * HOUR;
          if (kind === 'charge') budgets.charge(ended.priced(nanoUsd, names));
          const ticket = kind === 'settle' ? open.pop() : undefined;
          if (ticket) budgets.settle(ticket, ended.priced(nanoUsd));
          if (kind === 'adjust') {
            budgets.adjust({ budget: 'user-day', scope: userId, usd: -usd(nanoUsd), reason: 'x' });
          }
          if (kind !== 'admit') continue;
          const answer = budgets.admit(asked(names));
          if (answer && !answer.error) open.push(answer);
        }
        const told = engine.events
          .filter(({ type }) => type !== 'overrun')
          .map(({ type, scope, threshold, resetsAt }) => [type, scope, threshold, resetsAt].join());
        expect(new Set(told).size).toBe(told.length);
        for (const { scope, spentUsd, limitUsd } of budgets.reports()[0]!.scopes) {
          for (const threshold of [0.3, 0.6, 1]) {
            const used = Math.round(spentUsd * NANO);
            if (used < threshold * Math.round(limitUsd * NANO)) continue;
            const to = budgets.reports()[0]!.to;
            expect(told).toContain(['threshold', scope, threshold, to].join());
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('that nobody can hear fail no call, and leave no hold behind', async () => {
    const engine = await readyEngine({ usd: usd(one), per: 'day' });
    engine.events.push = () => {
      throw new Error('deaf');
    };
    const ticket = held(engine.budgets.admit(asked()));
    engine.budgets.settle(ticket, ended.priced(one + 5));
    expect(moneyOf(engine, 'all-day')).toEqual({ spent: one + 5, held: 0 });
    expect(engine.health.report().faults['budgets.event']?.count).toBe(3);
  });
});

describe('an adjustment', () => {
  it('changes what is spent, and is kept with its reason, the last one first', async () => {
    const engine = await readyEngine({ usd: usd(one), per: 'day', of: 'user' });
    engine.budgets.settle(held(engine.budgets.admit(asked())), ended.priced(one));
    expect(engine.budgets.admit(asked())?.error).toBeDefined();
    const given = { budget: 'user-day', scope: 'ada', usd: -usd(one), reason: 'a bug of ours' };
    expect(engine.budgets.adjust(given)).toEqual({ at: new Date(NOW).toISOString(), ...given });
    held(engine.budgets.admit(asked()));
    const more = engine.budgets.adjust({
      ...given,
      scope: 'bob',
      usd: 0.25,
      reason: 'x'.repeat(900),
    });
    expect(more.reason).toHaveLength(500);
    expect(engine.budgets.adjustments().map(({ scope, usd: by }) => [scope, by])).toEqual([
      ['bob', 0.25],
      ['ada', -usd(one)],
    ]);
    expect(moneyOf(engine, 'user-day', 'bob').spent).toBe(250_000_000);
  });

  it('says what was really given back', async () => {
    const { budgets } = await readyEngine({ usd: 1, per: 'day' });
    budgets.charge(ended.priced(5));
    expect(budgets.adjust({ budget: 'all-day', usd: -1, reason: 'x' }).usd).toBe(-5 / NANO);
    expect(budgets.adjust({ budget: 'all-day', usd: -1, reason: 'x' }).usd).toBe(0);
  });

  it('finds a scope by the name that calls have, or that reports show', async () => {
    const engine = await readyEngine({ usd: 1, per: 'day', of: 'user' });
    const { budgets } = engine;
    const name = 'x'.repeat(300);
    const { scope } = budgets.adjust({ budget: 'user-day', scope: name, usd: 0.1, reason: 'x' });
    expect(scope).toHaveLength(128);
    budgets.charge(callRecord({ userId: null }));
    budgets.adjust({ budget: 'user-day', scope: '(unattributed)', usd: 0.1, reason: 'x' });
    expect(moneyOf(engine, 'user-day', '(unattributed)').spent).toBe(110_000_000);
  });

  it('is kept with the last thousand', async () => {
    const { budgets } = await readyEngine({ usd: 1, per: 'day' });
    for (let i = 0; i < 1_005; i += 1) {
      budgets.adjust({ budget: 'all-day', usd: 0.001, reason: `number ${i}` });
    }
    expect(budgets.adjustments()).toHaveLength(1_000);
    expect(budgets.adjustments()[0]?.reason).toBe('number 1004');
  });

  const right = { budget: 'user-day', scope: 'ada', usd: 1, reason: 'x' };

  it.each<[object, string]>([
    [{ budget: 'users' }, 'budget must be the name of a budget with a period'],
    [{ budget: 'all-call', scope: null }, 'budget must be the name of a budget with a period'],
    [{ scope: undefined }, 'scope must be a name, got'],
    [{ scope: null }, 'scope must be a name, got null'],
    [{ scope: '' }, 'scope must be a name, got ""'],
    [{ scope: 5 }, 'scope must be a name, got 5'],
    [{ budget: 'all-day' }, 'scope must be left out, for the budget is of all, got "ada"'],
    [{ usd: NaN }, 'usd must be a number of USD, got NaN'],
    [{ usd: Infinity }, 'usd must be a number of USD, got Infinity'],
    [{ usd: -Infinity }, 'usd must be a number of USD, got -Infinity'],
    [{ usd: '1' }, 'usd must be a number of USD, got "1"'],
    [{ usd: 1e9 }, 'usd must be a number of USD, got 1000000000'],
    [{ reason: ' ' }, 'reason must be a string that is not empty, got " "'],
    [{ reason: undefined }, 'reason must be a string that is not empty, got undefined'],
  ])('of %j is refused, and changes nothing', async (wrong, message) => {
    const { budgets } = await readyEngine(
      { usd: 1, per: 'day', of: 'user' },
      { usd: 1, per: 'day' },
      { usd: 1, per: 'call' },
    );
    const run = () => budgets.adjust({ ...right, ...wrong });
    expect(run).toThrow(TypeError);
    expect(run).toThrow(`[claude-metrics] monitor.adjust: ${message}`);
    expect(budgets.adjustments()).toEqual([]);
    expect(budgets.reports().map(({ scopeCount }) => scopeCount)).toEqual([0, 0, 0]);
  });
});
