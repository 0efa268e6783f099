import { raise, take } from '../balance.js';
import { decide, type Decided } from './decide.js';
import { covered, unguarded, type AmountOf, type Leasing } from './leasing.js';
import type { Demand, Plan, PlanPart, Planner } from './plan.js';

/**
 * How what a call needs is taken: at once where all its money is in this process, or leased to it;
 * otherwise when the store has answered.
 *
 * - **stuck**: the part of a plan which the store was needed for, and is down.
 */
export interface Taking {
  /** Takes what it decides, unless that is to block. */
  decide(demand: Demand): MaybeLater<Decided | Stuck | null>;
  /** Takes a plan as it is. */
  take(plan: Plan): MaybeLater<Untaken>;
  /** Adds another attempt to a hold. It may have ended when the store answers: then nothing is added. */
  raise(hold: Plan): MaybeLater<Untaken>;
}

export interface Stuck {
  readonly stuck: PlanPart;
}

/** The part without room; `null` when it is taken. */
export type Untaken = PlanPart | Stuck | null;

type MaybeLater<T> = T | Promise<T>;

/** Others may be quicker; somebody who is for so many times does not get it. */
const MAX_ROUNDS = 6;
const first: AmountOf = ({ amount }) => amount;
const another: AmountOf = ({ perAttempt }) => perAttempt;

export function createTaking(planner: Planner, leasing: Leasing | null): Taking {
  /** What is known may be old: as it was asked for it is tried before it is changed or refused. */
  async function decideLater(
    demand: Demand,
    known: Decided,
    store: Leasing,
  ): Promise<Decided | Stuck | null> {
    let plan = isAsIs(known) ? known.plan : planner.plan(demand, demand.call.model, null)!;
    for (let round = 0; ; round += 1) {
      const answer = await store.get(plan, first, round > 0);
      if (answer === 'open') return decideUnguarded(demand);
      if (typeof answer === 'object') return { stuck: answer };
      const decided = decide(planner, demand, false);
      if (decided === null || decided.verdict === 'block' || taken(decided)) return decided;
      if (round === MAX_ROUNDS - 1) return refusedBy(decided);
      ({ plan } = decided);
    }
  }

  /** Takes what it decided, if it is covered. */
  function taken({ plan }: Decided): boolean {
    if (!covered(plan, first)) return false;
    take(plan);
    return true;
  }

  /** By what was last known; what it takes was leased by nobody. */
  function decideUnguarded(demand: Demand): Decided | null {
    const decided = decide(planner, demand, false);
    if (decided === null || decided.verdict === 'block') return decided;
    unguarded(decided.plan, first);
    take(decided.plan);
    return decided;
  }

  async function later(
    plan: Plan,
    amountOf: AmountOf,
    store: Leasing,
    run: () => PlanPart | null,
  ): Promise<Untaken> {
    for (let round = 0; round <= MAX_ROUNDS; round += 1) {
      const answer = await store.get(plan, amountOf, round > 0);
      if (typeof answer === 'object') return { stuck: answer };
      if (answer === 'open') unguarded(plan, amountOf);
      if (answer === 'refused' && round > 0) break;
      if (plan.state !== 'held') return null;
      if (covered(plan, amountOf)) return run();
    }
    return plan.parts.find(({ leased }) => leased) ?? plan.parts[0] ?? null;
  }

  return {
    decide(demand) {
      if (leasing === null) return decide(planner, demand, true);
      const decided = decide(planner, demand, false);
      if (decided === null || isFinal(decided)) return decided;
      const isAllowed = decided.verdict !== 'block' && isAsIs(decided);
      return isAllowed && taken(decided) ? decided : decideLater(demand, decided, leasing);
    },
    take(plan) {
      const run = () => take(plan) as PlanPart | null;
      return leasing === null || covered(plan, first) ? run() : later(plan, first, leasing, run);
    },
    raise(hold) {
      const run = () => raise(hold, hold.parts.map(another)) as PlanPart | null;
      return leasing === null || covered(hold, another)
        ? run()
        : later(hold, another, leasing, run);
    },
  };
}

export function isStuck(answer: object | null): answer is Stuck {
  return answer !== null && 'stuck' in answer;
}

/** Nothing that the store could say would change it. */
function isFinal({ verdict, reason, part }: Decided): boolean {
  return verdict === 'block' && (reason !== 'limit' || part?.balance.share === null);
}

function isAsIs({ model, maxTokens }: Decided): boolean {
  return model === null && maxTokens === null;
}

function refusedBy(decided: Decided): Decided {
  const part = decided.plan.parts.find(({ leased }) => leased) ?? null;
  return { ...decided, verdict: 'block', reason: 'limit', part, model: null, maxTokens: null };
}
