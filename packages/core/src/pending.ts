import { capBucket, cellOf, cellsOf, createBucket, groupOf } from './bucket.js';
import { createCell, keyOf, mergeCell, mergeSums, NAMED_FAMILIES, RARE, SUM } from './cell.js';
import { FEEDBACK_ACTIONS } from './record.js';
import { recordNames, recordSketches } from './sample.js';
import type { Bucket, Caps } from './bucket.js';
import type { Health } from './health.js';
import type { CallRecord } from './record.js';
import type { Cell, Resolution } from './stores/store.js';

/**
 * Cells of calls that the store has not seen yet, in buckets of its finest width. Their number is bounded:
 * where the store does not take them, the oldest bucket goes, and what was in it is counted.
 */
export interface Pending {
  readonly size: number;
  /** `present`: a start in the future (a clock that was set back) counts as now, and so does no time. */
  add(at: number, present: number, names: Named, sample: Cell, call: CallRecord | null): void;
  /** All that waits, for every resolution, with the total of each bucket; then nothing waits. */
  take(): Cell[];
}

/** What cells are keyed by. */
export type Named = Pick<CallRecord, 'userId' | 'feature' | 'model'>;

/** Buckets that wait at most; beyond it the oldest is dropped, and its calls are counted. */
const MAX_PENDING = 240;

export function createPending(
  resolutions: readonly Resolution[],
  caps: Caps,
  health: Pick<Health, 'drop'>,
): Pending {
  const bucketMs = resolutions[0]?.bucketMs ?? 60_000;
  let pending = new Map<number, Bucket>();
  let current: Bucket | null = null;

  function bucketAt(start: number): Bucket {
    if (current !== null && current.at === start) return current;
    let bucket = pending.get(start);
    if (bucket === undefined) {
      bucket = createBucket(start, bucketMs, caps);
      pending.set(start, bucket);
    }
    current = bucket;
    return bucket;
  }

  /** Only once a bucket has its calls: the one that is dropped may be the new one, and is counted. */
  function dropOldest(): void {
    if (pending.size <= MAX_PENDING) return;
    const oldest = Math.min(...pending.keys());
    const cells: Cell[] = [];
    const bucket = pending.get(oldest);
    if (bucket) cellsOf(bucket, ['user-model'], cells);
    pending.delete(oldest);
    if (current?.at === oldest) current = null;
    const calls = cells.reduce((sum, cell) => sum + cell.sums[SUM.calls]!, 0);
    if (calls > 0) health.drop('ledger.calls', calls);
    const feedback = cells.reduce((sum, cell) => sum + feedbackIn(cell), 0);
    if (feedback > 0) health.drop('ledger.feedback', feedback);
  }

  return {
    get size() {
      return pending.size;
    },
    add(at, present, names, sample, call) {
      const bucket = bucketAt(startOf(at >= 0 && at <= present ? at : present, bucketMs));
      const user = keyOf(names.userId);
      const feature = keyOf(names.feature);
      const model = keyOf(names.model);
      const { total, features, users } = bucket;
      const cell = cellOf(bucket, features, groupOf(features, feature), 0, model);
      mergeSums(cell, sample);
      if (call !== null) {
        if (cell.sketches) recordSketches(cell.sketches, call);
        const everybody = cellOf(bucket, total, groupOf(total, ''), 0, '');
        if (everybody.sketches) recordNames(everybody.sketches, call);
      }
      const group = groupOf(users, user);
      mergeSums(cellOf(bucket, users, group, 0, model), sample);
      mergeSums(cellOf(bucket, users, group, 1, feature), sample);
      capBucket(bucket);
      dropOldest();
    },
    take() {
      const cells: Cell[] = [];
      for (const bucket of pending.values()) {
        const start = cells.length;
        cellsOf(bucket, NAMED_FAMILIES, cells);
        const end = cells.length;
        cellsOf(bucket, ['total'], cells);
        if (cells.length === end) cells.push(createCell('total', bucketMs, bucket.at, ['', '']));
        const total = cells[end]!;
        for (let i = start; i < end; i += 1) {
          if (cells[i]!.family === 'feature-model') mergeCell(total, cells[i]!);
        }
      }
      pending = new Map();
      current = null;
      const finest = cells.length;
      for (const { bucketMs: width } of resolutions.slice(1)) {
        for (let i = 0; i < finest; i += 1) {
          cells.push({ ...cells[i]!, bucketMs: width, at: startOf(cells[i]!.at, width) });
        }
      }
      return cells;
    },
  };
}

function feedbackIn({ rare }: Cell): number {
  return FEEDBACK_ACTIONS.reduce((sum, _, i) => sum + (rare?.[RARE.feedback + i] ?? 0), 0);
}

export function startOf(at: number, bucketMs: number): number {
  return Math.floor(at / bucketMs) * bucketMs;
}
