import { cellOf, DEFAULT_CAPS, groupOf, type Bucket } from '../bucket.js';
import { keyOf, mergeCell } from '../cell.js';
import { ERASED } from '../erased.js';
import { mayHaveName, pack, unpack, type Packed } from './packed.js';

/** Takes a user's name out of buckets in memory: what they used counts as nobody's. */
export interface Buckets {
  readonly open: ReadonlyMap<number, Bucket>;
  readonly packed: Map<number, Packed>;
}

/** Returns how many cells had the name. */
export function eraseUser(tiers: readonly Buckets[], userId: string): number {
  const user = keyOf(userId);
  if (user === ERASED) return 0;
  let erased = 0;
  for (const { open, packed } of tiers) {
    for (const bucket of open.values()) erased += eraseInBucket(bucket, user);
    for (const [at, old] of packed) {
      if (!mayHaveName(old, user)) continue;
      const bucket = unpack(old, DEFAULT_CAPS);
      const count = eraseInBucket(bucket, user);
      if (count > 0) packed.set(at, { ...pack(bucket), ...(old.bare && { bare: true }) });
      erased += count;
    }
  }
  return erased;
}

function eraseInBucket(bucket: Bucket, user: string): number {
  const { users } = bucket;
  const group = users.groups.get(user);
  if (group === undefined) return 0;
  users.groups.delete(user);
  let erased = 0;
  group.cells.forEach((cells, axis) => {
    erased += cells.length;
    users.size -= cells.length;
    for (const cell of cells) {
      mergeCell(cellOf(bucket, users, groupOf(users, ERASED), axis, cell.key[1]), cell);
    }
  });
  return erased;
}
