import { label } from '../context.js';
import { createRateLimit } from '../rate-limit.js';
import type { Operator } from './access.js';
import type { HttpRequest } from './message.js';

/**
 * Where the application's users come in, who are no operators.
 *
 * - **door**: the application's function that says who sends a request. Whoever it does not name stays
 *   outside; the token and `authorize`, which are for operators, do not open it.
 */
export interface FeedbackDoor {
  /** Who sends this; `null`: nobody who may. Never rejects. */
  userOf(request: HttpRequest): Promise<string | null>;
  /** Milliseconds until this user may send again; 0: now. */
  wait(user: string): number;
}

export const PER_MINUTE = 60;
const MAX_PEOPLE = 10_000;

/** @param identify Asked with the framework's request; a name or number opens, and nothing else. */
export function createFeedbackDoor(
  identify: (native: unknown) => unknown,
  now: () => number,
  operator: Operator,
): FeedbackDoor {
  const limit = createRateLimit(PER_MINUTE, MAX_PEOPLE, now);
  return {
    async userOf({ native }) {
      try {
        const user: unknown = await identify(native);
        if (typeof user === 'string' || typeof user === 'number') return label(user);
        if (user === undefined || user === null || user === false) return null;
        throw new TypeError('feedback() must return the id of a user, or null');
      } catch (error) {
        operator.fault('feedback', error);
        return null;
      }
    },
    wait: limit.wait,
  };
}
