/** Cells of several slots, how many calls there are, and errors that are clear. */
import { createCell, SUM } from '../../src/cell.js';
import type { RedisStore } from '../../src/stores/redis.js';
import type { Cell } from '../../src/stores/store.js';

export const MINUTE = 60_000;
export const NOW = Date.UTC(2026, 10, 24, 14);
export const MINUTES = {
  ...{ from: 0, to: Infinity, bucketMs: MINUTE },
  families: ['total', 'user-model'],
} as const;

/** Of so many buckets, which are in several slots. */
export function cellsOf(buckets: number): Cell[] {
  return Array.from({ length: buckets }, (_, i) => {
    const cell = createCell('user-model', MINUTE, NOW - i * MINUTE, ['ada', 'm']);
    cell.sums[SUM.calls] = 1;
    return cell;
  });
}

export async function callsIn(store: RedisStore): Promise<number> {
  const cells = await store.read(MINUTES);
  return cells.reduce((sum, { sums }) => sum + sums[SUM.calls]!, 0);
}

export const failsAs = (reason: string, words: RegExp) =>
  expect.objectContaining({
    name: 'RedisStoreError',
    reason,
    message: expect.stringMatching(
      new RegExp(`^\\[claude-metrics\\] redisStore: could not .*(${words.source})`),
    ) as string,
  }) as Error;
