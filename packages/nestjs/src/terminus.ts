// The API of @claude-metrics/nestjs/terminus.

export { ClaudeMetricsHealthIndicator, type ClaudeMetricsHealth } from './health-indicator.js';
