import type { SdkSpan } from './record.js';

/**
 * The active OpenTelemetry span, without a dependency on OpenTelemetry.
 *
 * Every 1.x copy of `@opentelemetry/api` registers its context manager under the same global symbol
 * and keeps the span under the same context key; that agreement between copies is what we read.
 *
 * - **the SDK's own span**: the one that the SDK opens for a call. It is active while the call is sent,
 *   but so is that of an HTTP request, or of a job, where the SDK opens none: those are left alone.
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
/** The SDK's instrumentation scope; that of its packages for Bedrock and others goes on after it. */
const SDK_SCOPE = 'com.anthropic.sdk.typescript';

interface AnySpan extends SdkSpan {
  spanContext?(): Partial<SpanIds>;
  isRecording?(): boolean;
  /** OpenTelemetry's SDK has it, from 2.0 on under the first name. */
  readonly instrumentationScope?: { readonly name?: unknown };
  readonly instrumentationLibrary?: { readonly name?: unknown };
}

/** Ids of the active span; `null` without OpenTelemetry, or outside a span. */
export function activeSpan(): SpanIds | null {
  const ids = active()?.spanContext?.();
  if (typeof ids?.traceId !== 'string' || typeof ids.spanId !== 'string') return null;
  return NO_TRACE.test(ids.traceId) ? null : { traceId: ids.traceId, spanId: ids.spanId };
}

/**
 * The SDK's own span of a call; `null` where it opened none.
 *
 * @param requestOptions It is in there, without a word in the SDK's documentation.
 * @param inSpan Whether there is an active span, which then may be it.
 */
export function sdkSpan(requestOptions: object, inSpan: boolean): SdkSpan | null {
  const { __span } = requestOptions as { __span?: { readonly span?: AnySpan } };
  const span = __span?.span ?? (inSpan ? active() : undefined);
  if (!span || (span !== __span?.span && !isOfSdk(span))) return null;
  return typeof span.setAttributes === 'function' && isRecording(span) ? span : null;
}

/** Whether attributes can still be set. */
export function isRecording(span: SdkSpan): boolean {
  return (span as AnySpan).isRecording?.() === true;
}

function active(): AnySpan | undefined {
  const api = (globalThis as { [API]?: OpenTelemetryGlobal })[API];
  if (!api?.context?.active) return undefined;
  return api.context.active().getValue?.(SPAN) as AnySpan | undefined;
}

function isOfSdk({ instrumentationScope, instrumentationLibrary }: AnySpan): boolean {
  const name = (instrumentationScope ?? instrumentationLibrary)?.name;
  return typeof name === 'string' && name.startsWith(SDK_SCOPE);
}
