import type { BudgetAdjustment, BudgetEvent, BudgetReport } from '../budget.js';
import type { Admission, Gate, Refusal, Ticket } from '../gate.js';
import { keyOf } from '../cell.js';
import type { Health } from '../health.js';
import { loadCalendar, type Calendar } from '../period.js';
import type { PriceTable } from '../prices.js';
import type { BudgetStore, SharedNotes } from '../stores/budget-store.js';
import { createAccounts } from './accounts.js';
import { createAnswers, type Admitted } from './answers.js';
import { createAdjustments, type AdjustmentInput } from './adjustments.js';
import { decide } from './decide.js';
import { decisionOf, NO_OBJECTION, PAUSED, UNAVAILABLE, type Decision } from './decision.js';
import { demandOf } from './demand.js';
import { createLearned } from './learned.js';
import type { Budget } from './options.js';
import { createPauses, type Pauses } from './pauses.js';
import { createPlanner, isEnforced, renewed, type Book, type Demand, type Plan } from './plan.js';
import { pausedRefusal, refuse, unavailableRefusal } from './refusal.js';
import { reportOf } from './report.js';
import { createSettlement } from './settlement.js';
import { createSharing, type Sharing } from './sharing.js';
import { createTaking, type Untaken } from './taking.js';
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
  canSpend(call: Admission): Decision | Promise<Decision>;
  adjust(input: AdjustmentInput): BudgetAdjustment | Promise<BudgetAdjustment>;
  adjustments(): readonly BudgetAdjustment[];
  pause(feature: string, reason: string | null): void;
  paused(): ReturnType<Pauses['list']>;
  reports(maxScopes?: number): readonly BudgetReport[];
  /** Hears from the store what others have spent, for `reports()`. Never fails. */
  refresh(): Promise<void>;
  /** What is done by itself once a second with shared money: post, renew, give back, try again. */
  tick(): void;
  /**
   * Removes the accounts and corrections of a user, by every name of theirs; says how many accounts.
   *
   * @throws Error when they are shared, and their store is down.
   */
  forgetUser(names: readonly string[]): Promise<number>;
  /** Brings what is spent to the store, and gives back what is leased. */
  close(): Promise<void>;
}

/** Whose money is all in this process: they answer at once. */
export interface LocalBudgets extends Budgets {
  admit(call: Admission): Ticket | Refusal | null;
  readmit(ticket: Ticket): Refusal | null;
  canSpend(call: Admission): Decision;
  adjust(input: AdjustmentInput): BudgetAdjustment;
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
  /** What is kept of the id of a user. */
  readonly userName?: ((id: unknown) => string | null) | undefined;
  /** Where the money is that processes share. Default: it is all in this one. */
  readonly store?: BudgetStore | undefined;
  /** Where processes tell each other what is paused. Default: this one is alone. */
  readonly notes?: SharedNotes | undefined;
  /** How long leased money is spent from without a word from the store. Default one minute. */
  readonly leaseMs?: number | undefined;
  /** How long an answer of the store is waited for. Default one second. */
  readonly storeTimeoutMs?: number | undefined;
}

const SHOWN_SCOPES = 20;

