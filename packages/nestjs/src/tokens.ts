import { Inject } from '@nestjs/common';

/**
 * What can be injected. Registered symbols: the ESM and the CommonJS build mean the same providers.
 */

/** The monitor of the nearest `ClaudeMetricsModule`. */
export const CLAUDE_MONITOR: symbol = Symbol.for('@claude-metrics/nestjs:monitor');

/** An observed client of the SDK. Transient: it is made when somebody asks for it. */
export const CLAUDE_CLIENT: symbol = Symbol.for('@claude-metrics/nestjs:client');

/** What `forRoot()` was given, or what the factory of `forRootAsync()` gave. */
export const CLAUDE_METRICS_OPTIONS: symbol = Symbol.for('@claude-metrics/nestjs:options');

/**
 * Injects the monitor.
 *
 * @example
 * class Costs {
 *   constructor(@InjectMonitor() private readonly monitor: Monitor) {}
 * }
 */
export function InjectMonitor(): ParameterDecorator & PropertyDecorator {
  return Inject(CLAUDE_MONITOR);
}

/**
 * Injects a client of `@anthropic-ai/sdk`, made with the module's option `anthropic` and observed.
 *
 * @example
 * class Summaries {
 *   constructor(@InjectAnthropic() private readonly client: Anthropic) {}
 * }
 */
export function InjectAnthropic(): ParameterDecorator & PropertyDecorator {
  return Inject(CLAUDE_CLIENT);
}
