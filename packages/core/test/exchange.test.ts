/** What an exchange does to shared accounts, by example and in what chance makes. */
import { emptyBalance, reserve, postLeased } from '../src/balance.js';
import { applyExchange, letGo, type SharedAccount } from '../src/exchange.js';
import { playAll, playFastCheck, seed, sequencesOf, type Draw } from './budgets/draw.js';
import type { Exchange, ExchangeAnswer, Posting, Want } from '../src/stores/budget-store.js';

const MOST = Number.MAX_SAFE_INTEGER;
const NOTHING = { nanoUsd: 0, leased: 0, uncertain: 0, overrun: 0, unpriced: 0, refused: 0 };
const empty = (): SharedAccount => ({ ...emptyBalance(), refused: 0, leased: 0 });
const posting = (account: number, rest: object): Posting => ({ account, ...NOTHING, ...rest });

function exchangeOf(said: Partial<Exchange>): Exchange {
  const nothing = { accounts: [], postings: [], adjustments: [], gifts: [], takings: [] };
  return { member: 'ada', number: 1, ttlMs: 1_000, ...nothing, ...said };
}

describe('an exchange', () => {
  const want = (need: number, limit: number, wish = 0, account = 0): Want => {
    return { account, limit, need, wish };
  };

  it('posts, adjusts, gives back and takes, in this order', () => {
    const account = { ...empty(), spent: 10, held: 50, leased: 30, refused: 1 };
    const said = exchangeOf({
      postings: [posting(0, { nanoUsd: 25, leased: 20, overrun: 5, unpriced: 1, refused: 2 })],
      adjustments: [{ account: 0, nanoUsd: -100, at: 0, reason: 'refund' }],
      gifts: [{ account: 0, amount: 4 }],
      takings: [[want(74, 100)], [want(1, 100)]],
    });
    const balance = { ...empty(), held: 100, leased: 80, unpriced: 1, refused: 3 };
    expect(applyExchange(said, [account])).toEqual({
      accounts: [{ ...balance, spentBefore: 10, refusedBefore: 1 }],
      adjusted: [-35],
      refused: [-1, 0],
    });
    expect(account).toEqual(balance);
  });

  it('takes on all accounts or on none, and says which one had no room first', () => {
    const accounts = [empty(), empty(), empty()];
    const takings = [
      [want(1, 10), want(11, 10, 0, 1), want(11, 10, 0, 2)],
      [want(10, 10), want(10, 10, 0, 2)],
      [want(0, 10), want(1, 10)],
    ];
    expect(applyExchange(exchangeOf({ takings }), accounts).refused).toEqual([1, -1, 1]);
    expect(accounts.map(({ held }) => held)).toEqual([10, 0, 10]);
    expect(accounts.map(({ leased }) => leased)).toEqual([10, 0, 10]);
  });

  it.each<[string, Want, number]>([
    ['a wish that is small', want(100, 1_000, 112), 212],
    ['an eighth of what is left, when it is large', want(100, 1_000, 113), 212],
    ['nothing beside a need that leaves nothing', want(1_000, 1_000, 50), 1_000],
    ['nothing of less than eight', want(993, 1_000, 50), 993],
    ['every wish without a limit', want(5, Infinity, 50), 55],
  ])('grants %s', (_, wanted, leased) => {
    const { accounts, refused } = applyExchange(exchangeOf({ takings: [[wanted]] }), [empty()]);
    expect([refused, accounts[0]?.leased, accounts[0]?.held]).toEqual([[-1], leased, leased]);
  });

  it('gives back what is left of a lease, and all of it when it expires', () => {
    const account = { ...empty(), held: 50, leased: 30 };
    letGo(account, 10);
    expect(account).toMatchObject({ held: 40, leased: 20 });
    letGo(account, 25);
    expect(account).toMatchObject({ held: 20, leased: 0 });
    account.leased = 15;
    letGo(account);
    expect(account).toMatchObject({ held: 5, leased: 0 });
  });
});

