import { keyOf } from '../../cell.js';
import { ERASED, type Erased } from '../../erased.js';
import { compact } from './compacting.js';
import { startsOf } from './reading.js';
import type { Cell, Resolution } from '../store.js';
import type { CallLog } from './call-log.js';
import type { Keys } from './keys.js';
import type { Server } from './server.js';

/** Somebody else may be faster this often. */
const TRIES = 20;
const AT_ONCE = 8;

export async function forgetUser(
  server: Server,
  keys: Keys,
  resolutions: readonly Resolution[],
  calls: CallLog,
  userId: string,
): Promise<Erased> {
  await calls.flush();
  if (userId === ERASED) return { cells: 0, calls: 0 };
  let cells = 0;
  for (const { bucketMs } of resolutions) {
    const starts = await startsOf(server, keys, bucketMs, -Infinity, Infinity);
    for (let i = 0; i < starts.length; i += AT_ONCE) {
      const some = starts.slice(i, i + AT_ONCE);
      const counts = await Promise.all(
        some.map((at) => eraseCells(server, keys, bucketMs, at, keyOf(userId))),
      );
      for (const count of counts) cells += count;
    }
  }
  return { cells, calls: await calls.erase(userId) };
}

async function eraseCells(
  server: Server,
  keys: Keys,
  bucketMs: number,
  at: number,
  user: string,
): Promise<number> {
  const change = {
    needle: `[${JSON.stringify(user)},`,
    rename: (cell: Cell): Cell =>
      cell.key[0] === user ? { ...cell, key: [ERASED, cell.key[1]] } : cell,
  };
  for (let i = 0; i < TRIES; i += 1) {
    const erased = await compact(server, keys, { bucketMs, at }, 'u', change);
    if (erased !== false) return erased;
  }
  throw new Error(
    '[claude-metrics] redisStore: could not forget a user: other processes were at the same ' +
      'cells all the time. Call forgetUser() again.',
  );
}
