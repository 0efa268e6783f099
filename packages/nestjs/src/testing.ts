// The API of @claude-metrics/nestjs/testing.

export { ClaudeMetricsTestingModule, type ClaudeMetricsTestingOptions } from './testing-module.js';
export { ClaudeMetricsTesting, type TestClock } from './testing-monitor.js';
