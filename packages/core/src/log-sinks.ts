import { callLine, jsonLines } from './exporters/json.js';
import { logTo, type LogSink } from './exporters/logger.js';
import { faultText } from './fault-text.js';
import type { Health } from './health.js';
import { isLogSink, type MonitorOptions } from './monitor-options.js';
import { createRateLimit } from './rate-limit.js';
import type { CallRecord, Sink } from './record.js';

/** How a monitor speaks: of calls, and to the operator. */
export interface Voice {
  /** The application's logger, when it gets everything: calls, alerts, news of budgets, notices. */
  readonly own: LogSink | null;
  say(text: string): void;
  /** The first fault of each step. */
  report(error: unknown, step: string): void;
}

/** @throws TypeError for a logger that lacks a level. */
export function voiceOf({ log, onNotice, onError }: MonitorOptions): Voice {
  const own = typeof log !== 'object' ? null : isLogSink(log) ? log : logTo(log);
  const tell = own ? (text: string) => (TOKEN.test(text) ? warn(text) : own.say(text)) : warn;
  return {
    own,
    say: onNotice ?? tell,
    report: onError ?? ((error, step) => tell(faultOf(error, step))),
  };
}

/** What opens the dashboard is for who sits before the terminal, and not for a log that is kept. */
const TOKEN = /[?&]token=/;

function warn(text: string): void {
  console.warn(`[claude-metrics] ${text}`);
}

function faultOf(error: unknown, step: string): string {
  const affected = step === 'budgets.store' ? 'go by onStoreDown of their budgets' : 'go on';
  return `${step} failed; calls ${affected}, and it is counted in health. ${JSON.stringify(faultText(error))}`;
}

/** The sinks that write: the call log, and what is told of dear calls. */
export function logSinksOf(
  { log = true, perRequestWarnUsd }: MonitorOptions,
  { own, say }: Voice,
  health: Health,
  now: () => number,
): Sink[] {
  const sinks: Sink[] = [];
  if (own) sinks.push(own);
  else if (log === true) {
    sinks.push(
      jsonLines({
        onDrop: (count) => health.drop('logLine', count),
        onError: (error) => health.fault('sink:json', error),
      }),
    );
  } else if (typeof log === 'function') {
    sinks.push({ name: 'log', record: (call) => log(callLine(call), call) });
  }
  if (perRequestWarnUsd !== undefined) {
    const sayOf = limited(say, now, () => health.drop('dearCallLine'));
    sinks.push(dearCalls(perRequestWarnUsd * 1e9, sayOf));
  }
  return sinks;
}

const LINES_A_MINUTE = 20;

/** `say`, up to so many lines a minute; what is beyond them is counted. */
export function limited(
  say: (text: string) => void,
  now: () => number,
  dropped: () => void,
): (text: string) => void {
  const limit = createRateLimit(LINES_A_MINUTE, 1, now);
  return (text) => {
    if (limit.wait('') === 0) say(text);
    else dropped();
  };
}

/** Tells of every call that cost at least so much. */
function dearCalls(nanoUsd: number, say: (text: string) => void): Sink {
  return {
    name: 'dear-calls',
    record(call) {
      if (call.cost !== null && call.cost.nanoUsd >= nanoUsd) say(textOf(call));
    },
  };
}

function textOf({ id, cost, budget, model, feature, userId }: CallRecord): string {
  const of = feature === null ? '' : `, feature ${JSON.stringify(feature)}`;
  const by = userId === null ? '' : `, user ${JSON.stringify(userId)}`;
  return `A call cost $${cost?.usd}: ${budget?.sentModel ?? model}${of}${by} (call ${id}).`;
}
