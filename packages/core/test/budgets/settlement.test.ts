/** How holds end: once, with what the call really cost, in the period in which it began. */
import fc from 'fast-check';
import type { CallBudget } from '../../src/budget.js';
import type { CallRecord } from '../../src/record.js';
import { NOW } from '../state-fixture.js';
import {
  asked,
  bodyOf,
  ended,
  HAIKU,
  held,
  HOUR,
  moneyOf,
  NANO,
  readyEngine,
  refused,
  SONNET,
  usd,
  worstOf,
  type Engine,
} from './engine.js';

const one = worstOf();
const day = { usd: 1, per: 'day' } as const;

/** The only scope of a budget, in nano-dollars. */
function accountOf({ budgets }: Engine) {
  const [scope] = budgets.reports()[0]!.scopes;
  const nano = (amount = 0) => Math.round(amount * NANO);
  return {
    spent: nano(scope?.spentUsd),
    held: nano(scope?.heldUsd),
    uncertain: nano(scope?.uncertainUsd),
    overrun: nano(scope?.overrunUsd),
    unpriced: scope?.unpricedCalls ?? 0,
  };
}

const nothing = { spent: 0, held: 0, uncertain: 0, overrun: 0, unpriced: 0 };

describe('a call that has ended', () => {
  it.each<[string, CallRecord, object]>([
    ['with a price', ended.priced(70), { spent: 70 }],
    ['for nothing', ended.free(), {}],
    ['before any usage was told', ended.unpriced('no_usage'), { spent: one, uncertain: one }],
    ['with a model that has no price', ended.unpriced('unknown_model'), { unpriced: 1 }],
    ['by contract', ended.unpriced('priority_tier'), { unpriced: 1 }],
    ['dearer than it had held', ended.priced(one + 9), { spent: one + 9, overrun: 9 }],
  ])('%s is posted, and its hold is gone', async (_, record, expected) => {
    const engine = await readyEngine(day);
    const ticket = held(engine.budgets.admit(asked()));
    engine.budgets.settle(ticket, record);
    // What may have cost something is taken to have cost what was held.
    const unknown = record.unpricedReason === 'no_usage' || record.cost !== null ? {} : assumed;
    expect(accountOf(engine)).toEqual({ ...nothing, ...unknown, ...expected });
    expect(engine.events.map(({ type }) => type)).toEqual('overrun' in expected ? ['overrun'] : []);
  });

  const assumed = { spent: one, uncertain: one };

  it('is posted once, whatever is said of it later', async () => {
    const engine = await readyEngine(day);
    const ticket = held(engine.budgets.admit(asked()));
    engine.budgets.settle(ticket, ended.priced(70));
    engine.budgets.settle(ticket, ended.priced(80));
    engine.budgets.settle(ticket, ended.unpriced('no_usage'));
    engine.clock.monotonic += HOUR;
    engine.budgets.sweep();
    expect(accountOf(engine)).toEqual({ ...nothing, spent: 70 });
    expect(engine.health.report().dropped).toEqual({});
  });

  it('that had nothing to pay and had voided its hold cannot be settled either', async () => {
    const engine = await readyEngine(day);
    const ticket = held(engine.budgets.admit(asked()));
    engine.budgets.settle(ticket, ended.free());
    engine.budgets.settle(ticket, ended.priced(70));
    expect(accountOf(engine)).toEqual(nothing);
  });
});

describe('a call that nobody hears of any more', () => {
  it('lets go of its hold by the clock that never jumps, and is posted when it is heard of', async () => {
    const engine = await readyEngine(day);
    const ticket = held(engine.budgets.admit(asked({ patienceMs: 60_000 })));
    engine.clock.now += 24 * 24 * HOUR;
    engine.clock.now = NOW;
    engine.clock.monotonic = 59_999;
    engine.budgets.sweep();
    expect(accountOf(engine)).toEqual({ ...nothing, held: one });
    engine.clock.monotonic = 60_000;
    engine.budgets.sweep();
    expect(accountOf(engine)).toEqual(nothing);
    expect(engine.health.report().dropped).toEqual({ 'budget.expiredHolds': 1 });
    engine.budgets.settle(ticket, ended.priced(70));
    expect(accountOf(engine)).toEqual({ ...nothing, spent: 70, overrun: 70 });
    expect(engine.events.map(({ type }) => type)).toEqual(['overrun']);
  });

  it('keeps it as long as it shows a sign of life', async () => {
    const engine = await readyEngine(day);
    let alive = true;
    held(engine.budgets.admit(asked({ patienceMs: 60_000, alive: () => alive })));
    for (let i = 0; i < 5; i += 1) {
      engine.clock.monotonic += 60_000;
      engine.budgets.sweep();
      expect(accountOf(engine).held).toBe(one);
    }
    alive = false;
    engine.clock.monotonic += 60_000;
    engine.budgets.sweep();
    expect(accountOf(engine)).toEqual(nothing);
  });
});

