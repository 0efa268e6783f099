import { expectGiven, expectThat } from './expectation.js';
import {
  accountOf,
  budgetsOf,
  heldOf,
  memberOf,
  pageOf,
  posting,
  send,
  SHORT,
  viewsOf,
  wanting,
  type Member,
} from './member.js';
import { budgetModel } from './model.js';
import type { Cases, Stage } from './stage.js';
import type { ContractExchange } from './subject.js';

/** Many members at once, and chance: what they have together is exact, and never beyond a limit. */

const LIMIT = 1_000;
const NAMES = 'abcdefgh'.split('');

export const crowdCases: Cases = {
  async '64 exchanges of 8 members at once are exact, and never beyond the limit'(stage) {
    const opened = await stage.open();
    const views = await viewsOf(stage, opened, 4);
    const posted = [0, 0];
    const play = async (name: string, i: number) => {
      // In either order, so that two of them would wait for each other if accounts were locked one by one.
      const [first, second] = i % 2 === 0 ? [0, 1] : [1, 0];
      const accounts = [accountOf(`money ${first}`), accountOf(`money ${second}`)];
      const view = views[i % views.length]!;
      const member = memberOf(view, name);
      const leased = [0, 0];
      for (let n = 0; n < 8; n += 1) {
        const postings = [first, second].map((money, account) => {
          const nanoUsd = Math.floor(leased[account]! / 2);
          posted[money]! += nanoUsd;
          return posting(nanoUsd, { account, leased: nanoUsd });
        });
        const need = 11 + 3 * i;
        const takings = [
          [wanting(need, LIMIT, { wish: 40 }), wanting(1, LIMIT, { account: 1, wish: 9 })],
        ];
        const exchange = member.next({ accounts, postings, takings });
        const answers = await Promise.all([send(view, exchange), send(views[n % 4]!, exchange)]);
        expectGiven(answers[1], answers[0], 'the same exchange twice at once');
        answers[0].accounts.forEach(({ spent, held, leased: mine, overrun }, account) => {
          leased[account] = mine;
          expectThat(
            spent + held <= LIMIT && mine <= held && overrun === 0,
            `money of 8 members at once: expected ${LIMIT} at most, nothing of it overrun, the ` +
              `store gave spent ${spent}, held ${held}, leased ${mine}, overrun ${overrun}`,
          );
        });
      }
      return i % 2 === 0 ? leased : leased.toReversed();
    };
    const left = await Promise.all(NAMES.map(play));
    for (const money of [0, 1]) {
      const { accounts } = await pageOf(views[money]!, { budget: `money ${money}` });
      const held = left.reduce((sum, each) => sum + each[money]!, 0);
      const given = [accounts[0]?.spent, accounts[0]?.held];
      expectGiven(given, [posted[money], held], `spent and held of money ${money}`);
    }
  },

  async 'any exchanges of three members give what they must, whatever happens in between'(stage) {
    const opened = await stage.open();
    const { random } = stage;
    const views = await viewsOf(stage, opened, 3);
    const model = budgetModel(stage.core);
    const members = NAMES.slice(0, 3).map((name, i) => memberOf(views[i]!, name));
    const last = new Map<Member, ContractExchange>();
    for (let step = 0; step < 300; step += 1) {
      const member = random.pick(members);
      const before = last.get(member);
      const exchange = before && random.once(6) ? before : member.next(anything(stage));
      last.set(member, exchange);
      const expected = model.exchange(exchange);
      const what = `answer ${step} to ${JSON.stringify(exchange)}`;
      expectGiven(await send(random.pick(views), exchange), expected, what);
      if (!random.once(50)) continue;
      last.delete(member);
      model.exchange(await sent(member));
      model.expire(member.name);
      await opened.lapse(SHORT, isAsModel, `leases of ${member.name}, silent since step ${step}`);
    }
    const page = await pageOf(views[2]!);
    const rows = page.accounts.toSorted(byScope);
    expectGiven(rows, model.accounts().toSorted(byScope), 'accounts at the end');
    const adjusted = (await budgetsOf(views[0]!).adjustments(1_000)).map(({ nanoUsd }) => nanoUsd);
    expectGiven(adjusted, model.adjusted().toReversed(), 'adjustments at the end');

    async function sent(member: Member): Promise<ContractExchange> {
      const exchange = member.next({ ttlMs: SHORT });
      await send(views[0]!, exchange);
      return exchange;
    }
    async function isAsModel(): Promise<boolean> {
      const held = model.accounts().reduce((sum, each) => sum + each.held, 0);
      return (await heldOf(views[1]!)) === held;
    }
  },
};

/** A few things of everything, most of which make sense. */
function anything({ random }: Stage): Partial<ContractExchange> {
  const scopes = random.shuffled([null, '', 'null', '__proto__']).slice(0, random.below(5));
  const some = <T>(most: number, make: (account: number) => T): T[] => {
    const count = scopes.length === 0 ? 0 : random.below(most + 1);
    return Array.from({ length: count }, () => make(random.below(scopes.length)));
  };
  const want = (account: number) =>
    wanting(random.below(150), 500 + random.below(1_500), { account, wish: random.below(100) });
  return {
    accounts: scopes.map((scope) => accountOf('all', scope)),
    postings: some(3, (account) => {
      const [leased, overrun] = [random.below(50), random.below(5)];
      const nanoUsd = leased + overrun + random.below(3);
      const uncertain = random.below(nanoUsd + 1);
      const rest = { unpriced: random.below(2), refused: random.below(2) };
      return posting(nanoUsd, { account, leased, overrun, uncertain, ...rest });
    }),
    adjustments: some(1, (account) => ({
      ...{ account, nanoUsd: 1 + random.below(99) - 2 * random.below(99), at: random.below(9) },
      reason: 'chance',
    })),
    gifts: some(2, (account) => ({ account, amount: random.below(60) })),
    takings: some(3, want).map((first) => {
      const second = want((first.account + 1) % scopes.length);
      return second.account === first.account ? [first] : [first, second];
    }),
  };
}

function byScope(a: { scope: string | null }, b: { scope: string | null }): number {
  return JSON.stringify(a.scope) < JSON.stringify(b.scope) ? -1 : 1;
}
