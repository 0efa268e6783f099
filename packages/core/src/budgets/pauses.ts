import { label } from '../context.js';
import { show } from '../options.js';

/** The kill switch: features whose calls are refused until somebody resumes them. */
export interface Pauses {
  pause(feature: string, reason: string | null, at: number): void;
  /** `false`: it was not paused. */
  resume(feature: string): boolean;
  find(feature: string | null): Pause | null;
  list(): readonly Pause[];
  readonly size: number;
}

/** JSON-safe. */
export interface Pause {
  readonly feature: string;
  readonly reason: string | null;
  /** ISO 8601. */
  readonly since: string;
}

const MAX_PAUSED = 1_000;

export function createPauses(): Pauses {
  const paused = new Map<string, Pause>();
  return {
    pause(given, reason, at) {
      const feature = label(given);
      if (feature === null) {
        throw new TypeError(
          `[claude-metrics] monitor.pause: expected the name of a feature, got ${show(given)}.`,
        );
      }
      if (paused.size >= MAX_PAUSED && !paused.has(feature)) {
        throw new RangeError(
          `[claude-metrics] monitor.pause: ${MAX_PAUSED} features are paused, and there is no room ` +
            'for another one. Resume those that are no longer needed.',
        );
      }
      paused.set(feature, { feature, reason, since: new Date(at).toISOString() });
    },
    resume: (feature) => paused.delete(label(feature) ?? ''),
    find: (feature) => (feature === null ? null : (paused.get(feature) ?? null)),
    list: () => [...paused.values()],
    get size() {
      return paused.size;
    },
  };
}
