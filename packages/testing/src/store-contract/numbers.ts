import { expectGiven, expectThat, failureOf, show } from './expectation.js';
import {
  accountOf,
  adjusting,
  answerOf,
  budgetsOf,
  HOUR,
  memberOf,
  pageOf,
  posting,
  send,
  viewsOf,
  wanting,
} from './member.js';
import type { Cases } from './stage.js';
import type { ContractExchange, ContractPosting } from './subject.js';

/** An exchange that comes again is answered as it was, and nothing happens twice, or by half. */

const ACCOUNTS = [accountOf()];
/** Everything that an exchange can say, and that must not happen twice. */
const SAID = {
  accounts: ACCOUNTS,
  postings: [posting(30, { uncertain: 1, overrun: 2, unpriced: 3, refused: 4 })],
  adjustments: [adjusting(-5, 'refund')],
  takings: [[wanting(10, 1_000, { wish: 7 })], [wanting(5_000, 1_000)]],
};

export const numberCases: Cases = {
  async 'an exchange that comes again is answered as it was, and changes nothing'(stage) {
    const opened = await stage.open();
    const views = await viewsOf(stage, opened, 3);
    const exchange = memberOf(views[0]!, 'ada').next(SAID);
    const answer = await send(views[0]!, exchange);
    const bob = memberOf(views[1]!, 'bob');
    for (const view of [...views, ...views]) {
      expectGiven(await send(view, exchange), answer, 'the same exchange again');
      await bob.say({ accounts: ACCOUNTS, postings: [posting(1)], takings: [[wanting(1, 1_000)]] });
    }
    const [account] = (await pageOf(views[2]!)).accounts;
    const sums = { spent: 31, held: 23, uncertain: 1, overrun: 2, unpriced: 3, refused: 4 };
    expectGiven(account, { scope: null, ...sums }, 'the account, after six times the same');
    expectGiven((await budgetsOf(views[0]!).adjustments(9)).length, 1, 'adjustments in the list');
  },

  async 'an exchange that comes several times at once happens once'(stage) {
    const opened = await stage.open();
    const views = await viewsOf(stage, opened, 3);
    const ada = memberOf(views[0]!, 'ada');
    for (let i = 1; i <= 6; i += 1) {
      const exchange = ada.next(SAID);
      const answers = await Promise.all([...views, ...views].map((view) => send(view, exchange)));
      for (const answer of answers) expectGiven(answer, answers[0], 'one of six answers to one');
      expectGiven(answers[0]?.accounts[0]?.spent, 25 * i, `spent after ${i} exchanges`);
      expectGiven(answers[0]?.accounts[0]?.held, 17 * i, `held after ${i} exchanges`);
    }
  },

  async 'a number below the last one gets the last answer; one beyond is the next'(stage) {
    const { store } = await stage.open();
    const ada = memberOf(store, 'ada');
    const posts = (number: number) => {
      return ada.next({ number, accounts: ACCOUNTS, postings: [posting(number)] });
    };
    await send(store, posts(3));
    const last = await send(store, posts(40));
    expectGiven(last, answerOf({ spent: 43, spentBefore: 3 }), 'number 40 after number 3');
    for (const number of [40, 39, 3, 1]) {
      const what = `number ${number} after number 40`;
      expectGiven(await send(store, posts(number)), last, what);
    }
    const other = memberOf(store, 'bob');
    await other.say({ accounts: ACCOUNTS, postings: [posting(100)] });
    const next = await send(store, posts(41));
    expectGiven(next, answerOf({ spent: 184, spentBefore: 143 }), 'number 41 after number 40');
  },

  async 'a member is known for a day'(stage) {
    const opened = await stage.open();
    const { store } = opened;
    const exchange = memberOf(store, 'ada').next(SAID);
    const answer = await send(store, exchange);
    const bob = memberOf(store, 'bob');
    for (let hour = 1; hour < 24; hour += 1) {
      await opened.pass(HOUR);
      await bob.say({ accounts: [accountOf('other')], postings: [posting(1)] });
    }
    expectGiven(await send(store, exchange), answer, 'the same exchange, 23 hours later');
    expectGiven((await pageOf(store)).accounts[0]?.spent, 25, 'spent, 23 hours later');
  },

  async 'an exchange that is half wrong changes nothing, and can come again right'(stage) {
    const { store } = await stage.open();
    const ada = memberOf(store, 'ada');
    await ada.say(SAID);
    const before = await pageOf(store);
    const first = ada.next({ ...SAID, accounts: [...ACCOUNTS, accountOf('all', 'chat')] });
    const bare = { account: 1 } as ContractPosting;
    const wrong: readonly Partial<ContractExchange>[] = [
      { postings: [posting(1), posting(1, { account: 2 })] },
      { postings: [posting(1), posting(1, { account: -1 })] },
      { postings: [posting(1), bare] },
      { postings: [posting(1), posting(NaN, { account: 1 })] },
      { adjustments: [adjusting(1, 'right'), adjusting(1, 'nowhere', 2)] },
      { adjustments: [adjusting(1, 'right'), adjusting(NaN, 'no number')] },
      { gifts: [{ account: 2, amount: 1 }] },
      { gifts: [{ account: 0, amount: NaN }] },
      { takings: [[wanting(1, 1_000)], [wanting(1, 1_000, { account: 2 })]] },
    ];
    for (const part of wrong) {
      const what = show(part);
      const failure = await failureOf(() => send(store, { ...first, ...part }));
      expectThat(failure !== null, `${what}: expected a rejection, the store gave an answer`);
      expectGiven(await pageOf(store), before, `accounts after ${what}`);
    }
    expectGiven((await budgetsOf(store).adjustments(9)).length, 1, 'adjustments in the list');
    const answer = await send(store, first);
    expectGiven(answer.accounts[0]?.spent, 50, 'spent, when it came again right');
    expectGiven(answer.accounts[0]?.leased, 34, 'leased, when it came again right');
  },

  async 'what was said and what was answered belongs to the caller'(stage) {
    const { store } = await stage.open();
    const exchange = memberOf(store, 'ada').next(SAID);
    const said = structuredClone(exchange);
    const answer = await send(store, said);
    expectGiven(said, exchange, 'an exchange, after it was sent');
    const kept = structuredClone(answer);
    (answer.accounts[0] as { spent: number }).spent = 7;
    (said.postings[0] as { nanoUsd: number }).nanoUsd = 7;
    expectGiven(
      await send(store, exchange),
      kept,
      'the same again, the first answer being changed',
    );
  },
};