describe('a lease', () => {
  it('covers what was taken for it; the rest is overrun', () => {
    const balance = { ...emptyBalance(), held: 100 };
    const charges = { ...NOTHING, nanoUsd: 90, leased: 80, uncertain: 7, overrun: 10, unpriced: 2 };
    expect(postLeased(balance, 60, charges)).toBe(60);
    expect(balance).toEqual({ spent: 90, held: 40, uncertain: 7, overrun: 30, unpriced: 2 });
  });

  it('is only as large as money can be counted', () => {
    const balance = { ...emptyBalance(), held: MOST - 10 };
    expect([reserve(balance, 50), balance.held, reserve(balance, 1)]).toEqual([10, MOST, 0]);
    const charges = { ...NOTHING, nanoUsd: MOST, leased: 10, uncertain: MOST, overrun: MOST };
    postLeased(balance, 10, charges);
    postLeased(balance, 0, charges);
    expect(balance).toMatchObject({ spent: MOST, uncertain: MOST, overrun: MOST, held: MOST - 10 });
  });
});

describe('exchanges of several members', () => {
  const sequences = sequencesOf(20_000, 200_000);

  it(`keep their invariants in ${sequences} sequences of seed ${seed}`, () => {
    expect(playAll(play, sequences)).toBe(sequences);
  }, 600_000);

  it(`keep them in what fast-check makes of seed ${seed}`, () => {
    expect(playFastCheck(play, Math.min(sequences, 2_000))).toBeGreaterThan(0);
  });
});

const [ACCOUNTS, MEMBERS] = [2, 3];
const LIMITS = [100, 1_000, 30, 0, Infinity, 9_000_000_000_000_000];

/**
 * What a store keeps. `honest`: everything that is spent comes out of a lease, and nothing is added by
 * hand, as when all goes well.
 */
interface World {
  readonly draw: Draw;
  readonly said: string[] | undefined;
  readonly honest: boolean;
  readonly unit: number;
  readonly limits: readonly number[];
  accounts: SharedAccount[];
  /** By member and account. */
  readonly leases: readonly number[][];
}

function play(draw: Draw, said?: string[]): void {
  const limits = Array.from({ length: ACCOUNTS }, () => LIMITS[draw(LIMITS.length)]!);
  const world: World = {
    ...{ draw, said, limits, honest: draw(2) === 0, unit: draw(4) === 0 ? 40_000_000_000_000 : 1 },
    accounts: limits.map(empty),
    leases: Array.from({ length: MEMBERS }, () => limits.map(() => 0)),
  };
  for (let left = 1 + draw(12); left > 0; left -= 1) {
    const member = draw(MEMBERS);
    const accounts = accountsOf(world, member);
    if (draw(6) > 0) send(world, member, accounts);
    else for (const account of accounts) letGo(account);
    keep(world, member, accounts);
    check(world);
  }
}

function accountsOf({ accounts, leases }: World, member: number): SharedAccount[] {
  return accounts.map((account, i) => ({ ...account, leased: leases[member]![i]! }));
}

function keep(world: World, member: number, accounts: readonly SharedAccount[]): void {
  world.accounts = accounts.map((account) => ({ ...account, leased: 0 }));
  accounts.forEach(({ leased }, i) => (world.leases[member]![i] = leased));
}

function send(world: World, member: number, accounts: SharedAccount[]): void {
  const [before, again, mixed] = [1, 2, 3].map(() => accounts.map((each) => ({ ...each }))) as [
    ...[SharedAccount[], SharedAccount[], SharedAccount[]],
  ];
  const exchange = freeze(anyExchange(world, before));
  world.said?.push(`member ${member} says ${JSON.stringify(exchange)}`);
  const answer = applyExchange(exchange, accounts);
  same([applyExchange(exchange, again), again], [answer, accounts], 'what is done to a copy');
  const postings = exchange.postings.toReversed();
  const other = applyExchange({ ...exchange, postings }, mixed);
  same([other, mixed], [answer, accounts], 'what postings do in another order');
  before.forEach((was, i) => compare(world, i, exchange, { answer, was, now: accounts[i]! }));
}

