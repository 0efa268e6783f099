import { SUM } from '../../cell.js';

/**
 * The columns of a cell for people. The store itself reads `data` alone, which has all of it.
 */
export const SUM_COLUMNS = {
  calls: SUM.calls,
  attempts: SUM.attempts,
  retries: SUM.retries,
  estimated_calls: SUM.estimated,
  calls_without_user: SUM.unattributedUser,
  calls_without_feature: SUM.unattributedFeature,
  uncached_input_tokens: SUM.uncachedInput,
  cache_read_tokens: SUM.cacheRead,
  cache_write_5m_tokens: SUM.cacheWrite5m,
  cache_write_1h_tokens: SUM.cacheWrite1h,
  output_tokens: SUM.output,
  thinking_tokens: SUM.thinking,
} as const;

/** Amounts of money by the slot of their rest; the carry is in the slot after it. */
export const MONEY_COLUMNS = {
  nano_usd: SUM.nanoUsd,
  estimated_nano_usd: SUM.estimatedNanoUsd,
} as const;

export const KEY_COLUMNS = ['at', 'family', 'key1', 'key2'] as const;

/** A table for each width of buckets; its partitions are of a day or a month. */
export const TIERS = [
  { bucketMs: 60_000, table: 'cells_minute', span: 'day' },
  { bucketMs: 900_000, table: 'cells_quarter', span: 'month' },
] as const;

export type Tier = (typeof TIERS)[number];

export function tierOf(bucketMs: number): Tier | undefined {
  return TIERS.find((tier) => tier.bucketMs === bucketMs);
}

/** The order of `Cell.sketches`, and of sketches in `data`. */
export const SKETCHES = ['callMs', 'lastAttemptMs', 'ttftMs', 'input', 'output'] as const;
