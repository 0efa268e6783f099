import { TIERS } from './columns.js';
import { ALL_PARTED, CALLS, presentOf, type Partitions } from './partitions.js';
import type { Resolution } from '../store.js';
import type { Database } from './database.js';

/**
 * What is done beside merging, once an hour: partitions are made ahead, and dropped when they are old,
 * and names of batches are forgotten.
 *
 * Old is what is old by the ledger's clock and by the server's: a process whose clock runs ahead takes
 * nothing from the others.
 */
export interface Upkeep {
  /** @param now The ledger's clock. */
  upkeep(now: number): Promise<void>;
}

export interface UpkeepOptions {
  readonly database: Database;
  readonly partitions: Partitions;
  readonly resolutions: readonly Resolution[];
  readonly callRetentionMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MONTH_MS = 28 * DAY_MS;
const MAX_DELETED = 10_000;

export function createUpkeep(options: UpkeepOptions): Upkeep {
  const { database, partitions, resolutions, callRetentionMs } = options;
  const { s } = database;
  let hour = NaN;

  return {
    async upkeep(now) {
      if (hour === Math.floor(now / HOUR_MS)) return;
      hour = Math.floor(now / HOUR_MS);
      const present = await database.transact('read the clock', { reading: true }, (run) => {
        return presentOf(run, s);
      });
      for (const parted of ALL_PARTED) {
        const time = parted === CALLS ? present : now;
        await partitions.make(parted, [time, time + (parted.span === 'day' ? DAY_MS : MONTH_MS)]);
      }
      for (const tier of TIERS) {
        const kept = resolutions.find(({ bucketMs }) => bucketMs === tier.bucketMs);
        if (kept) await partitions.drop(tier, Math.min(now, present), kept.retentionMs);
      }
      await partitions.drop(CALLS, present, callRetentionMs);
      await database.transact('tidy up', {}, async (run) => {
        await run(
          `DELETE FROM ${s}.calls WHERE (seq, added_at) IN (
             SELECT seq, added_at FROM ${s}.calls
             WHERE seq < (SELECT oldest FROM ${s}.call_numbers) ORDER BY seq LIMIT ${MAX_DELETED})`,
        );
        await run(
          `DELETE FROM ${s}.batches WHERE id IN (
             SELECT id FROM ${s}.batches WHERE added_at < ${s}.present() - interval '2 days'
             LIMIT ${10 * MAX_DELETED})`,
        );
      });
    },
  };
}
