/** The state machine of budgets, by example and against the naive one of `balance-model.ts`. */
import {
  adjust,
  emptyBalance,
  expire,
  post,
  raise,
  settle,
  take,
  voidHold,
  type Balance,
  type Hold,
} from '../src/balance.js';
import { play } from './budgets/balance-model.js';
import { playAll, playFastCheck, seed, sequencesOf } from './budgets/draw.js';

const sequences = sequencesOf(20_000, 1_000_000);

describe('the balances of budgets', () => {
  it(`keep their invariants in ${sequences} sequences of seed ${seed}`, () => {
    expect(playAll(play, sequences)).toBe(sequences);
  }, 600_000);

  it(`keep them in what fast-check makes of seed ${seed}`, () => {
    expect(playFastCheck(play, Math.min(sequences, 2_000))).toBeGreaterThan(0);
  });
});

function holdOf(amount: number, limit: number, balance: Balance = emptyBalance()) {
  const hold: Hold = { state: 'held', parts: [{ balance, limit, amount }] };
  return { balance, hold };
}

const paid = (nanoUsd: number) => [{ nanoUsd, uncertain: 0, priced: true }];

describe('a hold', () => {
  it('fits to the last nano-dollar, and not one beyond', () => {
    const { balance, hold } = holdOf(100, 100);
    expect(take(hold)).toBeNull();
    const { hold: more } = holdOf(1, 100, balance);
    expect(take(more)).toBe(more.parts[0]);
    expect(balance).toEqual({ ...emptyBalance(), held: 100 });
  });

  it('is taken on all its balances or on none', () => {
    const [one, other] = [emptyBalance(), emptyBalance()];
    const parts = [
      { balance: one, limit: 100, amount: 10 },
      { balance: other, limit: 9, amount: 10 },
    ];
    expect(take({ state: 'held', parts })).toBe(parts[1]);
    expect([one, other]).toEqual([emptyBalance(), emptyBalance()]);
  });

  it('is raised on all its balances or on none', () => {
    const [one, other] = [emptyBalance(), emptyBalance()];
    const parts = [
      { balance: one, limit: 100, amount: 10 },
      { balance: other, limit: 15, amount: 10 },
    ];
    const hold: Hold = { state: 'held', parts };
    take(hold);
    expect(raise(hold, [10, 10])).toBe(parts[1]);
    expect([one.held, other.held]).toEqual([10, 10]);
    expect(raise(hold, [10, 5])).toBeNull();
    expect([one.held, other.held]).toEqual([20, 15]);
  });

  it('that has expired is still posted, beyond the limit if need be, and counted as overrun', () => {
    const { balance, hold } = holdOf(100, 100);
    take(hold);
    expect(expire(hold)).toBe(true);
    take(holdOf(100, 100, balance).hold);
    expect(settle(hold, paid(70))).toBe(true);
    expect(balance).toEqual({ ...emptyBalance(), spent: 70, held: 100, overrun: 70 });
    expect([settle(hold, paid(70)), voidHold(hold), expire(hold)]).toEqual([false, false, false]);
    expect(balance.spent).toBe(70);
  });

  it('of a batch shrinks with each result, and what is beyond it is overrun', () => {
    const { balance, hold } = holdOf(100, 100);
    take(hold);
    for (const nanoUsd of [30, 30, 50]) post(hold, paid(nanoUsd));
    expect(balance).toEqual({ ...emptyBalance(), spent: 110, overrun: 10 });
    expect(settle(hold, paid(0))).toBe(true);
    expect(balance.held).toBe(0);
  });
});

describe('money that no integer can count any more', () => {
  const most = Number.MAX_SAFE_INTEGER;

  it('stays at the largest one, and what was not held is not released', () => {
    const { balance, hold } = holdOf(most - 10, Infinity);
    take(hold);
    const { hold: more } = holdOf(most - 10, Infinity, balance);
    expect(take(more)).toBeNull();
    expect(raise(more, [50])).toBeNull();
    expect(balance.held).toBe(most);
    voidHold(hold);
    expect(balance.held).toBe(10);
    voidHold(more);
    expect(balance.held).toBe(0);
  });

  it('is never admitted by a limit', () => {
    const { balance, hold } = holdOf(most, Infinity);
    take(hold);
    settle(hold, paid(most));
    expect(take(holdOf(1, 9e15, balance).hold)).not.toBeNull();
    expect(take(holdOf(1, Infinity, balance).hold)).toBeNull();
  });
});

describe('an adjustment', () => {
  it('gives back no more than what was spent, and says how much that was', () => {
    const balance = { ...emptyBalance(), spent: 30, uncertain: 20, overrun: 30 };
    expect(adjust(balance, -15)).toBe(-15);
    expect(balance).toEqual({ ...emptyBalance(), spent: 15, uncertain: 15, overrun: 15 });
    expect(adjust(balance, -100)).toBe(-15);
    expect(balance).toEqual(emptyBalance());
  });
});
