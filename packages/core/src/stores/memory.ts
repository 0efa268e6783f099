import {
  capBucket,
  cellsOf,
  checkCell,
  createBucket,
  DEFAULT_CAPS,
  halveBucket,
  mergeIntoBucket,
} from '../bucket.js';
import { NAMED_FAMILIES, OTHER } from '../cell.js';
import { checkOptions, rule } from '../options.js';
import { ERASED, type Erased } from '../erased.js';
import { callRing } from './calls.js';
import { eraseUser } from './erasing.js';
import { cellsOfPacked, pack, unpack } from './packed.js';
import type { Bucket } from '../bucket.js';
import type { Packed } from './packed.js';
import type { Cell, Store } from './store.js';

/**
 * The default store: this process's memory, bounded in every direction, and empty after a restart.
 *
 * - **open, packed**: buckets of the present are kept as objects, to be added to; all others as text.
 */
export interface MemoryStoreOptions {
  /** Recent calls to keep for `/calls`. Default 1,000; 0 keeps none. */
  readonly maxCalls?: number | undefined;
  /** How long minute buckets are kept. Default 3 hours. */
  readonly minuteRetentionMs?: number | undefined;
  /** How long quarter-hour buckets are kept. Default 30 days. */
  readonly historyRetentionMs?: number | undefined;
  /**
   * Bound on the packed buckets together, in bytes. Beyond it what is large and old keeps the heaviest
   * half of its names, and so on, and in the end its sums alone. Default 24 MB.
   */
  readonly maxBytes?: number | undefined;
}

const MINUTE_MS = 60_000;
const QUARTER_MS = 900_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Calls are recorded when they end: a bucket stays open for those of ordinary length. */
const OPEN_AFTER_MS = MINUTE_MS;
const rules = {
  maxCalls: rule.integer(0, 1_000_000),
  minuteRetentionMs: rule.integer(5 * MINUTE_MS, DAY_MS),
  historyRetentionMs: rule.integer(HOUR_MS, 400 * DAY_MS),
  maxBytes: rule.integer(1_000_000, 4_000_000_000),
};

interface Tier {
  readonly bucketMs: number;
  readonly retentionMs: number;
  readonly open: Map<number, Bucket>;
  readonly packed: Map<number, Packed>;
}

/**
 * @throws TypeError for an option that does not exist or cannot be right.
 *
 * @example
 * const monitor = createMonitor({ store: memoryStore({ maxCalls: 5_000 }) });
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  checkOptions('memoryStore', options, rules);
  const {
    maxCalls = 1_000,
    minuteRetentionMs = 3 * HOUR_MS,
    historyRetentionMs = 30 * DAY_MS,
    maxBytes = 24_000_000,
  } = options;
  const ring = callRing(maxCalls);
  const tiers: readonly Tier[] = [
    createTier(MINUTE_MS, Math.min(minuteRetentionMs, historyRetentionMs)),
    createTier(QUARTER_MS, historyRetentionMs),
  ];

  return {
    name: 'memory',
    resolutions: tiers.map(({ bucketMs, retentionMs }) => ({ bucketMs, retentionMs })),
    merge(cells, now) {
      cells.forEach(checkCell);
      for (const cell of cells) {
        const tier = tiers.find(({ bucketMs }) => bucketMs === cell.bucketMs);
        if (tier) mergeIntoBucket(openBucket(tier, cell.at), cell);
      }
      for (const tier of tiers) {
        for (const bucket of tier.open.values()) capBucket(bucket);
        packOld(tier, now);
        expire(tier, now, historyRetentionMs);
      }
      shrink(tiers, maxBytes, now);
    },
    read({ from, to, bucketMs, families }) {
      const cells: Cell[] = [];
      const tier = tiers.find((each) => each.bucketMs === bucketMs);
      const inside = ({ at }: Bucket | Packed) => at >= from && at < to;
      for (const packed of tier?.packed.values() ?? []) {
        if (!inside(packed)) continue;
        for (const cell of cellsOfPacked(packed, families)) cells.push(cell);
      }
      for (const bucket of tier?.open.values() ?? []) {
        if (inside(bucket)) cellsOf(bucket, families, cells);
      }
      return cells;
    },
    addCalls: (calls) => ring.add(calls),
    calls: (query) => ring.page(query),
    findCall: (messageId) => ring.find(messageId),
    forgetUser(userId): Erased {
      if (userId === ERASED) return { cells: 0, calls: 0 };
      return { cells: eraseUser(tiers, userId), calls: ring.erase(userId) };
    },
  };
}

function createTier(bucketMs: number, retentionMs: number): Tier {
  return { bucketMs, retentionMs, open: new Map(), packed: new Map() };
}

function openBucket({ bucketMs, open, packed }: Tier, at: number): Bucket {
  let bucket = open.get(at);
  if (bucket) return bucket;
  const old = packed.get(at);
  bucket = old ? unpack(old, DEFAULT_CAPS) : createBucket(at, bucketMs, DEFAULT_CAPS);
  packed.delete(at);
  open.set(at, bucket);
  return bucket;
}

function packOld({ bucketMs, open, packed }: Tier, now: number): void {
  for (const [at, bucket] of open) {
    if (at <= now && now < at + bucketMs + OPEN_AFTER_MS) continue;
    open.delete(at);
    packed.set(at, pack(bucket));
  }
}

/**
 * A tier holds as many buckets as its retention is long, and beyond it the one farthest from now
 * goes. Bounded by number rather than by time, a clock that jumps a day ahead and back costs nothing,
 * and buckets of a wrong future go first.
 */
