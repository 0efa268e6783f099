import { asErrorOf, type BudgetExceededError } from './budget-error.js';
import type { Call } from './call.js';
import { namesToCome } from './context.js';
import type { Gate, Refusal, Ticket } from './gate.js';
import type { Health } from './health.js';
import type { BoundClient } from './middleware.js';
import type { CallError, CallRecord, Operation } from './record.js';
import { bodyOf } from './request.js';
import { maxRetriesOf } from './retry.js';

/**
 * How a call passes the gate: asked before it is sent, again before a retry of an attempt that may
 * have billed, and told how it ended. A fault of ours lets the call go on, is counted, and its cost is
 * charged when it is known.
 */
export interface Admission {
  /** The gate is asked about such requests, and there is something to ask. */
  concerns(operation: Operation): boolean;
  /** Resolves when the promised names of the call are there, or late; `null`: there are none. */
  named(call: Call): Promise<void> | null;
  /** Goes on with the error that refuses the call, or with `null`: at once, if the gate can answer so. */
  ask<T>(
    call: Call,
    request: object,
    requestOptions: object,
    client: BoundClient | undefined,
    go: (refused: Refused | null) => Promise<T>,
  ): Promise<T>;
  /** The request as it is to be sent: itself, or a copy with what was changed. */
  rewritten<R extends object>(call: Call, request: R): R;
  settle(call: Call, record: CallRecord): void;
}

export type Refused = BudgetExceededError;

/** How long a budget waits to hear whose call it is; then it is nobody's. */
const NAMES_MS = 1_000;
/** What the SDK waits for headers when nobody says otherwise, and how often it tries again. */
const TIMEOUT_MS = 600_000;
const RETRIES = 2;
/** For the pauses between attempts, and for reading an answer that has begun. */
const SLACK_MS = 60_000;

export function createAdmission(gate: Gate, health: Health): Admission {
  function admit(
    call: Call,
    request: object,
    requestOptions: object,
    client: BoundClient | undefined,
  ): Refused | null | Promise<Refused | null> {
    const body = bodyToSend(call, request, requestOptions);
    const model = call.parentId === null ? call.model : String(body?.['model'] ?? call.model);
    let reads = call.reads;
    const answer = gate.admit({
      at: call.at,
      operation: call.operation,
      model,
      context: call.context,
      body,
      threaded: isThreaded(request),
      alive() {
        const moved = call.reads !== reads;
        reads = call.reads;
        return moved;
      },
      patienceMs: patienceOf(requestOptions, client),
    });
    if (!(answer instanceof Promise)) return admitted(call, answer);
    return answer.then((later) => admitted(call, later)).catch(fault('budgets.admit'));
  }

  function admitted(call: Call, answer: Ticket | Refusal | null): Refused | null {
    if (call.phase === 'ended') {
      if (answer && !answer.error) gate.release(answer);
      return null;
    }
    call.ticket = answer?.error ? null : answer;
    call.budget = answer && answer.budget;
    return answer?.error ?? null;
  }

  function readmit(call: Call, ticket: Ticket): Refused | null | Promise<Refused | null> {
    const refused = gate.readmit(ticket);
    if (!(refused instanceof Promise)) return readmitted(call, refused);
    return refused.then((later) => readmitted(call, later)).catch(fault('budgets.readmit'));
  }

  function readmitted(call: Call, refused: Refusal | null): Refused | null {
    if (refused) call.budget = refused.budget;
    return refused && refused.error;
  }

  /** Such a fault lets the call go on. */
  function fault(step: string): (error: unknown) => null {
    return (error) => {
      health.fault(step, error);
      return null;
    };
  }

  return {
    concerns: (operation) => gate.active && (operation === 'messages' || operation === 'batches'),
    named({ context }) {
      const names = namesToCome(context);
      return names && within(NAMES_MS, names, () => health.drop('budgets.lateName'));
    },
    ask(call, request, requestOptions, client, go) {
      const last = call.attempts.at(-1);
      const wasLost = last !== undefined && last.status === null && last.mayHaveBilled;
      let refused: Refused | null | undefined | Promise<Refused | null>;
      if (last === undefined) {
        refused = health.guard('budgets.admit', admit, call, request, requestOptions, client);
      } else if (wasLost && call.ticket) {
        refused = health.guard('budgets.readmit', readmit, call, call.ticket);
      }
      const tell = (error: Refused | null) => go(error && asErrorOf(client?.constructor, error));
      return refused instanceof Promise ? refused.then(tell) : tell(refused ?? null);
    },
    rewritten(call, request) {
      const { ticket } = call;
      if (!ticket || (ticket.model === null && ticket.maxTokens === null)) return request;
      return health.guard('budgets.rewrite', changedCopy, request, ticket) ?? request;
    },
    settle(call, record) {
      const { ticket, operation } = call;
      if (operation === 'batch_results') {
        if (gate.active) gate.settleResult(call.batchId ?? '', record);
      } else if (ticket) {
        const { messageId } = record;
        if (operation === 'batches' && record.outcome === 'ok' && messageId !== null) {
          gate.keep(ticket, messageId);
        } else {
          gate.settle(ticket, record);
        }
      } else if (ticket === undefined && gate.active) {
        gate.charge(record);
      }
    },
  };
}

/** Who asked for it has spent enough; the provider was never asked. */
export function describeRefusal({ reason, message }: BudgetExceededError): CallError {
  const type = reason === 'paused' ? 'feature_paused' : 'budget_exceeded';
  return { kind: 'spend_limit', type, message };
}

/** @throws TypeError for a body that is no JSON object: it is sent as it is, and charged what it costs. */
function changedCopy<R extends object>(request: R, { model, maxTokens }: Ticket): R {
  const { body } = request as { body?: unknown };
  const sent = typeof body === 'string' ? bodyOf(body) : null;
  if (sent === null) throw new TypeError('The body of a request cannot be read, nor changed.');
  const changed = { ...sent };
  if (model !== null) changed['model'] = model;
  if (maxTokens !== null) changed['max_tokens'] = maxTokens;
  return { ...request, body: JSON.stringify(changed) };
}

/** A fallback's hop is sent with the options of the call that it belongs to, and a body of its own. */
function bodyToSend(call: Call, request: object, requestOptions: object) {
  if (call.parentId === null) return bodyOf(bodyOfOptions(requestOptions));
  return bodyOf((request as { body?: unknown }).body);
}

function bodyOfOptions(requestOptions: object | null): unknown {
  return (requestOptions as { body?: unknown } | null)?.body;
}

/** A turn of a thread that the server keeps sends only what is new in it. */
function isThreaded(request: object): boolean {
  const { headers } = request as { headers?: Partial<Headers> };
  return headers?.get?.('x-stainless-helper')?.includes('message-thread') === true;
}

async function within(ms: number, names: Promise<unknown>, late: () => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      late();
      resolve();
    }, ms);
  });
  await Promise.race([names, tooLate]);
  clearTimeout(timer);
}

function patienceOf(requestOptions: object, client: BoundClient | undefined): number {
  const own = (requestOptions as { timeout?: unknown }).timeout ?? client?.timeout;
  const timeout = typeof own === 'number' && own >= 0 ? own : TIMEOUT_MS;
  const retries = maxRetriesOf(requestOptions, client);
  return timeout * ((Number.isFinite(retries) ? retries : RETRIES) + 1) + SLACK_MS;
}
