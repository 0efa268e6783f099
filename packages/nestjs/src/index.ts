// The API of @claude-metrics/nestjs.

export { ClaudeMetricsModule } from './claude-metrics-module.js';
export { TrackFeature } from './track-feature.js';
export { BudgetExceededFilter } from './budget-filter.js';

// What can be injected
export {
  CLAUDE_CLIENT,
  CLAUDE_METRICS_OPTIONS,
  CLAUDE_MONITOR,
  InjectAnthropic,
  InjectMonitor,
} from './tokens.js';

// Options
export type {
  ClaudeMetricsAsyncOptions,
  ClaudeMetricsFactoryOptions,
  ClaudeMetricsOptions,
  ClaudeMetricsOptionsFactory,
  ClaudeMetricsRootOptions,
} from './options.js';
export type { ExpressRequest, FastifyRequest } from './request.js';
export type { RequestUser } from '@claude-metrics/core';

// From core, for work that leaves the request: queues, timers, event listeners.
export { bindContext, setContext, withContext } from '@claude-metrics/core';

// From core, for budgets and alerts.
export { alert, BudgetExceededError, channel } from '@claude-metrics/core';

// From core, for a logger of the application's.
export { logTo } from '@claude-metrics/core';
