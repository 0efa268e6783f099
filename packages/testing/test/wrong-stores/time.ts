import { type Case } from './wrong.js';

/** Wrong in what goes, and when. */
export const TIME: readonly Case[] = [
  ['never lets go of a bucket', { parts: { isOver: () => false } }, [/^keeps what the retention/]],
  [
    'lets go too early',
    { parts: { isOver: ({ at }, retentionMs, now) => at < now - retentionMs / 4 } },
    [/^keeps what the retention/, /^late cells/],
  ],
  [
    'lets go of what the clock passes',
    { parts: { isOver: ({ at, bucketMs }, _, now) => at < now - 60 * bucketMs } },
    [/^a clock that jumps ahead/],
  ],
  [
    'lets go of the future',
    { parts: { isOver: ({ at }, _, now) => at > now } },
    [/^cells of the future/, /^a clock that jumps ahead/],
  ],
  [
    'counts buckets from the end of time',
    {
      wrap: ({ merge }, { buckets }) => ({
        async merge(cells, now, batch) {
          await merge(cells, now, batch);
          const names = [...buckets.keys()].sort(
            (a, b) => Number(b.split(' ')[1]) - Number(a.split(' ')[1]),
          );
          for (const name of names.slice(200)) buckets.delete(name);
        },
      }),
    },
    [/^a wrong future/],
  ],
  [
    'takes whole milliseconds alone',
    {
      wrap: ({ merge }) => ({
        async merge(cells, now, batch) {
          if (!Number.isInteger(now))
            throw new TypeError('cannot store REAL value in INTEGER column');
          await merge(cells, now, batch);
        },
      }),
    },
    [/^the time of a merge is any number/],
  ],
  [
    'counts late cells as of now',
    {
      wrap: ({ merge }) => ({
        merge: (cells, now, batch) =>
          merge(
            cells.map((cell) => {
              const { bucketMs } = cell;
              return { ...cell, at: Math.floor(now / bucketMs) * bucketMs };
            }),
            now,
            batch,
          ),
      }),
    },
    [/^late cells/, /^reads from a time on/],
  ],
  [
    'has no bound on names',
    { parts: { lightest: () => new Set() } },
    [/^10,000 users/, /^3,000 features/, /^3,000 models/],
  ],
  [
    'keeps the names that came first',
    {
      parts: {
        lightest(cells, position, keep) {
          const names = [...new Set(cells.map(({ key }) => key[position]))];
          return new Set(names.length > 2 * keep ? names.slice(keep) : []);
        },
      },
    },
    [/^10,000 users/, /^3,000 features/],
  ],
  [
    'drops the names beyond its bound',
    {
      wrap: ({ merge }, { buckets }) => ({
        async merge(cells, now, batch) {
          await merge(cells, now, batch);
          for (const bucket of buckets.values()) {
            for (const [address, { key }] of bucket)
              if (key.includes('(other)')) bucket.delete(address);
          }
        },
      }),
    },
    [/^10,000 users/, /^3,000 features/, /^3,000 models/],
  ],
  [
    'keeps hardly any name',
    {
      parts: {
        lightest: (cells, position) => new Set(cells.slice(100).map(({ key }) => key[position])),
      },
    },
    [/^up to 200 names/],
  ],
  [
    'names its widths from coarse to fine',
    { wrap: ({ resolutions }) => ({ resolutions: resolutions.toReversed() }) },
    [/^has widths from fine to coarse/],
  ],
];
