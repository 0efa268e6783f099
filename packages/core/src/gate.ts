import type { CallBudget } from './budget.js';
import type { BudgetExceededError } from './budget-error.js';
import type { CallContext, CallRecord, Operation } from './record.js';

/**
 * The one question that capture asks before it sends: may this call be made, and as what?
 *
 * - **gate**: who answers it.
 * - **ticket**: the gate's own note of one call, from its admission to its end.
 */
export interface Gate {
  /** There is anything to ask about. */
  readonly active: boolean;
  /** Resolves when the gate can answer; `null` when it can now. */
  readonly ready: Promise<void> | null;
  /**
   * Reserves what the call can cost. `null`: it counts on no budget. Money that processes share may
   * have to be asked for; then the answer comes later, and never fails.
   */
  admit(call: Admission): Ticket | Refusal | null | Promise<Ticket | Refusal | null>;
  /** Reserves once more, before a retry of an attempt that may have billed. */
  readmit(ticket: Ticket): Refusal | null | Promise<Refusal | null>;
  /** Lets go of what a call was given that will not be made. */
  release(ticket: Ticket): void;
  /** Puts the real cost in the place of what was reserved. The first time counts. */
  settle(ticket: Ticket, call: CallRecord): void;
  /** Posts a call that nothing was reserved for. */
  charge(call: CallRecord): void;
  /** A batch was created: what is reserved stays so until its results are read. */
  keep(ticket: Ticket, batchId: string): void;
  /** One result of a batch, counted once. */
  settleResult(batchId: string, call: CallRecord): void;
  /** Lets go of what calls hold that nobody hears of any more. */
  sweep(): void;
}

/** A call as it wants to be made. */
export interface Admission {
  /** Start of the call, milliseconds since the epoch. */
  readonly at: number;
  readonly operation: Operation;
  readonly model: string;
  readonly context: CallContext;
  /** The request's body, to be read and not to be kept. */
  readonly body: unknown;
  /** It continues a thread that the server keeps: the body is not the whole prompt. */
  readonly threaded: boolean;
  /** Whether there is still a sign of life from the call, asked when its hold would expire. */
  readonly alive: () => boolean;
  /** How long its attempts can take at most, in milliseconds. */
  readonly patienceMs: number;
}

export interface Refusal {
  /** What the caller gets, as it is. */
  readonly error: BudgetExceededError;
  /** For the record. */
  readonly budget: CallBudget;
}

export interface Ticket {
  readonly error?: undefined;
  /** What to send instead; `null` where nothing is changed. */
  readonly model: string | null;
  readonly maxTokens: number | null;
  /** For the record. */
  readonly budget: CallBudget;
}
