import type { AlertMessage, Severity } from '../alert.js';
import {
  alertFields,
  LEVEL_NAMES,
  logWriter,
  styleRule,
  type Logger,
  type LogStyle,
} from '../logger.js';
import { checkOptions, rule, type OptionRule } from '../options.js';
import { OUTCOMES, type CallRecord, type Outcome, type Sink } from '../record.js';
import { headline } from '../wording.js';
import { callFields } from './json.js';

/**
 * Calls, alerts and news of budgets in the application's own log.
 *
 * - **kind**: what a line is about: an outcome, a call without a price, a budget, an alert. Each kind
 *   has a level.
 */

/** `info`, `warn` and `error` are what the others are by default; `error` is an outcome, too. */
export type LogKind = 'info' | 'warn' | Outcome | 'unpriced' | 'budget' | 'alert';

export interface LogToOptions {
  /**
   * Levels of the logger's own by kind; `false` for what is not to be written. Default `info` for what
   * went well, `error` for what failed, `warn` for the rest; alerts by their severity.
   */
  readonly levels?: Readonly<Partial<Record<LogKind, string | false>>> | undefined;
  /** Name of the child logger, or `false` for none. Default `claude-metrics`. */
  readonly component?: string | false | undefined;
  /** How the logger is called. Default: found out from what it has. */
  readonly style?: LogStyle | undefined;
  /** The share of calls that went well which is written, 0 to 1. Default 1: all. */
  readonly sampleOk?: number | undefined;
}

/** A sink that can also tell what the operator should know. */
export interface LogSink extends Sink {
  /** As a warning; on stderr where the logger fails. */
  say(text: string): void;
}

const KINDS: readonly LogKind[] = ['info', 'warn', ...OUTCOMES, 'unpriced', 'budget', 'alert'];

const levelsRule: OptionRule = {
  allowed: `an object with levels, or false, for ${KINDS.join(', ')}`,
  ok: (value) =>
    rule.object.ok(value) &&
    Object.entries(value as object).every(
      ([name, level]) =>
        KINDS.includes(name as LogKind) &&
        (level === undefined || level === false || rule.text.ok(level)),
    ),
};

const rules = {
  levels: levelsRule,
  component: rule.either(rule.text, rule.exactly(false)),
  style: styleRule,
  sampleOk: {
    allowed: 'a share from 0 to 1',
    ok: (value: unknown) => typeof value === 'number' && value >= 0 && value <= 1,
  },
};

const SEVERITY_KINDS: Readonly<Record<Severity, keyof typeof LEVEL_NAMES>> = {
  info: 'info',
  warning: 'warn',
  critical: 'error',
};

/**
 * A sink that writes to a logger of yours: winston, pino, Nest's `Logger`, the console. A line whose
 * level is off is not even made.
 *
 * @throws TypeError for what is no logger, and for levels that it does not have.
 *
 * @example
 * createMonitor({ log: logTo(winstonLogger, { levels: { aborted: 'debug' }, component: 'claude' }) });
 */
export function logTo(logger: Logger, options: LogToOptions = {}): LogSink {
  checkOptions('logTo', options, rules);
  const { component = 'claude-metrics', style, sampleOk = 1 } = options;
  const writer = logWriter('logTo', logger, {
    style,
    ...(component !== false && { component }),
  });
  const levels = levelsOf(options.levels ?? {}, writer.levelOf);
  const isSampled = samplerOf(sampleOk);

  const isOn = (level: string | false): level is string =>
    level !== false && writer.isEnabled(level);

  return {
    name: 'logger',
    record(call) {
      const kind = kindOf(call);
      const level = levels[kind];
      if (!isOn(level) || (kind === 'ok' && !isSampled())) return undefined;
      const fields = callFields(call);
      const claude = kind === 'ok' && sampleOk < 1 ? { ...fields, sampleRate: sampleOk } : fields;
      return writer.write(level, textOf(call), { claude });
    },
    alert(message) {
      const level = levels.alert ?? levels[alertKindOf(message)];
      if (!isOn(level)) return undefined;
      return writer.write(level, headline(message), alertFields(message));
    },
    budget(event) {
      const level = levels.budget;
      if (!isOn(level)) return undefined;
      const { text, ...rest } = event;
      return writer.write(level, text, { claude: { event: 'claude.budget', ...rest } });
    },
    say(text) {
      const failed = () => console.warn(`[claude-metrics] ${text}`);
      try {
        if (!isOn(levels.warn)) return;
        const written = writer.write(levels.warn, text, { claude: { event: 'claude.notice' } });
        written?.catch(failed);
      } catch {
        failed();
      }
    },
  };
}

type Levels = Readonly<Record<Exclude<LogKind, 'alert'>, string | false>> & {
  readonly alert: string | false | undefined;
};

/** Every kind has its level from the start, so that a name that cannot be is told then. */
function levelsOf(
  told: NonNullable<LogToOptions['levels']>,
  levelOf: (wanted: readonly string[], option: string) => string,
): Levels {
  const given = (kind: LogKind): string | false | undefined => {
    const level = told[kind];
    return typeof level === 'string' ? levelOf([level], `levels.${kind}`) : level;
  };
  const basic = (kind: keyof typeof LEVEL_NAMES) =>
    given(kind) ?? levelOf(LEVEL_NAMES[kind], `levels.${kind}`);
  const [info, warn, error] = [basic('info'), basic('warn'), basic('error')];
  return {
    ...{ info, warn, error, ok: given('ok') ?? info, alert: given('alert') },
    refused: given('refused') ?? warn,
    cancelled: given('cancelled') ?? warn,
    aborted: given('aborted') ?? warn,
    truncated: given('truncated') ?? warn,
    blocked: given('blocked') ?? warn,
    abandoned: given('abandoned') ?? warn,
    unpriced: given('unpriced') ?? warn,
    budget: given('budget') ?? warn,
  };
}

function kindOf({ outcome, priceStatus }: CallRecord): Outcome | 'unpriced' {
  return outcome === 'ok' && priceStatus === 'unpriced' ? 'unpriced' : outcome;
}

function alertKindOf({ type, alert }: AlertMessage): keyof typeof LEVEL_NAMES {
  return type === 'resolved' ? 'info' : SEVERITY_KINDS[alert.severity];
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Steps of the golden ratio: the share is exact, and no rhythm of the traffic falls in with it. */
function samplerOf(share: number): () => boolean {
  let at = 0;
  return () => {
    at = (at + GOLDEN) % 1;
    return at < share;
  };
}

/** `Claude call ok: claude-sonnet-5-5, 2410 ms, $0.0063, feature "chat"`. */
function textOf(call: CallRecord): string {
  const { outcome, budget, model, error, status, attempts, callMs, cost, feature } = call;
  const parts = [budget?.sentModel ?? model];
  if (error) parts.push(status === null ? error.kind : `${error.kind} (${status})`);
  if (outcome === 'blocked' && budget?.budget)
    parts.push(`budget ${JSON.stringify(budget.budget)}`);
  if (attempts.length > 1) parts.push(`${attempts.length} attempts`);
  parts.push(`${Math.round(callMs)} ms`, costOf(cost?.nanoUsd));
  if (feature !== null) parts.push(`feature ${JSON.stringify(feature)}`);
  return `Claude call ${outcome}: ${parts.join(', ')}`;
}

/** To the nano-dollar, without the exponents that a small number is written with. */
function costOf(nanoUsd: number | undefined): string {
  if (nanoUsd === undefined) return 'cost unknown';
  return `$${(nanoUsd / 1e9).toFixed(9).replace(/\.?0+$/, '')}`;
}
