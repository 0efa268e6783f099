import { show } from './options.js';
import type { Alerts } from './alerts/engine.js';
import type { Budgets } from './budgets/budgets.js';
import type { Feedback } from './feedback.js';
import type { Ledger } from './ledger.js';
import type { People } from './people.js';
import type { Stores } from './store-option.js';

/**
 * Forgetting a person: wherever this monitor keeps names, theirs goes. What they used still counts, under
 * a name that is nobody's, so that no sum changes. To forget somebody twice does no harm.
 */
export interface Forgotten {
  /** Cells and recent calls of the store that had the name. */
  readonly cells: number;
  readonly calls: number;
  /** Accounts of budgets, which are removed with what was spent on them. */
  readonly accounts: number;
  /** Alerts that were about them, also those that are over. */
  readonly alerts: number;
  /** Answers and opinions of theirs that this process remembered. */
  readonly feedback: number;
  /** Where the name may still be, or come from again, in words; what was logged or sent is not in here. */
  readonly remaining: readonly string[];
}

export interface ForgettingOptions {
  readonly people: People;
  readonly ledger: Pick<Ledger, 'flush' | 'behind'>;
  readonly stores: Stores;
  readonly budgets: Pick<Budgets, 'forgetUser'>;
  readonly alerts: Pick<Alerts, 'forgetUser'>;
  readonly feedback: Pick<Feedback, 'forgetUser'>;
  /** Calls under way. */
  readonly capture: { readonly pending: number };
}

export interface Forgetting {
  /** The name of a user in figures and logs. */
  userKey(id: unknown): string | null;
  /** See `Monitor`. */
  forgetUser(id: string | number): Promise<Forgotten>;
}

const TRIES = 3;
const WHERE = '[claude-metrics] monitor.forgetUser';

export function createForgetting(options: ForgettingOptions): Forgetting {
  const { people, ledger, stores, budgets, alerts, feedback, capture } = options;
  const { cells: store } = stores;

  /** What waits has to be where it is erased. */
  async function bring(): Promise<void> {
    for (let tries = TRIES; tries > 0; tries -= 1) {
      await ledger.flush();
      if (!ledger.behind) return;
    }
    throw new Error('the store does not take what waits in this process');
  }

  async function inStore(names: readonly string[]): Promise<{ cells: number; calls: number }> {
    const found = { cells: 0, calls: 0 };
    await bring();
    for (const name of names) {
      const { cells, calls } = ((await store.forgetUser?.(name)) ?? {}) as Partial<typeof found>;
      found.cells += countOf(cells);
      found.calls += countOf(calls);
    }
    return found;
  }

  function remaining(): string[] {
    const { pending } = capture;
    const left: string[] = [];
    if (pending > 0) {
      left.push(
        `${pending} calls are under way in this process; one of theirs is recorded under their name ` +
          'when it ends. Call forgetUser() again then.',
      );
    }
    if (store.shared === true || stores.apart !== undefined) {
      left.push(
        'Other processes bring what they have not told the store yet, once a minute, and the one that ' +
          'looks at alerts forgets theirs at its next look. Call forgetUser() again in a minute or two.',
      );
    }
    return left;
  }

  return {
    userKey: people.nameOf,
    async forgetUser(id) {
      const names = people.namesOf(id);
      if (names.length === 0) {
        throw new TypeError(`${WHERE}: expected the id of a user, got ${show(id)}.`);
      }
      if (!store.forgetUser) {
        throw new Error(
          `${WHERE}: the store ${show(store.name)} cannot forget a user, for it has no method ` +
            'forgetUser(). Nothing was erased. Erase the user there by hand, or use another store.',
        );
      }
      // Each does what it can, whatever becomes of the others.
      const [inCells, inBudgets] = await Promise.allSettled([
        inStore(names),
        budgets.forgetUser(names),
      ]);
      const ofFeedback = feedback.forgetUser(names);
      const ofAlerts = await alerts.forgetUser(names);
      people.forget(id);
      for (const part of [inCells, inBudgets]) {
        if (part.status === 'fulfilled') continue;
        const text = `${WHERE}: not all could be erased. Call it again when the store is back.`;
        throw new Error(text, { cause: part.reason });
      }
      const { value: found } = inCells as PromiseFulfilledResult<{ cells: number; calls: number }>;
      const { value: accounts } = inBudgets as PromiseFulfilledResult<number>;
      return { ...found, accounts, alerts: ofAlerts, feedback: ofFeedback, remaining: remaining() };
    },
  };
}

/** Stores of others may answer anything. */
function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
