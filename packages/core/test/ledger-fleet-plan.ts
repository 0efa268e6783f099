/**
 * How a fleet lives: how many processes make how many calls, in which phases, and who is killed when.
 *
 * - **minute**: of the processes' clock, which their calls move: so many calls are one. A call that
 *   enters a new one flushes, so it is the flush interval.
 * - **phase**: calls that are made while one fault, or none, goes on. Processes wait for each other after
 *   it, so that a fast machine and a slow one see the same faults.
 *
 * `FLEET_CALLS=50000 FLEET_STOP_SECONDS=30` is the full run; `FLEET_SEED` gives other usage and kills.
 */
import type { Cell } from '../src/stores/store.js';
import { SUM } from '../src/cell.js';

const { FLEET_CALLS, FLEET_STOP_SECONDS, FLEET_SEED } = process.env;

export const PROCESSES = 8;
/** Calls of each process. */
export const CALLS = Number(FLEET_CALLS ?? 1_000);
export const STOP_MS = Number(FLEET_STOP_SECONDS ?? 1) * 1_000;
export const SEED = Number(FLEET_SEED ?? 1);
/** What stores wait for an answer or a lock. A stop lasts until one has waited in vain. */
export const TIMEOUT_MS = CALLS > 1_000 ? 5_000 : 2_000;
export const stopTime = () => new Promise<void>((resolve) => setTimeout(resolve, STOP_MS));
/** Fewer than the 5,000 recent calls that may wait for a store. */
const MOST_IN_PHASE = 4_000;
const PHASES = Math.max(5, Math.ceil(CALLS / MOST_IN_PHASE));
export const CALLS_PER_MINUTE = Math.max(1, Math.ceil(CALLS / (CALLS > 1_000 ? 100 : 50)));
/** Under way at once in a process. */
export const PARALLEL = Math.min(25, Math.ceil(CALLS_PER_MINUTE / 4));

export const MODELS = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-haiku-5-5'] as const;
export const USERS = 40;
export const START = Date.UTC(2026, 10, 23, 12);
export const MINUTE = 60_000;

/** Calls that a process has made at the end of each phase. */
export const ENDS: readonly number[] = Array.from({ length: PHASES }, (_, i) =>
  Math.round(((i + 1) * CALLS) / PHASES),
);

/** What an application is started with. */
export interface AppPlan {
  readonly name: string;
  readonly url: string;
  readonly store: StorePlan;
}

export type StorePlan =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'redis'; readonly port: number }
  | { readonly kind: 'postgres'; readonly port: number };

/** What an application tells, a line of JSON each, in the order in which it happened. */
export type Told =
  | { readonly ready: true }
  /** A batch is brought to the store: these sums, for the first time or again. */
  | { readonly brings: string; readonly sums: Sums }
  /** The ledger has heard that the store has the batch, or that it has not. */
  | { readonly has: string }
  | { readonly failed: string; readonly why: string }
  /** So many calls have been answered at the end of this minute. */
  | { readonly answered: number }
  | { readonly reached: number }
  /** Calls that a snapshot of this process showed, of the whole fleet; `null` when it failed. */
  | { readonly seen: number | null }
  | { readonly end: End };

export interface End {
  readonly ok: number;
  readonly refused: number;
  readonly other: readonly string[];
  readonly faults: Readonly<Record<string, { readonly count: number }>>;
  readonly dropped: Readonly<Record<string, number>>;
  /** Merges that the application's own store wrapper brought a second time after the first had succeeded. */
  readonly doubled: number;
  /** Merges that succeeded, and of which the ledger was told that they had failed. */
  readonly unheard: number;
}

export const FIELDS = [
  'calls',
  'nanoUsd',
  'uncachedInput',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'output',
] as const;
export type Sums = Readonly<Record<(typeof FIELDS)[number], number>>;

/** Of the totals in a batch, each call once. */
export function sumsOf(cells: readonly Cell[]): Sums {
  const totals = cells.filter(({ family, bucketMs }) => family === 'total' && bucketMs === MINUTE);
  const sum = (slot: number) => totals.reduce((all, { sums }) => all + sums[slot]!, 0);
  const sums = Object.fromEntries(FIELDS.map((name) => [name, sum(SUM[name])])) as Sums;
  return { ...sums, nanoUsd: sums.nanoUsd + 1e15 * sum(SUM.nanoUsdCarry) };
}
