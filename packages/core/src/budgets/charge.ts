import type { Charge } from '../balance.js';
import type { CallRecord } from '../record.js';
import type { PlanPart } from './plan.js';

/**
 * What a finished call is charged with, on one of its budgets.
 *
 * - **lost**: an attempt that may have billed and told nothing (a timeout, a connection that broke).
 *   It is charged with what was held for it, as `uncertain`: a limit that holds must assume it.
 *
 * The same goes for a call that ended before any usage was told. Money that has no price at all (an
 * unknown model that the budget allows) is charged with its declared ceiling, if there is one.
 */
export function chargeOf({ perAttempt }: PlanPart, call: CallRecord, lost: number): Charge {
  const lostNanoUsd = lost * perAttempt;
  if (call.cost !== null) {
    const nanoUsd = call.cost.nanoUsd + lostNanoUsd;
    return { nanoUsd, uncertain: lostNanoUsd, priced: true };
  }
  const nanoUsd = perAttempt + lostNanoUsd;
  return { nanoUsd, uncertain: nanoUsd, priced: call.unpricedReason === 'no_usage' };
}

/** A call that nothing was held for: one of a batch of another process, or one that was imported. */
export function plainCharge(call: CallRecord): Charge {
  return { nanoUsd: call.cost?.nanoUsd ?? 0, uncertain: 0, priced: call.cost !== null };
}

export function isNothing({ nanoUsd, priced }: Charge): boolean {
  return nanoUsd === 0 && priced;
}

export function lostCharge(nanoUsd: number): Charge {
  return { nanoUsd, uncertain: nanoUsd, priced: true };
}
