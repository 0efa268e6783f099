import { raise, take } from '../balance.js';
import type { BudgetAdjustment, BudgetEvent, BudgetReport } from '../budget.js';
import type { Admission, Gate, Refusal, Ticket } from '../gate.js';
import type { Health } from '../health.js';
import { loadCalendar, type Calendar } from '../period.js';
import type { PriceTable } from '../prices.js';
import { createAccounts } from './accounts.js';
import { createAdjustments, type AdjustmentInput } from './adjustments.js';
import { decide, type Decided } from './decide.js';
import {
  decisionOf,
  namesOf,
  NO_OBJECTION,
  PAUSED,
  UNAVAILABLE,
  type Decision,
} from './decision.js';
import { demandOf } from './demand.js';
import { createLearned } from './learned.js';
import type { Budget } from './options.js';
import { createPauses, type Pauses } from './pauses.js';
import { createPlanner, isEnforced, renewed, type Book, type Plan, type PlanPart } from './plan.js';
import { callBudgetOf, pausedRefusal, refusalOf, refuse, unavailableRefusal } from './refusal.js';
import { eventOf, reportOf } from './report.js';
import { createSettlement } from './settlement.js';
import { createTickets, type HeldTicket } from './tickets.js';

/**
 * Budgets as capture and people meet them: hold before a call, settle after it, and in between and
 * afterwards answer what is left.
 *
 * A call holds on all budgets that it counts on, or on none of them and is refused; however it ends,
 * its hold ends once. Docs: `docs/budgets.md`.
 */
export interface Budgets extends Gate, Pick<Pauses, 'resume'> {
  /** What `admit()` would say, without holding anything. */
  canSpend(call: Admission): Decision;
  adjust(input: AdjustmentInput): BudgetAdjustment;
  adjustments(): readonly BudgetAdjustment[];
  pause(feature: string, reason: string | null): void;
  paused(): ReturnType<Pauses['list']>;
  reports(maxScopes?: number): readonly BudgetReport[];
}

export interface BudgetsOptions {
  readonly budgets: readonly Budget[];
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly health: Health;
  readonly prices: () => PriceTable;
  /** `maxCostUsd` of the current context, in nano-dollars. */
  readonly ceiling: () => number | null;
  readonly onEvent: (event: BudgetEvent) => void;
}

const SHOWN_SCOPES = 20;

