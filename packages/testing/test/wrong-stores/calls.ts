import { keyOf } from '../../../core/src/cell.js';
import { pageOf } from '../map-calls.js';
import { pages, type Case } from './wrong.js';
import type { CallRecord } from '../../../core/src/record.js';

/** Wrong in recent calls. */
export const CALLS: readonly Case[] = [
  [
    'gives the oldest call first',
    pages(async (_, query, { calls }) => {
      const page = await calls!(query);
      return { ...page, calls: page.calls.toReversed() };
    }),
    [/^gives the call that finished last first/],
  ],
  [
    'orders calls by their start',
    pages(async (_, query, { calls }) => {
      const page = await calls!(query);
      return { ...page, calls: page.calls.toSorted((a, b) => b.at - a.at) };
    }),
    [/^gives the call that finished last first/],
  ],
  [
    'counts pages from the newest call',
    pages(async (data, { before = '0', limit = 50, ...filters }, { calls }) => {
      const page = await calls!({ ...filters, limit: 200 });
      const end = Number(before) + limit;
      return {
        ...page,
        calls: page.calls.slice(Number(before), end),
        next: end < page.calls.length ? String(end) : null,
      };
    }),
    [/^shows each call once/, /^gives pages of what a filter/],
  ],
  [
    'always has a next page',
    pages((data, query) => ({ ...pageOf(data, query, 1_000), next: '1' })),
    [/^keeps as many calls/, /^gives pages of 50/],
  ],
  [
    'filters a page after it was made',
    pages((data, { limit, before, ...filters }) => {
      const { calls, ...page } = pageOf(data, { limit, before }, 1_000);
      const fitting = pageOf(data, { ...filters, limit: 200 }, 1_000).calls;
      return { ...page, calls: calls.filter((call) => fitting.includes(call)) };
    }),
    [/^gives pages of what a filter/, /^filters by model/],
  ],
  [
    'filters by names instead of keys',
    {
      wrap: ({ calls }) => ({
        calls: (query) =>
          calls!({ ...query, user: query.user === undefined ? undefined : keyOf(query.user) }),
      }),
    },
    [/^filters by model, feature, user/, /^filters by hostile names/],
  ],
  [
    'knows one filter at a time',
    {
      wrap: ({ calls }) => ({
        calls: ({ user, ...query }) =>
          calls!(query.model === undefined ? { ...query, user } : query),
      }),
    },
    [/^filters by several names/],
  ],
  [
    'answers whatever limit it is asked',
    {
      wrap: ({ calls }) => ({
        calls: ({ limit = 50, ...query }) =>
          calls!({ ...query, limit: Math.min(Math.max(Math.round(limit) || 50, 1), 200) }),
      }),
    },
    [/^refuses a limit/],
  ],
  [
    'begins anew with a cursor that is none',
    {
      wrap: ({ calls }) => ({
        calls: ({ before, ...query }) =>
          calls!({ ...query, before: /^\d+$/.test(before ?? '') ? before : undefined }),
      }),
    },
    [/^refuses a cursor/],
  ],
  [
    'refuses with an error of its database',
    {
      wrap: ({ calls }) => ({
        calls: async (query) => {
          try {
            return await calls!(query);
          } catch {
            throw new RangeError('invalid input syntax');
          }
        },
      }),
    },
    [/^refuses a limit/, /^refuses a cursor/],
  ],
  [
    'repeats what it was asked at any length',
    {
      wrap: ({ calls }) => ({
        calls: async (query) => {
          try {
            return await calls!(query);
          } catch (error) {
            (error as Error).message += query.before;
            throw error;
          }
        },
      }),
    },
    [/^refuses a cursor/],
  ],
  [
    'keeps every call',
    {
      wrap: (_, data) => ({
        async addCalls(calls) {
          for (const record of calls) data.calls.push({ number: (data.added += 1), record });
        },
      }),
    },
    [/^keeps as many calls/, /^ends when what would follow/, /^calls of all views have one/],
  ],
  [
    'does not count what it drops',
    pages((data, query) => ({ ...pageOf(data, query, 20), dropped: 0 })),
    [/^keeps as many calls/],
  ],
  [
    'gives records that can be changed',
    pages((data, query) => {
      const page = pageOf(data, query, 100);
      return { ...page, calls: page.calls.map((call) => ({ ...call })) };
    }),
    [/^gives records that are equal/],
  ],
  [
    'gives the columns of a record that it has',
    pages((data, query) => {
      const page = pageOf(data, query, 100);
      const known = (call: CallRecord) => Object.freeze({ ...call, usage: null });
      return { ...page, calls: page.calls.map(known) };
    }),
    [/^gives records that are equal/],
  ],
];
