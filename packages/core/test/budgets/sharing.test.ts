/** Several processes and one limit: what each may spend, and what happens while their store is down. */
import { BudgetExceededError } from '../../src/budget-error.js';
import { ended, HAIKU, HOUR, NANO, SONNET, usd, worstOf } from './engine.js';
import { moneyIn, startProcess, turns, type FleetOptions } from './fleet.js';
import { sharedMoney, type SharedMoney } from './shared-money.js';

const WORST = worstOf();
let store: SharedMoney;
const start = (limit: number, more: object = {}, options: Partial<FleetOptions> = {}) =>
  startProcess({ store, budgets: [{ usd: usd(limit), per: 'day', ...more }], ...options });
const total = () => [...store.money.values()][0]!;

beforeEach(() => {
  store = sharedMoney();
});

describe.each(['closed', 'lease', 'open'] as const)('with onStoreDown %s', (onStoreDown) => {
  it('two processes never hold more than the limit, and what one lets go the other gets', async () => {
    const [a, b] = [
      await start(2 * WORST, { onStoreDown }),
      await start(2 * WORST, { onStoreDown }),
    ];
    const first = await a.hold();
    await b.hold();
    const { error } = await b.refusal();
    expect(error).toBeInstanceOf(BudgetExceededError);
    expect(error).toMatchObject({ reason: 'limit', status: 429, spentUsd: 0 });
    expect(error.heldUsd).toBeCloseTo(usd(2 * WORST), 9);
    a.budgets.settle(first, ended.priced(10));
    await a.tick();
    // Unused for a second, what is left of it goes back.
    await a.tick();
    expect((await b.admit())?.error).toBeDefined();
    expect(total()).toMatchObject({ spent: 10 });
    await Promise.all([a.budgets.close(), b.budgets.close()]);
    expect(total()).toMatchObject({ spent: 10, held: WORST });
  });

  it('200 calls at once in 4 processes: exactly those go on that fit', async () => {
    const fleet = await Promise.all(
      Array.from({ length: 4 }, () => start(100 * WORST, { onStoreDown })),
    );
    const answers = await Promise.all(
      fleet.flatMap((each) => Array.from({ length: 50 }, () => each.admit())),
    );
    const admitted = answers.filter((answer) => answer && !answer.error);
    expect(total().held).toBeLessThanOrEqual(100 * WORST);
    expect(admitted).toHaveLength(100);
  });

  it('what is spent is there for a process that starts later', async () => {
    const a = await start(3 * WORST, { onStoreDown });
    const ticket = await a.hold();
    a.budgets.settle(ticket, ended.priced(WORST));
    await a.budgets.close();
    const b = await start(3 * WORST, { onStoreDown });
    await b.hold();
    await b.hold();
    expect((await b.refusal()).error).toMatchObject({ spentUsd: usd(WORST) });
    expect(await moneyIn(b, 'all-day')).toEqual({ spent: WORST, held: 2 * WORST });
  });

  it('an answer that is lost on its way counts once', async () => {
    const a = await start(10 * WORST, { onStoreDown });
    const tickets = [await a.hold(), await a.hold()];
    let faults = 2;
    store.fault = () => (faults-- > 0 ? 'after' : null);
    for (const ticket of tickets) a.budgets.settle(ticket, ended.priced(77));
    for (let i = 0; i < 6; i += 1) await a.tick();
    expect(total()).toMatchObject({ spent: 154, overrun: 0 });
    expect(a.health.report().faults['budgets.store']).toMatchObject({ count: 2 });
    await a.budgets.close();
    expect(total()).toMatchObject({ spent: 154, held: 0 });
  });

  it('a process that is gone holds nothing after its calls could have ended', async () => {
    const a = await start(WORST, { onStoreDown });
    await a.hold({ patienceMs: 60_000 });
    const b = await start(WORST, { onStoreDown });
    await b.refusal();
    store.now += 119_999;
    await b.refusal();
    store.now += 1;
    await b.hold();
    expect(total()).toMatchObject({ spent: 0, held: WORST });
  });

  it('and what it posts when it was only asleep is overrun', async () => {
    const a = await start(WORST, { onStoreDown });
    const ticket = await a.hold();
    store.now += 3 * HOUR;
    const b = await start(WORST, { onStoreDown });
    b.budgets.settle(await b.hold(), ended.priced(WORST));
    await b.tick();
    a.budgets.settle(ticket, ended.priced(5));
    await a.tick();
    expect(total()).toMatchObject({ spent: WORST + 5, held: 0, overrun: 5 });
  });

  it('corrections reach everybody', async () => {
    const [a, b] = [
      await start(2 * WORST, { onStoreDown }),
      await start(2 * WORST, { onStoreDown }),
    ];
    a.budgets.settle(await a.hold(), ended.priced(WORST));
    await a.budgets.adjust({ budget: 'all-day', usd: usd(WORST), reason: 'a bill of elsewhere' });
    await b.refusal();
    const back = await b.budgets.adjust({ budget: 'all-day', usd: -1, reason: 'all given back' });
    expect(back.usd).toBeLessThan(0);
    expect(total().spent).toBe(0);
    await a.hold();
    expect(store.adjustments(10)).toMatchObject([
      { reason: 'all given back', budget: 'all-day', scope: null },
      { reason: 'a bill of elsewhere', nanoUsd: WORST },
    ]);
  });

  it('canSpend() looks at what others have spent', async () => {
    const [a, b] = [await start(WORST, { onStoreDown }), await start(WORST, { onStoreDown })];
    const call = { ...(await askedOf()), at: b.clock.now };
    expect(await b.budgets.canSpend(call)).toMatchObject({ verdict: 'allow' });
    await a.hold();
    expect(await b.budgets.canSpend(call)).toMatchObject({ verdict: 'block', reason: 'limit' });
    expect(total().held).toBe(WORST);
  });

  it('a threshold is told by one process, and once, and so is the first refusal', async () => {
    const more = { onStoreDown, warnAt: [0.5, 0.8] };
    const fleet = [await start(4 * WORST, more), await start(4 * WORST, more)];
    for (let i = 0; i < 4; i += 1) {
      const one = fleet[i % 2]!;
      one.budgets.settle(await one.hold(), ended.priced(WORST));
      await one.tick();
    }
    for (const one of fleet) {
      await one.refusal();
      await one.refusal();
      await one.tick();
    }
    const told = fleet.flatMap(({ events }) =>
      events.map(({ type, threshold }) => [type, threshold]),
    );
    expect(told.map((each) => each.join(' ')).sort((a, b) => (a < b ? -1 : 1))).toEqual([
      'exhausted ',
      'threshold 0.5',
      'threshold 0.8',
    ]);
  });

  it('an attempt that may have billed is held for again, or the retry is refused', async () => {
    const [a, b] = [
      await start(3 * WORST, { onStoreDown }),
      await start(3 * WORST, { onStoreDown }),
    ];
    const ticket = await a.hold();
    expect(await a.budgets.readmit(ticket)).toBeNull();
    expect(total().held).toBeGreaterThanOrEqual(2 * WORST);
    await a.tick();
    await a.tick();
    await b.hold();
    expect(await a.budgets.readmit(ticket)).toMatchObject({ error: { reason: 'limit' } });
    a.budgets.settle(ticket, ended.priced(1));
    await a.budgets.close();
    // The lost attempt is charged with what was held for it.
    expect(total()).toMatchObject({ spent: 1 + WORST });
  });

  it('a call that has ended while the store was asked leaves nothing held', async () => {
    const a = await start(3 * WORST, { onStoreDown });
    const ticket = await a.hold();
    a.budgets.release(ticket);
    await a.budgets.close();
    expect(total()).toMatchObject({ spent: 0, held: 0 });
  });
});

