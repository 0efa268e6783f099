import { keyOf } from '../cell.js';
import type { AlertGroup } from '../alert.js';
import type { BudgetReport } from '../budget.js';
import type { BurnTracker } from './burn.js';
import type { Fleet } from './fleet.js';
import type { Roster } from './roster.js';

/** Forgets alerts that are about a user, and what was measured of them. */
export interface ForgettingOptions {
  /** Every name the user may have. */
  readonly names: readonly string[];
  readonly budgets: readonly Pick<BudgetReport, 'name' | 'of'>[];
  readonly roster: Roster;
  readonly burn: BurnTracker;
  /** Tells the process that leads; one that leads itself writes what is left at once. */
  readonly fleet: Fleet | null;
  readonly failing: ReadonlyMap<string, string>;
  readonly now: () => number;
}

/** Says how many alerts. Never fails. */
export async function forgetUser(options: ForgettingOptions): Promise<number> {
  const { names, budgets, roster, burn, fleet, failing, now } = options;
  const keys = names.map(keyOf);
  const ofUsers = budgets.filter(({ of }) => of === 'user');
  const groups = keys.flatMap((key): readonly AlertGroup[] => [
    { by: 'user', key },
    ...ofUsers.map(({ name }) => ({ by: 'budget' as const, key: `${name} of ${key}` })),
  ]);
  // What the process that leads has found meanwhile is forgotten as well.
  await fleet?.refresh();
  for (const key of keys) burn.forget(key);
  const ids = roster.about(groups);
  roster.forget(ids);
  for (const id of ids) fleet?.wish(id, 'forget');
  // The wishes are written when this is over.
  await fleet?.refresh();
  if (ids.length > 0 && fleet?.mayTell())
    await fleet.save(fleet.heard()?.at ?? now(), [...failing]);
  return ids.length;
}
