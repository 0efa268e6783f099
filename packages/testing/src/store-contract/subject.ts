import type {
  ContractAnswer,
  ContractBudgets,
  ContractExchange,
  ContractNotes,
  ContractSharedAccount,
} from './exchange.js';

export type * from './exchange.js';

/**
 * What a store under test has to bring along, and what it is asked for. The types are those of core,
 * as far as the cases use them.
 *
 * - **subject**: a store under test, with the way to open one.
 * - **view**: a store opened on data that is there already, as another process opens it.
 */

/** What a store may do without. `calls` is with `addCalls`; `maxCalls` is a bound on their number. */
export type OptionalPart =
  'calls' | 'findCall' | 'maxCalls' | 'close' | 'forgetUser' | 'budgets' | 'notes';

export interface StoreSubject {
  readonly core: StoreContractCore;
  /** Opens a store that is empty, however many others are open. */
  open(options?: StoreOpenOptions): Promise<OpenedStore>;
  /** The data outlives `store.close()`. */
  readonly durable: boolean;
  /** Several views of the same data can be open at once. */
  readonly shared: boolean;
  /** What the store does not have. Default: it has everything. */
  readonly lacks?: readonly OptionalPart[] | undefined;
  /** Names that a bucket keeps apart at most, those after the comma of a key too. Default 2,000. */
  readonly maxNames?: number | undefined;
}

export interface StoreOpenOptions {
  /** The clock, in milliseconds since the epoch, of a store that needs one beside that of `merge`. */
  readonly now?: (() => number) | undefined;
  /** How long history is kept, in milliseconds; finer buckets may be kept for less. */
  readonly retention?: number | undefined;
  /** How many recent calls are kept. */
  readonly maxCalls?: number | undefined;
}

export interface OpenedStore {
  readonly store: ContractStore;
  /** A view of the same data, opened with the same options. Needed if it is durable or shared. */
  reopen?(): Promise<ContractStore>;
  /**
   * Moves the clock that leases and claims expire by, where it can be moved. Otherwise the cases use
   * short times, and wait for them.
   */
  passTime?(ms: number): Promise<void>;
  /** Closes whatever is still open, and takes the data away. */
  close(): Promise<void>;
}

/** What core says a cell is, and what an exchange does. */
export interface StoreContractCore {
  readonly SUM: Readonly<Record<string, number>>;
  readonly RARE: { readonly length: number };
  readonly FAMILIES: Readonly<Record<string, { readonly sketches: boolean }>>;
  createCell(
    family: string,
    bucketMs: number,
    at: number,
    key: readonly [string, string],
  ): ContractCell;
  recordValue(sketch: ContractSketch, value: number): void;
  /** Needed unless the store lacks `budgets`. */
  applyExchange?(
    exchange: ContractExchange,
    accounts: readonly ContractSharedAccount[],
  ): ContractAnswer;
}

/** `Store` of core. */
export interface ContractStore {
  readonly name: string;
  readonly resolutions: readonly ContractResolution[];
  merge(cells: readonly ContractCell[], now: number, batch?: string): void | Promise<void>;
  read(query: ContractCellQuery): readonly ContractCell[] | Promise<readonly ContractCell[]>;
  addCalls?(calls: readonly ContractRecord[]): void | Promise<void>;
  calls?(query: ContractCallsQuery): ContractCallsPage | Promise<ContractCallsPage>;
  findCall?(messageId: string): ContractRecord | null | Promise<ContractRecord | null>;
  /** `userId` as the application gave it, not as a key. */
  forgetUser?(userId: string): unknown;
  readonly budgets?: ContractBudgets | undefined;
  readonly notes?: ContractNotes | undefined;
  close?(): void | Promise<void>;
}

export interface ContractResolution {
  readonly bucketMs: number;
  readonly retentionMs: number;
}

export interface ContractCell {
  readonly family: string;
  readonly bucketMs: number;
  readonly at: number;
  readonly key: readonly [string, string];
  readonly sums: number[];
  rare: number[] | null;
  lines: readonly ContractLine[];
  amounts: number[];
  readonly sketches: ContractSketches | null;
}

export interface ContractLine {
  readonly model: string;
  readonly class: string;
  readonly speed: string | null;
  readonly geo: string | null;
  readonly tier: string | null;
}

export interface ContractSketches {
  readonly callMs: ContractSketch;
  readonly lastAttemptMs: ContractSketch;
  readonly ttftMs: ContractSketch;
  readonly input: ContractSketch;
  readonly output: ContractSketch;
  readonly users?: ContractSketch;
  readonly sessions?: ContractSketch;
}

export interface ContractSketch {
  count: number;
  zeros: number;
  ignored: number;
  min: number;
  max: number;
  keys: number[] | null;
  offset: number;
  counts: number[];
}

export interface ContractCellQuery {
  readonly from: number;
  readonly to: number;
  readonly bucketMs: number;
  readonly families: readonly string[];
}

export interface ContractCallsQuery {
  readonly limit?: number | undefined;
  readonly before?: string | undefined;
  readonly model?: string | undefined;
  readonly feature?: string | undefined;
  readonly user?: string | undefined;
  readonly outcome?: string | undefined;
}

export interface ContractCallsPage {
  readonly calls: readonly ContractRecord[];
  readonly next: string | null;
  readonly kept: number;
  readonly capacity: number;
  readonly dropped: number;
}

/** `CallRecord` of core. */
export interface ContractRecord {
  readonly id: string;
  readonly messageId: string | null;
  readonly model: string;
  readonly userId: string | null;
  readonly feature: string | null;
  readonly outcome: string;
}
