import { capBucket, cellsOf, createBucket, mergeIntoBucket } from '../../bucket.js';
import { NAMED_FAMILIES, OTHER } from '../../cell.js';
import { capOf, TABLE_CAPS, type Grown } from './adding.js';
import { lockStatement } from './migrating.js';
import { nextTurn, readCells } from './reading.js';
import { deleteRows, putRows } from './rows.js';
import type { Cell } from '../store.js';
import type { Database } from './database.js';
import type { Run } from './transaction.js';

/**
 * Keeping a bucket bounded, as memory does it: the lightest names become `(other)`. It is worked out on
 * a copy in memory, while nobody else writes cells, and what differs is written.
 */
export interface Folding {
  /** Whether it has too many names. */
  isOvergrown(bucket: Grown): boolean;
  fold(bucket: Grown): Promise<void>;
}

const CELLS_A_TURN = 500;
const MAX_REMEMBERED = 100;

export function createFolding({ s, schema, transact }: Database): Folding {
  /** How often its cap a bucket may have that has kept more than twice its cap. */
  const later = new Map<string, number>();
  const nameOf = ({ tier, at }: Grown) => `${tier.table}/${at}`;

  return {
    isOvergrown: (bucket) => bucket.size >= (later.get(nameOf(bucket)) ?? 2),
    async fold(bucket) {
      const first = lockStatement(schema, 'cells');
      const left = await transact('fold a bucket', { first }, (run) => foldNow(run, s, bucket));
      if (later.size >= MAX_REMEMBERED) later.clear();
      later.set(nameOf(bucket), Math.max(2, 1.5 * left));
    },
  };
}

/** Returns the size of what is left. */
async function foldNow(run: Run, s: string, { tier, at }: Grown): Promise<number> {
  const { bucketMs } = tier;
  const query = { from: at, to: at + 1, bucketMs, families: NAMED_FAMILIES };
  const cells = await readCells(run, s, query);
  const copy = createBucket(at, bucketMs, TABLE_CAPS);
  for (let i = 0; i < cells.length; i += 1) {
    if (i % CELLS_A_TURN === 0) await nextTurn();
    mergeIntoBucket(copy, cells[i]!);
  }
  capBucket(copy);
  const kept: Cell[] = [];
  cellsOf(copy, NAMED_FAMILIES, kept);
  const addresses = new Set(kept.map(addressOf));
  const gone = cells.filter((cell) => !addresses.has(addressOf(cell)));
  // Whatever was added to is called so.
  await putRows(
    run,
    s,
    tier,
    kept.filter(({ key }) => key.includes(OTHER)),
  );
  await deleteRows(run, s, tier, gone);
  const sizes = NAMED_FAMILIES.map((name) => {
    return kept.filter(({ family }) => family === name).length / capOf(name);
  });
  return Math.max(...sizes);
}

function addressOf({ family, key }: Cell): string {
  return JSON.stringify([family, ...key]);
}