async function askedOf() {
  const { asked } = await import('./engine.js');
  return asked();
}

describe('while the store is down', () => {
  const down = () => (store.fault = () => 'before');

  it('closed refuses with 503 and Retry-After, at once, until it is back', async () => {
    const a = await start(10 * WORST, { onStoreDown: 'closed' });
    const before = await a.hold();
    down();
    const { error, budget } = await a.refusal();
    expect(error).toMatchObject({ reason: 'unavailable', status: 503, budget: 'all-day' });
    expect(error.headers).toEqual({ 'retry-after': '5' });
    expect(budget).toMatchObject({ verdict: 'block', reason: 'unavailable' });
    const asked = store.exchanges.length;
    await a.refusal();
    expect(store.exchanges).toHaveLength(asked);
    a.budgets.settle(before, ended.priced(5));
    store.fault = () => null;
    await a.tick();
    await a.tick();
    await a.hold();
    expect(total()).toMatchObject({ spent: 5 });
  });

  it('lease goes on with what is leased, for as long as the lease is good', async () => {
    const a = await start(100 * WORST, {}, { leaseMs: 30_000 });
    await a.hold();
    await a.hold();
    const { held: leased } = total();
    expect(leased).toBeGreaterThan(5 * WORST);
    down();
    let admitted = 2;
    for (; admitted < 50; admitted += 1) if ((await a.admit())?.error) break;
    expect(admitted).toBe(Math.floor(leased / WORST));
    const b = await start(100 * WORST, {}, { leaseMs: 30_000 });
    expect((await b.refusal()).error).toMatchObject({ reason: 'unavailable' });
  });

  it('a lease that may have expired is not spent from', async () => {
    const a = await start(100 * WORST, {}, { leaseMs: 30_000 });
    await a.hold();
    await a.hold();
    down();
    a.clock.monotonic += 29_999;
    await a.hold();
    a.clock.monotonic += 1;
    expect((await a.refusal()).error).toMatchObject({ reason: 'unavailable' });
    store.fault = () => null;
    await a.tick();
    await a.hold();
  });

  it('open lets calls pass that fit by what is known here, and posts them later', async () => {
    const a = await start(10 * WORST, { onStoreDown: 'open' });
    a.budgets.settle(await a.hold(), ended.priced(WORST));
    await turns();
    down();
    const b = await start(10 * WORST, { onStoreDown: 'open' });
    for (let i = 0; i < 9; i += 1) a.budgets.settle(await a.hold(), ended.priced(WORST));
    // This one has never heard what was spent, and passes the limit: that is what open means.
    for (let i = 0; i < 10; i += 1) b.budgets.settle(await b.hold(), ended.priced(WORST));
    expect((await a.refusal()).error).toMatchObject({ reason: 'limit' });
    expect((await b.refusal()).error).toMatchObject({ reason: 'limit' });
    store.fault = () => null;
    for (const each of [a, b, a, b]) await each.tick();
    expect(total()).toMatchObject({ spent: 20 * WORST, held: 0 });
    expect((await b.refusal()).error).toMatchObject({ reason: 'limit', spentUsd: usd(20 * WORST) });
  });

  it('nobody waits longer than the timeout for a store that hangs, and then not at all', async () => {
    const a = await start(10 * WORST, { onStoreDown: 'closed' }, { storeTimeoutMs: 20 });
    store.fault = () => 'hang';
    expect((await a.refusal()).error).toMatchObject({ reason: 'unavailable' });
    expect(a.health.report().faults['budgets.store']).toMatchObject({
      lastMessage: expect.stringContaining('did not answer within 20 ms'),
    });
    const asked = store.exchanges.length;
    await Promise.all(Array.from({ length: 20 }, () => a.refusal()));
    expect(store.exchanges).toHaveLength(asked);
  });

  it('a correction says whether it was made', async () => {
    const a = await start(10 * WORST);
    const fix = { budget: 'all-day', usd: 1, reason: 'test' };
    store.fault = () => 'after';
    await expect(a.budgets.adjust(fix)).rejects.toThrow('do not repeat the correction');
    await expect(a.budgets.adjust(fix)).rejects.toThrow('nothing was corrected');
    store.fault = () => null;
    await a.tick();
    expect(total().spent).toBe(NANO);
  });
});

