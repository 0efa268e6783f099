import { PassThrough } from 'node:stream';
import winston from 'winston';
import { logTo, type LogToOptions } from '../../src/exporters/logger.js';
import type { Logger } from '../../src/logger.js';
import { createMonitor, type Monitor } from '../../src/monitor.js';
import type { MonitorOptions } from '../../src/monitor-options.js';

/** What the tests of logs share: places that lines go to, calls of every kind, and an alert. */
export type Line = Record<string, unknown>;

export const USAGE = { input_tokens: 1000, output_tokens: 100 };
const AT = Date.parse('2026-11-01T10:00:00.000Z');

/** A stream of lines of JSON. */
export function jsonStream() {
  const stream = new PassThrough();
  return {
    stream,
    lines(): Line[] {
      let text = '';
      for (let chunk: unknown = stream.read(); chunk !== null; chunk = stream.read())
        text += String(chunk);
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line);
    },
  };
}

/** Winston as an application has made it: its transports, its levels, its formats. */
export function application(options: winston.LoggerOptions = {}) {
  const { combine, errors, json, splat, timestamp } = winston.format;
  const first = jsonStream();
  const second = jsonStream();
  const logger = winston.createLogger({
    format: combine(errors({ stack: true }), splat(), timestamp(), json()),
    ...options,
    transports: [
      new winston.transports.Stream({ stream: first.stream }),
      new winston.transports.Stream({ stream: second.stream, level: 'error' }),
    ],
  });
  return { logger, first, second };
}

/** A monitor with a clock of its own. */
export function monitorOf(options: MonitorOptions): Monitor {
  return createMonitor({ clock: { now: () => AT, monotonic: () => 0 }, ...options });
}

/** All those calls in this log, without a fault. */
export function logged(logger: Logger, options?: LogToOptions): void {
  const monitor = monitorOf({ log: options ? logTo(logger, options) : logger });
  recordAll(monitor);
  expect(monitor.health().faults).toEqual({});
}

export const callsOf = (lines: readonly Line[]): { claude: Line; level: unknown }[] =>
  (lines as { claude: Line; level: unknown }[]).filter(
    ({ claude }) => claude['event'] === 'claude.call',
  );

export const levelsOf = (lines: readonly Line[]): unknown[] =>
  callsOf(lines).map(({ level }) => level);

/** One call of each outcome, and one without a price. */
export function recordAll(monitor: Monitor): void {
  const model = 'claude-sonnet-5-5';
  monitor.record({ model, usage: USAGE, userId: 'ada', feature: 'chat', callMs: 2410, at: AT });
  monitor.record({ model, usage: USAGE, outcome: 'refused', at: AT });
  monitor.record({ model, outcome: 'error', error: overloaded(), status: 529, at: AT });
  monitor.record({ model, usage: USAGE, outcome: 'aborted', at: AT });
  monitor.record({ model: 'no-such-model', usage: USAGE, at: AT });
}

function overloaded(): Error {
  return Object.assign(new Error('Overloaded'), {
    status: 529,
    error: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  });
}
