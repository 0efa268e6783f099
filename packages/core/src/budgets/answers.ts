import type { BudgetEvent } from '../budget.js';
import type { Admission, Refusal } from '../gate.js';
import type { Decided } from './decide.js';
import { namesOf } from './decision.js';
import type { Demand, PlanPart } from './plan.js';
import { callBudgetOf, refusalOf, refuse, storeDownRefusal } from './refusal.js';
import { eventOf } from './report.js';
import { isStuck, type Stuck } from './taking.js';
import type { HeldTicket, Tickets } from './tickets.js';

/** What capture is told when it was decided, and what is counted then. */
export interface Answers {
  admitted(call: Admission, demand: Demand, decided: Decided | Stuck | null): Admitted;
  /** There was no room for another attempt. */
  refused(untaken: PlanPart | Stuck, ticket: HeldTicket): Refusal;
}

export type Admitted = HeldTicket | Refusal | null;

export interface AnswersOptions {
  readonly tickets: Tickets;
  readonly now: () => number;
  readonly onEvent: (event: BudgetEvent) => void;
}

export function createAnswers({ tickets, now, onEvent }: AnswersOptions): Answers {
  function count({ plan, verdict, part, shadowed }: Decided): void {
    for (let i = 0; i < plan.parts.length; i += 1) {
      const { book } = plan.parts[i]!;
      if (book === part?.book) book.calls[verdict] += 1;
      else if (verdict !== 'block') book.calls.allow += 1;
    }
    for (const { book } of shadowed) book.wouldBlock += 1;
  }

  function exhausted({ book, balance }: PlanPart): void {
    if (balance.share) return balance.share.refuse();
    balance.refused += 1;
    if (balance.refused > 1 || book.budget.per === 'call') return;
    onEvent(eventOf('exhausted', book.budget, balance, now(), null));
  }

  return {
    admitted(call, demand, decided) {
      if (decided === null) return null;
      if (isStuck(decided)) {
        decided.stuck.book.calls.block += 1;
        return refuse(storeDownRefusal(decided.stuck));
      }
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
    },
    refused(untaken, { hold, budget }) {
      const stuck = isStuck(untaken);
      const part = stuck ? untaken.stuck : untaken;
      part.book.calls.block += 1;
      if (!stuck) exhausted(part);
      const refusal = stuck ? storeDownRefusal(part) : refusalOf(part, hold, 'limit', now());
      const { reason } = refusal;
      return {
        error: refuse(refusal).error,
        budget: { ...budget, verdict: 'block', reason, budget: part.book.budget.name },
      };
    },
  };
}
