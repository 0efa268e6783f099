import { applyExchange } from '../../../core/src/exchange.js';
import { sharedOf, type Kept } from '../map-budgets.js';
import { applies, budgeting, hears, later, posts, wants, type Case } from './wrong.js';
import type { AccountBalance } from '../../../core/src/stores/budget-store.js';

/** Wrong in what an exchange does, and in doing it once. */
export const BUDGETS: readonly Case[] = [
  ['loses calls without a price', posts(() => ({ unpriced: 0 })), [/^postings add up/]],
  [
    'loses calls that were refused',
    posts(() => ({ refused: 0 })),
    [/^postings add up/, /^any exchanges of three/],
  ],
  ['loses what is uncertain', posts(() => ({ uncertain: 0 })), [/^postings add up/]],
  [
    'adds the last posting of an account only',
    hears(({ postings }) => ({
      postings: [...new Map(postings.map((each) => [each.account, each])).values()],
    })),
    [/^postings add up/, /^any exchanges of three/],
  ],
  [
    'leaves in the lease what was posted out of it',
    posts(() => ({ leased: 0 })),
    [/^what is posted out of a lease/, /^64 exchanges/],
  ],
  [
    'posts out of the leases of others',
    applies((exchange, accounts) => {
      for (const account of accounts) account.leased = account.held;
      return applyExchange(exchange, accounts);
    }),
    [/^what is posted out of a lease/, /^a member that comes back/],
  ],
  [
    'ignores the limit',
    wants(({ limit }) => ({ limit: 2 * limit })),
    [/^takings are met in order/, /^64 exchanges/],
  ],
  [
    'takes a half',
    applies((exchange, accounts) => {
      const takings = exchange.takings.flatMap((taking) => taking.map((want) => [want]));
      const { refused, ...answer } = applyExchange({ ...exchange, takings }, accounts);
      const left = [...refused];
      return {
        ...answer,
        refused: exchange.takings.map(({ length }) => {
          return left.splice(0, length).findIndex((each) => each !== -1);
        }),
      };
    }),
    [/^takings are met in order/],
  ],
  [
    'meets the last taking first',
    applies((exchange, accounts) => {
      const takings = exchange.takings.toReversed();
      const answer = applyExchange({ ...exchange, takings }, accounts);
      return { ...answer, refused: answer.refused.toReversed() };
    }),
    [/^takings are met in order/],
  ],
  ['meets no wish', wants(() => ({ wish: 0 })), [/^a wish is met as far/]],
  [
    'takes a wish for a need',
    wants(({ need, wish }) => ({ need: need + wish, wish: 0 })),
    [/^a wish is met as far/],
  ],
  [
    'gives back more than there is',
    applies((exchange, accounts) => {
      for (const { account, amount } of exchange.gifts) {
        accounts[account]!.leased -= amount;
        accounts[account]!.held -= amount;
      }
      return applyExchange({ ...exchange, gifts: [] }, accounts);
    }),
    [/^gifts give back/, /^any exchanges of three/],
  ],
  ['keeps what is given back', hears(() => ({ gifts: [] })), [/^gifts give back/]],
  [
    'lets an adjustment make spending negative',
    applies((exchange, accounts) => {
      const { adjustments } = exchange;
      const answer = applyExchange({ ...exchange, adjustments: [] }, accounts);
      for (const { account, nanoUsd } of adjustments) accounts[account]!.spent += nanoUsd;
      return { ...answer, adjusted: adjustments.map(({ nanoUsd }) => nanoUsd) };
    }),
    [/^adjustments are listed/, /^an adjustment makes room/],
  ],
  [
    'takes before it adjusts',
    applies((exchange, accounts) => {
      const { refused } = applyExchange({ ...exchange, adjustments: [] }, accounts);
      const rest = { postings: [], gifts: [], takings: [] };
      return { ...applyExchange({ ...exchange, ...rest }, accounts), refused };
    }),
    [/^an adjustment makes room/],
  ],
  [
    'lists no adjustments',
    budgeting(() => ({ adjustments: () => [] })),
    [/^adjustments are listed/],
  ],
  [
    'lists the first adjustment first',
    budgeting((_, money) => ({ adjustments: async (limit) => money.adjustments.slice(0, limit) })),
    [/^adjustments are listed/],
  ],
  [
    'has money of fifteen digits',
    { money: { keep: (kept, changed) => Object.assign(kept, rounded(changed)) } },
    [/^money is exact/],
  ],
  [
    'does an exchange again',
    { money: { isAgain: () => false } },
    [/^an exchange that comes again/, /^an exchange that comes several times/, /^64 exchanges/],
  ],
  [
    'forgets what it has answered',
    {
      money: {
        isAgain({ number }, member) {
          if (number > member.last) return false;
          member.answer = { accounts: [], adjusted: [], refused: [] };
          return true;
        },
      },
    },
    [/^an exchange that comes again/, /^any text is the name of a budget/],
  ],
  [
    'looks for an answer before it has done what came before',
    budgeting(({ exchange }, { members }) => ({
      async exchange(given) {
        const last = () => members.get(given.member)?.last ?? 0;
        const isNew = given.number > last();
        await later();
        return exchange(isNew ? { ...given, number: last() + 1 } : given);
      },
    })),
    [/^an exchange that comes several times/],
  ],
  [
    'does what has a number before the last one',
    { money: { isAgain: ({ number }, { last }) => number === last } },
    [/^a number below the last/],
  ],
  [
    'does nothing when a number was left out',
    { money: { isAgain: ({ number }, { last }) => last > 0 && number !== last + 1 } },
    [/^a number below the last/],
  ],
  [
    'forgets a member after an hour',
    budgeting(({ exchange }, money) => ({
      exchange(given) {
        for (const [name, { expiresAt }] of money.members) {
          if (expiresAt <= money.now) money.members.delete(name);
        }
        return exchange(given);
      },
    })),
    [/^a member is known for a day/],
  ],
  ['does what makes no sense', { money: { check: () => {} } }, [/^an exchange that is half wrong/]],
  [
    'counts an exchange that has failed',
    budgeting(({ exchange }, { members }) => ({
      async exchange(given) {
        try {
          return await exchange(given);
        } catch (error) {
          const member = members.get(given.member);
          if (member) member.last = given.number;
          throw error;
        }
      },
    })),
    [/^an exchange that is half wrong/],
  ],
  [
    'gives away the answer that it keeps',
    budgeting(({ exchange }, { members }) => ({
      async exchange(given) {
        const answer = await exchange(given);
        members.get(given.member)!.answer = answer;
        return answer;
      },
    })),
    [/^what was said and what was answered/],
  ],
  [
    'reads accounts first, and writes them when others have',
    budgeting(({ exchange }, { accounts }) => ({
      async exchange(given) {
        const before = [...accounts.values()].map((kept) => [kept, sharedOf(kept, '')] as const);
        await later();
        for (const [kept, shared] of before) revert(kept, shared);
        return exchange(given);
      },
    })),
    [/^64 exchanges/],
  ],
];

function revert(kept: Kept, { spent, held }: AccountBalance): void {
  Object.assign(kept, { spent, held });
}

function rounded(balance: AccountBalance): AccountBalance {
  return { ...balance, spent: Number(balance.spent.toPrecision(15)) };
}
