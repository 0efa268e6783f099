/** Money of budgets in the file: what an exchange does, and that time and restarts do not change it. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { DAY, MINUTE, NOW } from '../state-fixture.js';
import {
  accountOf,
  exchangeOf,
  postingOf,
  referenceBudgets,
  takingOf,
  TO,
  TTL,
  WHOLE,
} from './budgets-fixture.js';
import { handClock } from './hand-clock.js';
import { cleanUp, drivers, freshFile, inside, storeAt } from './sqlite-fixture.js';
import type { Exchange } from '../../src/stores/budget-store.js';
import type { StoreProblem } from '../../src/stores/store.js';

afterAll(cleanUp);

const MOST = Number.MAX_SAFE_INTEGER;
const SCOPES = [null, 'null', '', '\u{1f600}\0', '\ud800', '__proto__', 'x'.repeat(1_000)];

const amount = fc.oneof(fc.nat(50), fc.constantFrom(0, MOST, MOST - 1, 1e15));
const place = fc.nat(1);
const said = fc.record({
  member: fc.constantFrom('ada', 'b\0b\ud800'),
  step: fc.constantFrom(0, 1, 1, 1, 1, 2),
  ttlMs: fc.constantFrom(1_000, TTL),
  scopes: fc.uniqueArray(fc.constantFrom(...SCOPES), { minLength: 2, maxLength: 2 }),
  postings: fc.array(
    fc
      .record({ account: place, nanoUsd: amount, refused: fc.nat(1), unpriced: fc.nat(1) })
      .map(({ nanoUsd, ...rest }) => {
        const leased = Math.floor(nanoUsd / 2);
        return postingOf(nanoUsd, { leased, overrun: Math.floor(leased / 2), ...rest });
      }),
    { maxLength: 2 },
  ),
  adjustments: fc.array(
    fc.record({
      ...{ account: place, nanoUsd: fc.integer({ min: -60, max: 60 }) },
      ...{ at: fc.constant(NOW), reason: fc.constant('r') },
    }),
    { maxLength: 1 },
  ),
  gifts: fc.array(fc.record({ account: place, amount }), { maxLength: 1 }),
  takings: fc.array(
    fc.array(
      fc.record({
        account: place,
        limit: fc.constantFrom(100, 1e15, MOST, Infinity),
        need: amount,
        wish: amount,
      }),
      { minLength: 1, maxLength: 2 },
    ),
    { maxLength: 2 },
  ),
});
const passing = fc.constantFrom(1, 999, 1_000, TTL - 1, TTL).map((pass) => ({ pass }));
const steps = fc.array(fc.oneof({ weight: 3, arbitrary: said }, passing), {
  ...{ minLength: 1, maxLength: 25 },
});

describe.each(drivers)('over %s', (driver) => {
  it('answers as memory does: exchanges, the same again, and leases that expire', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (some) => {
        const clock = handClock();
        const file = freshFile();
        const views = [storeAt(file, { driver, clock }), storeAt(file, { driver, clock })];
        const reference = referenceBudgets(clock.now);
        const numbers = new Map<string, number>();
        for (const [i, step] of some.entries()) {
          const { budgets } = views[i % 2]!;
          if ('pass' in step) {
            clock.pass(step.pass);
            continue;
          }
          const { step: more, scopes, ...rest } = step;
          const number = (numbers.get(rest.member) ?? 0) + more;
          numbers.set(rest.member, number);
          const exchange: Exchange = { ...rest, number, accounts: scopes.map((s) => accountOf(s)) };
          expect(await budgets.exchange(exchange)).toEqual(reference.exchange(exchange));
          const page = await budgets.accounts(WHOLE);
          const expected = reference.page(WHOLE);
          expect(page.count).toBe(expected.count);
          expect(new Set(page.accounts)).toEqual(new Set(expected.accounts));
          const sums = page.accounts.map(({ spent, held }) => spent + held);
          expect(sums).toEqual(expected.accounts.map(({ spent, held }) => spent + held));
        }
        for (const view of views) await view.close();
      }),
      { numRuns: 60 },
    );
  });

  it('is said to be shared, and closed with its store', async () => {
    const store = storeAt(freshFile(), { driver });
    expect(store).toMatchObject({ shared: true, budgets: { name: 'sqlite' } });
    await store.close();
    const closed = 'Ask nothing of a store after its close()';
    await expect(store.budgets.exchange(exchangeOf('ada', 1))).rejects.toThrow(closed);
    await expect(store.budgets.accounts(WHOLE)).rejects.toThrow(closed);
    await expect(store.budgets.adjustments(1)).rejects.toThrow(closed);
    await expect(store.budgets.forgetUser('ada')).rejects.toThrow(closed);
  });

  it('outlives a restart: money, leases, and the answer that was given last', async () => {
    const file = freshFile();
    const before = storeAt(file, { driver });
    const answer = await before.budgets.exchange(takingOf('ada', 1, 700));
    await before.close();
    const { budgets } = storeAt(file, { driver });
    expect(await budgets.exchange(takingOf('ada', 1, 5))).toEqual(answer);
    expect(await budgets.exchange(takingOf('bob', 1, 301))).toMatchObject({ refused: [0] });
    expect(await budgets.exchange(takingOf('bob', 2, 300))).toMatchObject({ refused: [-1] });
  });

  it('does nothing of an exchange that cannot be done, and takes it when it can', async () => {
    const { budgets } = storeAt(freshFile(), { driver });
    const wrong = { ...takingOf('ada', 1, 5), postings: [postingOf(1, { account: 7 })] };
    await expect(budgets.exchange(wrong)).rejects.toMatchObject({ name: 'SqliteStoreError' });
    expect(await budgets.accounts(WHOLE)).toEqual({ accounts: [], count: 0 });
    expect(await budgets.exchange(takingOf('ada', 1, 5))).toMatchObject({ refused: [-1] });
  });

  it('keeps an account whose period became longer until the longer one is over', async () => {
    const clock = handClock();
    const { budgets } = storeAt(freshFile(), { driver, clock });
    const account = accountOf();
    const postings = [postingOf(5)];
    await budgets.exchange(exchangeOf('ada', 1, { accounts: [account], postings }));
    const longer = accountOf(null, { to: TO + 30 * DAY, personal: true });
    await budgets.exchange(exchangeOf('ada', 2, { accounts: [longer] }));
    clock.pass(20 * DAY);
    await budgets.exchange(exchangeOf('ada', 3));
    expect(await budgets.accounts(WHOLE)).toMatchObject({ count: 1 });
    clock.pass(20 * DAY);
    await budgets.exchange(exchangeOf('ada', 4));
    expect(await budgets.accounts(WHOLE)).toMatchObject({ count: 0 });
  });

  it('takes periods without an end', async () => {
    const { budgets } = storeAt(freshFile(), { driver });
    const accounts = [accountOf(null, { from: -Infinity, to: Infinity })];
    await budgets.exchange(exchangeOf('ada', 1, { accounts, postings: [postingOf(5)] }));
    const query = { ...WHOLE, from: -Infinity };
    expect(await budgets.accounts(query)).toMatchObject({ count: 1, accounts: [{ spent: 5 }] });
  });

  describe('upkeep', () => {
    const rowsIn = (file: string, table: string) =>
      inside(driver, file, (db) => db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)!.n);

    it('forgets members a day after they were heard of, and nobody who still holds', async () => {
      const clock = handClock();
      const store = storeAt(freshFile(), { driver, clock });
      const { budgets } = store;
      await budgets.exchange(takingOf('gone', 1, 5));
      await budgets.exchange({ ...takingOf('holds', 1, 7), ttlMs: 3 * DAY });
      clock.pass(DAY);
      await budgets.exchange(exchangeOf('ada', 1));
      expect(rowsIn(store.file, 'members')).toBe(3);
      clock.pass(MINUTE);
      await budgets.exchange(exchangeOf('ada', 2));
      expect(rowsIn(store.file, 'members')).toBe(2);
      expect((await budgets.accounts(WHOLE)).accounts[0]?.held).toBe(7);
    });

    it('removes accounts a week after their period, many of them in several times', async () => {
      const clock = handClock();
      const store = storeAt(freshFile(), { driver, clock });
      const { budgets } = store;
      const accounts = Array.from({ length: 300 }, (_, i) => accountOf(`user-${i}`));
      const postings = accounts.map((_, account) => postingOf(1, { account }));
      await budgets.exchange(exchangeOf('ada', 1, { accounts, postings }));
      await budgets.exchange({ ...takingOf('bob', 1, 9), ttlMs: 30 * DAY });
      clock.pass(TO - NOW + 7 * DAY);
      await budgets.exchange(exchangeOf('ada', 2));
      expect(await budgets.accounts(WHOLE)).toMatchObject({ count: 301 });
      const left: number[] = [];
      for (let i = 0; i < 3; i += 1) {
        clock.pass(MINUTE);
        await budgets.exchange(exchangeOf('ada', 3 + i));
        left.push((await budgets.accounts(WHOLE)).count);
      }
      // What is held keeps its account.
      expect(left).toEqual([45, 1, 1]);
    });

    it('keeps the last 10,000 adjustments, and counts what had to go', async () => {
      const problems: StoreProblem[] = [];
      const onProblem = (each: StoreProblem) => problems.push(each);
      const store = storeAt(freshFile(), { driver, clock: handClock(), onProblem });
      const { budgets } = store;
      const accounts = [accountOf()];
      for (let number = 1; number <= 11; number += 1) {
        const adjustments = Array.from({ length: 1_000 }, (_, i) => {
          return { account: 0, nanoUsd: 1, at: NOW, reason: `${number} ${i}` };
        });
        await budgets.exchange(exchangeOf('ada', number, { accounts, adjustments }));
      }
      const kept = await budgets.adjustments(20_000);
      expect(kept).toHaveLength(10_000);
      expect([kept[0]?.reason, kept.at(-1)?.reason]).toEqual(['11 999', '2 0']);
      expect(problems).toEqual([{ kind: 'drop', name: 'sqlite.adjustments', count: 1_000 }]);
      expect((await budgets.accounts(WHOLE)).accounts[0]?.spent).toBe(11_000);
    });
  });

  it('leaves no byte of a user who is forgotten in the file or its log', async () => {
    const store = storeAt(freshFile(), { driver, clock: handClock() });
    const { budgets } = store;
    const id = 'somebody-with-a-name';
    const accounts = [accountOf(id, { personal: true }), accountOf('ada', { personal: true })];
    const adjustments = [{ account: 0, nanoUsd: 1, at: NOW, reason: 'credit' }];
    const takings = [[{ account: 0, limit: 1_000, need: 5, wish: 0 }]];
    await budgets.exchange(exchangeOf('ada', 1, { accounts, adjustments, takings }));
    const bytes = () =>
      [store.file, `${store.file}-wal`].map((name) => readFileSync(name, 'latin1'));
    expect(bytes().join('')).toContain(id);
    expect(await budgets.forgetUser(id)).toBe(1);
    expect(bytes().join('')).not.toContain(id);
    expect(await budgets.forgetUser(id)).toBe(0);
    expect(await budgets.adjustments(10)).toEqual([]);
  });

  describe('time', () => {
    const heldAt = async (store: ReturnType<typeof storeAt>) =>
      (await store.budgets.accounts(WHOLE)).accounts[0]?.held ?? 0;

    it('that is set back prolongs no lease by more than what passes', async () => {
      const clock = handClock();
      const store = storeAt(freshFile(), { driver, clock });
      await store.budgets.exchange(takingOf('ada', 1, 5));
      clock.jump(-DAY);
      clock.pass(TTL - 1);
      expect(await heldAt(store)).toBe(5);
      clock.pass(1);
      expect(await heldAt(store)).toBe(0);
    });

    it('of another process that is behind does not bring back what has expired', async () => {
      const file = freshFile();
      const [ahead, behind] = [handClock(), handClock()];
      const first = storeAt(file, { driver, clock: ahead });
      const second = storeAt(file, { driver, clock: behind });
      behind.jump(-DAY);
      await first.notes.claim('name', 'ada', TTL);
      await first.budgets.exchange(takingOf('ada', 1, 5));
      ahead.pass(TTL);
      expect(await heldAt(first)).toBe(0);
      expect(await heldAt(second)).toBe(0);
      expect(await second.notes.claim('name', 'bob', TTL)).toBe(true);
    });

    it('that was a year ahead once goes on from there, and leases still expire', async () => {
      const clock = handClock();
      const store = storeAt(freshFile(), { driver, clock });
      clock.jump(365 * DAY);
      await store.budgets.exchange(exchangeOf('ada', 1));
      clock.jump(-365 * DAY);
      await store.budgets.exchange(takingOf('ada', 2, 5));
      clock.pass(TTL - 1);
      expect(await heldAt(store)).toBe(5);
      clock.pass(1);
      expect(await heldAt(store)).toBe(0);
    });
  });
});
