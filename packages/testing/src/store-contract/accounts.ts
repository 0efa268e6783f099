import { expectGiven, show } from './expectation.js';
import { HOSTILE_NAMES, LOOKALIKES, PAIRS } from './hostile-names.js';
import {
  accountOf,
  adjusting,
  budgetsOf,
  memberOf,
  pageOf,
  posting,
  send,
  wanting,
} from './member.js';
import type { Cases } from './stage.js';
import type { ContractAccountsPage, ContractExchange } from './subject.js';

/** Which accounts there are, by any names; and those of a user that is forgotten are not. */

const FROM = Date.UTC(2026, 9, 1);
const LONG = 'y'.repeat(999);
const NAMES = [...new Set([...HOSTILE_NAMES, ...LOOKALIKES, `${LONG}1`, `${LONG}2`])];

export const accountCases: Cases = {
  async 'accounts of one budget and period are listed, those with most money first'(stage) {
    const { store } = await stage.open();
    const scopes = [null, 'a', 'b', 'c', 'd', 'e'];
    const accounts = [
      ...scopes.map((scope) => accountOf('all', scope)),
      accountOf('other', 'a'),
      accountOf('all', 'a', { from: FROM }),
      accountOf('all', 'a', { from: FROM + 1 }),
    ];
    const postings = [20, 70, 10, 90, 30, 500, 600, 700].map((nanoUsd, i) => {
      return posting(nanoUsd, { account: i + 1 });
    });
    const takings = [[wanting(200, 1_000), wanting(55, 900, { account: 3 })]];
    await memberOf(store).say({ accounts, postings, takings });
    const sorted = [null, 'd', 'b', 'c', 'e', 'a'];
    const sums = [200, 90, 70, 65, 30, 20];
    const page = await pageOf(store);
    expectGiven(scopesOf(page), sorted, 'scopes');
    const given = page.accounts.map(({ spent, held }) => spent + held);
    expectGiven(given, sums, 'spent and held of each');
    for (const limit of [1, 4, 6, 7]) {
      const some = await pageOf(store, { limit });
      expectGiven(some, { ...page, accounts: page.accounts.slice(0, limit) }, `limit ${limit}`);
    }
    for (const [i, from] of [FROM, FROM + 1].entries()) {
      const { count, accounts: others } = await pageOf(store, { from });
      expectGiven([count, others[0]?.spent], [1, 600 + 100 * i], `the period from ${from}`);
    }
    for (const query of [{ from: FROM - 1 }, { budget: 'ALL' }, { budget: '' }]) {
      expectGiven(await pageOf(store, query), { accounts: [], count: 0 }, show(query));
    }
  },

  async 'an account is listed for money, a lease or a call, and for nothing else'(stage) {
    const { store } = await stage.open();
    const scopes = ['spent', 'unpriced', 'refused', 'held', 'asked', 'given', 'back', 'zero'];
    const accounts = scopes.map((scope) => accountOf('all', scope));
    const ada = memberOf(store);
    await ada.say({
      accounts,
      postings: [
        posting(1),
        posting(0, { account: 1, unpriced: 1 }),
        posting(0, { account: 2, refused: 1 }),
        posting(5, { account: 6 }),
        posting(0, { account: 7 }),
      ],
      adjustments: [adjusting(-9, 'refund', 6)],
      takings: [
        [wanting(1, 9, { account: 3 }), wanting(1, 9, { account: 5 })],
        [wanting(10, 9, { account: 4 })],
      ],
    });
    await ada.say({ accounts: [accounts[5]!], gifts: [{ account: 0, amount: 1 }] });
    const page = await pageOf(store);
    const listed = scopes.filter((scope) => scopesOf(page).includes(scope));
    expectGiven(listed, ['spent', 'unpriced', 'refused', 'held'], 'scopes that are listed');
    expectGiven([page.count, page.accounts.length], [4, 4], 'count, and accounts');
  },

  async 'any text is the name of a budget, a scope and a member'(stage) {
    const { store } = await stage.open();
    const said: ContractExchange[] = [];
    const answers: unknown[] = [];
    for (const [i, name] of NAMES.entries()) {
      const accounts = [
        ...[accountOf('first', name), accountOf(name, 'second'), accountOf(name, null)],
        accountOf(name, name),
      ];
      const postings = accounts.map((_, account) => posting(i + 1 + 1_000 * account, { account }));
      const adjustments = [adjusting(i + 1, name, 3)];
      said.push(memberOf(store, name).next({ accounts, postings, adjustments }));
      answers.push(await send(store, said[i]!));
    }
    for (const [i, exchange] of said.entries()) {
      const what = `the exchange of the member ${show(NAMES[i])}, again`;
      expectGiven(await send(store, exchange), answers[i], what);
    }
    const first = await pageOf(store, { budget: 'first' });
    expectGiven(scopesOf(first).toReversed(), NAMES, 'scopes, by what they have spent');
    for (const [i, budget] of NAMES.entries()) {
      const { accounts } = await pageOf(store, { budget });
      const sums = accounts.map(({ scope, spent }) => [scope, spent]);
      const expected = [
        ...[
          [budget, 3_002 + 2 * i],
          [null, 2_001 + i],
          ['second', 1_001 + i],
        ],
      ];
      expectGiven(sums, expected, `accounts of the budget ${show(budget)}`);
    }
    const listed = (await budgetsOf(store).adjustments(200)).map(({ budget, scope, reason }) => {
      return [budget, scope, reason];
    });
    const rows = NAMES.map((name) => [name, name, name]).toReversed();
    expectGiven(listed, rows, 'adjustments, the last first');
  },

  async 'budgets and scopes that would be one when joined stay apart'(stage) {
    const { store } = await stage.open();
    const pairs = [...PAIRS, ['null', null], ['null', 'null'], ['nul', 'l'], ['null', '']] as const;
    const accounts = pairs.map(([budget, scope]) => accountOf(budget, scope));
    const postings = pairs.map((_, account) => posting(account + 1, { account }));
    const takings = pairs.map((_, account) => [wanting(1, 1_000, { account })]);
    const ada = memberOf(store);
    await ada.say({ accounts, postings, takings });
    const { accounts: given } = await ada.say({ accounts });
    const sums = given.map(({ spent, leased }) => [spent, leased]);
    expectGiven(
      sums,
      Array.from(pairs, (_, i) => [i + 1, 1]),
      'spent and leased of each',
    );
  },

  async 'the accounts of a forgotten user are gone with their leases, and no others'(stage) {
    const { store } = await stage.open();
    const ids = ['ada', 'Ada', 'ada ', 'ad', 'adam', ...NAMES.slice(0, 12), LONG];
    const users = ids.map((id) => accountOf('users', id, { personal: true }));
    const others = [accountOf('features', 'ada'), accountOf('all', null, { personal: true })];
    const accounts = [...users, ...others];
    const [ada, bob] = [memberOf(store, 'ada'), memberOf(store, 'bob')];
    const adjustments = accounts.map((_, account) => adjusting(1, `credit ${account}`, account));
    const postings = accounts.map((_, account) => posting(account + 10, { account }));
    await ada.say({ accounts, postings, adjustments });
    const takings = accounts.map((_, account) => [wanting(5, 1_000, { account })]);
    await bob.say({ accounts, takings });
    const gone = ids.filter((_, i) => i % 2 === 0);
    for (const id of [...gone, ...gone, 'nobody', '%', '_', '*', '']) {
      await budgetsOf(store).forgetUser(id);
    }
    const left = ids.filter((_, i) => i % 2 === 1).toReversed();
    expectGiven(scopesOf(await pageOf(store, { budget: 'users' })), left, 'users that are there');
    for (const [budget, spent] of [
      ['features', ids.length + 11],
      ['all', ids.length + 12],
    ] as const) {
      const [account] = (await pageOf(store, { budget })).accounts;
      expectGiven([account?.spent, account?.held], [spent, 5], `the account of ${budget}`);
    }
    const reasons = (await budgetsOf(store).adjustments(100)).map(({ reason }) => reason);
    const kept = accounts.flatMap((_, i) => (i % 2 === 1 || i >= ids.length ? `credit ${i}` : []));
    expectGiven(reasons, kept.toReversed(), 'adjustments of those that are there');
    const late = await bob.say({
      accounts: users.slice(0, 2),
      postings: [posting(3, { leased: 3 }), posting(3, { leased: 3, account: 1 })],
    });
    const sums = late.accounts.map(({ spent, held, overrun }) => [spent, held, overrun]);
    const expected = [
      [3, 0, 3],
      [15, 2, 0],
    ];
    expectGiven(sums, expected, 'postings that come after the user was forgotten');
  },

  async 'users that are called like reserved names are forgotten by their key'(stage) {
    const { store } = await stage.open();
    const said = ['\\(other)', '\\(unattributed)', '(other)', 'ada'].map((scope) =>
      accountOf('users', scope, { personal: true }),
    );
    const postings = said.map((_, account) => posting(4 - account, { account }));
    await memberOf(store).say({ accounts: said, postings });
    for (const id of ['(other)', '(unattributed)']) await budgetsOf(store).forgetUser(id);
    const page = await pageOf(store, { budget: 'users' });
    expectGiven(scopesOf(page), ['(other)', 'ada'], 'users that are there');
  },
};

function scopesOf({ accounts }: ContractAccountsPage): (string | null)[] {
  return accounts.map(({ scope }) => scope);
}
