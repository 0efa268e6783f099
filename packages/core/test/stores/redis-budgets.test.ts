/** Money of budgets in Redis: the script does what applyExchange() does, and what time does to it. */
import fc from 'fast-check';
import {
  accountOf,
  exchangeOf,
  HOUR,
  postingOf,
  referenceBudgets,
  takingOf,
  WHOLE,
} from './budgets-fixture.js';
import { NOW } from '../state-fixture.js';
import {
  cleanUp,
  clientTo,
  clusterClientTo,
  freshPrefix,
  LIBRARIES,
  storeOver,
} from './redis-fixture.js';
import { describeRedis, startCluster, startServer } from './redis-server.js';
import type { Exchange } from '../../src/stores/budget-store.js';
import type { RedisClient } from '../../src/stores/redis.js';

afterAll(cleanUp);

const MOST = Number.MAX_SAFE_INTEGER;
const SCOPES = [null, 'null', '', '\u{1f600}\0', '\ud800', '__proto__', 'x'.repeat(1_000), 'a\nb'];
const MEMBERS = ['ada', 'b\0b\ud800', 'ada\nada', '__proto__'];

const amount = fc.oneof(
  { weight: 3, arbitrary: fc.nat(60) },
  fc.constantFrom(0, MOST, MOST - 1, 1e15, 1e15 - 1, 4_503_599_627_370_497),
);
const place = fc.nat(1);
const said = fc.record({
  member: fc.constantFrom(...MEMBERS),
  step: fc.constantFrom(0, 1, 1, 1, 1, 1, 2, -3),
  ttlMs: fc.constantFrom(0, HOUR, HOUR),
  scopes: fc.uniqueArray(fc.constantFrom(...SCOPES), { minLength: 2, maxLength: 2 }),
  postings: fc.array(
    fc.record({
      ...{ account: place, nanoUsd: amount, leased: amount, uncertain: amount, overrun: amount },
      ...{ refused: fc.nat(2), unpriced: fc.nat(2) },
    }),
    { maxLength: 2 },
  ),
  adjustments: fc.array(
    fc.record({
      ...{ account: place, at: fc.constant(NOW), reason: fc.constantFrom('r', 'a\nb\ud800') },
      nanoUsd: fc.oneof(fc.integer({ min: -60, max: 60 }), fc.constantFrom(-MOST, MOST, -1e15)),
    }),
    { maxLength: 2 },
  ),
  gifts: fc.array(fc.record({ account: place, amount }), { maxLength: 2 }),
  takings: fc.array(
    fc.array(
      fc.record({
        ...{ account: place, need: amount, wish: amount },
        limit: fc.constantFrom(0, 100, 1_000, 1e15, MOST, Infinity),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    { maxLength: 2 },
  ),
});

let client: RedisClient;
const budgetsOver = (prefix = freshPrefix()) => storeOver(client, { prefix }).budgets;

async function agrees(steps: readonly (typeof said extends fc.Arbitrary<infer T> ? T : never)[]) {
  const budgets = budgetsOver();
  const reference = referenceBudgets(() => NOW);
  const numbers = new Map<string, number>();
  for (const { step, scopes, ...rest } of steps) {
    const number = Math.max(1, (numbers.get(rest.member) ?? 0) + step);
    numbers.set(rest.member, Math.max(number, numbers.get(rest.member) ?? 0));
    const exchange: Exchange = { ...rest, number, accounts: scopes.map((each) => accountOf(each)) };
    expect(await budgets.exchange(exchange)).toEqual(reference.exchange(exchange));
  }
  const given = await budgets.accounts(WHOLE);
  const wanted = reference.page(WHOLE);
  const inOrder = (accounts: readonly object[]) =>
    accounts.map((each) => JSON.stringify(each)).sort();
  expect(inOrder(given.accounts)).toEqual(inOrder(wanted.accounts));
  expect(given.count).toBe(wanted.count);
  const weights = given.accounts.map(({ spent, held }) => spent + held);
  expect(weights).toEqual(weights.toSorted((a, b) => b - a));
}

describeRedis.each(LIBRARIES)('an exchange, with %s', (library) => {
  beforeAll(async () => {
    const { port } = await startServer();
    client = await clientTo(library, port);
  });

  it('is answered as applyExchange() answers it, whatever members say', async () => {
    const runs = { numRuns: 150, seed: 20_261_124 };
    await fc.assert(
      fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 14 }), agrees),
      runs,
    );
  });

  it('never rounds, up to 2^53', async () => {
    const budgets = budgetsOver();
    const postings = [postingOf(MOST - 1, { uncertain: 1e15 + 1, overrun: 999_999_999_999_999 })];
    const first = exchangeOf('ada', 1, { accounts: [accountOf()], postings });
    const [account] = (await budgets.exchange(first)).accounts;
    expect(account).toMatchObject({ spent: MOST - 1, uncertain: 1e15 + 1 });
    const second = exchangeOf('ada', 2, { accounts: [accountOf()], postings: [postingOf(1)] });
    expect((await budgets.exchange(second)).accounts[0]).toMatchObject({
      ...{ spent: MOST, spentBefore: MOST - 1, overrun: 999_999_999_999_999 },
    });
  });

  it('lets no two members have more than the limit, however many ask at once', async () => {
    const prefix = freshPrefix();
    const views = [budgetsOver(prefix), budgetsOver(prefix), budgetsOver(prefix)];
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => views[i % 3]!.exchange(takingOf(`m${i}`, 1, 30))),
    );
    expect(answers.filter(({ refused }) => refused[0] === -1)).toHaveLength(33);
    const { accounts } = await views[0]!.accounts(WHOLE);
    expect(accounts).toMatchObject([{ spent: 0, held: 990 }]);
  });

  it('that comes again at the same moment is done once', async () => {
    const budgets = budgetsOver();
    const exchange = takingOf('ada', 1, 10);
    const answers = await Promise.all([1, 2, 3].map(() => budgets.exchange(exchange)));
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    expect((await budgets.accounts(WHOLE)).accounts).toMatchObject([{ held: 10 }]);
  });

  it('of thousands of accounts is one exchange', async () => {
    const budgets = budgetsOver();
    const accounts = Array.from({ length: 5_000 }, (_, i) => accountOf(`user-${i}`));
    const postings = accounts.map((_, account) => postingOf(account, { account }));
    const takings = [accounts.map((_, account) => ({ account, limit: 1e6, need: 1, wish: 0 }))];
    const answer = await budgets.exchange(exchangeOf('ada', 1, { accounts, postings, takings }));
    expect(answer.accounts[4_999]).toMatchObject({ spent: 4_999, leased: 1 });
    const page = await budgets.accounts({ ...WHOLE, limit: 2 });
    expect(page.count).toBe(5_000);
    expect(page.accounts.map(({ spent }) => spent)).toEqual([4_999, 4_998]);
    // And all of them are let go together.
    await budgets.exchange(exchangeOf('ada', 2, { ttlMs: 0 }));
    const [first] = (await budgets.accounts({ ...WHOLE, limit: 1 })).accounts;
    expect(first).toMatchObject({ spent: 4_999, held: 0 });
  });

  it('keeps corrections, the last first, and those of other budgets beside', async () => {
    const budgets = budgetsOver();
    const reason = 'line\nbreak \ud800';
    for (const [i, nanoUsd] of [50, -80, 7].entries()) {
      const adjustments = [{ account: 0, nanoUsd, at: NOW + i, reason }];
      const accounts = [accountOf('ada\n', { budget: `b${i % 2}` })];
      await budgets.exchange(exchangeOf('ada', i + 1, { accounts, adjustments }));
    }
    const scope = 'ada\n';
    expect(await budgets.adjustments(2)).toEqual([
      { at: NOW + 2, budget: 'b0', scope, nanoUsd: 7, reason },
      { at: NOW + 1, budget: 'b1', scope, nanoUsd: 0, reason },
    ]);
    expect(await budgets.adjustments(10)).toHaveLength(3);
    expect(await budgets.adjustments(0)).toEqual([]);
  });

  it('forgets a user with leases and corrections, and nobody else', async () => {
    const budgets = budgetsOver();
    for (const [i, user] of ['(other)', '\\(other)', 'ada', 'ada2'].entries()) {
      const accounts = [
        accountOf(user, { personal: true }),
        accountOf(user, { budget: 'feature' }),
        accountOf(user, { budget: 'week', personal: true }),
      ];
      const takings = [[{ account: 0, limit: 100, need: 10, wish: 0 }]];
      const adjustments = [0, 1].map((account) => ({ account, nanoUsd: 5, at: 1, reason: user }));
      await budgets.exchange(exchangeOf('m', i + 1, { accounts, takings, adjustments }));
    }
    expect(await budgets.forgetUser('ada')).toBe(1);
    expect(await budgets.forgetUser('(other)')).toBe(1);
    expect(await budgets.forgetUser('nobody')).toBe(0);
    const scopes = (await budgets.accounts(WHOLE)).accounts.map(({ scope }) => scope);
    expect(new Set(scopes)).toEqual(new Set(['(other)', 'ada2']));
    expect((await budgets.accounts({ ...WHOLE, budget: 'feature' })).count).toBe(4);
    const reasons = (await budgets.adjustments(10)).map(({ budget, reason }) => budget + reason);
    expect(reasons).toEqual([
      'featureada2',
      'teamada2',
      'featureada',
      'feature\\(other)',
      'feature(other)',
      'team(other)',
    ]);
    const again = takingOf('m', 9, 10);
    const accounts = [accountOf('ada', { personal: true })];
    const [account] = (await budgets.exchange({ ...again, accounts })).accounts;
    expect(account).toMatchObject({ leased: 10, held: 10 });
  });
});

describeRedis('an exchange, over a cluster', () => {
  beforeAll(async () => {
    client = await clusterClientTo('node-redis', await startCluster());
  });

  it('is answered as applyExchange() answers it', async () => {
    const runs = { numRuns: 20, seed: 20_261_125 };
    await fc.assert(
      fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 10 }), agrees),
      runs,
    );
  });
});
