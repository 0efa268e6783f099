import type { Call } from './call.js';
import type { Health } from './health.js';
import type { CallError, Outcome } from './record.js';

/**
 * The calls under way, and their one end each.
 *
 * Most end with their body. For the others one timer (not one a call) looks once a second: a call
 * whose last attempt failed ends when no retry can come any more, a body that nobody reads when it
 * was idle for too long or was collected.
 */
export interface Calls {
  track(call: Call): void;
  /** Leaves a call without an end, for what turned out to be none. */
  forget(call: Call): void;
  /** An attempt failed; unless another one starts within `pauseMs`, it was the last. */
  wait(call: Call, pauseMs: number): void;
  /** Ends the call when `response` is collected with its body unread. */
  endWhenCollected(call: Call, response: object): void;
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
  /** Milliseconds. */
  readonly idleMs?: number | undefined;
}

const SWEEP_MS = 1_000;
const IDLE_MS = 10 * 60_000;
/** Beyond the SDK's longest pause before a retry: preparing a request takes time as well. */
const RETRY_SLACK_MS = 1_000;
const MAX_PENDING = 10_000;

export function createCalls(options: CallsOptions): Calls {
  const { monotonic, health, ended } = options;
  const idleMs = options.idleMs ?? IDLE_MS;
  const pending = new Set<Call>();
  const unread = new FinalizationRegistry<Call>((call) => end(call, 'abandoned'));
  let sweeper: NodeJS.Timeout | undefined;
  let nextIdleCheck = 0;

  function end(call: Call, outcome: Outcome, error?: CallError): void {
    if (call.outcome !== null) {
      if (call.outcome === 'abandoned' && outcome !== 'abandoned')
        health.drop('readAfterAbandoned');
      return;
    }
    call.phase = 'ended';
    call.outcome = outcome;
    pending.delete(call);
    unread.unregister(call);
    call.error = error ?? errorOf(call, outcome);
    const last = call.attempts[call.attempts.length - 1];
    if (last && call.error && outcome === 'error') last.errorKind = call.error.kind;
    health.guard('capture.record', () => ended(call, outcome));
  }

  function giveUp(call: Call): void {
    if (call.phase !== 'waiting') end(call, 'abandoned');
    else end(call, call.signal?.aborted === true ? 'aborted' : 'error');
  }

  function sweep(everything = false): void {
    const now = monotonic();
    const checkIdle = now >= nextIdleCheck;
    if (checkIdle) nextIdleCheck = now + idleMs;
    for (const call of pending) {
      if (everything) giveUp(call);
      else if (call.phase === 'waiting') {
        if (now >= call.deadline || call.signal?.aborted === true) giveUp(call);
      } else if (checkIdle && call.phase === 'reading') {
        if (!call.touched) giveUp(call);
        call.touched = false;
      }
    }
  }

  return {
    track(call) {
      if (pending.size >= MAX_PENDING) {
        health.drop('pendingCalls');
        const [oldest] = pending;
        if (oldest) giveUp(oldest);
      }
      pending.add(call);
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
    endWhenCollected: (call, response) => unread.register(response, call, call),
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
