import { fits } from '../balance.js';
import type { Exchanges } from './exchanges.js';
import type { SharedAccount, ShareWant } from './message.js';
import type { Plan, PlanPart } from './plan.js';

/**
 * Whether the leases of this process have room for a call, and how they get it.
 *
 * - **covered**: the leases have room for all of a plan; then the machine may take it.
 */
export interface Leasing {
  /** Asks the store for what a plan needs. `again`: unused parts of leases go back first, as they may fill it up. */
  get(plan: Plan, amountOf: AmountOf, again: boolean): Promise<Leased>;
}

export type AmountOf = (part: PlanPart) => number;

/**
 * `taken`: it is covered, if nobody was quicker. `refused`: there is no room. `open`: the store is down,
 * and its budgets let calls pass. Otherwise the part which does not.
 */
export type Leased = 'taken' | 'refused' | 'open' | PlanPart;

export function createLeasing(exchanges: Exchanges): Leasing {
  return {
    async get({ parts }, amountOf, again) {
      const wants = parts.flatMap((part) => wantOf(part, amountOf(part)));
      if (again) for (const { account } of wants) account.share.returning = true;
      const taken = await exchanges.take(wants);
      if (taken !== 'unavailable') return taken;
      const strict = parts.find(
        (part) => !covers(part, amountOf(part)) && part.book.budget.onStoreDown !== 'open',
      );
      return strict ?? 'open';
    },
  };
}

/** Sets the limits of its parts to what is leased. */
export function covered({ parts }: Plan, amountOf: AmountOf): boolean {
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i]!;
    if (!covers(part, amountOf(part))) return false;
  }
  return true;
}

/** Lets a plan pass without leases, where they have no room for it. */
export function unguarded({ parts }: Plan, amountOf: AmountOf): void {
  for (const part of parts) {
    if (covers(part, amountOf(part))) continue;
    part.leased = false;
    part.limit = Infinity;
  }
}

function covers(part: PlanPart, amount: number): boolean {
  const { share } = part.balance;
  if (!part.leased || share === null) return true;
  part.limit = share.cap();
  share.used = true;
  return fits(part.balance, part.limit, amount);
}

function wantOf(part: PlanPart, need: number): ShareWant[] {
  const { balance } = part;
  if (!part.leased || balance.share === null) return [];
  return [{ account: balance as SharedAccount, limit: balance.limit, need }];
}
