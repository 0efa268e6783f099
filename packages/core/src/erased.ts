import type { CallRecord } from './record.js';

/** Forgetting a user: what a person used still counts, but under a name that is nobody's. */
export interface Erased {
  /** Cells that had the user's name. */
  readonly cells: number;
  /** Calls that had it. */
  readonly calls: number;
}

/** The name that is nobody's. */
export const ERASED = '(erased)';

/** Session and tags were the person's as well. */
export function erasedCall(call: CallRecord): CallRecord {
  return { ...call, userId: ERASED, sessionId: null, tags: {} };
}