describe('leases', () => {
  it('save round trips: 200 calls one after the other', async () => {
    const trips = { closed: 0, lease: 0 };
    for (const onStoreDown of ['closed', 'lease'] as const) {
      store = sharedMoney();
      const a = await start(10_000 * WORST, { onStoreDown });
      for (let i = 0; i < 200; i += 1) {
        a.budgets.settle(await a.hold(), ended.priced(WORST / 2));
        await turns();
      }
      trips[onStoreDown] = store.exchanges.length;
    }
    expect(trips.closed).toBeGreaterThanOrEqual(200);
    expect(trips.lease).toBeLessThanOrEqual(20);
  });

  it('go back unused when little of the limit is left, and stay while there is plenty', async () => {
    const a = await start(100 * WORST);
    await a.hold();
    await a.hold();
    await a.tick();
    await a.tick();
    expect(total().held).toBeGreaterThan(5 * WORST);
    const b = await start(100 * WORST, { onStoreDown: 'closed' });
    await Promise.all(Array.from({ length: 70 }, () => b.hold()));
    a.clock.monotonic += 20_000;
    await a.tick();
    await a.tick();
    await a.tick();
    expect(total().held).toBe(72 * WORST);
  });

  it('of a period that is over go back', async () => {
    const a = await start(100 * WORST);
    a.budgets.settle(await a.hold(), ended.priced(3));
    await a.tick();
    a.clock.now += 24 * HOUR;
    await a.tick();
    await a.tick();
    expect(total()).toMatchObject({ spent: 3, held: 0 });
    await a.hold();
    expect(store.money.size).toBe(2);
  });
});

