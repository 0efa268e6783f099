import type { Clock } from '../../clock.js';
import type { Connection } from './connection.js';

/**
 * The time that leases and claims expire by.
 *
 * - **file time**: the latest time that any process has brought to the file. It never runs backwards,
 *   and goes on also while the clocks of processes are behind it: then by the time that passes in them.
 */
export interface FileTime {
  /** Inside a transaction that writes. Milliseconds since the epoch. */
  now(db: Connection): number;
  /** Of this process: what it says about the end of a period is not taken from others. */
  wall(): number;
}

export function createFileTime(clock: Clock): FileTime {
  let seen = 0;
  let seenAt = 0;

  return {
    now(db) {
      const { at } = db.get<{ at: number }>('SELECT at FROM clock')!;
      const passed = clock.monotonic();
      // Without what passed since, one clock that was a year ahead would keep leases for a year.
      const own = seen === 0 ? 0 : seen + (passed - seenAt);
      const now = Math.floor(Math.max(clock.now(), at, own));
      if (now > at) db.run('UPDATE clock SET at = ?', now);
      seen = now;
      seenAt = passed;
      return now;
    },
    wall: () => clock.now(),
  };
}
