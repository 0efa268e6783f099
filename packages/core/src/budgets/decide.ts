import { take } from '../balance.js';
import type { BudgetReason, BudgetVerdict } from '../budget.js';
import { maxOutputOf } from '../models.js';
import { moneyOf, roomOf } from './accounts.js';
import { limitOf, type Demand, type Plan, type PlanPart, type Planner } from './plan.js';

/**
 * Whether a call may be made, and as what: as it is, with a cheaper model, with a lower `max_tokens`,
 * or not at all. The holds on all its budgets are taken together, or none is.
 *
 * - **refusal**: a part of a plan that has no room for it.
 */
export interface Decided {
  readonly verdict: BudgetVerdict;
  readonly reason: BudgetReason | null;
  /** The part that decided: the one without room, or past a threshold; `null` when all allowed it. */
  readonly part: PlanPart | null;
  /** Of the call as it is to be made; when blocked, as it was asked for. */
  readonly plan: Plan;
  /** What to send instead; `null` where nothing is changed. */
  readonly model: string | null;
  readonly maxTokens: number | null;
  /** Parts of budgets in shadow mode that would have refused it as asked. */
  readonly shadowed: readonly PlanPart[];
}

const NONE: readonly PlanPart[] = [];

/**
 * @param hold `false`: only look.
 * @returns `null` when no budget is about this call.
 */
export function decide(planner: Planner, demand: Demand, hold: boolean): Decided | null {
  const asked = planner.plan(demand, demand.call.model, null);
  if (asked === null) return null;
  const shadowed = asked.parts.some(isShadow) ? asked.parts.filter(isShadow) : NONE;
  const refusal = refusalOf(asked);
  if (refusal === null) {
    const decided = allowed(asked, asked, null, shadowed);
    if (hold) take(asked);
    return decided;
  }
  const blocked: Decided = {
    verdict: 'block',
    reason: refusal.refused ?? 'limit',
    part: refusal,
    plan: asked,
    ...{ model: null, maxTokens: null, shadowed },
  };
  const canChange = !demand.batch && asked.parts.filter(refuses).every(mayDowngrade);
  const changed = canChange ? cheaper(planner, demand, asked, refusal) : null;
  if (changed === null) return blocked;
  const { plan, maxTokens } = changed;
  if (hold) take(plan);
  return {
    ...allowed(plan, asked, maxTokens, shadowed),
    verdict: plan.model === demand.call.model ? 'clamp' : 'downgrade',
    reason: blocked.reason,
    part: refusal,
  };
}

function allowed(
  plan: Plan,
  asked: Plan,
  maxTokens: number | null,
  shadowed: readonly PlanPart[],
): Decided {
  const warning = plan.parts.find(isPastThreshold) ?? null;
  return {
    verdict: warning === null ? 'allow' : 'warn',
    reason: warning === null ? null : 'limit',
    part: warning,
    plan,
    model: plan.model === asked.model ? null : plan.model,
    maxTokens,
    shadowed,
  };
}

/** The first of the budget's models with which everything fits, else the last one with less output. */
function cheaper(
  planner: Planner,
  demand: Demand,
  asked: Plan,
  { book }: PlanPart,
): { plan: Plan; maxTokens: number | null } | null {
  const { models, minTokens } = book.budget;
  const [only] = demand.sizes;
  if (!only) return null;
  const wanted = only.size.maxTokens;
  const least = Math.max(minTokens, (only.size.thinkingTokens ?? 0) + 1);
  for (const model of models) {
    const most = maxOutputOf(model);
    const maxTokens = wanted !== null && most !== null && wanted > most ? most : null;
    if (maxTokens !== null && maxTokens < least) continue;
    const plan = planner.plan(demand, model, maxTokens);
    if (plan && refusalOf(plan) === null) return { plan, maxTokens };
  }
  const last = models.at(-1) ?? asked.model;
  const whole = planner.plan(demand, last, null);
  const smallest = planner.plan(demand, last, least);
  if (whole === null || smallest === null || refusalOf(smallest) !== null) return null;
  const affordable = planner.affordable(demand, last, tightest(whole, smallest));
  const maxTokens = Math.min(affordable, maxOutputOf(last) ?? affordable);
  if (maxTokens < least || (wanted !== null && maxTokens >= wanted)) return null;
  const plan = planner.plan(demand, last, maxTokens);
  return plan && refusalOf(plan) === null ? { plan, maxTokens } : null;
}

/** What is left on the tightest of the budgets that hold less where `max_tokens` is lower. */
function tightest({ parts }: Plan, smallest: Plan): number {
  let room = Number.MAX_SAFE_INTEGER;
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i]!;
    if (!part.enforced || part.amount === smallest.parts[i]!.amount) continue;
    room = Math.min(room, roomOf(part.balance, limitOf(part)));
  }
  return room;
}

/** The first part that blocks, else the first that refuses at all. */
function refusalOf({ parts }: Plan): PlanPart | null {
  let first: PlanPart | null = null;
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i]!;
    if (!refuses(part)) continue;
    if (!mayDowngrade(part)) return part;
    first ??= part;
  }
  return first;
}

function refuses(part: PlanPart): boolean {
  return (
    part.enforced &&
    (part.refused !== null || part.amount > roomOf(part.balance, part.balance.limit))
  );
}

function mayDowngrade({ book }: PlanPart): boolean {
  return book.budget.action === 'downgrade';
}

/** In shadow mode, and without room. */
function isShadow({ book, balance, amount, refused }: PlanPart): boolean {
  const { shadow, action } = book.budget;
  return (
    shadow && action !== 'warn' && (refused !== null || amount > roomOf(balance, balance.limit))
  );
}

/** Much of the limit is spent, or there is no room and nothing that refuses. */
function isPastThreshold({ book, balance, amount }: PlanPart): boolean {
  const [first = 1] = book.budget.warnAt;
  const { spent } = moneyOf(balance);
  return spent >= first * balance.limit || amount > roomOf(balance, balance.limit);
}
