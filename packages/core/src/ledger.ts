import { randomUUID } from 'node:crypto';
import { capBucket, cellOf, cellsOf, createBucket, DEFAULT_CAPS, groupOf } from './bucket.js';
import {
  addRare,
  blankCell,
  createCell,
  keyOf,
  mergeCell,
  mergeSums,
  NAMED_FAMILIES,
  RARE,
  SUM,
} from './cell.js';
import { FEEDBACK_ACTIONS } from './record.js';
import { createSampler, recordSketches } from './sample.js';
import type { Bucket, Caps } from './bucket.js';
import type { Health } from './health.js';
import type { CallRecord, FeedbackAction, Sink } from './record.js';
import type { Cell, CellQuery, Resolution, Store } from './stores/store.js';

/**
 * The ledger: turns records into cells, bounds their number, and brings them into the store.
 *
 * - **pending**: cells of calls that the store has not seen yet, in buckets of its finest width.
 * - **flush**: bring what is pending into the store, once for each of its resolutions. It happens
 *   when the clock enters another bucket, and before every reading.
 * - **batch**: what one flush brings. A store that fails, or does not answer, is brought the same
 *   batch again under the same name, until it says that it has it; later calls wait behind it.
 *
 * A call belongs to the bucket in which it *started*, as on the bill, however late it is recorded.
 */
export interface LedgerOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly health: Health;
  readonly store: Store;
  /** Names that a pending bucket keeps apart, the heaviest. Default 200 features, 500 users. */
  readonly caps?: Caps | undefined;
}

/** What cells are keyed by. */
export type Named = Pick<CallRecord, 'userId' | 'feature' | 'model'>;

export interface Ledger extends Sink {
  readonly name: 'ledger';
  readonly resolutions: readonly Resolution[];
  record(call: CallRecord): void;
  /** Counts what somebody did with the answer of a call. */
  addFeedback(call: Named & { readonly at: number }, action: FeedbackAction): void;
  /** Never fails: what the store does not take stays pending. */
  flush(): void | Promise<void>;
  /** Flushes, and reads from the store. @throws what the store throws. */
  cells(query: CellQuery): Promise<readonly Cell[]>;
  close(): Promise<void>;
}

/** Cells under a name that no other process and no other batch has. */
interface Batch {
  readonly name: string;
  readonly cells: readonly Cell[];
}

/** Buckets that wait at most; beyond it the oldest is dropped, and its calls are counted. */
const MAX_PENDING = 240;
/** Late calls may open this many buckets before they are flushed early. */
const FLUSH_AT = 32;

/**
 * @example
 * const ledger = createLedger({ now: Date.now, health: createHealth(), store: memoryStore() });
 * ledger.record(call);
 * const cells = await ledger.cells({ from, to, bucketMs: 60_000, families: ['total'] });
 */
