import type { AlertMessage, Channel, Severity } from '../alert.js';
import {
  alertFields,
  LEVEL_NAMES,
  logWriter,
  styleRule,
  type Logger,
  type LogStyle,
} from '../logger.js';
import { checkOptions, rule } from '../options.js';
import { headline } from '../wording.js';
import { channelRules, named, type ChannelOptions } from './settings.js';

export interface LogOptions extends ChannelOptions {
  /** The logger's levels. Default `info`, `warn`, `error`; `info` for what is resolved. */
  readonly levels?: Partial<Readonly<Record<Severity | 'resolved', string>>> | undefined;
  /** How the logger is called. Default: found out from what it has. */
  readonly style?: LogStyle | undefined;
}

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
  style: styleRule,
};

const CANDIDATES: Readonly<Record<keyof Levels, readonly string[]>> = {
  info: LEVEL_NAMES.info,
  warning: LEVEL_NAMES.warn,
  critical: LEVEL_NAMES.error,
  resolved: LEVEL_NAMES.info,
};

/**
 * Writes a line a message: to a logger of yours, or as JSON on stderr.
 *
 * @throws TypeError for a logger that has no level for a severity.
 *
 * @example
 * channel.log(winstonLogger, { levels: { critical: 'crit' } });
 */
export function log(logger?: Logger, options: LogOptions = {}): Channel {
  checkOptions('channel.log', options, rules);
  const write = logger === undefined ? lineWriter(options) : writerFor(logger, options);
  return { ...named('log', options), send: (message) => write(message) };
}

type Write = (message: AlertMessage) => void | Promise<void>;

function lineWriter({ levels }: LogOptions): Write {
  const names = { info: 'info', warning: 'warn', critical: 'error', resolved: 'info', ...levels };
  return (message) => {
    const { claude } = alertFields(message);
    const { event, ...rest } = claude;
    const level = names[severityOf(message)];
    const line = { level, event, timestamp: message.at, message: headline(message), claude: rest };
    console.error(JSON.stringify(line));
  };
}

function writerFor(logger: Logger, { style, levels: told = {} }: LogOptions): Write {
  const writer = logWriter('channel.log', logger, { style });
  const pick = (name: keyof Levels): string => {
    const level = told[name];
    return writer.levelOf(level === undefined ? CANDIDATES[name] : [level], `levels.${name}`);
  };
  const levels: Levels = {
    info: pick('info'),
    warning: pick('warning'),
    critical: pick('critical'),
    resolved: pick('resolved'),
  };
  return (message) =>
    writer.write(levels[severityOf(message)], headline(message), alertFields(message));
}

function severityOf({ type, alert }: AlertMessage): keyof Levels {
  return type === 'resolved' ? 'resolved' : alert.severity;
}
