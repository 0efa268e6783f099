import { parseArgs } from 'node:util';
import { parseRange, parseTime } from '../http/parameters.js';
import { show } from '../options.js';
import { isTimeZone } from '../period.js';
import { wrong, type Arguments, type OptionSpecs } from './command.js';

/** The words and options after a command, checked. */
export type { Arguments, OptionSpecs } from './command.js';

/** A span of time: `from <= at < to`, milliseconds since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export const DAY_MS = 86_400_000;
const MAX_SPAN_DAYS = 400;

export const FORMAT_OPTIONS: OptionSpecs = {
  json: { type: 'boolean', help: 'print JSON' },
  csv: { type: 'boolean', help: 'print CSV' },
};

export const SPAN_OPTIONS: OptionSpecs = {
  from: { type: 'string', value: 'time', help: 'begin, inclusive: a day or a time with a zone' },
  to: { type: 'string', value: 'time', help: 'end, exclusive' },
  range: { type: 'string', value: '7d', help: 'length that ends at --to, instead of --from' },
};

/** @throws UsageError for an option or a word that the command does not have. */
export function readArguments(
  command: string,
  argv: readonly string[],
  options: OptionSpecs,
  mostWords: number,
): Arguments {
  const { values, positionals } = parsed(command, argv, options);
  if (positionals.length > mostWords) {
    const most = mostWords === 0 ? 'takes options only' : `takes at most ${mostWords} word(s)`;
    wrong(command, `${show(positionals[mostWords])} is one word too many; the command ${most}.`);
  }
  return {
    command,
    words: positionals,
    text: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
    flag: (name) => values[name] === true,
  };
}

function parsed(command: string, argv: readonly string[], options: OptionSpecs) {
  try {
    return parseArgs({
      args: [...argv],
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type }]) => [name, { type }]),
      ),
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    const text = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    const names = Object.keys(options).map((name) => `--${name}`);
    return wrong(command, `${text}. Options are: ${names.join(', ')}.`, error);
  }
}

/** How to print: a table for people unless something else is asked for. */
export function formatOf(args: Arguments): 'table' | 'json' | 'csv' {
  if (args.flag('json') && args.flag('csv')) wrong(args.command, 'give one of --json and --csv.');
  return args.flag('json') ? 'json' : args.flag('csv') ? 'csv' : 'table';
}

/**
 * The span asked for.
 *
 * @param end What `--to` is by default, and `length` how long before it the span begins.
 * @throws UsageError for times that make no sense.
 */
export function spanOf(args: Arguments, end: number, length: number): Span {
  const { command } = args;
  const to = timeOf(args, 'to') ?? end;
  const range = args.text('range');
  const given = timeOf(args, 'from');
  if (range !== undefined && given !== undefined) {
    wrong(command, 'give one of --from and --range; the other follows from it.');
  }
  const long = range === undefined ? length : parseRange(range);
  if (long === undefined)
    wrong(command, `--range must be like 30m, 24h or 7d, got ${show(range)}.`);
  const from = given ?? to - long;
  const shown = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
  if (from >= to) wrong(command, `--from must be before --to, got ${shown}.`);
  if (to - from > MAX_SPAN_DAYS * DAY_MS) {
    wrong(command, `the span must be at most ${MAX_SPAN_DAYS} days, got ${shown}.`);
  }
  return { from, to };
}

/** Whole days of UTC, by which the bill counts. @throws UsageError for anything else. */
export function wholeDays(args: Arguments, { from, to }: Span): Span {
  if (from % DAY_MS === 0 && to % DAY_MS === 0) return { from, to };
  return wrong(
    args.command,
    'the bill counts whole days of UTC; give --from and --to as days, such as 2026-11-01.',
  );
}

export function zoneOf(args: Arguments): string {
  const zone = args.text('zone') ?? 'UTC';
  if (isTimeZone(zone)) return zone;
  return wrong(
    args.command,
    `--zone must be an IANA time zone like Europe/Paris, got ${show(zone)}.`,
  );
}

function timeOf(args: Arguments, name: 'from' | 'to'): number | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const at = parseTime(text);
  if (at !== undefined) return at;
  const allowed = 'a day (2026-11-24) or a time with a zone (2026-11-24T14:00:00Z)';
  return wrong(args.command, `--${name} must be ${allowed}, got ${show(text)}.`);
}
