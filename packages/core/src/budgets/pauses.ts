import { label } from '../context.js';
import { show } from '../options.js';
import { entriesIn, reasonOf, textOf, type PauseEntry } from './pause-entries.js';
import type { Health } from '../health.js';
import type { SharedNotes } from '../stores/budget-store.js';

/**
 * The kill switch: features whose calls are refused until somebody resumes them. It works at once in
 * this process. Where processes share notes it reaches the others at their next look, and the next
 * process that starts.
 *
 * Every process merges the note with what it knows, by the later change of each feature, and writes
 * what the note lacks. So of two that write at once the one that was overwritten writes again.
 */
export interface Pauses {
  pause(feature: string, reason: string | null): void;
  /** `false`: it was not paused. */
  resume(feature: string): boolean;
  find(feature: string | null): Pause | null;
  list(): readonly Pause[];
  readonly size: number;
  /** Hears what others have paused and resumed, and tells what was here. Never fails. */
  share(): Promise<void>;
  /** Tells what is left to tell. */
  close(): Promise<void>;
}

/** JSON-safe. */
export interface Pause {
  readonly feature: string;
  readonly reason: string | null;
  /** ISO 8601. */
  readonly since: string;
}

export interface PausesOptions {
  readonly now: () => number;
  readonly health: Health;
  /** Default: this process is alone. */
  readonly notes?: SharedNotes | undefined;
}

const NOTE = 'budgets/paused';
const MAX_PAUSED = 1_000;
const MAX_RESUMED = 1_000;
const SHARE_EVERY_MS = 5_000;
/** For how long it is known that a feature was resumed: a process may sleep, and wake up with its pause. */
const REMEMBER_MS = 30 * 86_400_000;

export function createPauses({ now, health, notes }: PausesOptions): Pauses {
  const entries = new Map<string, PauseEntry>();
  const paused = new Map<string, Pause>();
  let sharing: Promise<void> | null = null;
  let waiting: Promise<void> | null = null;
  let closed = false;
  const timer = notes && setInterval(() => void share(), SHARE_EVERY_MS).unref();
  if (notes) void share();

  function put(entry: PauseEntry): void {
    const { feature, reason, since, until } = entry;
    entries.set(feature, entry);
    if (until !== null) paused.delete(feature);
    else paused.set(feature, { feature, reason, since: new Date(since).toISOString() });
  }

  /** Later than what is known, whatever the clocks of others say. */
  function next(feature: string): number {
    const known = entries.get(feature);
    return known === undefined ? now() : Math.max(now(), changedAt(known) + 1);
  }

  async function shareNow({ note, putNote }: SharedNotes): Promise<void> {
    const heard = new Map(entriesIn(await note(NOTE)).map((entry) => [entry.feature, entry]));
    for (const entry of heard.values()) {
      const known = entries.get(entry.feature);
      if (known && changedAt(known) >= changedAt(entry)) continue;
      if (entry.until !== null || paused.size < MAX_PAUSED) put(entry);
    }
    forgetResumed();
    const isNews = (entry: PauseEntry) => {
      const told = heard.get(entry.feature);
      return told === undefined || changedAt(told) < changedAt(entry);
    };
    if ([...entries.values()].some(isNews)) await putNote(NOTE, textOf([...entries.values()]));
  }

  /** Of those that were resumed, what is old, and what there is no room for. */
  function forgetResumed(): void {
    const old = now() - REMEMBER_MS;
    const resumed = [...entries.values()].filter(({ until }) => until !== null);
    resumed.sort((a, b) => changedAt(b) - changedAt(a));
    for (const [i, entry] of resumed.entries()) {
      if (i >= MAX_RESUMED || changedAt(entry) < old) entries.delete(entry.feature);
    }
  }

  /** What changes while it is under way is shared right after it. */
  function share(): Promise<void> {
    if (!notes || closed) return Promise.resolve();
    const after = sharing ?? Promise.resolve();
    waiting ??= after.then(() => {
      waiting = null;
      sharing = shareNow(notes).catch((error: unknown) => health.fault('budgets.pauses', error));
      return sharing;
    });
    return waiting;
  }

  return {
    pause(given, reason) {
      const feature = label(given);
      if (feature === null) {
        throw new TypeError(
          `[claude-metrics] monitor.pause: expected the name of a feature, got ${show(given)}.`,
        );
      }
      if (paused.size >= MAX_PAUSED && !paused.has(feature)) {
        throw new RangeError(
          `[claude-metrics] monitor.pause: ${MAX_PAUSED} features are paused, and there is no room ` +
            'for another one. Resume those that are no longer needed.',
        );
      }
      put({ feature, reason: reasonOf(reason), since: next(feature), until: null });
      void share();
    },
    resume(given) {
      const feature = label(given) ?? '';
      const entry = entries.get(feature);
      if (entry === undefined || entry.until !== null) return false;
      put({ ...entry, until: next(feature) });
      if (notes) void share();
      else entries.delete(feature);
      return true;
    },
    find: (feature) => (feature === null ? null : (paused.get(feature) ?? null)),
    list: () => [...paused.values()],
    get size() {
      return paused.size;
    },
    share,
    async close() {
      clearInterval(timer);
      await share();
      closed = true;
    },
  };
}

function changedAt({ since, until }: PauseEntry): number {
  return until ?? since;
}
