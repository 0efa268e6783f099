/** A budget engine with clocks to set, the calls it is asked about, and how they end. */
import type { BudgetEvent } from '../../src/budget.js';
import { createBudgets, type LocalBudgets } from '../../src/budgets/budgets.js';
import { budgetsOf, type BudgetOptions } from '../../src/budgets/options.js';
import type { HeldTicket } from '../../src/budgets/tickets.js';
import type { Admission, Refusal, Ticket } from '../../src/gate.js';
import { createHealth } from '../../src/health.js';
import { prices } from '../../src/prices.js';
import type { CallContext, CallRecord } from '../../src/record.js';
import { requestSizeOf } from '../../src/request-size.js';
import { worstCaseOf } from '../../src/worst-case.js';
import { callRecord, costing, costOf, NOW } from '../state-fixture.js';

export const HOUR = 3_600_000;
export const SONNET = 'claude-sonnet-5-5';
export const OPUS = 'claude-opus-5-5';
export const HAIKU = 'claude-haiku-4-5';
export const NANO = 1e9;

export interface Engine {
  readonly budgets: LocalBudgets;
  readonly clock: { now: number; monotonic: number };
  /** What the context declares, in nano-dollars. */
  readonly ceiling: { nanoUsd: number | null };
  readonly events: BudgetEvent[];
  readonly health: ReturnType<typeof createHealth>;
}

export function engineOf(...options: readonly BudgetOptions[]): Engine {
  const clock = { now: NOW, monotonic: 0 };
  const ceiling: Engine['ceiling'] = { nanoUsd: null };
  const events: BudgetEvent[] = [];
  const health = createHealth();
  const budgets = createBudgets({
    budgets: budgetsOf('test', options),
    now: () => clock.now,
    monotonic: () => clock.monotonic,
    health,
    prices: () => prices,
    ceiling: () => ceiling.nanoUsd,
    onEvent: (event) => events.push(event),
  });
  return { budgets, clock, ceiling, events, health };
}

/** The same, when its calendar is loaded. */
export async function readyEngine(...options: readonly BudgetOptions[]): Promise<Engine> {
  const engine = engineOf(...options);
  await engine.budgets.ready;
  return engine;
}

export interface AskedCall extends Partial<CallContext> {
  readonly model?: string;
  readonly maxTokens?: number | null;
  readonly at?: number;
  readonly patienceMs?: number;
  readonly alive?: () => boolean;
  /** More of the body. */
  readonly body?: object;
}

export function bodyOf({ model = SONNET, maxTokens = 1_000, body }: AskedCall = {}) {
  const most = maxTokens === null ? {} : { max_tokens: maxTokens };
  return { model, ...most, messages: [{ role: 'user', content: 'Hello' }], ...body };
}

export function asked(call: AskedCall = {}): Admission {
  const { model = SONNET, at = NOW, patienceMs = 60_000, alive = () => false } = call;
  const { userId = 'ada', feature = 'chat', sessionId = null, tags = {} } = call;
  return {
    ...{ at, model, patienceMs, alive, operation: 'messages', threaded: false },
    context: { userId, feature, sessionId, tags },
    body: bodyOf(call),
  };
}

/** What such a call holds, in nano-dollars. */
export function worstOf(call: AskedCall = {}): number {
  const { model = SONNET, at = NOW } = call;
  const worst = worstCaseOf(requestSizeOf(bodyOf(call)), model, at, prices);
  if (!worst) throw new Error(`no worst case for ${model}`);
  return worst.nanoUsd;
}

/** So many nano-dollars as an option of a budget, in USD. */
export function usd(nanoUsd: number): number {
  return nanoUsd / NANO;
}

export function held(answer: Ticket | Refusal | null): HeldTicket {
  if (answer === null || answer.error) throw new Error('expected a ticket, got a refusal or null');
  return answer as HeldTicket;
}

export function refused(answer: Ticket | Refusal | null): Refusal {
  if (answer === null || !answer.error) throw new Error('expected a refusal, got a ticket or null');
  return answer;
}

/** How calls end, as their records say it. */
export const ended = {
  priced: (nanoUsd: number, more: Partial<CallRecord> = {}) => costing(nanoUsd, more),
  free: (more: Partial<CallRecord> = {}) =>
    callRecord({ cost: costOf(), priceStatus: 'free', outcome: 'error', usage: null, ...more }),
  unpriced: (unpricedReason: CallRecord['unpricedReason'], more: Partial<CallRecord> = {}) =>
    callRecord({ cost: null, priceStatus: 'unpriced', unpricedReason, usage: null, ...more }),
};

/** Spent and held of one scope as the report says, in nano-dollars. */
export function moneyOf({ budgets }: Engine, name: string, scope: string | null = null) {
  const report = budgets.reports(Infinity).find((each) => each.name === name);
  const found = report?.scopes.find((each) => each.scope === scope);
  return {
    spent: Math.round((found?.spentUsd ?? 0) * NANO),
    held: Math.round((found?.heldUsd ?? 0) * NANO),
  };
}
