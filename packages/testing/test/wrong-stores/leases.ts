import { rightMoney } from '../map-budgets.js';
import { budgeting, type Case } from './wrong.js';

/** Wrong in when leases expire, and in what is kept meanwhile. */
const { expire, isOverdue } = rightMoney;

let reading = false;

export const LEASES: readonly Case[] = [
  [
    'never lets a lease expire',
    { money: { isOverdue: () => false } },
    [/^leases of a silent member/, /^an exchange of another member/, /^any exchanges of three/],
  ],
  [
    'lets the leases of all expire with one',
    {
      money: {
        expire(money) {
          for (const name of money.members.keys()) expire(money, name);
        },
      },
    },
    [/^leases of a silent member/],
  ],
  [
    'lets the lease on one account expire only',
    {
      money: {
        expire(money, member) {
          const [first] = money.accounts;
          if (first) expire({ ...money, accounts: new Map([first]) }, member);
        },
      },
    },
    [/^leases of a silent member/],
  ],
  [
    'lets leases expire when somebody asks for accounts',
    {
      money: { isOverdue: (member, now) => reading && isOverdue(member, now) },
      wrap: ({ budgets }) => ({
        budgets: {
          ...budgets,
          async accounts(query) {
            reading = true;
            try {
              return await budgets.accounts(query);
            } finally {
              reading = false;
            }
          },
        },
      }),
    },
    [/^an exchange of another member/],
  ],
  [
    'forgets a member with its leases',
    {
      money: {
        expire(money, member) {
          expire(money, member);
          money.members.delete(member);
        },
      },
    },
    [/^a member that comes back/, /^a member is known for a day/],
  ],
  [
    'lets a member post out of a lease that has expired',
    {
      money: {
        expire({ accounts }, member) {
          for (const account of accounts.values()) {
            const held = account.held - (account.leases.get(member) ?? 0);
            Object.assign(account, { held });
          }
        },
      },
    },
    [/^a member that comes back/],
  ],
  [
    'takes milliseconds for seconds',
    { money: { expiryOf: ({ ttlMs }, now) => now + 1_000 * ttlMs } },
    [/^leases of a silent member/],
  ],
  [
    'lets every lease expire after a minute',
    { money: { expiryOf: ({ ttlMs }, now) => now + Math.min(ttlMs, 60_000) } },
    [/^leases last as long/],
  ],
  [
    'has one time to live for all, that of the last',
    budgeting(({ exchange }, { members }) => ({
      async exchange(given) {
        const answer = await exchange(given);
        const { expiresAt } = members.get(given.member)!;
        for (const member of members.values()) member.expiresAt = expiresAt;
        return answer;
      },
    })),
    [/^leases of a silent member/],
  ],
  [
    'renews nothing when nothing is said',
    {
      money: {
        expiryOf: ({ ttlMs, accounts }, now, { expiresAt }) =>
          accounts.length > 0 ? now + ttlMs : expiresAt,
      },
    },
    [/^an exchange about nothing renews/],
  ],
  [
    'renews nothing when an exchange comes again',
    {
      money: {
        expiryOf: ({ ttlMs, number }, now, { last, expiresAt }) =>
          number > last ? now + ttlMs : expiresAt,
      },
    },
    [/^an exchange about nothing renews/],
  ],
  [
    'never lets a lease expire sooner than it was said before',
    {
      money: {
        expiryOf: ({ ttlMs }, now, { expiresAt }) => Math.max(now + ttlMs, expiresAt),
      },
    },
    [/^an exchange about nothing renews/, /^any exchanges of three/],
  ],
  [
    'removes accounts with the end of their period',
    budgeting(({ exchange }, money) => ({
      exchange(given) {
        for (const [key, { address }] of money.accounts) {
          if (address.to < money.now) money.accounts.delete(key);
        }
        return exchange(given);
      },
    })),
    [/^accounts are kept for a week/],
  ],
  [
    'lets go of answers when it is opened',
    {
      wrap(_, { money }) {
        money.members.clear();
        return {};
      },
    },
    [/^money, leases and answers are there/],
  ],
  [
    'lets go of leases when it is closed',
    {
      wrap: ({ close }, { money }) => ({
        async close() {
          for (const name of money.members.keys()) expire(money, name);
          await close?.();
        },
      }),
    },
    [/^money, leases and answers are there/],
  ],
  [
    'goes on after it was closed',
    { wrap: () => ({ close: async () => {} }) },
    [/^after closing, budgets/, /^after closing, notes/],
  ],
];
