import type { Admission } from '../gate.js';
import type { CallContext } from '../record.js';
import { show } from '../options.js';

/** The body of a request as you would give it to `messages.create()`; at least its model. */
export interface SpendRequest {
  readonly model: string;
  readonly max_tokens?: number | undefined;
  readonly messages?: unknown;
  readonly [field: string]: unknown;
}

/** @throws TypeError for what is no request. */
export function admissionOf(request: SpendRequest, at: number, context: CallContext): Admission {
  if (typeof request !== 'object' || request === null || typeof request.model !== 'string') {
    throw new TypeError(
      '[claude-metrics] monitor.canSpend: expected the body of a request ({ model, max_tokens, ' +
        // A text may well be the prompt.
        `messages }), got ${typeof request === 'string' ? 'a string' : show(request)}.`,
    );
  }
  return {
    at,
    operation: 'messages',
    model: request.model,
    context,
    body: request,
    threaded: false,
    alive: () => false,
    patienceMs: 0,
  };
}
