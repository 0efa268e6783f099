import { keyOf } from '../../../core/src/cell.js';
import { type Case } from './wrong.js';

/** Wrong in forgetting a user. */
export const FORGETTING: readonly Case[] = [
  [
    'forgets nobody',
    { wrap: () => ({ forgetUser: async () => {} }) },
    [/^a forgotten user leaves no trace in cells/, /^a forgotten user leaves no trace in calls/],
  ],
  [
    'forgets what a user cost',
    {
      wrap: (_, { buckets }) => ({
        async forgetUser(userId) {
          for (const bucket of buckets.values()) {
            for (const [address, { key }] of bucket) if (key[0] === userId) bucket.delete(address);
          }
        },
      }),
    },
    [/^a forgotten user leaves no trace in cells/, /^a forgotten user leaves no trace in calls/],
  ],
  [
    'forgets everybody whose id begins alike',
    {
      wrap: ({ forgetUser }, { buckets }) => ({
        async forgetUser(userId) {
          const names = [...buckets.values()].flatMap((bucket) => {
            return [...bucket.values()].map(({ key }) => key[0]);
          });
          for (const name of new Set(names)) if (name.startsWith(userId)) await forgetUser(name);
        },
      }),
    },
    [/^a forgotten user leaves no trace in cells/, /^forgetting again/],
  ],
  [
    'forgets a user in any case of letters',
    {
      wrap: ({ forgetUser }) => ({
        forgetUser: (userId) => forgetUser(userId.toUpperCase()),
      }),
    },
    [/^a forgotten user leaves no trace in cells/, /^a forgotten user leaves no trace in calls/],
  ],
  [
    'forgets keys instead of ids',
    {
      wrap: ({ forgetUser }) => ({
        forgetUser: (userId) => forgetUser(userId.replace(/^\\(?=\\*\()/, '')),
      }),
    },
    [/^users with hostile ids/],
  ],
  [
    'fails for a user that it does not know',
    {
      wrap: ({ forgetUser }, { buckets }) => ({
        async forgetUser(userId) {
          const cells = [...buckets.values()].flatMap((bucket) => [...bucket.values()]);
          if (!cells.some(({ key }) => key[0] === keyOf(userId))) throw new Error('not found');
          await forgetUser(userId);
        },
      }),
    },
    [/^forgetting again/],
  ],
  [
    'forgets batches with a user',
    {
      wrap: ({ forgetUser }, { batches }) => ({
        async forgetUser(userId) {
          batches.clear();
          await forgetUser(userId);
        },
      }),
    },
    [/^a batch that is brought again does not bring the user back/],
  ],
  [
    'never counts a user again',
    {
      wrap({ forgetUser, merge }) {
        const gone = new Set<string>();
        return {
          async forgetUser(userId) {
            gone.add(keyOf(userId));
            await forgetUser(userId);
          },
          merge: (cells, now, batch) =>
            merge(
              cells.filter(({ key }) => !gone.has(key[0])),
              now,
              batch,
            ),
        };
      },
    },
    [/^calls of the user that come later/],
  ],
  [
    'takes the calls away with those of others',
    {
      wrap: ({ forgetUser }, data) => ({
        async forgetUser(userId) {
          await forgetUser(userId);
          data.calls = data.calls.filter(({ record }) => record.userId !== null);
        },
      }),
    },
    [/^a forgotten user leaves no trace in calls/],
  ],
];
