import { keyOf, OTHER } from '../../cell.js';
import { label } from '../../context.js';
import { isFailure } from '../../record.js';
import type { CallRecord, Operation } from '../../record.js';
import type { OtelAttributes } from './api.js';

/**
 * What measurements are told apart by. Each combination is a series that somebody pays for, and names
 * come from outside, so there is a bound on how many are told apart; a user is never part of it.
 *
 * - **cap**: beyond it a name counts as `(other)`. First come, first kept, for as long as the process
 *   runs: a name that came and went would be a new series each time.
 */
export interface CallAttributes {
  /** Of every measurement of a call. */
  of(call: CallRecord): OtelAttributes;
}

const MAX_MODELS = 50;
const MAX_PROVIDERS = 20;

/** What is not in the conventions' list has the name that it has here. */
const OPERATIONS: Readonly<Partial<Record<Operation, string>>> = { messages: 'chat' };

export function createCallAttributes(maxFeatures: number): CallAttributes {
  const features = createCap(maxFeatures);
  const models = createCap(MAX_MODELS);
  const providers = createCap(MAX_PROVIDERS);
  return {
    of({ operation, provider, model, servedModel, budget, feature }) {
      return {
        'gen_ai.operation.name': OPERATIONS[operation] ?? operation,
        'gen_ai.provider.name': providers(provider),
        'gen_ai.request.model': models(budget?.sentModel ?? model),
        ...(servedModel !== null && { 'gen_ai.response.model': models(servedModel) }),
        'claude_metrics.feature': features(feature),
      };
    },
  };
}

/** What only the duration says besides. */
export function endOf(call: CallRecord): OtelAttributes {
  const outcome = { 'claude_metrics.outcome': call.outcome };
  if (!isFailure(call)) return outcome;
  return { ...outcome, 'error.type': call.error?.kind ?? call.outcome };
}

/** Names as the snapshot has them. */
function createCap(most: number): (name: string | null) => string {
  const known = new Set<string>();
  return (name) => {
    const key = keyOf(label(name));
    if (known.has(key)) return key;
    if (known.size >= most) return OTHER;
    known.add(key);
    return key;
  };
}
