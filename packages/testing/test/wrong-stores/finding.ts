import type { MapStore, Wrong } from '../map-store.js';
import { whole, type Case } from './wrong.js';
import type { CallRecord } from '../../../core/src/record.js';

/** Wrong in finding the call of a message. */
type Calls = readonly CallRecord[];

const finds = (find: (calls: Calls, messageId: string) => CallRecord | undefined): Wrong => ({
  wrap: (_, data) => ({
    findCall: async (messageId) =>
      find(
        data.calls.map(({ record }) => record),
        messageId,
      ) ?? null,
  }),
});

/** A store that goes by what was added to this view, whatever became of it. */
const remembers = ({ addCalls }: MapStore): Partial<MapStore> => {
  const added: CallRecord[] = [];
  return {
    addCalls(calls) {
      added.push(...calls);
      return addCalls!(calls);
    },
    findCall: async (id) => added.findLast(({ messageId }) => messageId === id) ?? null,
  };
};

export const FINDING: readonly Case[] = [
  [
    'finds by the beginning of an id',
    finds((calls, id) => calls.findLast(({ messageId }) => messageId?.startsWith(id))),
    [/^finds the call of a message/],
  ],
  [
    'finds by other ids, too',
    finds((calls, id) => calls.findLast((call) => [call.messageId, call.id].includes(id))),
    [/^finds the call of a message/],
  ],
  [
    'finds ids as UTF-8 has them',
    finds((calls, id) => calls.findLast(({ messageId }) => whole(messageId ?? '') === whole(id))),
    [/^finds calls by hostile ids/],
  ],
  [
    'takes no id for a text',
    finds((calls, id) => calls.findLast(({ messageId }) => String(messageId) === id)),
    [/^finds the last call of a message/],
  ],
  [
    'finds the first call of a message',
    finds((calls, id) => calls.find(({ messageId }) => messageId === id)),
    [/^finds the last call of a message/],
  ],
  [
    'finds what this view has added',
    { wrap: remembers },
    [
      /^finds only calls that are kept/,
      /^after opening again the call/,
      /^a call that one view added/,
      /^the call of a forgotten user/,
    ],
  ],
];
