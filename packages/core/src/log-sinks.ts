import { callLine, jsonLines } from './exporters/json.js';
import type { Health } from './health.js';
import type { MonitorOptions } from './monitor-options.js';
import type { CallRecord, Sink } from './record.js';

/** The sinks that write: the call log, and what is told of dear calls. */
export function logSinksOf(
  { log = true, perRequestWarnUsd }: MonitorOptions,
  health: Health,
  say: (text: string) => void,
  now: () => number,
): Sink[] {
  const sinks: Sink[] = [];
  if (log === true) {
    sinks.push(
      jsonLines({
        onDrop: (count) => health.drop('logLine', count),
        onError: (error) => health.fault('sink:json', error),
      }),
    );
  } else if (log !== false) {
    sinks.push({ name: 'log', record: (call) => log(callLine(call), call) });
  }
  if (perRequestWarnUsd !== undefined) {
    const sayOf = limited(say, now, () => health.drop('dearCallLine'));
    sinks.push(dearCalls(perRequestWarnUsd * 1e9, sayOf));
  }
  return sinks;
}

const MINUTE_MS = 60_000;
const LINES_A_MINUTE = 20;

/** `say`, up to so many lines a minute; what is beyond them is counted. */
export function limited(
  say: (text: string) => void,
  now: () => number,
  dropped: () => void,
): (text: string) => void {
  let minute = NaN;
  let lines = 0;
  return (text) => {
    const current = Math.floor(now() / MINUTE_MS);
    if (current !== minute) lines = 0;
    minute = current;
    lines += 1;
    if (lines <= LINES_A_MINUTE) say(text);
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
