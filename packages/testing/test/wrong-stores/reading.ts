import { reads, renames, type Case } from './wrong.js';
import type { Cell } from '../../../core/src/stores/store.js';

/** Wrong in what a reading gives, and in names. */
export const READING: readonly Case[] = [
  [
    'reads up to a time and with it',
    reads(({ to }) => ({ to: to + 1 })),
    [/^reads from a time on/],
  ],
  ['reads after a time', reads(({ from }) => ({ from: from + 1 })), [/^reads from a time on/]],
  [
    'reads every family',
    reads(() => ({ families: ['total', 'feature-model', 'user-model', 'user-feature'] })),
    [/^reads each family/, /^an empty range/],
  ],
  [
    'reads the first family only',
    reads(({ families }) => ({ families: families.slice(0, 1) })),
    [/^reads each family/, /^gives back exactly/],
  ],
  [
    'reads minutes for whatever it does not have',
    reads(({ bucketMs }) => ({ bucketMs: bucketMs === 900_000 ? bucketMs : 60_000 })),
    [/^reads each width/],
  ],
  [
    'joins names with a colon',
    { parts: { addressOf: ({ family, key }) => `${family}:${key.join(':')}` } },
    [/^two names that would be one/],
  ],
  [
    'keeps names in an object',
    {
      wrap: ({ read }) => ({
        async read(query) {
          const byName: Record<string, Cell[]> = {};
          for (const cell of await read(query)) {
            const name = cell.key[0];
            if (!(name in byName)) byName[name] = [];
            if (Array.isArray(byName[name])) byName[name].push(cell);
          }
          return Object.values(byName).flat();
        },
      }),
    },
    [/^hostile names are ordinary keys/],
  ],
  ['folds the case of names', renames((name) => name.toLowerCase()), [/^names that look alike/]],
  ['trims names', renames((name) => name.trim()), [/^names that look alike/]],
  [
    'cuts names',
    renames((name) => name.slice(0, 127)),
    [/^names that look alike/, /^hostile names/],
  ],
  ['normalises names', renames((name) => name.normalize('NFC')), [/^names that look alike/]],
  ['ends names at NUL', renames((name) => name.split('\0')[0]!), [/^hostile names/]],
  [
    'keeps names as UTF-8',
    renames((name) => Buffer.from(name).toString()),
    [/^hostile names are ordinary keys/],
  ],
  [
    'takes a name for what it escaped',
    renames((name) => name.replace(/^\\/, '')),
    [/^hostile names/],
  ],
];