describe('an attempt that may have billed', () => {
  it('is held for once more before the next one, and charged with what was held', async () => {
    const engine = await readyEngine(day);
    const ticket = held(engine.budgets.admit(asked()));
    expect(engine.budgets.readmit(ticket)).toBeNull();
    expect(engine.budgets.readmit(ticket)).toBeNull();
    expect(accountOf(engine)).toEqual({ ...nothing, held: 3 * one });
    engine.budgets.settle(ticket, ended.priced(70));
    expect(accountOf(engine)).toEqual({ ...nothing, spent: 2 * one + 70, uncertain: 2 * one });
  });

  it('is not followed by one that does not fit', async () => {
    const engine = await readyEngine({ ...day, usd: usd(2 * one - 1) });
    const ticket = held(engine.budgets.admit(asked()));
    const { error, budget } = refused(engine.budgets.readmit(ticket));
    expect(error).toMatchObject({ reason: 'limit', budget: 'all-day' });
    expect(budget).toMatchObject({ verdict: 'block', reason: 'limit', budget: 'all-day' });
    expect(accountOf(engine)).toEqual({ ...nothing, held: one });
    engine.budgets.settle(ticket, ended.unpriced('no_usage'));
    expect(accountOf(engine)).toEqual({ ...nothing, spent: one, uncertain: one });
  });

  it('whose hold has expired is posted, and the next one holds anew, today', async () => {
    const engine = await readyEngine(day);
    const ticket = held(engine.budgets.admit(asked()));
    const yesterday = ticket.hold.parts[0]!.balance;
    engine.clock.monotonic += HOUR;
    engine.clock.now += 24 * HOUR;
    engine.budgets.sweep();
    expect(engine.budgets.readmit(ticket)).toBeNull();
    expect(yesterday).toMatchObject({ spent: one, held: 0, uncertain: one, overrun: one });
    expect(accountOf(engine)).toEqual({ ...nothing, held: one });
    engine.budgets.settle(ticket, ended.priced(70));
    expect(accountOf(engine)).toEqual({ ...nothing, spent: 70 });
    expect(yesterday.spent).toBe(one);
  });
});

describe('a batch', () => {
  const batch = (count: number) => ({
    ...asked(),
    operation: 'batches' as const,
    body: { requests: Array.from({ length: count }, () => ({ params: bodyOf() })) },
  });

  it('holds until its last result is read', async () => {
    const engine = await readyEngine(day);
    const ticket = held(engine.budgets.admit(batch(3)));
    const { held: whole } = accountOf(engine);
    engine.budgets.keep(ticket, 'batch-1');
    engine.clock.monotonic += 24 * HOUR;
    engine.budgets.sweep();
    engine.budgets.settleResult('batch-1', ended.priced(100));
    engine.budgets.settleResult('batch-1', ended.free());
    expect(accountOf(engine)).toEqual({ ...nothing, spent: 100, held: whole - 100 });
    engine.budgets.settleResult('batch-1', ended.priced(50));
    expect(accountOf(engine)).toEqual({ ...nothing, spent: 150 });
  });

  it('whose results nobody reads lets go after a day; those read later are posted', async () => {
    const engine = await readyEngine(day);
    engine.budgets.keep(held(engine.budgets.admit(batch(2))), 'batch-1');
    engine.clock.monotonic += 25 * HOUR;
    engine.budgets.sweep();
    expect(accountOf(engine)).toEqual(nothing);
    engine.budgets.settleResult('batch-1', ended.priced(100));
    expect(accountOf(engine)).toEqual({ ...nothing, spent: 100, overrun: 100 });
  });

  it('of another process is charged', async () => {
    const engine = await readyEngine(day);
    engine.budgets.settleResult('batch-of-another', ended.priced(100));
    expect(accountOf(engine)).toEqual({ ...nothing, spent: 100 });
  });

  it('that has been read does not take the place of one that has not', async () => {
    const engine = await readyEngine(day);
    const first = held(engine.budgets.admit(batch(1)));
    const { held: whole } = accountOf(engine);
    engine.budgets.keep(first, 'first');
    for (let i = 0; i < 1_500; i += 1) {
      engine.budgets.keep(held(engine.budgets.admit(batch(1))), `batch-${i}`);
      engine.budgets.settleResult(`batch-${i}`, ended.priced(1));
    }
    expect(accountOf(engine)).toEqual({ ...nothing, spent: 1_500, held: whole });
    engine.budgets.settleResult('first', ended.priced(1));
    expect(accountOf(engine)).toEqual({ ...nothing, spent: 1_501 });
    expect(engine.health.report().dropped).toEqual({});
  });

  it('beyond a thousand that are not read, the oldest is let go of and counted', async () => {
    const engine = await readyEngine({ usd: 1_000, per: 'day' });
    for (let i = 0; i < 1_001; i += 1) {
      engine.budgets.keep(held(engine.budgets.admit(batch(1))), `batch-${i}`);
    }
    expect(engine.health.report().dropped).toEqual({ 'budget.batches': 1 });
    const before = moneyOf(engine, 'all-day');
    engine.budgets.settleResult('batch-0', ended.priced(1));
    expect(moneyOf(engine, 'all-day')).toEqual({ ...before, spent: 1 });
  });
});

