import type { Alert, AlertMessage, Channel, Severity } from '../alert.js';
import { checkOptions, rule, show } from '../options.js';
import { channelRules, named, type ChannelOptions } from './settings.js';
import { headline } from './wording.js';

/** A logger of any make: winston, pino, console, Nest's `Logger`. What it has is found out. */
export interface AlertLogger {
  log?(...args: never[]): unknown;
  info?(...args: never[]): unknown;
  warn?(...args: never[]): unknown;
  error?(...args: never[]): unknown;
}

/**
 * - `entry`: `log({ level, message, claude })`, as winston wants it.
 * - `message-first`: `warn(message, { claude })`, as the console and Nest want it.
 * - `object-first`: `warn({ claude }, message)`, as pino and bunyan want it.
 */
export type LogStyle = 'entry' | 'message-first' | 'object-first';

export interface LogOptions extends ChannelOptions {
  /** The logger's levels. Default `info`, `warn`, `error`; `info` for what is resolved. */
  readonly levels?: Partial<Readonly<Record<Severity | 'resolved', string>>> | undefined;
  /** How the logger is called. Default: found out from what it has. */
  readonly style?: LogStyle | undefined;
}

/** What a log line holds beside its text; under one name, so that it hides no field of the log's. */
export interface AlertLogFields {
  readonly claude: {
    readonly event: 'claude.alert';
    readonly messageId: string;
    readonly type: AlertMessage['type'];
    readonly at: string;
    readonly alert: Alert;
    readonly link: string | null;
  };
}

type Logger = Readonly<Record<string, unknown>>;
type Levels = Readonly<Record<Severity | 'resolved', string>>;

const rules = {
  ...channelRules,
  levels: {
    allowed: 'an object with texts for info, warning, critical and resolved',
    ok: (value: unknown) =>
      rule.object.ok(value) &&
      Object.entries(value as object).every(
        ([name, level]) => Object.hasOwn(CANDIDATES, name) && rule.text.ok(level),
      ),
  },
  style: rule.either(
    rule.exactly('entry'),
    rule.exactly('message-first'),
    rule.exactly('object-first'),
  ),
};

/** By what loggers call it: syslog levels have no `warn`, Nest has no `info`. */
const CANDIDATES: Readonly<Record<Severity | 'resolved', readonly string[]>> = {
  info: ['info', 'log'],
  warning: ['warn', 'warning'],
  critical: ['error'],
  resolved: ['info', 'log'],
};

/**
 * Writes a line a message: to a logger of yours, or as JSON on stderr.
 *
 * @throws TypeError for a logger that has no level for a severity.
 *
 * @example
 * channel.log(winstonLogger, { levels: { critical: 'crit' } });
 */
export function log(logger?: AlertLogger, options: LogOptions = {}): Channel {
  checkOptions('channel.log', options, rules);
  const write = logger === undefined ? lineWriter(options) : writerFor(logger, options);
  return { ...named('log', options), send: (message) => write(message) };
}

type Write = (message: AlertMessage) => void;

function lineWriter({ levels }: LogOptions): Write {
  const names = { info: 'info', warning: 'warn', critical: 'error', resolved: 'info', ...levels };
  return (message) => {
    const { claude } = fieldsOf(message);
    const { event, ...rest } = claude;
    const level = names[severityOf(message)];
    const line = { level, event, timestamp: message.at, message: headline(message), claude: rest };
    console.error(JSON.stringify(line));
  };
}

function writerFor(given: AlertLogger, options: LogOptions): Write {
  const logger = given as unknown as Logger;
  if (!rule.object.ok(given) && typeof given !== 'function') {
    throw new TypeError(
      `[claude-metrics] channel.log: expected a logger with log(), or with info(), warn() and ` +
        `error(), got ${show(given)}.`,
    );
  }
  const style = options.style ?? styleOf(logger);
  const levels = levelsOf(logger, style, options.levels);
  return (message) => {
    const level = levels[severityOf(message)];
    const text = headline(message);
    const fields = fieldsOf(message);
    if (style === 'entry') call(logger, 'log', { level, message: text, ...fields });
    else if (style === 'object-first') call(logger, level, fields, text);
    else call(logger, level, text, fields);
  };
}

function styleOf(logger: Logger): LogStyle {
  const isMethod = (name: string): boolean => typeof logger[name] === 'function';
  if (isMethod('bindings') || isMethod('addStream')) return 'object-first';
  if (!isMethod('log')) return 'message-first';
  const hasLevels = rule.object.ok(logger['levels']);
  return hasLevels || !['info', 'warn', 'error'].some(isMethod) ? 'entry' : 'message-first';
}

function levelsOf(logger: Logger, style: LogStyle, told: LogOptions['levels'] = {}): Levels {
  const known = logger['levels'];
  const has = (level: string): boolean => {
    if (style !== 'entry') return typeof logger[level] === 'function';
    return !rule.object.ok(known) || Object.hasOwn(known as object, level);
  };
  const pick = (name: Severity | 'resolved'): string => {
    const wanted = told[name] === undefined ? CANDIDATES[name] : [told[name]];
    const level = wanted.find(has);
    if (level !== undefined) return level;
    throw new TypeError(
      `[claude-metrics] channel.log: the logger has no level ${wanted.map(show).join(' or ')}. ` +
        `Tell one that it has in options.levels.${name}.`,
    );
  };
  return {
    info: pick('info'),
    warning: pick('warning'),
    critical: pick('critical'),
    resolved: pick('resolved'),
  };
}

function severityOf({ type, alert }: AlertMessage): Severity | 'resolved' {
  return type === 'resolved' ? 'resolved' : alert.severity;
}

function fieldsOf({ id, type, at, alert, link }: AlertMessage): AlertLogFields {
  return { claude: { event: 'claude.alert', messageId: id, type, at, alert, link } };
}

function call(logger: Logger, method: string, ...args: unknown[]): void {
  (logger[method] as (...given: unknown[]) => unknown)(...args);
}
