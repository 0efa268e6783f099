// The API of @claude-metrics/core. docs/api.md describes it; a test compares the two.

// Measuring
export { createMonitor, type Monitor } from './monitor.js';
export type { MonitorOptions } from './monitor-options.js';
export type { ClosingSignal } from './signals.js';
export { defaultMonitor, observe } from './default.js';
export type { CallInput } from './import.js';
export type { Clock } from './clock.js';
export type { Middleware, MiddlewareContext } from './middleware.js';

// Who and what
export { bindContext, getContext, setContext, withContext } from './context.js';
export type { ClsNamespace, ContextInput, Lazy } from './scope.js';

// Money
export { costOf, registerPrices } from './pricing.js';
export { prices, type PriceTable } from './prices.js';

// Budgets
export { BudgetExceededError, budgetProblem, type BudgetProblem } from './budget-error.js';
export type {
  BudgetAdjustment,
  BudgetEvent,
  BudgetPeriod,
  BudgetReason,
  BudgetReport,
  BudgetScope,
  BudgetScopeReport,
  BudgetState,
  BudgetVerdict,
  CallBudget,
} from './budget.js';
export type { BudgetCall, BudgetOptions } from './budgets/options.js';
export type { AdjustmentInput } from './budgets/adjustments.js';
export type { Decision } from './budgets/decision.js';
export type { Pause } from './budgets/pauses.js';
export type { SpendRequest } from './budgets/spend-request.js';

// Alerts
export { alert } from './alerts/rules.js';
export type {
  Condition as AlertCondition,
  ConditionFigure as AlertFigure,
  Duration,
  FigureOptions as AlertFigureOptions,
  LimitOptions as AlertLimitOptions,
  Rule as AlertRule,
  RuleFilter as AlertFilter,
  RuleOptions as AlertOptions,
  WindowOptions as AlertWindowOptions,
} from './alerts/rule.js';
export { channel } from './notify/channels.js';
export type { AlertMail, EmailOptions, MailTransporter } from './notify/email.js';
export type { LogOptions } from './notify/log.js';
export type { PagerDutyOptions } from './notify/pager-duty.js';
export type { ChannelOptions } from './notify/settings.js';
export type { SlackOptions } from './notify/slack.js';
export type { WebhookBody, WebhookOptions } from './notify/webhook.js';
export type {
  Alert,
  AlertGroup,
  AlertMessage,
  AlertsPage,
  Channel,
  ChannelReport,
  Severity,
} from './alert.js';

// What people think of answers
export type { FeedbackEvent } from './feedback.js';

// Errors
export { classifyError } from './errors.js';

// Records
export type {
  Attempt,
  CallContext,
  CallError,
  CallRecord,
  Cost,
  CostClass,
  CostLine,
  ErrorKind,
  FeedbackAction,
  Marks,
  Operation,
  Outcome,
  PriceStatus,
  RateLimit,
  RateLimitWindow,
  Sink,
  Tokens,
  UnpricedReason,
  Usage,
  UsageIteration,
} from './record.js';

// Figures
export type { Snapshot, SnapshotQuery } from './snapshot.js';
export type { HealthReport } from './health.js';

// For stores of your own; `storeContract()` of @claude-metrics/testing says whether one is right
export { createCell, FAMILIES, keyOf, mergeCell, RARE, SUM } from './cell.js';
export { recordValue, sketchFromJSON, sketchToJSON } from './sketch.js';
export {
  QueryError,
  type Cell,
  type CellQuery,
  type Family,
  type Line,
  type Resolution,
  type Sketch,
  type Sketches,
  type StoreProblem,
} from './stores/store.js';
export { applyExchange, letGo, type SharedAccount } from './exchange.js';
export type {
  AccountAddress,
  AccountAnswer,
  AccountBalance,
  AccountsPage,
  AccountsQuery,
  BudgetStore,
  Correction,
  Exchange,
  ExchangeAnswer,
  Gift,
  Posting,
  SharedNotes,
  StoredAdjustment,
  Want,
} from './stores/budget-store.js';

// Stores and exporters
export { memoryStore } from './stores/memory.js';
export {
  sqliteStore,
  SqliteStoreError,
  type Erased,
  type SqliteDriver,
  type SqliteStore,
  type SqliteStoreOptions,
} from './stores/sqlite.js';
export type { StoreOption, StoreParts } from './store-option.js';
export type { CallsPage, CallsQuery, Store } from './stores/store.js';
export { callLine, jsonLines, type CallLine, type JsonLinesOptions } from './exporters/json.js';
export { logTo, type LogKind, type LogSink, type LogToOptions } from './exporters/logger.js';
export type { Logger, LogStyle } from './logger.js';
export type { MetricsPage, MonitorStatus, SinkMonitor } from './status.js';
export type { HmacKey, Pseudonyms, UserIds } from './people.js';
export type { Forgotten } from './forgetting.js';

// For adapters
export {
  checkFeature,
  createAdapter,
  field,
  isMountPath,
  userIdOf,
  type Adapter,
  type AdapterNames,
  type AdapterOptions,
  type AdapterRequest,
  type RequestUser,
} from './adapter.js';
export { budgetAnswer, type BudgetAnswer } from './budget-error.js';
export { bodyOf, type RawRequest, type ReadBody } from './http/body.js';
export {
  createHttp,
  type Http,
  type HttpReadings,
  type HttpRequest,
  type HttpResponse,
} from './http.js';
export { checkOptions, rule, type OptionRule, type OptionRules } from './options.js';
