// The API of @claude-metrics/koa.

export { claudeMonitor, type ClaudeMonitor } from './claude-monitor.js';
export { trackFeature } from './track-feature.js';
export { budgetErrors } from './budget-errors.js';
export type { AdapterOptions } from './options.js';
export type { KoaContext, KoaMiddleware, KoaState, Next } from './context.js';

export type { RequestUser } from '@claude-metrics/core';

// From core, for work that leaves the request: queues, timers, event listeners.
export { bindContext, setContext, withContext } from '@claude-metrics/core';

// From core, for budgets and alerts.
export { alert, BudgetExceededError, channel } from '@claude-metrics/core';

// From core, for a logger of the application's.
export { logTo } from '@claude-metrics/core';
