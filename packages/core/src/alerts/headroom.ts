import { keyOf } from '../cell.js';
import type { Health } from '../health.js';
import type { CallRecord, RateLimit } from '../record.js';

/**
 * What the API's rate limits leave, as the last answer of each model told.
 *
 * - **headroom**: `remaining ÷ limit` of one kind of limit; forgotten once its `reset` has passed,
 *   for then it is full again.
 */
export interface Headroom {
  readonly model: string;
  /** 0 to 1: of the kind that leaves least. */
  readonly left: number;
  /** `requests`, `tokens`, `input tokens`, `output tokens`. */
  readonly kind: string;
}

export interface HeadroomTracker {
  record(call: CallRecord): void;
  /** Of each model the smallest that is still valid. */
  smallest(now: number): readonly Headroom[];
}

interface Seen {
  readonly kind: string;
  readonly left: number;
  readonly at: number;
  readonly until: number;
}

const MAX_MODELS = 200;
/** Without a `reset`, and at the latest: limits are by the minute. */
const UNTOLD_MS = 60_000;
const LONGEST_MS = 24 * 3_600_000;
const KINDS = [
  ['requests', 'requests'],
  ['tokens', 'tokens'],
  ['inputTokens', 'input tokens'],
  ['outputTokens', 'output tokens'],
] as const satisfies readonly (readonly [keyof RateLimit, string])[];

/**
 * @example
 * const headroom = createHeadroom({ now: Date.now, health });
 * headroom.record(call);
 * headroom.smallest(Date.now()); // [{ model: 'claude-opus-5', left: 0.04, kind: 'input tokens' }]
 */
export function createHeadroom(options: {
  readonly now: () => number;
  readonly health: Pick<Health, 'drop'>;
}): HeadroomTracker {
  const { now, health } = options;
  const models = new Map<string, Map<string, Seen>>();

  function kindsOf(model: string): Map<string, Seen> {
    const kinds = models.get(model) ?? new Map<string, Seen>();
    // Put at the end again, so that the first one is the one that was silent for longest.
    models.delete(model);
    models.set(model, kinds);
    if (models.size > MAX_MODELS) {
      models.delete(models.keys().next().value!);
      health.drop('alerts.models');
    }
    return kinds;
  }

  return {
    record(call) {
      if (call.rateLimit === null) return;
      const at = now();
      for (const [name, kind] of KINDS) {
        const { limit = null, remaining = null, reset = null } = call.rateLimit[name] ?? {};
        if (limit === null || remaining === null || !(limit > 0)) continue;
        const told = reset === null ? NaN : Date.parse(reset);
        const until = Math.min(Number.isNaN(told) ? at + UNTOLD_MS : told, at + LONGEST_MS);
        const left = Math.min(Math.max(remaining / limit, 0), 1);
        kindsOf(keyOf(call.model)).set(kind, { kind, left, at, until });
      }
    },
    smallest(at) {
      const found: Headroom[] = [];
      for (const [model, kinds] of models) {
        let least: Seen | null = null;
        for (const seen of kinds.values()) {
          // Seen later than now: the clock was set back, and what `until` means is anybody's guess.
          if (at >= seen.until || at < seen.at) kinds.delete(seen.kind);
          else if (least === null || seen.left < least.left) least = seen;
        }
        if (least === null) models.delete(model);
        else found.push({ model, left: least.left, kind: least.kind });
      }
      return found;
    },
  };
}
