import type { Health } from './health.js';
import type { OptionRule } from './options.js';

/**
 * Closing at a signal, for whoever asked for it: without a word nothing of ours listens for any.
 *
 * - **closing signal**: one that ends a process, unless somebody listens for it.
 * - **giving back**: sending the signal once more when nobody listens any more, so that the process
 *   ends by it, and whoever waits for the process sees that it did.
 */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGBREAK', 'SIGUSR2'] as const;

export type ClosingSignal = (typeof SIGNALS)[number];

export const signalsRule: OptionRule = {
  allowed: `an array of signals that end a process, of ${SIGNALS.join(', ')}`,
  ok: (value) => Array.isArray(value) && value.every((each) => SIGNALS.includes(each as never)),
};

/** On listeners of ours, whichever copy of this package added them. */
const OURS = Symbol.for('@claude-metrics/core:closeOn@1');

/**
 * Calls `close` at the first of these signals. When it is done and nobody else had listened, the signal
 * is given back; where others listen, how the process ends is theirs to decide.
 *
 * @returns The way to stop listening. To be called when everything is closed, not before: until then a
 * second signal must not end the process in the middle.
 */
export function closeOnSignals(
  signals: readonly ClosingSignal[],
  close: () => Promise<void>,
  health: Health,
): () => void {
  const names = [...new Set(signals)];
  let last: { readonly signal: NodeJS.Signals; readonly ends: boolean } | null = null;

  function onSignal(signal: NodeJS.Signals): void {
    const first = last === null;
    // The last one counts: frameworks that are done send the signal again, and listen no more.
    last = { signal, ends: !othersListen(signal) };
    if (first) void closeAndGiveBack();
  }

  async function closeAndGiveBack(): Promise<void> {
    try {
      await close();
    } catch (error) {
      health.fault('closeOn', error);
    }
    health.guard('closeOn', giveBack);
  }

  function giveBack(): void {
    remove();
    if (last === null || !last.ends) return;
    // Another monitor that still closes gives it back when it is done.
    if (listenersOf(last.signal).some(isOurs)) return;
    process.kill(process.pid, last.signal);
  }

  const listener = Object.assign(
    (signal: NodeJS.Signals) => health.guard('closeOn', onSignal, signal),
    { [OURS]: true },
  );

  function remove(): void {
    for (const name of names) process.removeListener(name, listener);
  }

  // First of all, because a `once` of the application is gone by the time it has been called.
  for (const name of names) process.prependListener(name, listener);
  return remove;
}

type Listener = (...args: never[]) => unknown;

function listenersOf(signal: NodeJS.Signals): readonly Listener[] {
  return process.listeners(signal) as readonly Listener[];
}

function isOurs(listener: Listener): boolean {
  return (listener as { [OURS]?: true })[OURS] === true;
}

/**
 * Listeners of `signal-exit`, which is in many packages, decide nothing: they end the process when they
 * are alone, and so would wait for us for ever.
 */
function othersListen(signal: NodeJS.Signals): boolean {
  const others = listenersOf(signal).filter((each) => !isOurs(each)).length;
  return others > 0 && others !== countOfSignalExit();
}

function countOfSignalExit(): number {
  const places = globalThis as Record<symbol, { count?: unknown } | undefined>;
  const older = process as { __signal_exit_emitter__?: { count?: unknown } };
  const counts = [places[Symbol.for('signal-exit emitter')], older.__signal_exit_emitter__];
  return counts.reduce((sum, emitter) => sum + (Number(emitter?.count) || 0), 0);
}
