import { setTimeout as sleep } from 'node:timers/promises';
import { expectThat } from './expectation.js';
import { randomOf, type Random } from './random.js';
import type {
  ContractCell,
  ContractCellQuery,
  ContractStore,
  StoreContractCore,
  StoreOpenOptions,
  StoreSubject,
} from './subject.js';

/**
 * What one case plays on: stores of its own, a clock to set, and chance from a seed. All stores are
 * closed when the case is over, whether it passed or not.
 */
export interface Stage {
  readonly core: StoreContractCore;
  readonly subject: StoreSubject;
  readonly families: readonly string[];
  readonly random: Random;
  /** The time, for everybody who asks. */
  readonly clock: { now: number };
  /** A store that is empty. */
  open(options?: Omit<StoreOpenOptions, 'now'>): Promise<Opened>;
}

export interface Opened {
  readonly store: ContractStore;
  /** Another view of the same data. */
  reopen(): Promise<ContractStore>;
  /** Moves every clock of the store that can be moved, and that of the case. */
  pass(ms: number): Promise<void>;
  /** Waits until something that has been for `ms` is over by the store's clock, which may be real. */
  lapse(ms: number, isOver: () => Promise<boolean>, what: string): Promise<void>;
  /** Merges at the time that the clock says. Rejects, and never throws. */
  merge(cells: readonly ContractCell[], batch?: string): Promise<void>;
  /** Cells of all families, resolutions and times, unless asked otherwise. */
  read(query?: Partial<ContractCellQuery>): Promise<readonly ContractCell[]>;
}

export type Play = (stage: Stage) => Promise<void>;
/** By name. */
export type Cases = Readonly<Record<string, Play>>;

export const MINUTE = 60_000;
export const DAY = 86_400_000;
/** The middle of a minute, at the beginning of a quarter of an hour. */
export const NOW = Date.UTC(2026, 10, 24, 14, 0, 30);
const EVER = { from: 0, to: Date.UTC(2100, 0, 1) };
/** How long a clock that is real is waited for, in all: longer than any machine is slow. */
const [WAIT_MS, MAX_WAITS] = [20, 1_000];
const SEED = 20_261_124;

/** Plays one case, and closes everything it opened. */
export async function onStage(subject: StoreSubject, play: Play): Promise<void> {
  const toClose: (() => Promise<void>)[] = [];
  const { core } = subject;
  const clock = { now: NOW };
  const families = Object.keys(core.FAMILIES);
  const stage: Stage = {
    ...{ core, subject, families, clock },
    random: randomOf(SEED),
    async open(options) {
      const opened = await subject.open({ ...options, now: () => clock.now });
      toClose.push(() => opened.close());
      const { store } = opened;
      const pass = async (ms: number) => {
        clock.now += ms;
        await opened.passTime?.(ms);
      };
      return {
        store,
        pass,
        async lapse(ms, isOver, what) {
          await pass(ms + 1);
          const waits = opened.passTime ? 0 : MAX_WAITS;
          for (let i = 0; !(await isOver()); i += 1) {
            expectThat(
              i < waits,
              `${what}: expected that it is over after ${ms} ms, but it is not`,
            );
            await sleep(WAIT_MS);
          }
        },
        async reopen() {
          expectThat(
            typeof opened.reopen === 'function',
            'subject.open(): expected a function reopen, as the store is durable or shared',
          );
          return opened.reopen();
        },
        merge: (cells, batch) => mergeInto(store, cells, clock.now, batch),
        read: (query) => readFrom(store, families, query),
      };
    },
  };
  let failure: { readonly error: unknown } | null = null;
  try {
    await play(stage);
  } catch (error) {
    failure = { error };
  }
  for (const close of toClose.toReversed()) {
    await close().catch((error: unknown) => (failure ??= { error }));
  }
  if (failure) throw failure.error;
}

export async function mergeInto(
  store: ContractStore,
  cells: readonly ContractCell[],
  now: number,
  batch?: string,
): Promise<void> {
  await (batch === undefined ? store.merge(cells, now) : store.merge(cells, now, batch));
}

export async function readFrom(
  store: ContractStore,
  families: readonly string[],
  query: Partial<ContractCellQuery> = {},
): Promise<readonly ContractCell[]> {
  const widths = query.bucketMs === undefined ? widthsOf(store) : [query.bucketMs];
  const cells: ContractCell[] = [];
  for (const bucketMs of widths) {
    const found = await store.read({ ...EVER, families, ...query, bucketMs });
    expectThat(Array.isArray(found), 'read(): expected an array of cells');
    for (const cell of found) cells.push(cell);
  }
  return cells;
}

/** Widths of its buckets, the finest first. */
export function widthsOf({ resolutions }: ContractStore): readonly number[] {
  return resolutions.map(({ bucketMs }) => bucketMs);
}

/** Start of the bucket that a time is in. */
export function startOf(at: number, bucketMs: number): number {
  return Math.floor(at / bucketMs) * bucketMs;
}

export function calling(store: ContractStore): Required<Pick<ContractStore, 'addCalls' | 'calls'>> {
  const { addCalls, calls } = store;
  expectThat(addCalls !== undefined && calls !== undefined, 'expected methods addCalls and calls');
  return { addCalls: addCalls.bind(store), calls: calls.bind(store) };
}