describe('reports', () => {
  it('show what other processes have', async () => {
    const more = { of: 'user', onStoreDown: 'closed' };
    const [a, b] = [await start(10 * WORST, more), await start(10 * WORST, more)];
    a.budgets.settle(await a.hold({ userId: 'ada' }), ended.priced(5));
    await b.hold({ userId: 'bob' });
    await turns();
    expect(await moneyIn(b, 'user-day', 'ada')).toEqual({ spent: 5, held: 0 });
    expect(await moneyIn(a, 'user-day', 'bob')).toEqual({ spent: 0, held: WORST });
    expect(a.budgets.reports()[0]).toMatchObject({ scopeCount: 2 });
    expect([...store.money.values()].map(({ address }) => address.personal)).toEqual([true, true]);
  });

  it('a store that cannot be read leaves what is known here', async () => {
    const a = await start(10 * WORST);
    await a.hold();
    store.accounts = () => Promise.reject(new Error('no'));
    expect((await moneyIn(a, 'all-day')).held).toBeGreaterThan(0);
    expect(a.health.report().faults['budgets.accounts']).toMatchObject({ count: 1 });
  });
});

describe('budgets of different kinds together', () => {
  it('a cheaper model is taken when others have spent the rest', async () => {
    const cheap = worstOf({ model: HAIKU });
    const more = { action: 'downgrade', models: [HAIKU] };
    const limit = WORST + cheap;
    const [a, b] = [await start(limit, more), await start(limit, more)];
    await a.hold();
    await a.tick();
    await a.tick();
    const ticket = await b.hold();
    expect(ticket).toMatchObject({
      model: HAIKU,
      budget: { verdict: 'downgrade', sentModel: HAIKU },
    });
    await b.refusal();
  });

  it('all of them are taken, or none', async () => {
    const budgets = [
      { usd: usd(WORST), per: 'call', name: 'each' },
      { usd: usd(10 * WORST), per: 'day', name: 'wide', onStoreDown: 'closed' },
      { usd: usd(WORST), per: 'hour', of: 'user', name: 'narrow', onStoreDown: 'closed' },
      { usd: usd(1), per: 'day', action: 'warn', name: 'told' },
    ] as const;
    const a = await startProcess({ store, budgets });
    await a.hold({ userId: 'ada' });
    expect((await a.refusal({ userId: 'ada' })).error).toMatchObject({ budget: 'narrow' });
    expect((await a.refusal({ model: SONNET, maxTokens: 5_000 })).error).toMatchObject({
      budget: 'each',
    });
    await turns();
    expect(await moneyIn(a, 'wide')).toEqual({ spent: 0, held: WORST });
    await a.hold({ userId: 'bob' });
    expect(await moneyIn(a, 'wide')).toEqual({ spent: 0, held: 2 * WORST });
  });
});
