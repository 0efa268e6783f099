import { createBucket, mergeIntoBucket, type Bucket, type Group } from '../../bucket.js';
import { NAMED_FAMILIES, OTHER } from '../../cell.js';
import { nextTurn, type Access } from './access.js';
import { addRows, FILE_CAPS } from './adding.js';
import { readCells } from './reading.js';
import type { Cell, Family } from '../store.js';
import type { Connection } from './connection.js';
import type { Row } from './codec.js';

/**
 * Keeping a bucket of the file bounded, as memory does it: the lightest names become `(other)`. What
 * is to move is worked out on a copy in memory; then it moves in small steps, each of which leaves
 * every sum as it was.
 *
 * - **move**: a row's way to another name of its bucket.
 */
interface Move {
  readonly family: Family;
  readonly from: readonly [string, string];
  readonly to: readonly [string, string];
}

const STEP = 48;
const CELLS_A_TURN = 500;

/** Folds what `shrink` folds in a copy of the bucket. Returns how many cells moved. */
export async function foldBucket(
  access: Access,
  bucketMs: number,
  at: number,
  shrink: (bucket: Bucket) => void,
): Promise<number> {
  const query = { from: at, to: at + 1, bucketMs, families: NAMED_FAMILIES };
  const cells = await readCells(access, query);
  const copy = createBucket(at, bucketMs, FILE_CAPS);
  for (let i = 0; i < cells.length; i += 1) {
    if (i % CELLS_A_TURN === 0) await nextTurn();
    mergeIntoBucket(copy, cells[i]!);
  }
  shrink(copy);
  const moves = movesOf(cells, copy);
  for (let i = 0; i < moves.length; i += STEP) {
    await nextTurn();
    const some = moves.slice(i, i + STEP);
    await access.write((db) => moveRows(db, bucketMs, at, some));
  }
  return moves.length;
}

function movesOf(cells: readonly Cell[], copy: Bucket): Move[] {
  const moves: Move[] = [];
  for (const { family, key } of cells) {
    const [first, second] = key;
    const { groups, families } = family === 'feature-model' ? copy.features : copy.users;
    const axis = families.indexOf(family);
    const group = groups.get(first) ?? groups.get(OTHER);
    if (group === undefined) continue;
    const to = [group.name, has(group, axis, second) ? second : OTHER] as const;
    if (to[0] !== first || to[1] !== second) moves.push({ family, from: key, to });
  }
  return moves;
}

function has(group: Group, axis: number, second: string): boolean {
  return group.cells[axis]!.some(({ key }) => key[1] === second);
}

/** Moves what is there by now: another process may have added to it, or moved it already. */
export function moveRows(
  db: Connection,
  bucketMs: number,
  at: number,
  moves: readonly Move[],
): void {
  const rows: Row[] = [];
  for (const { family, from, to } of moves) {
    const bucket = db.get<{ id: number }>(
      'SELECT id FROM buckets WHERE bucket_ms = ? AND at = ? AND family = ?',
      bucketMs,
      at,
      family,
    )?.id;
    if (bucket === undefined) continue;
    const address = [bucket, JSON.stringify(from[0]), JSON.stringify(from[1])] as const;
    const found = db.get<{ data: string }>(
      'SELECT data FROM cells WHERE bucket = ? AND key1 = ? AND key2 = ?',
      ...address,
    );
    if (found === undefined) continue;
    db.run('DELETE FROM cells WHERE bucket = ? AND key1 = ? AND key2 = ?', ...address);
    db.run('UPDATE buckets SET cells = cells - 1 WHERE id = ?', bucket);
    const [key1, key2] = [JSON.stringify(to[0]), JSON.stringify(to[1])];
    rows.push({ bucketMs, at, family, key1, key2, data: found.data });
  }
  if (rows.length > 0) addRows(db, rows);
}
