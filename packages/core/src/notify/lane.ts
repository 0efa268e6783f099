import { SEVERITIES, type AlertMessage, type Channel, type ChannelReport } from '../alert.js';
import type { Health } from '../health.js';
import { adviceOf, failure, reasonOf, type Failure } from './failure.js';

/**
 * - **lane**: one channel with its queue, its tries and its figures. Lanes know nothing of each other,
 *   so that none delays another.
 * - **try**: one `send()`. **pause**: the time between two tries of a message.
 * - **unheard**: an alert whose `firing` was dropped: that it is over is news to nobody.
 */
export interface Lane {
  push(message: AlertMessage): void;
  report(): ChannelReport;
  /** One try for each message that waits, no pauses; resolves when none is left. */
  finish(): Promise<void>;
  /** After `finish()`: the try under way is given up, what waits is dropped. */
  stop(): void;
}

/**
 * Calls `run` after `ms` milliseconds, unless the function it gives is called before. `hold`: keeps
 * the process alive until then.
 */
export type Schedule = (run: () => void, ms: number, hold?: boolean) => () => void;

export interface LaneOptions {
  readonly health: Health;
  /** Of one try, in milliseconds. */
  readonly timeoutMs: number;
  readonly retries: number;
  /** Messages that wait. */
  readonly queue: number;
  readonly random: () => number;
  readonly schedule: Schedule;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const LONGEST_RETRY_AFTER_MS = 10 * 60_000;
const MAX_UNHEARD = 1_000;
/** Tries that were given up and have not ended: each keeps what its channel keeps. */
const MAX_HANGING = 100;
const CLOSED = 'closed before it was sent';

/** `null`: it came through. */
type Outcome = { readonly error: unknown } | null;

export function createLane(channel: Channel, options: LaneOptions): Lane {
  const { health, timeoutMs, retries, random, schedule } = options;
  const step = `alerts.${channel.name}`;
  const least = SEVERITIES.indexOf(channel.minSeverity ?? 'info');
  const waiting: AlertMessage[] = [];
  const unheard = new Set<string>();
  const figures = { sent: 0, failed: 0, dropped: 0 };
  let lastError: string | null = null;
  let underWay = false;
  let ended = Promise.resolve();
  let finishing = false;
  let stopped = false;
  let hanging = 0;
  let giveUp: ((why: Failure) => void) | null = null;
  let endPause: (() => void) | null = null;

  function drop(message: AlertMessage): void {
    figures.dropped += 1;
    health.drop(step);
    if (message.type !== 'firing') return;
    unheard.add(message.alert.id);
    if (unheard.size > MAX_UNHEARD) for (const id of unheard) return void unheard.delete(id);
  }

  /** The next message that makes sense to its receiver. */
  function next(): AlertMessage | undefined {
    for (let message = waiting.shift(); message; message = waiting.shift()) {
      const wasUnheard = unheard.delete(message.alert.id);
      if (message.type !== 'resolved' || !wasUnheard) return message;
      drop(message);
    }
    return undefined;
  }

  async function work(): Promise<void> {
    for (let message = next(); message; message = next()) {
      underWay = true;
      const end = await deliver(message);
      figures[end] += 1;
      underWay = false;
    }
  }

  async function deliver(message: AlertMessage): Promise<'sent' | 'failed'> {
    for (let tried = 1; ; tried += 1) {
      const outcome = await attempt(message);
      if (outcome === null) {
        lastError = null;
        return 'sent';
      }
      lastError = reasonOf(outcome.error);
      const { retry, afterMs } = adviceOf(outcome.error);
      if (!retry || tried > retries || finishing) {
        // Not the error itself: faults are printed, and its text may hold an address.
        health.fault(step, failure(lastError));
        return 'failed';
      }
      const backoff = Math.min(FIRST_PAUSE_MS * 2 ** (tried - 1), LONGEST_PAUSE_MS);
      const asked = Math.min(afterMs, LONGEST_RETRY_AFTER_MS);
      await pause(Math.max(random() * backoff, asked));
    }
  }

  function attempt(message: AlertMessage): Promise<Outcome> {
    if (stopped) return Promise.resolve({ error: failure(CLOSED) });
    if (hanging >= MAX_HANGING) {
      return Promise.resolve({
        error: failure(`${hanging} tries have not ended`, { retry: false }),
      });
    }
    const controller = new AbortController();
    return new Promise((resolve) => {
      let isOpen = true;
      const end = (outcome: Outcome): void => {
        isOpen = false;
        giveUp = null;
        cancel();
        resolve(outcome);
      };
      giveUp = (why) => {
        hanging += 1;
        end({ error: why });
        controller.abort(why);
      };
      const cancel = schedule(
        () => giveUp?.(failure(`no answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      const settle = (outcome: Outcome): void => {
        if (isOpen) end(outcome);
        else hanging -= 1;
      };
      Promise.resolve()
        .then(() => channel.send(message, controller.signal))
        .then(
          () => settle(null),
          (error: unknown) => settle({ error }),
        );
    });
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = schedule(() => endPause?.(), ms);
      endPause = () => {
        endPause = null;
        cancel();
        resolve();
      };
    });
  }

  return {
    push(message) {
      if (SEVERITIES.indexOf(message.alert.severity) < least) return;
      if (finishing) return drop(message);
      waiting.push(message);
      const oldest = waiting.length > options.queue ? waiting.shift() : undefined;
      if (oldest) drop(oldest);
      if (!underWay) ended = work();
    },
    report() {
      const queued = waiting.length + (underWay ? 1 : 0);
      return { name: channel.name, ...figures, queued, lastError };
    },
    finish() {
      finishing = true;
      endPause?.();
      return ended;
    },
    stop() {
      stopped = true;
      for (const message of waiting.splice(0)) drop(message);
      giveUp?.(failure(CLOSED));
    },
  };
}
