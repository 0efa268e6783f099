import { expectGiven } from './expectation.js';
import {
  accountOf,
  answerOf,
  heldOf,
  HOUR,
  memberOf,
  pageOf,
  posting,
  send,
  SHORT,
  viewsOf,
  wanting,
} from './member.js';
import { DAY, MINUTE, NOW, type Cases } from './stage.js';

/**
 * Leases expire by the store's clock, and only those of members that are silent. Where that clock is
 * real, what has to last does so for an hour, and what has to end is waited for.
 */

const ACCOUNTS = [accountOf()];
const takes = (need: number, ttlMs = HOUR) => ({
  ...{ accounts: ACCOUNTS, ttlMs },
  takings: [[wanting(need, 1_000)]],
});

export const expiryCases: Cases = {
  async 'leases of a silent member expire, and no others'(stage) {
    const opened = await stage.open();
    const [first, second] = await viewsOf(stage, opened, 2);
    const [ada, bob] = [memberOf(first!, 'ada'), memberOf(second!, 'bob')];
    await bob.say(takes(300));
    const accounts = [...ACCOUNTS, accountOf('all', 'chat')];
    const takings = [[wanting(40, 1_000), wanting(2, 1_000, { account: 1 })]];
    await ada.say({ accounts, ttlMs: SHORT, takings });
    const isOver = async () => (await heldOf(second!)) === 300;
    await opened.lapse(SHORT, isOver, 'a lease of 40 on one account and 2 on another');
    const page = await pageOf(first!);
    const balance = { spent: 0, held: 300, uncertain: 0, overrun: 0, unpriced: 0, refused: 0 };
    expectGiven(page, { accounts: [{ scope: null, ...balance }], count: 1 }, 'accounts after it');
    const given = await bob.say({ accounts: ACCOUNTS });
    expectGiven(given, answerOf({ held: 300, leased: 300 }), 'the lease of the other member');
  },

  async 'an exchange of another member finds what has expired, and takes it'(stage) {
    const opened = await stage.open();
    const [first, second] = await viewsOf(stage, opened, 2);
    const bob = memberOf(second!, 'bob');
    await memberOf(first!, 'ada').say(takes(1_000, SHORT));
    await opened.lapse(
      SHORT,
      async () => (await bob.say(takes(600))).refused[0] === -1,
      'the lease of a silent member, when another one wants it',
    );
    const given = await bob.say({ accounts: ACCOUNTS });
    expectGiven(given, answerOf({ held: 600, leased: 600 }), 'what the other has taken');
  },

  async 'a member that comes back holds nothing, posts as overrun, and goes on'(stage) {
    const opened = await stage.open();
    const { store } = opened;
    const [ada, bob] = [memberOf(store, 'ada'), memberOf(store, 'bob')];
    const exchange = ada.next(takes(100, SHORT));
    const answer = await send(store, exchange);
    await opened.lapse(SHORT, async () => (await heldOf(store)) === 0, 'a lease of 100');
    await bob.say(takes(1_000));
    const again = await send(store, { ...exchange, ttlMs: HOUR });
    expectGiven(again, answer, 'the exchange again, after its lease has expired');
    const postings = [posting(70, { leased: 60, overrun: 10 })];
    const late = await ada.say({ accounts: ACCOUNTS, postings });
    expectGiven(late, answerOf({ spent: 70, held: 1_000, overrun: 70 }), 'a late posting');
    await bob.say({ accounts: ACCOUNTS, gifts: [{ account: 0, amount: 500 }] });
    const next = await ada.say(takes(50));
    const expected = { spent: 70, held: 550, leased: 50, overrun: 70, spentBefore: 70 };
    expectGiven(next, answerOf(expected, { refused: [-1] }), 'a lease after the one that expired');
    const gifts = [{ account: 0, amount: 100 }];
    const given = await ada.say({ accounts: ACCOUNTS, gifts });
    const rest = { ...expected, held: 500, leased: 0 };
    expectGiven(given, answerOf(rest), 'a gift of more than the new lease');
  },

  async 'leases last as long as the member has said'(stage) {
    const opened = await stage.open();
    const { store } = opened;
    await memberOf(store, 'ada').say(takes(100));
    await memberOf(store, 'bob').say(takes(20, 3 * HOUR));
    await opened.pass(59 * MINUTE);
    expectGiven(await heldOf(store), 120, 'held 59 minutes after a lease of an hour');
  },

  async 'an exchange about nothing renews every lease of its member, and so does one again'(stage) {
    const opened = await stage.open();
    const { store } = opened;
    const ada = memberOf(store, 'ada');
    const accounts = [...ACCOUNTS, accountOf('all', 'chat')];
    await ada.say({ accounts, takings: [[wanting(40, 1_000), wanting(2, 9, { account: 1 })]] });
    for (let i = 0; i < 3; i += 1) {
      await opened.pass(50 * MINUTE);
      expectGiven(await ada.say(), { accounts: [], adjusted: [], refused: [] }, 'nothing said');
      expectGiven(await heldOf(store), 42, 'held after 50 minutes and an empty exchange');
    }
    const last = ada.next();
    for (let i = 0; i < 3; i += 1) {
      await opened.pass(50 * MINUTE);
      await send(store, last);
      expectGiven(await heldOf(store), 42, 'held after 50 minutes and the same exchange again');
    }
    await ada.say({ ttlMs: SHORT });
    const isOver = async () => (await heldOf(store)) === 0;
    await opened.lapse(SHORT, isOver, 'a lease of an hour, renewed for a moment only');
  },

  async 'accounts are kept for a week after their period'(stage) {
    const opened = await stage.open();
    const { store } = opened;
    // Whether the store's clock is real or that of the case, it is a day before the end, or earlier.
    const to = Math.max(NOW, Date.now()) + DAY;
    const adjustments = [{ account: 0, nanoUsd: 5, at: NOW, reason: 'credit' }];
    const accounts = [accountOf('all', null, { to })];
    await memberOf(store, 'ada').say({ accounts, postings: [posting(7)], adjustments });
    const bob = memberOf(store, 'bob');
    for (let day = 0; day < 15; day += 1) {
      await opened.pass(DAY / 2);
      await opened.merge([]);
      await bob.say({ accounts: [accountOf('other')], postings: [posting(1)] });
    }
    expectGiven((await pageOf(store)).accounts[0]?.spent, 12, 'spent, 6.5 days after the period');
  },
};