function compare(
  { limits }: World,
  place: number,
  { postings, adjustments, gifts }: Exchange,
  { answer, was, now }: { answer: ExchangeAnswer; was: SharedAccount; now: SharedAccount },
): void {
  const mine = postings.filter(({ account }) => account === place);
  const total = (field: keyof Posting) => mine.reduce((sum, each) => sum + BigInt(each[field]), 0n);
  const given = gifts.reduce((sum, each) => sum + (each.account === place ? each.amount : 0), 0);
  const covered = Math.min(was.leased, Number(total('leased')));
  const left = Math.max(0, was.leased - covered - given);
  const granted = now.leased - left;
  hold(granted >= 0, `${granted} was granted`);
  hold(now.held - was.held === now.leased - was.leased, 'held changes as the lease does');
  if (granted > 0) hold(now.spent + now.held <= limits[place]!, 'a grant passes the limit');
  const { accounts, adjusted } = answer;
  same(
    accounts[place],
    { ...now, spentBefore: was.spent, refusedBefore: was.refused },
    'the answer',
  );
  const hits = adjusted.filter((_, i) => adjustments[i]!.account === place);
  const added = hits.reduce((sum, each) => sum + BigInt(each), 0n);
  const spent = atMost(BigInt(was.spent) + total('nanoUsd'));
  hold(BigInt(now.spent) === spent + added, 'spent adds up');
  for (const field of ['unpriced', 'refused'] as const) {
    hold(BigInt(now[field] - was[field]) === total(field), `${field} adds up`);
  }
  if (added !== 0n) return;
  const overrun = BigInt(was.overrun) + total('overrun') + total('leased') - BigInt(covered);
  hold(BigInt(now.overrun) === atMost(overrun), 'what no lease covers is overrun');
}

function atMost(nanoUsd: bigint): bigint {
  return nanoUsd > MOST ? BigInt(MOST) : nanoUsd;
}

function check({ accounts, leases, limits, honest }: World): void {
  accounts.forEach((account, i) => {
    const leased = leases.reduce((sum, each) => sum + BigInt(each[i]!), 0n);
    hold(BigInt(account.held) === leased, 'an account holds the sum of its leases');
    const fair = (value: number) => Number.isSafeInteger(value) && value >= 0;
    hold(Object.values(account).every(fair) && leases.flat().every(fair), 'all money is fair');
    const { spent, held, uncertain, overrun } = account;
    hold(uncertain <= spent && overrun <= spent, 'an account has parts of what is spent');
    hold(!honest || spent + held <= limits[i]!, 'an account stays within its limit');
  });
}

function anyExchange(world: World, accounts: readonly SharedAccount[]): Exchange {
  const { draw, honest, unit, limits } = world;
  const left = accounts.map(({ leased }) => leased);
  const some = <T>(most: number, make: (account: number) => T): T[] =>
    Array.from({ length: draw(most + 1) }, () => make(draw(ACCOUNTS)));
  const money = (most: number) => unit * draw(most);
  return exchangeOf({
    postings: some(3, (account) => {
      const leased = honest ? Math.min(left[account]!, money(40)) : money(40);
      left[account]! -= leased;
      const overrun = honest ? 0 : money(5);
      const nanoUsd = leased + overrun + (honest ? 0 : money(3));
      const rest = { uncertain: draw(2) * leased, unpriced: draw(2), refused: draw(2) };
      return posting(account, { nanoUsd, leased, overrun, ...rest });
    }),
    adjustments: some(1, (account) => ({
      ...{ account, nanoUsd: (honest ? 0 : money(50)) - money(50), at: 0, reason: 'chance' },
    })),
    gifts: some(2, (account) => ({ account, amount: money(60) })),
    takings: some(3, (first) => {
      const places = draw(2) === 0 ? [first] : [first, 1 - first];
      return places.map((account) => {
        return { account, limit: limits[account]!, need: money(60), wish: money(30) };
      });
    }),
  });
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object') freeze(inner);
  return Object.freeze(value);
}

function same(given: unknown, expected: unknown, what: string): void {
  hold(JSON.stringify(given) === JSON.stringify(expected), `${what} is the same`);
}

function hold(right: boolean, what: string): void {
  if (!right) throw new Error(`expected that ${what}`);
}
