import type { Alert, AlertMessage } from './alert.js';
import { rule, show, type OptionRule } from './options.js';

/**
 * The application's own logger, whatever its make: it is found out what it has, and nothing of it is
 * imported.
 *
 * - **style**: how it takes what it is given.
 * - **level**: a name of the logger's own. Syslog's has `warning` for `warn`, Nest's `log` for `info`.
 * - **fields**: what a line holds beside its text, all under `claude`, so that they meet none of the
 *   log's own: `message`, `timestamp`, `error`, `level`.
 */

/** A logger of any make: winston, pino, console, Nest's `Logger`. What it has is found out. */
export interface Logger {
  log?(...args: never[]): unknown;
  info?(...args: never[]): unknown;
  warn?(...args: never[]): unknown;
  error?(...args: never[]): unknown;
}

/**
 * - `entry`: `log({ level, message, claude })`, as winston wants it.
 * - `message-first`: `warn(message, { claude })`, as the console and Nest want it.
 * - `object-first`: `warn({ claude }, message)`, as pino and bunyan want it.
 * - `message-only`: `warn(message)`, for logs that only people read.
 */
export type LogStyle = 'entry' | 'message-first' | 'object-first' | 'message-only';

export interface LogFields {
  readonly claude: object;
}

/** What a log line about an alert holds beside its text. */
export interface AlertLogFields extends LogFields {
  readonly claude: {
    readonly event: 'claude.alert';
    readonly messageId: string;
    readonly type: AlertMessage['type'];
    readonly at: string;
    readonly alert: Alert;
    readonly link: string | null;
  };
}

/** What loggers call a level: syslog's have no `warn`, Nest's no `info`. The first that is there is used. */
export const LEVEL_NAMES = {
  info: ['info', 'log'],
  warn: ['warn', 'warning'],
  error: ['error'],
} as const;

/** A logger whose ways are known. */
export interface LogWriter {
  /**
   * The first of `wanted` that the logger has.
   *
   * @throws TypeError that names the option to tell it in.
   */
  levelOf(wanted: readonly string[], option: string): string;
  /** Asked before anything is made for a line. A logger that cannot tell takes everything. */
  isEnabled(level: string): boolean;
  /** A promise of the logger's is handed on, so that it cannot fail unheard. */
  write(level: string, text: string, fields: LogFields): void | Promise<void>;
}

type Parts = Readonly<Record<string, unknown>>;
type Method = (...given: unknown[]) => unknown;

export const styleRule: OptionRule = rule.either(
  rule.exactly('entry'),
  rule.exactly('message-first'),
  rule.exactly('object-first'),
  rule.exactly('message-only'),
);

/**
 * @param component Name of a child logger, for loggers that have children.
 * @throws TypeError for what is no logger.
 */
export function logWriter(
  where: string,
  given: Logger,
  { style: told, component }: { style?: LogStyle | undefined; component?: string } = {},
): LogWriter {
  if (!rule.object.ok(given) && typeof given !== 'function') {
    throw new TypeError(
      `[claude-metrics] ${where}: expected a logger with log(), or with info(), warn() and ` +
        `error(), got ${show(given)}.`,
    );
  }
  const parent = given as unknown as Parts;
  const logger = component === undefined ? parent : childOf(parent, component);
  const style = told ?? styleOf(logger);
  const known = logger['levels'];

  function has(level: string): boolean {
    if (style !== 'entry') return isMethod(logger, level);
    return !rule.object.ok(known) || Object.hasOwn(known as object, level);
  }

  return {
    levelOf(wanted, option) {
      const level = wanted.find(has);
      if (level !== undefined) return level;
      throw new TypeError(
        `[claude-metrics] ${where}: the logger has no level ${wanted.map(show).join(' or ')}. ` +
          `Tell one that it has in options.${option}.`,
      );
    },
    isEnabled(level) {
      // A child of pino keeps the level that it was made with; this one goes with its parent.
      if (logger['level'] !== parent['level']) Object.assign(logger, { level: parent['level'] });
      return asks(logger, level);
    },
    write(level, text, fields) {
      const result = send(logger, style, level, text, fields);
      return isThenable(result) ? Promise.resolve(result).then(() => undefined) : undefined;
    },
  };
}

export function alertFields({ id, type, at, alert, link }: AlertMessage): AlertLogFields {
  return { claude: { event: 'claude.alert', messageId: id, type, at, alert, link } };
}

function send(logger: Parts, style: LogStyle, level: string, text: string, fields: LogFields) {
  if (style === 'entry') return call(logger, 'log', { level, message: text, ...fields });
  if (style === 'object-first') return call(logger, level, fields, text);
  if (style === 'message-only') return call(logger, level, text);
  // A name in it may hold `%s`: the console and others would put the fields in its place.
  return call(logger, level, text.replace(/%(?=[a-z%])/gi, '% '), fields);
}

function styleOf(logger: Parts): LogStyle {
  if (isMethod(logger, 'bindings') || isMethod(logger, 'addStream')) return 'object-first';
  if (!isMethod(logger, 'log')) return 'message-first';
  const hasMethods = ['info', 'warn', 'error'].some((name) => isMethod(logger, name));
  return rule.object.ok(logger['levels']) || !hasMethods ? 'entry' : 'message-first';
}

function childOf(logger: Parts, component: string): Parts {
  if (!isMethod(logger, 'child')) return logger;
  const child = call(logger, 'child', { component }) as Parts;
  // In winston the `defaultMeta` of a logger goes before the name of its child.
  if (rule.object.ok(logger['defaultMeta'])) {
    const get = () => ({ ...(logger['defaultMeta'] as object), component });
    Object.defineProperty(child, 'defaultMeta', { get });
  }
  return child;
}

function asks(logger: Parts, level: string): boolean {
  if (isMethod(logger, 'isLevelEnabled')) return call(logger, 'isLevelEnabled', level) !== false;
  // Nest keeps it with the class. Up to Nest 11 it says no to everything until levels were set.
  const made = (logger as object).constructor as unknown as Parts;
  if (!isMethod(made, 'isLevelEnabled')) return true;
  const says = (each: string) => call(made, 'isLevelEnabled', each) !== false;
  return says(level) || !says('fatal');
}

function isMethod(logger: Parts, name: string): boolean {
  return typeof logger[name] === 'function';
}

function call(logger: Parts, method: string, ...args: unknown[]): unknown {
  return (logger[method] as Method).apply(logger, args);
}

function isThenable(value: unknown): boolean {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
