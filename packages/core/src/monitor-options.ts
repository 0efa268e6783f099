import type { Channel } from './alert.js';
import type { Rule } from './alerts/rule.js';
import { budgetsRule, type BudgetOptions } from './budgets/options.js';
import type { Clock } from './clock.js';
import type { CallLine } from './exporters/json.js';
import type { LogSink } from './exporters/logger.js';
import type { Logger } from './logger.js';
import { rule, type OptionRules } from './options.js';
import { userIdsRule, type UserIds } from './people.js';
import type { PriceTable } from './prices.js';
import type { CallRecord, Sink } from './record.js';
import type { ClsNamespace, ContextInput } from './scope.js';
import { signalsRule, type ClosingSignal } from './signals.js';
import { storeRule, type StoreOption } from './store-option.js';
import { usageRule } from './usage-options.js';
import type { UsageOptions } from './usage-report.js';

/** What a monitor can be told when it is made. */
export interface MonitorOptions {
  /**
   * Observe every client of the SDK's copies that can be found, without being handed one. Default
   * `false` here, `true` in the adapters.
   */
  readonly instrument?: boolean | undefined;
  /**
   * `true` (default): a JSON line a call on stdout. A function gets the line instead. A logger of yours
   * (winston, pino, Nest's, the console), or `logTo(logger, options)`, gets alerts, news of budgets and
   * notices, too.
   */
  readonly log?:
    boolean | ((line: CallLine, call: CallRecord) => void) | Logger | LogSink | undefined;
  readonly sinks?: readonly Sink[] | undefined;
  /** Instead of the built-in table; see also `registerPrices()`. */
  readonly prices?: PriceTable | undefined;
  /**
   * Where figures and budgets live. Default `memoryStore()`; the path of a file is `sqliteStore()`; for
   * each purpose one: `{ cells, budgets }`.
   */
  readonly store?: StoreOption | undefined;
  /** The first fault of every kind of ours. Default: one line on stderr. */
  readonly onError?: ((error: unknown, step: string) => void) | undefined;
  /** What the operator should know. Default: one line on stderr. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /**
   * The application's own place for `userId`, `feature`, `sessionId` and `tags`: asked at each call,
   * after `withContext()` and before what an adapter knows. It answers at once, not with a promise.
   */
  readonly contextFrom?: (() => ContextInput | undefined) | undefined;
  /**
   * Under which names people are kept: `'raw'` (default) as they are, `{ hmac: key }` under a pseudonym,
   * `'drop'` under none. Docs: `docs/privacy.md`.
   */
  readonly userIds?: UserIds | undefined;
  /** Carry context in this namespace of cls-hooked instead of AsyncLocalStorage; one a process. */
  readonly namespace?: ClsNamespace | undefined;
  /** Limits of spending. Docs: `docs/budgets.md`. */
  readonly budgets?: readonly BudgetOptions[] | undefined;
  /**
   * How long this process spends what it has leased of shared budgets without a word from their store,
   * in milliseconds. Default one minute.
   */
  readonly budgetLeaseMs?: number | undefined;
  /** How long a call waits for the store of shared budgets, in milliseconds. Default one second. */
  readonly budgetTimeoutMs?: number | undefined;
  /** A call that cost at least this much is told of, in USD. */
  readonly perRequestWarnUsd?: number | undefined;
  /** Rules, made with `alert`. Docs: `docs/alerts.md`. */
  readonly alerts?: readonly Rule[] | undefined;
  /** Whom alerts are told, made with `channel`. Default, with `alerts`: a line in the log, or on stderr. */
  readonly channels?: readonly Channel[] | undefined;
  /** Where people find the dashboard, for links in alerts: `https://example.com/claude-metrics`. */
  readonly dashboardUrl?: string | undefined;
  /** How often alerts are looked at, in milliseconds. Default 15 seconds. */
  readonly alertEveryMs?: number | undefined;
  /**
   * Signals at which the monitor closes, as `close()` does: `['SIGTERM', 'SIGINT']`. When nobody else
   * listens for the signal, the process ends by it afterwards. Default none.
   */
  readonly closeOn?: readonly ClosingSignal[] | undefined;
  /** How usage is read: the time zone of its days, and which feedback means what. Docs: `docs/usage.md`. */
  readonly usage?: UsageOptions | undefined;
  /** Time, for tests. */
  readonly clock?: Clock | undefined;
  /** An answer nobody has read from for this long counts as abandoned. Default 10 minutes. */
  readonly abandonAfterMs?: number | undefined;
}

/** The options of `createMonitor()`, for adapters that have options of their own beside them. */
export const monitorRules: OptionRules = {
  instrument: rule.boolean,
  log: rule.either(rule.boolean, rule.function, {
    allowed: 'a logger with log(), or with info(), warn() and error()',
    ok: (value) => isLogSink(value) || isLogger(value),
  }),
  sinks: rule.listOf(rule.methods('record')),
  prices: rule.object,
  store: storeRule,
  onError: rule.function,
  onNotice: rule.function,
  contextFrom: rule.function,
  userIds: userIdsRule,
  namespace: rule.methods('createContext', 'enter', 'exit', 'get', 'set', 'bind'),
  budgets: budgetsRule,
  budgetLeaseMs: rule.integer(1_000, 3_600_000),
  budgetTimeoutMs: rule.integer(10, 60_000),
  perRequestWarnUsd: {
    allowed: 'a number of USD above 0',
    ok: (value) => typeof value === 'number' && value > 0,
  },
  alerts: { allowed: 'an array of rules made with alert', ok: Array.isArray },
  channels: { allowed: 'an array of channels made with channel', ok: Array.isArray },
  dashboardUrl: { allowed: 'an address that begins with http:// or https://', ok: isUrl },
  alertEveryMs: rule.integer(1_000, 3_600_000),
  closeOn: signalsRule,
  usage: usageRule,
  clock: rule.methods('now', 'monotonic'),
  abandonAfterMs: rule.integer(1_000, 24 * 3_600_000),
};

/** What `logTo()` gives, and no logger. */
export function isLogSink(value: unknown): value is LogSink {
  return rule.methods('record', 'say').ok(value);
}

function isLogger(value: unknown): boolean {
  return rule.either(rule.methods('log'), rule.methods('info', 'warn', 'error')).ok(value);
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\/[^\s]+$/.test(value) && URL.canParse(value);
}
