import { post, settle, take, voidHold } from '../balance.js';
import type { BudgetEvent } from '../budget.js';
import type { Health } from '../health.js';
import type { CallRecord } from '../record.js';
import { scopeOf, type Account } from './accounts.js';
import { chargeOf, isNothing, lostCharge, plainCharge } from './charge.js';
import type { Learned } from './learned.js';
import type { Book, Plan, PlanPart } from './plan.js';
import { eventOf, passed } from './report.js';
import type { HeldTicket, Tickets } from './tickets.js';

/** Where holds end: the real cost takes their place, and what people should hear of it is told. */
export interface Settlement {
  settle(ticket: HeldTicket, call: CallRecord): void;
  /** The call was not made. */
  release(ticket: HeldTicket): void;
  /** The hold has expired, and its call goes on: posts what the attempts so far may have cost. */
  settleLost(ticket: HeldTicket): void;
  /** One result of a batch; the last one releases what is left of its hold. */
  settleResult(batchId: string, call: CallRecord): void;
  /** A call that nothing was held for. */
  charge(call: CallRecord): void;
  /** Tells the thresholds that an account has passed. */
  tell(book: Book, balance: Account): void;
}

export interface SettlementOptions {
  readonly books: readonly Book[];
  readonly tickets: Tickets;
  readonly learned: Learned;
  readonly health: Health;
  readonly now: () => number;
  readonly onEvent: (event: BudgetEvent) => void;
}

export function createSettlement(options: SettlementOptions): Settlement {
  const { books, tickets, learned, health, now, onEvent } = options;

  function tell(book: Book, balance: Account): void {
    const { per, warnAt } = book.budget;
    // A call is its own period: its record says what was decided, and nobody wants to hear of each.
    // And what processes share, the answer of its store tells.
    if (per === 'call' || balance.share || balance.told >= warnAt.length) return;
    for (const event of passed(book, balance, now())) onEvent(event);
  }

  function posting(hold: Plan, run: () => void): void {
    const { parts } = hold;
    const before = parts.map(({ balance }) => balance.overrun);
    run();
    for (let i = 0; i < parts.length; i += 1) {
      const part = parts[i]!;
      const { book, balance } = part;
      const overrun = balance.overrun > before[i]!;
      balance.share?.collect(balance, part.leased);
      if (overrun) onEvent(eventOf('overrun', book.budget, balance, now(), null));
      tell(book, balance);
    }
  }

  function release(hold: Plan): void {
    if (!voidHold(hold)) return;
    for (const { balance } of hold.parts) balance.share?.freed();
  }

  function charge(call: CallRecord): void {
    const at = now();
    const paid = plainCharge(call);
    const seen = { ...call, model: call.budget?.sentModel ?? call.model };
    const parts: PlanPart[] = [];
    for (const book of books) {
      const { budget, accounts } = book;
      const { match, name, per } = budget;
      // A call of a period that is over belongs to no account that is still open.
      if (per === 'call' || call.at < accounts.period(at).from) continue;
      if (match && health.guard(`budget.match:${name}`, match, seen) === false) continue;
      const balance = accounts.of(scopeOf(budget, seen), at);
      const amount = paid.nanoUsd;
      const open = {
        perAttempt: 0,
        enforced: false,
        refused: null,
        limit: Infinity,
        leased: false,
      };
      parts.push({ book, balance, amount, ...open });
    }
    const hold: Plan = { state: 'held', parts, model: seen.model, worst: null };
    take(hold);
    const charges = parts.map(() => paid);
    posting(hold, () => settle(hold, charges));
  }

  return {
    settle(ticket, call) {
      const { hold, lost, size } = ticket;
      tickets.close(ticket);
      if (hold.state === 'settled' || hold.state === 'voided') return;
      if (size) learned.learn(call, size);
      const charges = hold.parts.map((part) => chargeOf(part, call, lost));
      if (hold.state === 'held' && charges.every(isNothing)) release(hold);
      else posting(hold, () => settle(hold, charges));
    },
    release(ticket) {
      tickets.close(ticket);
      release(ticket.hold);
    },
    settleLost({ hold, lost }) {
      const charges = hold.parts.map(({ perAttempt }) => lostCharge(perAttempt * (lost + 1)));
      posting(hold, () => settle(hold, charges));
    },
    settleResult(batchId, call) {
      const ticket = tickets.kept(batchId);
      if (!ticket) return charge(call);
      const { hold } = ticket;
      const charges = hold.parts.map(() => plainCharge(call));
      posting(hold, () => post(hold, charges));
      ticket.results -= 1;
      if (ticket.results > 0) return;
      tickets.close(ticket, batchId);
      // A creation that was lost may have made a batch of its own, whose id nobody knows.
      settle(
        hold,
        hold.parts.map(({ perAttempt }) => lostCharge(perAttempt * ticket.lost)),
      );
    },
    charge,
    tell,
  };
}