export function createLedger(options: LedgerOptions): Ledger {
  const { now, health, store, caps = DEFAULT_CAPS } = options;
  const bucketMs = store.resolutions[0]?.bucketMs ?? 60_000;
  const longest = Math.max(...store.resolutions.map(({ retentionMs }) => retentionMs));
  const sampler = createSampler(() => health.drop('ledger.amount'));
  let pending = new Map<number, Bucket>();
  let current: Bucket | null = null;
  let flushedAt = NaN;
  let failing = false;
  /** Brought to the store, which has not said yet that it has it. */
  let unsure: Batch | null = null;
  /** Two ledgers of one process may have the same store. */
  const own = randomUUID();
  let batches = 0;
  let flushing: Promise<void> | null = null;
  /** The flush after the one under way, for all who have asked for it meanwhile. */
  let next: Promise<void> | null = null;

  /** A start in the future (a clock that was set back) counts as now, and so does no time. */
  function bucketFor(at: number, present: number): Bucket {
    const start = startOf(at >= 0 && at <= present ? at : present, bucketMs);
    if (current !== null && current.at === start) return current;
    current = pendingBucket(start);
    return current;
  }

  function pendingBucket(start: number): Bucket {
    let bucket = pending.get(start);
    if (bucket === undefined) {
      bucket = createBucket(start, bucketMs, caps);
      pending.set(start, bucket);
    }
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
    health.drop('ledger.calls', calls);
  }

  /** Adds `sample` to the cells of these names; of a call also what its cells keep sketches of. */
  function add(bucket: Bucket, names: Named, sample: Cell, call: CallRecord | null): void {
    const user = keyOf(names.userId);
    const feature = keyOf(names.feature);
    const model = keyOf(names.model);
    const { features, users } = bucket;
    const cell = cellOf(bucket, features, groupOf(features, feature), 0, model);
    mergeSums(cell, sample);
    if (call !== null && cell.sketches) recordSketches(cell.sketches, call);
    const group = groupOf(users, user);
    mergeSums(cellOf(bucket, users, group, 0, model), sample);
    mergeSums(cellOf(bucket, users, group, 1, feature), sample);
    capBucket(bucket);
    dropOldest();
  }

  /** What is pending, for every resolution, with the total of each bucket. */
  function takeCells(buckets: Iterable<Bucket>): Cell[] {
    const cells: Cell[] = [];
    for (const bucket of buckets) {
      const total = createCell('total', bucketMs, bucket.at, ['', '']);
      const start = cells.length;
      cellsOf(bucket, NAMED_FAMILIES, cells);
      for (let i = start; i < cells.length; i += 1) {
        if (cells[i]!.family === 'feature-model') mergeCell(total, cells[i]!);
      }
      cells.push(total);
    }
    const finest = cells.length;
    for (const { bucketMs: width } of store.resolutions.slice(1)) {
      for (let i = 0; i < finest; i += 1) {
        cells.push({ ...cells[i]!, bucketMs: width, at: startOf(cells[i]!.at, width) });
      }
    }
    return cells;
  }

  /** What waits, as one batch: once its name is used, its cells stay what they are. */
  function takePending(): Batch {
    const taken = [...pending.values()];
    pending = new Map();
    current = null;
    return { name: `${own}-${(batches += 1).toString(36)}`, cells: takeCells(taken) };
  }

  function failed(error: unknown): void {
    failing = true;
    health.fault('ledger.flush', error);
  }

  /**
   * The batch that the store may or may not have comes first, and the same as it was; then what waits
   * now. Calls that come meanwhile are for the next flush: who reads would wait as long as they come.
   */
  function flush(): void | Promise<void> {
    if (flushing) return (next ??= flushing.finally(() => (next = null)).then(flush));
    if (unsure === null && pending.size === 0) return undefined;
    failing = false;
    const isAgain = unsure !== null;
    const batch = (unsure ??= takePending());
    try {
      const merged = store.merge(batch.cells, now(), batch.name);
      if (merged) {
        flushing = merged
          .then(() => void (unsure = null), failed)
          .finally(() => (flushing = null))
          .then(() => (isAgain && !failing ? flush() : undefined));
        return flushing;
      }
      unsure = null;
    } catch (error) {
      failed(error);
      return undefined;
    }
    return isAgain ? flush() : undefined;
  }

  function keepCall(call: CallRecord): void {
    try {
      const kept = store.addCalls?.([call]);
      if (kept) kept.catch((error: unknown) => health.fault('ledger.addCalls', error));
    } catch (error) {
      health.fault('ledger.addCalls', error);
    }
  }

  return {
    name: 'ledger',
    resolutions: store.resolutions,
    record(call) {
      const present = now();
      const entered = startOf(present, bucketMs);
      if (flushing === null && (entered !== flushedAt || (pending.size > FLUSH_AT && !failing))) {
        flushedAt = entered;
        void flush();
      }
      if (call.at < present - longest) health.drop('ledger.tooOld');
      else add(bucketFor(call.at, present), namesOf(call), sampler.sample(call), call);
      keepCall(call);
    },
    addFeedback(call, action) {
      const { at } = call;
      const present = now();
      if (at < present - longest) return health.drop('ledger.tooOld');
      const sample = blankCell(false);
      addRare(sample, RARE.feedback + FEEDBACK_ACTIONS.indexOf(action));
      add(bucketFor(at, present), call, sample, null);
    },
    flush,
    async cells(query) {
      await flush();
      return store.read(query);
    },
    async close() {
      await flush();
      await store.close?.();
    },
  };
}

function startOf(at: number, bucketMs: number): number {
  return Math.floor(at / bucketMs) * bucketMs;
}

/** Of a call that a budget gave to another model, that is the one which has its figures. */
function namesOf(call: CallRecord): Named {
  const sent = call.budget?.sentModel ?? null;
  return sent === null ? call : { userId: call.userId, feature: call.feature, model: sent };
}
