/**
 * Time that was really seen to pass, although the clock may be set a day ahead or back.
 *
 * - **step**: from one evaluation to the next. One that is longer than evaluations can be apart, or
 *   goes backwards, is a **jump**: the clock was set, or the process slept.
 * - **seen**: the sum of all steps, each at most `maxStepMs`.
 * - **calm**: seen since the last jump.
 */
export interface SeenTime {
  /** Takes the next step. */
  pass(now: number): void;
  seenMs(): number;
  /** `Infinity` while there has been no jump. */
  calmMs(): number;
}

/** The part of a step that counts. */
export function elapsedMs(from: number, to: number, maxStepMs: number): number {
  const step = to - from;
  return step > 0 ? Math.min(step, maxStepMs) : 0;
}

/**
 * @example
 * const time = createSeenTime(60_000);
 * time.pass(0);
 * time.pass(15_000);
 * time.pass(15_000 + 86_400_000);
 * time.seenMs(); // 75000
 */
export function createSeenTime(maxStepMs: number): SeenTime {
  let last: number | null = null;
  let seen = 0;
  let calm = Infinity;
  return {
    pass(now) {
      const step = last === null ? 0 : elapsedMs(last, now, maxStepMs);
      const jumped = last !== null && now - last !== step;
      last = now;
      seen += step;
      calm = jumped ? 0 : calm + step;
    },
    seenMs: () => seen,
    calmMs: () => calm,
  };
}
