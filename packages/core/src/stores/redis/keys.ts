import type { Family } from '../store.js';

/**
 * Names of keys. What is in braces says in which slot of a cluster a key is: keys that one script
 * works on have it in common, and buckets spread over the nodes.
 */

/** Families whose names are kept or merged together, under one letter. */
export const TABLES = {
  t: ['total'],
  f: ['feature-model'],
  u: ['user-model', 'user-feature'],
} as const satisfies Record<string, readonly Family[]>;

export type Table = keyof typeof TABLES;
export const TABLE_NAMES = Object.keys(TABLES) as readonly Table[];

export function tableOf(family: Family): Table {
  return TABLE_NAMES.find((name) => (TABLES[name] as readonly Family[]).includes(family))!;
}

/** The start and width of a bucket. */
export interface Place {
  readonly bucketMs: number;
  readonly at: number;
}

export interface Keys {
  readonly prefix: string;
  /** Starts of buckets; until when each is kept. */
  directory(bucketMs: number): readonly [starts: string, ends: string];
  /** Names of batches that the bucket has; numbers about its blocks. */
  marks(place: Place): string;
  meta(place: Place): string;
  blocks(place: Place, family: Family): string;
  readonly calls: readonly [log: string, names: string, messages: string];
  /** All that budgets are kept in: see upkeep-script.ts. */
  readonly budgets: readonly string[];
  claim(name: string): string;
  note(name: string): string;
  readonly channel: string;
}

export function keysOf(prefix: string): Keys {
  const bucket = ({ bucketMs, at }: Place) => `${prefix}:{${bucketMs}:${at}}`;
  const budgets = `${prefix}:{${prefix}:budgets}`;
  return {
    prefix,
    directory: (bucketMs) => [
      `${prefix}:{buckets:${bucketMs}}:starts`,
      `${prefix}:{buckets:${bucketMs}}:ends`,
    ],
    marks: (place) => `${bucket(place)}:batches`,
    meta: (place) => `${bucket(place)}:meta`,
    blocks: (place, family) => `${bucket(place)}:${family}`,
    calls: [`${prefix}:{calls}:log`, `${prefix}:{calls}:batches`, `${prefix}:{calls}:messages`],
    budgets: ['state', 'index', 'due', 'ends', 'adjustments'].map((name) => `${budgets}:${name}`),
    claim: (name) => `${prefix}:claim:${JSON.stringify(name)}`,
    note: (name) => `${prefix}:note:${JSON.stringify(name)}`,
    channel: `${prefix}:merged`,
  };
}
