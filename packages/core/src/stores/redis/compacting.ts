import {
  capBucket,
  cellsOf as cellsIn,
  createBucket,
  mergeIntoBucket,
  type Caps,
} from '../../bucket.js';
import { BEGIN, SWAP } from './bucket-scripts.js';
import { blocksOf, cellsOf } from './codec.js';
import { TABLES, type Keys, type Place, type Table } from './keys.js';
import { numberIn, textsIn, type Server } from './server.js';
import { startTurns } from './turn.js';
import type { Cell, Family } from '../store.js';
import type { Level } from './adding.js';

/**
 * Replacing the blocks of a table by fewer that say the same: each address once, and the lightest names as
 * `(other)` where there are too many. It is worked out here, and swapped in unless somebody else
 * did so meanwhile; what is appended meanwhile stays behind it.
 */

/** Names that a bucket keeps apart; at twice as many it is folded. */
export const CAPS: Caps = { features: 400, users: 1_000 };

const LOCK_MS = 10_000;
const MANY_DELTAS = 64;
const MOST_DELTAS = 512;
/** Fewer are not worth the work; and the work is in proportion to what there is. */
const MANY_BYTES = 64_000;

export function isFull({ deltas, deltaBytes, wholeBytes }: Level): boolean {
  if (deltas >= MOST_DELTAS) return true;
  if (deltas < MANY_DELTAS && deltaBytes < MANY_BYTES) return false;
  return deltaBytes >= wholeBytes / 2;
}

/** What to do about the cells of a table while they are at hand. */
export interface Change {
  /** Only if this text is in some block. */
  readonly needle: string;
  /** A cell under another name, or itself. */
  readonly rename: (cell: Cell) => Cell;
}

/** `false`: somebody else was faster. Otherwise the number of cells that were renamed. */
export async function compact(
  server: Server,
  keys: Keys,
  place: Place,
  table: Table,
  change?: Change,
): Promise<number | false> {
  const families: readonly Family[] = TABLES[table];
  const names = [keys.meta(place), ...families.map((family) => keys.blocks(place, family))];
  const began = await server.run('compact', BEGIN, names, [
    ...[table, String(LOCK_MS), change?.needle ?? ''],
  ]);
  if (!Array.isArray(began)) return 0;
  const [version, deltas, deltaBytes, lists] = began as [unknown, unknown, unknown, unknown[]];
  const turns = startTurns();
  const bucket = createBucket(place.at, place.bucketMs, CAPS);
  const replaced: number[] = [];
  let renamed = 0;
  for (const [i, family] of families.entries()) {
    const blocks = textsIn(lists[i]);
    replaced.push(blocks.length);
    for (const block of blocks) {
      for (const cell of cellsOf(block, place, family)) {
        const named = change ? change.rename(cell) : cell;
        if (named !== cell) renamed += 1;
        mergeIntoBucket(bucket, named);
      }
      await turns.pass();
    }
  }
  capBucket(bucket);
  const args: string[] = [];
  let bytes = 0;
  for (const [i, family] of families.entries()) {
    const cells: Cell[] = [];
    cellsIn(bucket, [family], cells);
    const blocks: string[] = [];
    for (const block of blocksOf('w', cells)) {
      blocks.push(block);
      bytes += block.length;
      await turns.pass();
    }
    args.push(String(replaced[i]), String(blocks.length), ...blocks);
  }
  const done = await server.run('compact', SWAP, names, [
    ...[table, String(version), String(deltas), String(deltaBytes), String(bytes)],
    ...args,
  ]);
  return numberIn(done) === 1 ? renamed : false;
}
