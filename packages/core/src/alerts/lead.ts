import { inTime } from '../deadline.js';
import type { Health } from '../health.js';
import type { SharedNotes } from '../stores/budget-store.js';

/**
 * Which of the processes looks at the rules.
 *
 * - **claim**: a name in the store, which one process has for a while. Counted here from before it was
 *   asked for, so that it never lasts longer in this process than it does in the store.
 * - **part**: what a process does. `lead`: it has the claim. `follow`: another one has it. `wait`: the
 *   store does not answer, and whoever has the claim may be alive. `alone`: nobody can have it any more.
 */
export type Part = 'lead' | 'follow' | 'wait' | 'alone';

export interface Lead {
  readonly part: Part;
  /** Messages may be sent: the claim has not run out, or there is nobody to have it. */
  mayTell(): boolean;
  /**
   * Asks for the claim. `begin` runs when another may have led since this process did, and says whether
   * it can lead: if not, it lets go. Never fails.
   */
  ask(begin: () => Promise<boolean>): Promise<Part>;
  /** For good, so that another one needs not wait. Never fails. */
  letGo(): Promise<void>;
}

export interface LeadOptions {
  readonly notes: SharedNotes;
  readonly name: string;
  readonly member: string;
  readonly claimMs: number;
  /** How long an answer of the store is waited for. */
  readonly limitMs: number;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly health: Pick<Health, 'fault'>;
}

/** So many claims without a word from the store: whoever led does not do so any more. */
const PATIENCE = 3;

export function createLead(options: LeadOptions): Lead {
  const { notes, name, member, claimMs, limitMs, now, monotonic, health } = options;
  let part: Part = 'follow';
  let claimed = { until: -Infinity, untilWall: -Infinity };
  let heard = monotonic();
  let ended = false;

  /** By both clocks: the one that never jumps stands still while a machine sleeps. */
  function holds(): boolean {
    return part === 'lead' && monotonic() < claimed.until && now() < claimed.untilWall;
  }

  async function claim(forMs: number): Promise<boolean> {
    return inTime(notes.claim(name, member, forMs), limitMs);
  }

  async function askFor(begin: () => Promise<boolean>): Promise<Part> {
    const led = holds();
    const next = { until: monotonic() + claimMs, untilWall: now() + claimMs };
    if (!(await claim(claimMs))) return 'follow';
    claimed = next;
    part = 'lead';
    if (!ended && (led || (await begin()))) return 'lead';
    await claim(0);
    return 'follow';
  }

  return {
    get part() {
      return part;
    },
    mayTell: () => part === 'alone' || holds(),
    async ask(begin) {
      const led = holds();
      try {
        part = await askFor(begin);
        heard = monotonic();
      } catch (error) {
        health.fault('alerts.notes', error);
        if (led && monotonic() < claimed.until) part = 'lead';
        else part = monotonic() - heard >= PATIENCE * claimMs ? 'alone' : 'wait';
      }
      return part;
    },
    async letGo() {
      ended = true;
      if (part !== 'lead') return;
      part = 'follow';
      await claim(0).catch((error: unknown) => health.fault('alerts.notes', error));
    },
  };
}
