import { expectGiven } from './expectation.js';
import {
  accountOf,
  adjusting,
  answered,
  answerOf,
  budgetsOf,
  heldOf,
  memberOf,
  MOST,
  posting,
  viewsOf,
  wanting,
} from './member.js';
import { NOW, type Cases } from './stage.js';

/** What one exchange does: postings, adjustments, gifts and takings, in this order. */

const ACCOUNTS = [accountOf()];

export const spendingCases: Cases = {
  async 'postings add up, whoever brings them'(stage) {
    const opened = await stage.open();
    const views = await viewsOf(stage, opened, 2);
    const [ada, bob] = [memberOf(views[0]!, 'ada'), memberOf(views[1]!, 'bob')];
    const parts = { uncertain: 3, overrun: 4, unpriced: 1, refused: 2 };
    const first = await ada.say({ accounts: ACCOUNTS, postings: [posting(10, parts), posting(5)] });
    expectGiven(first, answerOf({ spent: 15, ...parts }), 'two postings of one exchange');
    const accounts = [accountOf('all', 'chat'), ...ACCOUNTS];
    const other = posting(7, { account: 0, unpriced: 2 });
    const second = await bob.say({
      accounts,
      postings: [posting(20, { ...parts, account: 1 }), other],
    });
    const both = { spent: 35, uncertain: 6, overrun: 8, unpriced: 2, refused: 4 };
    const expected = [
      answered({ spent: 7, unpriced: 2 }),
      answered({ ...both, spentBefore: 15, refusedBefore: 2 }),
    ];
    expectGiven(second.accounts, expected, 'postings of another member, beside those before');
    const empty = await ada.say({ accounts: ACCOUNTS });
    const before = { spentBefore: 35, refusedBefore: 4 };
    expectGiven(empty, answerOf({ ...both, ...before }), 'an exchange that only asks');
  },

  async 'what is posted out of a lease is held no more, and what is not there is overrun'(stage) {
    const { store } = await stage.open();
    const [ada, bob] = [memberOf(store, 'ada'), memberOf(store, 'bob')];
    await bob.say({ accounts: ACCOUNTS, takings: [[wanting(500, 1_000)]] });
    const taken = await ada.say({ accounts: ACCOUNTS, takings: [[wanting(100, 1_000)]] });
    expectGiven(taken, answerOf({ held: 600, leased: 100 }, { refused: [-1] }), 'a taking');
    const posted = await ada.say({ accounts: ACCOUNTS, postings: [posting(70, { leased: 60 })] });
    expectGiven(posted, answerOf({ spent: 70, held: 540, leased: 40 }), '60 of a lease of 100');
    const postings = [posting(55, { leased: 50, overrun: 5 })];
    const beyond = await ada.say({ accounts: ACCOUNTS, postings });
    const expected = { spent: 125, held: 500, overrun: 15, spentBefore: 70 };
    expectGiven(beyond, answerOf(expected), '50 of a lease of which 40 are left');
  },

  async 'takings are met in order, each whole or not at all'(stage) {
    const { store } = await stage.open();
    const takings = [60, 60, 40, 1, 0].map((need) => [wanting(need, 100)]);
    const answer = await memberOf(store).say({ accounts: ACCOUNTS, takings });
    const expected = answerOf({ held: 100, leased: 100 }, { refused: [-1, 0, -1, 0, -1] });
    expectGiven(answer, expected, 'takings that compete for 100');
    const accounts = [...ACCOUNTS, accountOf('all', 'chat'), accountOf('all', 'ada')];
    const second = await memberOf(store, 'bob').say({
      accounts,
      takings: [
        [wanting(50, 90, { account: 1 }), wanting(1, 100), wanting(50, 10, { account: 2 })],
        [wanting(5, 10, { account: 2 }), wanting(90, 90, { account: 1 })],
        [wanting(5, 9, { account: 2 }), wanting(1, 91, { account: 1 })],
      ],
    });
    expectGiven(second.refused, [1, -1, 0], 'takings of several accounts');
    const held = second.accounts.map((account) => [account.held, account.leased]);
    const wanted = [
      [100, 0],
      [90, 90],
      [5, 5],
    ];
    expectGiven(held, wanted, 'held and leased after takings of several accounts');
  },

  async 'a wish is met as far as there is plenty, and never beyond the limit'(stage) {
    const { store } = await stage.open();
    const wish = (need: number, more: number, limit = 1_000) => [
      wanting(need, limit, { wish: more }),
    ];
    const ada = memberOf(store, 'ada');
    const first = await ada.say({ accounts: ACCOUNTS, takings: [wish(100, 1_000), wish(0, 5)] });
    expectGiven(
      first.accounts[0]?.leased,
      100 + 112 + 5,
      '100 and an eighth of what is left, and 5',
    );
    const second = await memberOf(store, 'bob').say({
      accounts: ACCOUNTS,
      takings: [wish(783, 50), wish(0, 50), wish(0, 50, 500)],
    });
    const expected = answerOf({ held: 1_000, leased: 783 }, { refused: [-1, -1, 0] });
    expectGiven(second, expected, 'wishes without room');
  },

  async 'gifts give back what is there, and leave room for others'(stage) {
    const { store } = await stage.open();
    const [ada, bob] = [memberOf(store, 'ada'), memberOf(store, 'bob')];
    await ada.say({ accounts: ACCOUNTS, takings: [[wanting(60, 100)]] });
    await bob.say({ accounts: ACCOUNTS, takings: [[wanting(40, 100)]] });
    const gifts = [{ account: 0, amount: 25 }];
    const takings = [[wanting(20, 100)]];
    const given = await ada.say({ accounts: ACCOUNTS, gifts, takings });
    expectGiven(given, answerOf({ held: 95, leased: 55 }, { refused: [-1] }), 'a gift of 25');
    const more = await ada.say({ accounts: ACCOUNTS, gifts: [{ account: 0, amount: 1_000 }] });
    expectGiven(more, answerOf({ held: 40 }), 'a gift of more than there is');
    expectGiven(await heldOf(store), 40, 'what is held after the gifts');
  },

  async 'adjustments are listed, the last first, and never make spending negative'(stage) {
    const opened = await stage.open();
    const views = await viewsOf(stage, opened, 2);
    const accounts = [accountOf('all', 'chat'), ...ACCOUNTS];
    const reasons = ['refund', 'null', 'x'.repeat(500), '\0\ud800 \u{1f600} "\''];
    const adjustments = reasons.map((reason, i) => {
      return adjusting([-80, 30, 12, -200][i]!, reason, i === 2 ? 0 : 1, NOW + i);
    });
    const said = { accounts, postings: [posting(50, { account: 1 })], adjustments };
    const answer = await memberOf(views[0]!).say(said);
    expectGiven(answer.adjusted, [-50, 30, 12, -30], 'what was really added');
    expectGiven(answer.accounts, [answered({ spent: 12 }), answered()], 'adjusted accounts');
    const last = [adjusting(1, 'late', 0, NOW + 9)];
    await memberOf(views[1]!, 'bob').say({ accounts: ACCOUNTS, adjustments: last });
    const rows = adjustments.map(({ at, reason }, i) => ({
      ...{ at, budget: 'all', scope: i === 2 ? 'chat' : null },
      ...{ nanoUsd: answer.adjusted[i]!, reason },
    }));
    rows.push({ at: NOW + 9, budget: 'all', scope: null, nanoUsd: 1, reason: 'late' });
    rows.reverse();
    for (const view of views) {
      const listed = [...(await budgetsOf(view).adjustments(100))];
      expectGiven(listed, rows, 'adjustments, the last first');
      expectGiven([...(await budgetsOf(view).adjustments(2))], rows.slice(0, 2), 'two of them');
    }
  },

  async 'an adjustment makes room, and is done before the takings'(stage) {
    const { store } = await stage.open();
    const answer = await memberOf(store).say({
      accounts: ACCOUNTS,
      postings: [posting(100, { uncertain: 90, overrun: 80 })],
      adjustments: [adjusting(-40, 'refund')],
      takings: [[wanting(40, 100)], [wanting(1, 100)]],
    });
    const expected = { spent: 60, held: 40, leased: 40, uncertain: 60, overrun: 60 };
    const rest = { adjusted: [-40], refused: [-1, 0] };
    expectGiven(answer, answerOf(expected, rest), 'posting, adjustment and takings in one');
  },

  async 'money is exact up to 2^53, and stays there'(stage) {
    const { store } = await stage.open();
    const ada = memberOf(store, 'ada');
    const first = posting(MOST - 12, { uncertain: MOST - 13, overrun: MOST - 14, unpriced: 1 });
    const said = { accounts: ACCOUNTS, postings: [first], takings: [[wanting(9, MOST)]] };
    const near = { spent: MOST - 12, uncertain: MOST - 13, overrun: MOST - 14, unpriced: 1 };
    const rest = { refused: [-1] };
    expectGiven(await ada.say(said), answerOf({ ...near, held: 9, leased: 9 }, rest), 'near 2^53');
    const last = posting(10, { uncertain: 12, leased: 7, overrun: 3 });
    const all = { spent: MOST - 2, held: 2, leased: 2, unpriced: 1, spentBefore: MOST - 12 };
    const parts = { uncertain: MOST - 1, overrun: MOST - 11 };
    const second = await ada.say({ accounts: ACCOUNTS, postings: [last] });
    expectGiven(second, answerOf({ ...all, ...parts }), 'nearer');
    const full = await memberOf(store, 'bob').say({
      accounts: [...ACCOUNTS, accountOf('held')],
      postings: [posting(1_000, { uncertain: 1_000, overrun: 1_000 })],
      takings: [[wanting(MOST - 1, MOST, { account: 1 })], [wanting(1, MOST)]],
    });
    const most = { spent: MOST, uncertain: MOST, overrun: MOST, held: 2, unpriced: 1 };
    const expected = [
      answered({ ...most, spentBefore: MOST - 2 }),
      answered({ held: MOST - 1, leased: MOST - 1 }),
    ];
    expectGiven(full, { accounts: expected, adjusted: [], refused: [-1, 0] }, 'beyond 2^53');
    expectGiven(await heldOf(store, 'held'), MOST - 1, 'what is held, near 2^53');
  },
};
