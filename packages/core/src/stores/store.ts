import type { CallRecord, CostClass, Outcome } from '../record.js';
import type { BudgetStore, SharedNotes } from './budget-store.js';

/**
 * Where cells and recent calls live. A store does two things with cells: it adds them to what it
 * has, and it reads a range back. Everything else a store can do is an optional method.
 *
 * - **cell**: additive aggregate of the calls of one time bucket and one key of a family.
 * - **family**: which names a cell is keyed by. Families are data: see `FAMILIES` in cell.ts.
 * - **resolution**: a bucket width and for how long buckets of that width are kept.
 */

/** Names in key order; `total` has none. */
export type Family = 'total' | 'feature-model' | 'user-model' | 'user-feature';

/** What a cost line was priced by: enough to price its quantity again. */
export interface Line {
  readonly model: string;
  readonly class: CostClass;
  readonly speed: string | null;
  readonly geo: string | null;
  readonly tier: string | null;
}

/** A mergeable quantile sketch as plain data; see sketch.ts for what can be done with it. */
export interface Sketch {
  /** Values counted, those of zero included. */
  count: number;
  /** Values at or below zero, and positive ones too small to have a bucket. */
  zeros: number;
  /** Not finite: never counted elsewhere. */
  ignored: number;
  /** Exact; `Infinity` and `-Infinity` while empty. */
  min: number;
  max: number;
  /** Sparse: ascending bucket keys, parallel to `counts`. `null` when dense. */
  keys: number[] | null;
  /** Dense: key of `counts[0]`. */
  offset: number;
  counts: number[];
}

/** Distributions that a cell of a family with sketches keeps. */
export interface Sketches {
  readonly callMs: Sketch;
  readonly lastAttemptMs: Sketch;
  readonly ttftMs: Sketch;
  /** Tokens per call, cached or not. */
  readonly input: Sketch;
  readonly output: Sketch;
  /** Which users and sessions there were, as distinct.ts counts them; of `total` alone. */
  readonly users?: Sketch;
  readonly sessions?: Sketch;
}

/**
 * One additive aggregate. Adding two cells adds their numbers slot by slot, their lines by line and
 * their sketches bucket by bucket: nothing else happens to a cell, anywhere. JSON-safe, but for the
 * bounds of an empty sketch.
 */
export interface Cell {
  readonly family: Family;
  readonly bucketMs: number;
  /** Start of the bucket, milliseconds since the epoch; a multiple of `bucketMs`. */
  readonly at: number;
  /** Two names (`total`: two empty strings), escaped so that reserved names cannot be taken. */
  readonly key: readonly [string, string];
  /** By `SUM` in cell.ts. Money is split in two slots, so that it stays exact beyond 2^53. */
  readonly sums: number[];
  /** By `RARE` in cell.ts; `null` while all are zero. */
  rare: number[] | null;
  /**
   * What the cost is made of, and for each line three slots: quantity, nano-dollars, carry. Cells that
   * are read may share a list of lines: it is replaced rather than changed.
   */
  lines: readonly Line[];
  amounts: number[];
  readonly sketches: Sketches | null;
}

/** Which cells to read: `from <= at < to`, of one resolution, of these families. */
export interface CellQuery {
  readonly from: number;
  readonly to: number;
  readonly bucketMs: number;
  readonly families: readonly Family[];
}

/** Buckets of `bucketMs` are kept for `retentionMs`. */
export interface Resolution {
  readonly bucketMs: number;
  readonly retentionMs: number;
}

export interface CallsQuery {
  /** 1 to 200; default 50. */
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly before?: string | undefined;
  readonly model?: string | undefined;
  readonly feature?: string | undefined;
  readonly user?: string | undefined;
  readonly outcome?: Outcome | undefined;
}

export interface CallsPage {
  /** The last to finish first. */
  readonly calls: readonly CallRecord[];
  /** Cursor of the next page; it stays valid while new calls arrive. `null` at the end. */
  readonly next: string | null;
  readonly kept: number;
  readonly capacity: number;
  /** Calls that had to make room. */
  readonly dropped: number;
}

export interface Store {
  readonly name: string;
  /** Finest first; a coarser bucket is made of whole finer ones. The ledger writes every cell once for each. */
  readonly resolutions: readonly Resolution[];
  /**
   * Adds cells to those of the same address. All or nothing: after a throw the ledger brings the
   * same cells again, under the same name. A store whose answers can be lost on their way keeps the
   * names of the batches that it has, for a day at least, and adds none twice. The store copies what
   * it keeps. `now` is the ledger's clock, for retention.
   */
  merge(cells: readonly Cell[], now: number, batch?: string): void | Promise<void>;
  /** Cells to look at, not to change. */
  read(query: CellQuery): readonly Cell[] | Promise<readonly Cell[]>;
  addCalls?(calls: readonly CallRecord[]): void | Promise<void>;
  /** @throws QueryError for a limit or cursor that makes no sense. */
  calls?(query: CallsQuery): CallsPage | Promise<CallsPage>;
  /** The last recent call whose answer was this message, if it is among those that are kept. */
  findCall?(messageId: string): CallRecord | null | Promise<CallRecord | null>;
  /** Removes a user from calls, and renames their cells, so that the sums stay what they are. */
  forgetUser?(userId: string): unknown;
  /** Several processes can have it open at once, and see what the others have added. */
  readonly shared?: boolean | undefined;
  /** Money of budgets that outlives the process, and that processes share. */
  readonly budgets?: BudgetStore | undefined;
  readonly notes?: SharedNotes | undefined;
  /** Tells `listener` what went wrong without anybody asking, also what nobody has heard of so far. */
  onProblem?(listener: (problem: StoreProblem) => void): void;
  close?(): void | Promise<void>;
}

/**
 * - **notice**: something to know once. **fault**: something that failed and will be tried again.
 * - **drop**: something that a bound made the store leave out.
 */
export type StoreProblem =
  | { readonly kind: 'notice'; readonly name: string; readonly text: string }
  | { readonly kind: 'fault'; readonly name: string; readonly error: unknown }
  | { readonly kind: 'drop'; readonly name: string; readonly count: number };

/** A question that cannot be answered as asked; over HTTP it is a 400. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  readonly status = 400;
}
