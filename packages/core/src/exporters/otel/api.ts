/**
 * As much of OpenTelemetry's API as is used: what an application hands in, from `@opentelemetry/api`
 * 1.9 on, without a dependency on that. Nothing of it is kept longer than it is needed, and nothing
 * global is registered.
 */
export type OtelAttributes = Record<string, string | number | boolean>;

/** A `MeterProvider`; or `metrics` of the API, which asks the one that is registered. */
export interface OtelMetrics {
  getMeter(name: string, version?: string): OtelMeter;
}

export interface OtelMeter {
  createCounter(name: string, options?: OtelInstrumentOptions): OtelCounter;
  createHistogram(name: string, options?: OtelInstrumentOptions): OtelHistogram;
}

export interface OtelInstrumentOptions {
  description?: string;
  unit?: string;
  advice?: { explicitBucketBoundaries?: number[] };
}

export interface OtelCounter {
  add(value: number, attributes?: OtelAttributes): void;
}

export interface OtelHistogram {
  record(value: number, attributes?: OtelAttributes): void;
}

/** A `LoggerProvider`; or `logs` of `@opentelemetry/api-logs`, which asks the one that is registered. */
export interface OtelLogs {
  getLogger(name: string, version?: string): OtelLogger;
}

export interface OtelLogger {
  emit(record: OtelEvent): void;
}

/** A log record with a name is an event. */
export interface OtelEvent {
  eventName?: string;
  attributes?: OtelAttributes;
}

declare const CORE_VERSION: string | undefined;

/** Who measures, as OpenTelemetry is told: this package, and its version in what is published. */
export const SCOPE = '@claude-metrics/core';
export const SCOPE_VERSION = typeof CORE_VERSION === 'string' ? CORE_VERSION : undefined;
