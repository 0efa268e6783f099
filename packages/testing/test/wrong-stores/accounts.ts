import { keyOf } from '../../../core/src/cell.js';
import { rightMoney, type MoneyParts } from '../map-budgets.js';
import { budgeting, whole, type Case } from './wrong.js';
import type { Wrong } from '../map-store.js';

/** Wrong in which accounts there are, and whose. */
const { addressOf, isOf } = rightMoney;

const addresses = (address: MoneyParts['addressOf']): Wrong => ({ money: { addressOf: address } });
const forgets = (is: MoneyParts['isOf']): Wrong => ({ money: { isOf: is } });

export const ACCOUNTS: readonly Case[] = [
  [
    'counts what it gives, not what there is',
    budgeting(({ accounts }) => ({
      async accounts(query) {
        const page = await accounts(query);
        return { ...page, count: page.accounts.length };
      },
    })),
    [/^accounts of one budget and period/],
  ],
  [
    'lists those first that have spent most',
    budgeting(({ accounts }) => ({
      async accounts(query) {
        const page = await accounts(query);
        return { ...page, accounts: page.accounts.toSorted((a, b) => b.spent - a.spent) };
      },
    })),
    [/^accounts of one budget and period/],
  ],
  [
    'has one account for all periods',
    addresses(({ budget, scope }) => [budget, scope]),
    [/^accounts of one budget and period/],
  ],
  [
    'lists accounts that nothing is on',
    { money: { isListed: () => true } },
    [/^an account is listed for money/],
  ],
  [
    'lists accounts with money only',
    { money: { isListed: ({ spent, held }) => spent + held > 0 } },
    [/^an account is listed for money/],
  ],
  [
    'takes no scope for an empty one',
    addresses(({ scope, ...rest }) => addressOf({ ...rest, scope: scope ?? '' })),
    [/^any text is the name of a budget/],
  ],
  [
    "takes no scope for 'null'",
    addresses(({ scope, ...rest }) => addressOf({ ...rest, scope: String(scope) })),
    [/^any text is the name of a budget/, /^budgets and scopes that would be one/],
  ],
  [
    'cuts the names of scopes',
    addresses(({ scope, ...rest }) => addressOf({ ...rest, scope: scope?.slice(0, 255) ?? null })),
    [/^any text is the name of a budget/],
  ],
  [
    'takes halves of characters for each other',
    addresses(({ budget, ...rest }) => addressOf({ ...rest, budget: whole(budget) })),
    [/^any text is the name of a budget/],
  ],
  [
    'joins a budget and a scope',
    addresses(({ budget, scope, from }) => [`${budget}:${scope}`, scope === null, from]),
    [/^budgets and scopes that would be one/],
  ],
  [
    'folds the case of members',
    budgeting(({ exchange }) => ({
      exchange: (given) => exchange({ ...given, member: given.member.toLowerCase() }),
    })),
    [/^any text is the name of a budget/],
  ],
  ['forgets no user', forgets(() => false), [/^the accounts of a forgotten user/]],
  [
    'forgets every user whose id begins alike',
    forgets(({ personal, scope }, userId) => personal && scope?.startsWith(userId) === true),
    [/^the accounts of a forgotten user/],
  ],
  [
    'forgets whatever is called like a user',
    forgets(({ scope }, userId) => scope === keyOf(userId)),
    [/^the accounts of a forgotten user/],
  ],
  [
    'forgets ids, not keys',
    forgets(({ personal, scope }, userId) => personal && scope === userId),
    [/^users that are called like reserved names/],
  ],
  [
    'forgets ids as well as keys',
    forgets(({ personal, scope }, userId) => {
      return personal && (scope === userId || scope === keyOf(userId));
    }),
    [/^users that are called like reserved names/],
  ],
  [
    'keeps the adjustments of a user',
    budgeting(({ forgetUser }, money) => ({
      async forgetUser(userId) {
        const { adjustments } = money;
        await forgetUser(userId);
        money.adjustments = adjustments;
      },
    })),
    [/^the accounts of a forgotten user/],
  ],
  [
    'keeps the leases on the accounts of a user',
    budgeting((_, { accounts }) => ({
      async forgetUser(userId) {
        for (const kept of accounts.values()) {
          if (isOf(kept.address, userId)) Object.assign(kept, { spent: 0 });
        }
      },
    })),
    [/^the accounts of a forgotten user/],
  ],
];
