import type { Call } from './call.js';
import type { Health } from './health.js';
import type { CallError, Outcome } from './record.js';
import { outcomeOf } from './reading.js';

/**
 * The calls under way, and their one end each.
 *
 * Most end with their body. For the others one timer (not one a call) looks once a second: a call
 * whose last attempt failed ends when no retry can come any more, a body that nobody reads when it
 * was idle for too long.
 */
export interface Calls {
  track(call: Call): void;
  /** Leaves a call without an end, for what turned out to be none. */
  forget(call: Call): void;
  /** An attempt failed; unless another one starts within `pauseMs`, it was the last. */
  wait(call: Call, pauseMs: number): void;
  /** The first end counts. */
  end(call: Call, outcome: Outcome, error?: CallError): void;
  /** Looks for calls that can no longer go on; `everything` ends them all. */
  sweep(everything?: boolean): void;
  close(): void;
  readonly size: number;
}

export interface CallsOptions {
  readonly monotonic: () => number;
  readonly health: Health;
  /** Makes the record; whatever it throws is counted. */
  readonly ended: (call: Call, outcome: Outcome) => void;
  /** Runs with every look at the calls under way. */
  readonly onSweep?: (() => void) | undefined;
  /** Milliseconds. */
  readonly idleMs?: number | undefined;
}

const SWEEP_MS = 1_000;
const IDLE_MS = 10 * 60_000;
/** Beyond the SDK's longest pause before a retry: preparing a request takes time as well. */
const RETRY_SLACK_MS = 1_000;
const MAX_PENDING = 10_000;
const NEVER_LOOKED_AT = -1;

export function createCalls(options: CallsOptions): Calls {
  const { monotonic, health, ended } = options;
  const idleMs = options.idleMs ?? IDLE_MS;
  /** With each call, how often it had been read from when the idle were last looked for. */
  const pending = new Map<Call, number>();
  let sweeper: NodeJS.Timeout | undefined;
  let nextIdleCheck = 0;

  function end(call: Call, outcome: Outcome, error?: CallError): void {
    if (call.outcome !== null) {
      if (call.outcome === 'abandoned' && outcome !== 'abandoned')
        health.drop('readAfterAbandoned');
      return;
    }
    finish(call, outcome, monotonic(), error);
  }

  function finish(call: Call, outcome: Outcome, at: number, error?: CallError): void {
    call.phase = 'ended';
    call.outcome = outcome;
    call.endedAt = at;
    pending.delete(call);
    call.error = error ?? errorOf(call, outcome);
    const last = call.attempts[call.attempts.length - 1];
    if (last && call.error && outcome === 'error') last.errorKind = call.error.kind;
    health.guard('capture.record', ended, call, outcome);
    call.request = null;
  }

  /** Nothing has happened for a while, and that while is no part of the call. */
  function giveUp(call: Call): void {
    if (call.outcome !== null) return;
    const { attemptStartedAt, attemptEndedAt } = call;
    const at = call.phase === 'requesting' ? attemptStartedAt : attemptEndedAt;
    call.scan?.settle();
    if (call.scan?.complete) finish(call, outcomeOf(call.answer), at);
    else if (call.phase !== 'waiting') finish(call, 'abandoned', at);
    else finish(call, call.signal?.aborted === true ? 'aborted' : 'error', at);
  }

  function sweep(everything = false): void {
    const now = monotonic();
    const checkIdle = now >= nextIdleCheck;
    if (checkIdle) nextIdleCheck = now + idleMs;
    for (const [call, readsBefore] of pending) {
      if (everything) giveUp(call);
      else if (call.phase === 'waiting') {
        if (now >= call.deadline || call.signal?.aborted === true) giveUp(call);
      } else if (checkIdle && call.phase === 'reading') {
        if (call.reads === readsBefore) giveUp(call);
        else pending.set(call, call.reads);
      }
    }
    options.onSweep?.();
  }

  return {
    track(call) {
      if (pending.size >= MAX_PENDING) {
        health.drop('pendingCalls');
        const [oldest] = pending.keys();
        if (oldest) giveUp(oldest);
      }
      pending.set(call, NEVER_LOOKED_AT);
      if (sweeper) return;
      nextIdleCheck = monotonic() + idleMs;
      sweeper = setInterval(() => health.guard('capture.sweep', sweep), SWEEP_MS);
      sweeper.unref();
    },
    forget: (call) => void pending.delete(call),
    wait(call, pauseMs) {
      if (call.phase === 'ended') return;
      call.phase = 'waiting';
      call.deadline = monotonic() + pauseMs + RETRY_SLACK_MS;
    },
    end,
    sweep,
    close() {
      clearInterval(sweeper);
      sweep(true);
    },
    get size() {
      return pending.size;
    },
  };
}

function errorOf(call: Call, outcome: Outcome): CallError | null {
  if (outcome === 'error') return call.error;
  if (outcome !== 'refused') return null;
  return { kind: 'content_filter', type: 'refusal', message: 'The model refused.' };
}
