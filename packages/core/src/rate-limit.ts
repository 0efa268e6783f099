/**
 * How often each may do something: so many times in a minute of the clock. Those who came last
 * are remembered; whoever is not among them begins anew.
 */
export interface RateLimit {
  /** Counts one more. Milliseconds until there is room again; 0: there is. */
  wait(person: string): number;
}

const MINUTE_MS = 60_000;

/** @param now Milliseconds since the epoch. */
export function createRateLimit(
  perMinute: number,
  maxPeople: number,
  now: () => number,
): RateLimit {
  const counts = new Map<string, number>();
  let minute = NaN;

  return {
    wait(person) {
      const at = now();
      const current = Math.floor(at / MINUTE_MS);
      if (current !== minute) counts.clear();
      minute = current;
      const count = counts.get(person) ?? 0;
      if (count >= perMinute) return (current + 1) * MINUTE_MS - at;
      counts.delete(person);
      if (counts.size >= maxPeople) counts.delete(counts.keys().next().value as string);
      counts.set(person, count + 1);
      return 0;
    },
  };
}
