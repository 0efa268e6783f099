import { SUM, FAMILIES } from '../src/cell.js';
import { memoryStore } from '../src/stores/memory.js';
import type { Cell, Family, Store } from '../src/stores/store.js';
import { MINUTE, type Rig } from './state-fixture.js';

/** A ledger's store that fails as told, and what to read from it. */
export const EVERY = Object.keys(FAMILIES) as Family[];
export type Mode = 'ok' | 'throws' | 'rejects' | 'waits';

/** A memory store that fails as told, before it has merged anything, and counts its merges. */
export function brittleStore() {
  const inner = memoryStore();
  let ending: ((error?: Error) => void) | undefined;
  const state = {
    mode: 'ok' as Mode,
    merges: 0,
    /** What was brought, in order. */
    batches: [] as { name: string | undefined; cells: readonly Cell[] }[],
    running: 0,
    /** Ends the merge that waits: well, or with an error. */
    end: (error?: Error) => ending?.(error),
  };
  const store: Store = {
    ...inner,
    merge(cells, now, name) {
      state.merges += 1;
      state.batches.push({ name, cells });
      if (state.mode === 'throws') throw new Error('store is down');
      if (state.mode === 'rejects') return Promise.reject(new Error('store is down'));
      if (state.mode === 'ok') return inner.merge(cells, now);
      state.running += 1;
      return new Promise<void>((resolve, reject) => {
        ending = (error) => {
          state.running -= 1;
          if (error) reject(error);
          else resolve(inner.merge(cells, now));
        };
      });
    },
  };
  return { state, store };
}

export const read = (rig: Rig, family: Family, bucketMs = MINUTE) =>
  rig.ledger.cells({ from: 0, to: Infinity, bucketMs, families: [family] });
export const callsOf = (cells: readonly Cell[]) =>
  cells.reduce((sum, { sums }) => sum + sums[SUM.calls]!, 0);
/** Lets promises that are settled be heard. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));