function expire({ packed, bucketMs, retentionMs }: Tier, now: number, historyMs: number): void {
  for (const at of packed.keys()) if (at + bucketMs <= now - historyMs) packed.delete(at);
  const most = Math.ceil(retentionMs / bucketMs);
  while (packed.size > most) packed.delete(farthest(packed.keys(), now));
}

/**
 * Brings the packed buckets below the bound. What is large and old pays first, with the lighter half of
 * its names and so on, then with all names; only when nothing else is left, whole buckets go.
 */
function shrink(tiers: readonly Tier[], maxBytes: number, now: number): void {
  let bytes = 0;
  for (const { packed } of tiers) for (const { size } of packed.values()) bytes += size;
  while (bytes > maxBytes) {
    let home: Tier | undefined;
    let heaviest: Packed | undefined;
    for (const tier of tiers) {
      for (const packed of tier.packed.values()) {
        if (packed.bare || (heaviest && weightOf(packed, now) <= weightOf(heaviest, now))) continue;
        heaviest = packed;
        home = tier;
      }
    }
    if (!home || !heaviest) {
      home = tiers[tiers.length - 1]!;
      const gone = farthest(home.packed.keys(), now);
      const size = home.packed.get(gone)?.size;
      if (size === undefined) return;
      bytes -= size;
      home.packed.delete(gone);
      continue;
    }
    const bucket = unpack(heaviest, DEFAULT_CAPS);
    halveBucket(bucket);
    let smaller = pack(bucket);
    if (smaller.size >= heaviest.size) smaller = { ...pack(bareBucket(bucket)), bare: true };
    bytes += smaller.size - heaviest.size;
    home.packed.set(smaller.at, smaller);
  }
}

/** A day of age counts as much as the size of the bucket once more. */
function weightOf({ size, at }: Packed, now: number): number {
  return size * (1 + Math.abs(now - at) / DAY_MS);
}

/** The total as it is, and of every other family one nameless cell, without sketches. */
function bareBucket(bucket: Bucket): Bucket {
  const bare = createBucket(bucket.at, bucket.bucketMs, DEFAULT_CAPS);
  const cells: Cell[] = [];
  cellsOf(bucket, ['total', ...NAMED_FAMILIES], cells);
  for (const cell of cells) {
    if (cell.family === 'total') mergeIntoBucket(bare, cell);
    else mergeIntoBucket(bare, { ...cell, key: [OTHER, OTHER], sketches: null });
  }
  return bare;
}

function farthest(times: Iterable<number>, now: number): number {
  let far = now;
  for (const at of times) if (Math.abs(at - now) > Math.abs(far - now)) far = at;
  return far;
}
