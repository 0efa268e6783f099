import { randomUUID } from 'node:crypto';
import { DEFAULT_CAPS } from './bucket.js';
import { addRare, blankCell, RARE } from './cell.js';
import { createPending, startOf, type Named } from './pending.js';
import { FEEDBACK_ACTIONS } from './record.js';
import { createSampler } from './sample.js';
import type { Caps } from './bucket.js';
import type { Health } from './health.js';
import type { CallRecord, FeedbackAction, Sink } from './record.js';
import type { Cell, CellQuery, Resolution, Store } from './stores/store.js';

/**
 * The ledger: turns records into cells, bounds their number, and brings them into the store.
 *
 * - **pending**: cells of calls that the store has not seen yet: see pending.ts.
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

export type { Named } from './pending.js';

export interface Ledger extends Sink {
  readonly name: 'ledger';
  readonly resolutions: readonly Resolution[];
  record(call: CallRecord): void;
  /**
   * Counts what somebody did with the answer of a call, and takes back what they had done before.
   * `false`: the call is older than anything kept.
   */
  addFeedback(
    call: Named & { readonly at: number },
    action: FeedbackAction,
    before?: FeedbackAction | null,
  ): boolean;
  /** Never fails: what the store does not take stays pending. */
  flush(): void | Promise<void>;
  /** The store has not taken all that a flush brought it. */
  readonly behind: boolean;
  /** Flushes, and reads from the store. @throws what the store throws. */
  cells(query: CellQuery): Promise<readonly Cell[]>;
  close(): Promise<void>;
}

/** Cells under a name that no other process and no other batch has. */
interface Batch {
  readonly name: string;
  readonly cells: readonly Cell[];
}

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
  const pending = createPending(store.resolutions, caps, health);
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

  /** What waits, as one batch: once its name is used, its cells stay what they are. */
  function takePending(): Batch {
    return { name: `${own}-${(batches += 1).toString(36)}`, cells: pending.take() };
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

  /** Before a call or feedback is counted, so that what waits stays little. */
  function flushWhenDue(present: number): void {
    const entered = startOf(present, bucketMs);
    if (flushing !== null) return;
    if (entered === flushedAt && (pending.size <= FLUSH_AT || failing)) return;
    flushedAt = entered;
    void flush();
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
      flushWhenDue(present);
      if (call.at < present - longest) health.drop('ledger.tooOld');
      else pending.add(call.at, present, namesOf(call), sampler.sample(call), call);
      keepCall(call);
    },
    addFeedback(call, action, before = null) {
      const { at } = call;
      const present = now();
      if (at < present - longest) return false;
      flushWhenDue(present);
      const sample = blankCell(false);
      addRare(sample, RARE.feedback + FEEDBACK_ACTIONS.indexOf(action));
      if (before !== null) addRare(sample, RARE.takenBack + FEEDBACK_ACTIONS.indexOf(before));
      pending.add(at, present, call, sample, null);
      return true;
    },
    flush,
    get behind() {
      return failing || unsure !== null;
    },
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

/** Of a call that a budget gave to another model, that is the one which has its figures. */
function namesOf(call: CallRecord): Named {
  const sent = call.budget?.sentModel ?? null;
  return sent === null ? call : { userId: call.userId, feature: call.feature, model: sent };
}
