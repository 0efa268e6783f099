/**
 * What clocks on the wall show.
 *
 * - **local time**: the date and time of a zone, written as if it were UTC, in milliseconds; so that
 *   days, weekdays and hours are a matter of dividing.
 */
const DAY_MS = 86_400_000;
const MAX_DAYS = 1_000;

/**
 * @param timeZone An IANA name that `isTimeZone()` allows.
 *
 * @example
 * const local = localTimeIn('Asia/Kolkata');
 * new Date(local(Date.UTC(2026, 10, 24, 20))).getUTCDate(); // 25
 */
export function localTimeIn(timeZone: string): (at: number) => number {
  if (timeZone === 'UTC') return (at) => at;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  /** By day of UTC: how far its clocks are ahead of UTC; `null` where they are moved. */
  const offsets = new Map<number, number | null>();

  function offsetAt(at: number): number {
    const second = Math.floor(at / 1_000) * 1_000;
    const parts = new Map(format.formatToParts(second).map(({ type, value }) => [type, value]));
    const [year, month, day, hour, minute, rest] = (
      ['year', 'month', 'day', 'hour', 'minute', 'second'] as const
    ).map((name) => Number(parts.get(name)));
    return Date.UTC(year!, month! - 1, day, hour, minute, rest) - second;
  }

  return (at) => {
    const day = Math.floor(at / DAY_MS);
    let offset = offsets.get(day);
    if (offset === undefined) {
      const begin = offsetAt(day * DAY_MS);
      offset = begin === offsetAt((day + 1) * DAY_MS) ? begin : null;
      if (offsets.size >= MAX_DAYS) offsets.clear();
      offsets.set(day, offset);
    }
    return at + (offset ?? offsetAt(at));
  };
}
