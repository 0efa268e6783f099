import { expire } from '../balance.js';
import type { Ticket } from '../gate.js';
import type { RequestSize } from '../request-size.js';
import type { Plan } from './plan.js';

/**
 * The holds that are open, and when they are given up.
 *
 * A hold expires when its call could long have ended and gives no sign of life. A call that is still
 * being read keeps its hold: the process that counts it is alive to know.
 */
export interface HeldTicket extends Ticket {
  /** Replaced when the first one has expired and the call goes on. */
  hold: Plan;
  /** Learned from, when the call has ended. */
  readonly size: RequestSize | null;
  /** Results of a batch that have not been read. */
  results: number;
  /** Attempts that may have billed and that another one followed, as far as `hold` knows them. */
  lost: number;
  readonly alive: () => boolean;
  readonly patienceMs: number;
  /** By a clock that never jumps. */
  expiresAt: number;
  /** Its place among those that are open; -1 when it is not. */
  slot: number;
}

export interface Tickets {
  open(ticket: HeldTicket): void;
  /** It has ended. */
  close(ticket: HeldTicket, batchId?: string): void;
  /** Holds on for a batch until its results are read. */
  keep(batchId: string, ticket: HeldTicket): void;
  kept(batchId: string): HeldTicket | undefined;
  /** Expires what is overdue. */
  sweep(): void;
  readonly size: number;
}

/** A batch ends within 24 hours, and its results are read soon after, or as late as one likes. */
const BATCH_MS = 25 * 3_600_000;
const MAX_BATCHES = 1_000;

export function createTickets(monotonic: () => number, dropped: (what: string) => void): Tickets {
  // With the places in the tickets: a set would cost each call more than its decision does.
  const open: HeldTicket[] = [];
  const batches = new Map<string, HeldTicket>();

  function remove(ticket: HeldTicket): void {
    const { slot } = ticket;
    if (slot === -1) return;
    const last = open.pop()!;
    if (last !== ticket) {
      open[slot] = last;
      last.slot = slot;
    }
    ticket.slot = -1;
  }

  return {
    open(ticket) {
      ticket.expiresAt = monotonic() + ticket.patienceMs;
      if (ticket.slot === -1) ticket.slot = open.push(ticket) - 1;
    },
    close(ticket, batchId) {
      remove(ticket);
      if (batchId !== undefined) batches.delete(batchId);
    },
    keep(batchId, ticket) {
      const [oldest] = batches.keys();
      if (batches.size >= MAX_BATCHES && oldest !== undefined) {
        dropped('budget.batches');
        batches.delete(oldest);
      }
      ticket.expiresAt = monotonic() + BATCH_MS;
      batches.set(batchId, ticket);
    },
    kept: (batchId) => batches.get(batchId),
    sweep() {
      const now = monotonic();
      // From the end: the place of one that is removed is taken by the last.
      for (let slot = open.length - 1; slot >= 0; slot -= 1) {
        const ticket = open[slot]!;
        if (now < ticket.expiresAt) continue;
        if (ticket.alive()) {
          ticket.expiresAt = now + ticket.patienceMs;
          continue;
        }
        remove(ticket);
        if (expire(ticket.hold)) dropped('budget.expiredHolds');
      }
    },
    get size() {
      return open.length;
    },
  };
}