describe('a call that was not held for', () => {
  it('is charged in the current period; one of a period that is over is not', async () => {
    const engine = await readyEngine({ ...day, usd: 0 }, { ...day, of: 'user', match: isChat });
    engine.budgets.charge(ended.priced(100, { feature: 'chat' }));
    engine.budgets.charge(ended.priced(100, { feature: 'search' }));
    engine.budgets.charge(ended.unpriced('unknown_model', { feature: 'chat' }));
    engine.budgets.charge(ended.priced(100, { at: NOW - 24 * HOUR }));
    expect(accountOf(engine)).toEqual({ ...nothing, spent: 200, unpriced: 1 });
    expect(moneyOf(engine, 'user-day', 'ada').spent).toBe(100);
    expect(engine.events.filter(({ type }) => type === 'overrun')).toEqual([]);
  });

  it('is charged to the model that was sent', async () => {
    const engine = await readyEngine({ ...day, of: 'model' });
    const budget: CallBudget = {
      verdict: 'downgrade',
      reason: 'limit',
      budget: 'model-day',
      heldNanoUsd: 0,
      sentModel: HAIKU,
      sentMaxTokens: null,
      wouldBlock: [],
    };
    engine.budgets.charge(ended.priced(100, { model: SONNET, budget }));
    expect(moneyOf(engine, 'model-day', HAIKU).spent).toBe(100);
    expect(moneyOf(engine, 'model-day', SONNET).spent).toBe(0);
  });

  const isChat = ({ feature }: { feature: string | null }) => feature === 'chat';
});

/** I4: of calls that have all names, each way to divide the money comes to the same. */
it('money per user, per feature, per model and per team is the same money', async () => {
  const calls = fc.array(
    fc.record({
      userId: fc.constantFrom('ada', 'bob', 'eve', 'joe'),
      feature: fc.constantFrom('chat', 'search'),
      model: fc.constantFrom(SONNET, HAIKU),
      team: fc.constantFrom('red', 'blue'),
      maxTokens: fc.integer({ min: 1, max: 4_000 }),
      retries: fc.nat(2),
      end: fc.constantFrom('priced', 'free', 'no_usage', 'late', 'never', 'charged'),
      nanoUsd: fc.nat(20_000_000),
    }),
    { maxLength: 40 },
  );
  const ways = ['all', 'user', 'feature', 'model', { tag: 'team' }] as const;
  const property = fc.asyncProperty(calls, async (list) => {
    const engine = await readyEngine(...ways.map((of) => ({ usd: 2, per: 'month', of }) as const));
    const { budgets, clock } = engine;
    for (const { team, retries, end, nanoUsd, ...call } of list) {
      const names = { ...call, tags: { team } };
      const priced = ended.priced(nanoUsd, names);
      if (end === 'charged') {
        budgets.charge(priced);
        continue;
      }
      const ticket = budgets.admit(asked(names));
      if (ticket === null || ticket.error) continue;
      for (let i = 0; i < retries; i += 1) budgets.readmit(ticket);
      if (end === 'late' || end === 'never') {
        clock.monotonic += HOUR;
        budgets.sweep();
      }
      if (end === 'priced' || end === 'late') budgets.settle(ticket, priced);
      if (end === 'free') budgets.settle(ticket, ended.free(names));
      if (end === 'no_usage') budgets.settle(ticket, ended.unpriced('no_usage', names));
    }
    const sums = budgets
      .reports(Infinity)
      .map(({ scopes }) =>
        scopes.reduce((sum, { spentUsd }) => sum + BigInt(Math.round(spentUsd * NANO)), 0n),
      );
    expect(new Set(sums).size).toBe(1);
  });
  await fc.assert(property, { numRuns: 200 });
});
