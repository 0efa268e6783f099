// The API of @claude-metrics/core. docs/api.md describes it; a test compares the two.

// Measuring
export { createMonitor, type Monitor } from './monitor.js';
export type { MonitorOptions } from './monitor-options.js';
export { defaultMonitor, observe } from './default.js';
export type { CallInput } from './import.js';
export type { Clock } from './capture.js';
export type { Middleware, MiddlewareContext } from './middleware.js';

// Who and what
export { bindContext, getContext, setContext, withContext } from './context.js';
export type { ClsNamespace, ContextInput, Lazy } from './scope.js';

// Money
export { costOf, registerPrices } from './pricing.js';
export { prices, type PriceTable } from './prices.js';

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

// Stores and exporters
export { memoryStore } from './stores/memory.js';
export type { CallsPage, CallsQuery, Store } from './stores/store.js';
export { callLine, jsonLines, type CallLine, type JsonLinesOptions } from './exporters/json.js';

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
export { createHttp, type Http, type HttpRequest, type HttpResponse } from './http.js';
export { checkOptions, rule, type OptionRule, type OptionRules } from './options.js';