export function createBudgets(options: BudgetsOptions & { store?: undefined }): LocalBudgets;
export function createBudgets(options: BudgetsOptions): Budgets;
export function createBudgets(options: BudgetsOptions): Budgets {
  const { now, monotonic, health, store } = options;
  const onEvent = (event: BudgetEvent) => health.guard('budgets.event', options.onEvent, event);
  const pauses = createPauses({ now, health, notes: options.notes });
  const tickets = createTickets(monotonic, (what) => health.drop(what));
  const learned = createLearned();
  const books: Book[] = [];
  const planner = createPlanner(books, options.prices, learned, health);
  const { leaseMs = 60_000, storeTimeoutMs: timeoutMs = 1_000 } = options;
  const sharing =
    store && createSharing({ store, books, now, monotonic, health, leaseMs, timeoutMs, onEvent });
  const taking = createTaking(planner, sharing?.leasing ?? null);
  const answers = createAnswers({ tickets, now, onEvent });
  const settlement = createSettlement({ books, tickets, learned, health, now, onEvent });
  const adjustments = createAdjustments({
    ...{ books, now, correct: sharing?.correct, userName: options.userName },
    adjusted: settlement.tell,
  });
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
      const accounts = createAccounts(budget, period, health, sharing?.sharesOf(budget));
      books.push({ budget, accounts, calls, wouldBlock: 0 });
    }
    return null;
  }

  function admit(call: Admission): Admitted | Promise<Admitted> {
    const pause = pauses.find(call.context.feature);
    if (pause) return refuse(pausedRefusal(pause));
    if (unavailable) return refuseAll();
    sharing?.outlive(call.patienceMs);
    const demand = demandOf(call, options.ceiling());
    const decided = taking.decide(demand);
    const answer = (taken: Awaited<typeof decided>) => answers.admitted(call, demand, taken);
    return decided instanceof Promise ? decided.then(answer) : answer(decided);
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

  function readmit(ticket: HeldTicket): Refusal | null | Promise<Refusal | null> {
    const { hold } = ticket;
    const isHeld = hold.state === 'held';
    if (!isHeld) settlement.settleLost(ticket);
    const parts = isHeld ? hold.parts : hold.parts.map((part) => renewed(part, now()));
    const anew: Plan = isHeld ? hold : { ...hold, state: 'held', parts };
    const taken = (untaken: Untaken) => {
      if (untaken !== null) return answers.refused(untaken, ticket);
      ticket.hold = anew;
      ticket.lost = isHeld ? ticket.lost + 1 : 0;
      if (!isHeld) tickets.open(ticket);
      return null;
    };
    const untaken = isHeld ? taking.raise(hold) : taking.take(anew);
    return untaken instanceof Promise ? untaken.then(taken) : taken(untaken);
  }

  async function canSpendShared(demand: Demand, { look }: Sharing): Promise<Decision> {
    const plan = planner.plan(demand, demand.call.model, null);
    if (plan) await look(plan);
    const decided = decide(planner, demand, false);
    return decided === null ? NO_OBJECTION : decisionOf(decided);
  }

  return {
    get ready() {
      return ready;
    },
    get active() {
      return options.budgets.length > 0 || pauses.size > 0;
    },
    admit,
    readmit: (ticket) => readmit(ticket as HeldTicket),
    settle: (ticket, call) => settlement.settle(ticket as HeldTicket, call),
    release: (ticket) => settlement.release(ticket as HeldTicket),
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
      const demand = demandOf(call, options.ceiling());
      if (sharing) return canSpendShared(demand, sharing);
      const decided = decide(planner, demand, false);
      return decided === null ? NO_OBJECTION : decisionOf(decided);
    },
    adjust: adjustments.adjust,
    adjustments: adjustments.list,
    pause: pauses.pause,
    resume: pauses.resume,
    paused: pauses.list,
    reports(maxScopes = SHOWN_SCOPES) {
      const at = now();
      return books.map((book) => {
        const page = sharing?.pageOf(book, book.accounts.period(at).from) ?? null;
        return reportOf(book, at, maxScopes, page);
      });
    },
    refresh: async () => sharing?.refresh(),
    tick: () => sharing?.tick(),
    async forgetUser(names) {
      await ready;
      const scopes = names.map(keyOf);
      const removed = books.flatMap(({ budget, accounts }) => {
        if (budget.of !== 'user') return [];
        adjustments.forget(budget.name, scopes);
        return scopes.flatMap((scope) => accounts.remove(scope) ?? []);
      });
      return sharing ? sharing.forget(removed, names) : removed.length;
    },
    async close() {
      await Promise.all([pauses.close(), sharing?.close()]);
    },
  };
}
