import { faultText } from './fault-text.js';
import type { HealthReport } from './status.js';

/**
 * Telemetry never fails a call: every step of ours passes `guard`. A fault is counted here, reported
 * once per kind, and shown in the snapshot.
 *
 * - **step**: the name of what was being done (`sink:json`, `context.userId`).
 * - **drop**: something a bound made us leave out (a series, a recent call).
 */

export type { HealthReport } from './status.js';

export type Guard = <A extends readonly unknown[], T>(
  step: string,
  run: (...args: A) => T,
  ...args: A
) => T | undefined;

export interface Health {
  /** Runs `run(...args)`; a throw is counted and becomes `undefined`. Costs no more than a try/catch. */
  guard: Guard;
  fault(step: string, error: unknown): void;
  drop(what: string, count?: number): void;
  /** Says `text` once per `key`, through `onNotice`. */
  notice(key: string, text: string): void;
  report(): HealthReport;
}

export interface HealthOptions {
  /** Called for the first fault of each step, with the error as it is. May throw; nobody hears it. */
  onError?: ((error: unknown, step: string) => void) | undefined;
  onNotice?: ((text: string) => void) | undefined;
}

const MAX_NAMES = 100;

export function createHealth(options: HealthOptions = {}): Health {
  const faults = new Map<string, { count: number; lastMessage: string }>();
  const dropped = new Map<string, number>();
  const notices = new Map<string, string>();

  function fault(step: string, error: unknown): void {
    const seen = faults.get(step);
    const lastMessage = faultText(error);
    if (seen) {
      seen.count += 1;
      seen.lastMessage = lastMessage;
      return;
    }
    if (faults.size >= MAX_NAMES) return;
    faults.set(step, { count: 1, lastMessage });
    try {
      options.onError?.(error, step);
    } catch {
      // The reporter of faults is the one place where a fault has nowhere left to go.
    }
  }

  return {
    guard(step, run, ...args) {
      try {
        return run(...args);
      } catch (error) {
        fault(step, error);
        return undefined;
      }
    },
    fault,
    drop(what, count = 1) {
      dropped.set(what, (dropped.get(what) ?? 0) + count);
    },
    notice(key, text) {
      if (notices.has(key) || notices.size >= MAX_NAMES) return;
      notices.set(key, text);
      try {
        options.onNotice?.(text);
      } catch (error) {
        fault('onNotice', error);
      }
    },
    report() {
      return {
        ok: faults.size === 0,
        faults: Object.fromEntries([...faults].map(([step, seen]) => [step, { ...seen }])),
        dropped: Object.fromEntries(dropped),
        notices: [...notices.values()],
      };
    },
  };
}
