import type { CallContext, CallRecord, SdkSpan } from '../../record.js';
import type { OtelAttributes } from './api.js';

/**
 * What is added to the SDK's own span of a call: for whom and what it is when it begins, what it cost
 * when it has ended.
 *
 * - **hop**: a call that shares its span with others, when a model falls back to another one. Their
 *   costs add up.
 */
export type Enrich = (span: SdkSpan, of: CallContext, call: CallRecord | null) => void;

export function createEnrichment(hashOf: (userId: string) => string | null): Enrich {
  const spent = new WeakMap<SdkSpan, number>();

  function costOf(span: SdkSpan, { cost }: CallRecord): OtelAttributes | false {
    const before = spent.get(span);
    if (cost === null && before === undefined) return false;
    const nanoUsd = (before ?? 0) + (cost?.nanoUsd ?? 0);
    spent.set(span, nanoUsd);
    return { 'claude_metrics.cost': nanoUsd / 1e9, 'claude_metrics.cost_nano_usd': nanoUsd };
  }

  return (span, { feature, userId }, call) => {
    const hash = userId === null ? null : hashOf(userId);
    span.setAttributes({
      ...(feature !== null && { 'claude_metrics.feature': feature }),
      ...(hash !== null && { 'user.hash': hash }),
      ...(call && {
        'claude_metrics.call_id': call.id,
        'claude_metrics.outcome': call.outcome,
        'claude_metrics.price_status': call.priceStatus,
        ...costOf(span, call),
      }),
    });
  };
}
