import { requestSizeOf, type RequestSize } from '../request-size.js';
import type { Admission } from '../gate.js';
import type { Demand } from './plan.js';

/** What a call asks of budgets, read off its request once. */
export function demandOf(call: Admission, ceiling: number | null): Demand {
  const { at, model, context, operation, body, threaded } = call;
  const batch = operation === 'batches';
  const { userId, feature, sessionId, tags } = context;
  return {
    at,
    call: { userId, feature, sessionId, tags, model },
    sizes: batch ? sizesOfBatch(body) : [{ size: requestSizeOf(body, { threaded }), model }],
    batch,
    ceiling,
  };
}

interface BatchRequest {
  readonly params?: { readonly model?: unknown };
}

function sizesOfBatch(body: unknown): { size: RequestSize; model: string }[] {
  const requests = (body as { requests?: unknown } | null | undefined)?.requests;
  if (!Array.isArray(requests)) return [];
  return (requests as (BatchRequest | null)[]).map((request) => {
    const model = request?.params?.model;
    return {
      size: requestSizeOf(request?.params),
      model: typeof model === 'string' ? model : 'unknown',
    };
  });
}
