/**
 * The active OpenTelemetry span, without a dependency on OpenTelemetry.
 *
 * Every 1.x copy of `@opentelemetry/api` registers its context manager under the same global symbol
 * and keeps the span under the same context key; that agreement between copies is what we read.
 */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

interface OpenTelemetryGlobal {
  context?: { active?(): { getValue?(key: symbol): unknown } };
}

const API = Symbol.for('opentelemetry.js.api.1');
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN');
const NO_TRACE = /^0*$/;

/** Ids of the active span; `null` without OpenTelemetry, or outside a span. */
export function activeSpan(): SpanIds | null {
  const api = (globalThis as { [API]?: OpenTelemetryGlobal })[API];
  if (!api?.context?.active) return null;
  const span = api.context.active().getValue?.(SPAN) as
    { spanContext?(): Partial<SpanIds> } | undefined;
  const ids = span?.spanContext?.();
  if (typeof ids?.traceId !== 'string' || typeof ids.spanId !== 'string') return null;
  return NO_TRACE.test(ids.traceId) ? null : { traceId: ids.traceId, spanId: ids.spanId };
}
