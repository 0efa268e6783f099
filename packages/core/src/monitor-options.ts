import type { Clock } from './capture.js';
import type { CallLine } from './exporters/json.js';
import { rule, type OptionRules } from './options.js';
import type { PriceTable } from './prices.js';
import type { CallRecord, Sink } from './record.js';
import type { ClsNamespace, ContextInput } from './scope.js';
import type { Store } from './stores/store.js';

/** What a monitor can be told when it is made. */
export interface MonitorOptions {
  /**
   * Observe every client of the SDK's copies that can be found, without being handed one. Default
   * `false` here, `true` in the adapters.
   */
  readonly instrument?: boolean | undefined;
  /** `true` (default): a JSON line a call on stdout. A function gets the line instead. */
  readonly log?: boolean | ((line: CallLine, call: CallRecord) => void) | undefined;
  readonly sinks?: readonly Sink[] | undefined;
  /** Instead of the built-in table; see also `registerPrices()`. */
  readonly prices?: PriceTable | undefined;
  /** Default `memoryStore()`. */
  readonly store?: Store | undefined;
  /** The first fault of every kind of ours. Default: one line on stderr. */
  readonly onError?: ((error: unknown, step: string) => void) | undefined;
  /** What the operator should know. Default: one line on stderr. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /**
   * The application's own place for `userId`, `feature`, `sessionId` and `tags`: asked at each call,
   * after `withContext()` and before what an adapter knows. It answers at once, not with a promise.
   */
  readonly contextFrom?: (() => ContextInput | undefined) | undefined;
  /** Carry context in this namespace of cls-hooked instead of AsyncLocalStorage; one a process. */
  readonly namespace?: ClsNamespace | undefined;
  /** Time, for tests. */
  readonly clock?: Clock | undefined;
  /** An answer nobody has read from for this long counts as abandoned. Default 10 minutes. */
  readonly abandonAfterMs?: number | undefined;
}

/** The options of `createMonitor()`, for adapters that have options of their own beside them. */
export const monitorRules: OptionRules = {
  instrument: rule.boolean,
  log: rule.either(rule.boolean, rule.function),
  sinks: rule.listOf(rule.methods('record')),
  prices: rule.object,
  store: rule.methods('merge', 'read'),
  onError: rule.function,
  onNotice: rule.function,
  contextFrom: rule.function,
  namespace: rule.methods('createContext', 'enter', 'exit', 'get', 'set', 'bind'),
  clock: rule.methods('now', 'monotonic'),
  abandonAfterMs: rule.integer(1_000, 24 * 3_600_000),
};