export function createBudgets(options: BudgetsOptions): Budgets {
  const { now, health } = options;
  const onEvent = (event: BudgetEvent) => health.guard('budgets.event', options.onEvent, event);
  const pauses = createPauses();
  const tickets = createTickets(options.monotonic, (what) => health.drop(what));
  const learned = createLearned();
  const books: Book[] = [];
  const planner = createPlanner(books, options.prices, learned, health);
  const adjustments = createAdjustments(books, now, (book, balance) =>
    settlement.tell(book, balance),
  );
  const settlement = createSettlement({ books, tickets, learned, health, now, onEvent });
  let unavailable = false;
  let ready = open(options.budgets.some(({ per }) => per !== 'call') ? loadCalendar() : null);

  function open(calendar: Calendar | Promise<Calendar> | null): Promise<void> | null {
    if (calendar instanceof Promise) {
      return calendar
        .then((loaded) => void (ready = open(loaded)))
        .catch((error: unknown) => {
          // Not loaded, or it does not know a zone that Intl knows.
          unavailable = true;
          ready = null;
          books.length = 0;
          health.fault('budgets.calendar', error);
        });
    }
    for (const budget of options.budgets) {
      const { per } = budget;
      const period = per === 'call' || !calendar ? null : calendar.periods({ ...budget, per });
      const calls = { allow: 0, warn: 0, clamp: 0, downgrade: 0, block: 0 };
      const accounts = createAccounts(budget, period, health);
      books.push({ budget, accounts, calls, wouldBlock: 0 });
    }
    return null;
  }

  function admit(call: Admission): HeldTicket | Refusal | null {
    const pause = pauses.find(call.context.feature);
    if (pause) return refuse(pausedRefusal(pause));
    if (unavailable) return refuseAll();
    const demand = demandOf(call, options.ceiling());
    const decided = decide(planner, demand, true);
    if (decided === null) return null;
    const { plan, verdict, part, reason } = decided;
    count(decided);
    if (verdict === 'block' && part) {
      if (reason === 'limit') exhausted(part);
      return refuse(refusalOf(part, plan, reason ?? 'limit', call.at), namesOf(decided.shadowed));
    }
    const ticket: HeldTicket = {
      model: decided.model,
      maxTokens: decided.maxTokens,
      budget: callBudgetOf(decided),
      hold: plan,
      size: demand.batch ? null : (demand.sizes[0]?.size ?? null),
      results: demand.sizes.length,
      lost: 0,
      alive: call.alive,
      patienceMs: call.patienceMs,
      expiresAt: 0,
      slot: -1,
    };
    tickets.open(ticket);
    return ticket;
  }

  /** Nothing is known of what is left: what can refuse does. */
  function refuseAll(): Refusal | null {
    const budget = options.budgets.find(isEnforced);
    return budget ? refuse(unavailableRefusal(budget)) : null;
  }

  /** What was spent while the calendar is loading is posted when it is there. */
  function whenReady(post: () => void): void {
    if (ready === null) post();
    else void ready.then(() => health.guard('budgets.charge', post));
  }

  function count({ plan, verdict, part, shadowed }: Decided): void {
    for (let i = 0; i < plan.parts.length; i += 1) {
      const { book } = plan.parts[i]!;
      if (book === part?.book) book.calls[verdict] += 1;
      else if (verdict !== 'block') book.calls.allow += 1;
    }
    for (const { book } of shadowed) book.wouldBlock += 1;
  }

  function exhausted({ book, balance }: PlanPart): void {
    balance.refused += 1;
    if (balance.refused > 1 || book.budget.per === 'call') return;
    onEvent(eventOf('exhausted', book.budget, balance, now(), null));
  }

  function refuseAgain(part: PlanPart, { hold, budget }: HeldTicket): Refusal {
    part.book.calls.block += 1;
    exhausted(part);
    const { error } = refuse(refusalOf(part, hold, 'limit', now()));
    const name = part.book.budget.name;
    return { error, budget: { ...budget, verdict: 'block', reason: 'limit', budget: name } };
  }

  return {
    get ready() {
      return ready;
    },
    get active() {
      return options.budgets.length > 0 || pauses.size > 0;
    },
    admit,
    readmit(given) {
      const ticket = given as HeldTicket;
      const { hold } = ticket;
      if (hold.state === 'held') {
        const again = hold.parts.map(({ perAttempt }) => perAttempt);
        const refused = raise(hold, again) as PlanPart | null;
        if (refused) return refuseAgain(refused, ticket);
        ticket.lost += 1;
        return null;
      }
      settlement.settleLost(ticket);
      const parts = hold.parts.map((part) => renewed(part, now()));
      const anew: Plan = { ...hold, state: 'held', parts };
      const refused = take(anew) as PlanPart | null;
      if (refused) return refuseAgain(refused, ticket);
      ticket.hold = anew;
      ticket.lost = 0;
      tickets.open(ticket);
      return null;
    },
    settle: (ticket, call) => settlement.settle(ticket as HeldTicket, call),
    keep: (ticket: Ticket, batchId) => tickets.keep(batchId, ticket as HeldTicket),
    settleResult: (batchId, call) => whenReady(() => settlement.settleResult(batchId, call)),
    charge: (call) => whenReady(() => settlement.charge(call)),
    sweep() {
      tickets.sweep();
      for (const { accounts } of books) accounts.sweep(now());
    },
    canSpend(call) {
      if (pauses.find(call.context.feature)) return PAUSED;
      if (unavailable) return options.budgets.some(isEnforced) ? UNAVAILABLE : NO_OBJECTION;
      const decided = decide(planner, demandOf(call, options.ceiling()), false);
      return decided === null ? NO_OBJECTION : decisionOf(decided);
    },
    adjust: adjustments.adjust,
    adjustments: adjustments.list,
    pause: (feature, reason) => pauses.pause(feature, reason, now()),
    resume: pauses.resume,
    paused: pauses.list,
    reports: (maxScopes = SHOWN_SCOPES) => books.map((book) => reportOf(book, now(), maxScopes)),
  };
}
