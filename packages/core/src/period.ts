import type { BudgetPeriod } from './budget.js';
import { show } from './options.js';

/**
 * The calendar periods of budgets.
 *
 * - **period**: `from <= at < to`. The periods of one kind tile the time line: every instant is in
 *   exactly one, and one begins where the other ends.
 * - **day**, **week**, **month**: begin with the first instant of their first date. A date that its
 *   zone skips does not exist. A date that has begun goes on until the next one begins, also where
 *   the clock falls back over midnight and shows the date before once more.
 * - **hour**: begins where the clock shows minute 0, and wherever the clock of the zone is moved. So
 *   the hour that is repeated in autumn is two, none is longer than 60 minutes, and where the clock
 *   moves by half an hour (Lord Howe) the hour around it is cut to halves.
 * - **calendar**: what knows dates and zones: Temporal, of Node or of the polyfill.
 */
export interface Period {
  /** Milliseconds since the epoch, inclusive. */
  readonly from: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly to: number;
}

export interface PeriodOptions {
  readonly per: Exclude<BudgetPeriod, 'call'>;
  readonly timeZone: string;
  /** ISO weekday, Monday is 1; matters for weeks only. */
  readonly weekStart: 1 | 2 | 3 | 4 | 5 | 6 | 7;
}

export interface Calendar {
  /**
   * Finds the period of an instant, in milliseconds since the epoch. The function remembers its last
   * answer and returns the same object while it holds.
   *
   * @throws TypeError for a time zone that the calendar does not know. The function throws a
   * RangeError for what is no time.
   *
   * @example
   * const calendar = await loadCalendar();
   * const dayOf = calendar.periods({ per: 'day', timeZone: 'Europe/Paris', weekStart: 1 });
   * dayOf(Date.UTC(2026, 2, 29, 12)); // 23 hours
   */
  periods(options: PeriodOptions): (at: number) => Period;
}

/** The part of Temporal that is used here. */
interface Temporal {
  readonly Instant: { fromEpochMilliseconds(at: number): Instant };
  readonly ZonedDateTime: { readonly prototype: ZonedDateTime };
}

interface Instant {
  toZonedDateTimeISO(timeZone: string): ZonedDateTime;
}

interface ZonedDateTime {
  readonly epochMilliseconds: number;
  readonly offsetNanoseconds: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  toPlainDate(): PlainDate;
  getTimeZoneTransition(direction: 'next' | 'previous'): ZonedDateTime | null;
}

interface PlainDate {
  readonly dayOfWeek: number;
  add(duration: { days?: number; months?: number }): PlainDate;
  with(fields: { day: number }): PlainDate;
  /** The start of the day. */
  toZonedDateTime(timeZone: string): ZonedDateTime;
}

const HOUR_MS = 3_600_000;

let calendar: Calendar | undefined;

/**
 * The calendar of this process: at once where Node has Temporal, and once it is loaded. The polyfill
 * takes some 20 ms to load, which an application without budgets should not pay.
 */
export function loadCalendar(): Calendar | Promise<Calendar> {
  if (calendar) return calendar;
  const native = (globalThis as { readonly Temporal?: Temporal }).Temporal;
  // Early drafts, behind a flag of Node 20, have the name but not this method.
  if (typeof native?.ZonedDateTime?.prototype?.getTimeZoneTransition === 'function') {
    return (calendar = calendarOf(native));
  }
  return import('temporal-polyfill').then(({ Temporal }) => (calendar ??= calendarOf(Temporal)));
}

function calendarOf(temporal: Temporal): Calendar {
  return {
    periods({ per, timeZone, weekStart }) {
      const zonedAt = (at: number) =>
        temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
      const find =
        per === 'hour' ? hours(zonedAt) : dates(zonedAt, timeZone, DATES[per], weekStart);
      // Here and not in the first call: what is loaded with the first zone takes some 40 ms.
      requireZone(timeZone, () => find(0));
      let last: Period = { from: 0, to: 0 };
      return (at) => {
        if (at >= last.from && at < last.to) return last;
        return (last = find(Math.floor(at)));
      };
    },
  };
}

type ZonedAt = (at: number) => ZonedDateTime;

/** The first date of the period that a date is in, and the first one of the next period. */
interface Dates {
  first(date: PlainDate, weekStart: number): PlainDate;
  next(first: PlainDate): PlainDate;
}

const DATES: Readonly<Record<'day' | 'week' | 'month', Dates>> = {
  day: { first: (date) => date, next: (first) => first.add({ days: 1 }) },
  week: {
    first: (date, weekStart) => date.add({ days: -((date.dayOfWeek - weekStart + 7) % 7) }),
    next: (first) => first.add({ days: 7 }),
  },
  month: { first: (date) => date.with({ day: 1 }), next: (first) => first.add({ months: 1 }) },
};

function dates(zonedAt: ZonedAt, timeZone: string, { first, next }: Dates, weekStart: number) {
  const startOf = (date: PlainDate) => date.toZonedDateTime(timeZone).epochMilliseconds;
  return (at: number): Period => {
    const begun = first(zonedAt(at).toPlainDate(), weekStart);
    const following = next(begun);
    const to = startOf(following);
    if (at < to) return { from: startOf(begun), to };
    // The clock has fallen back over midnight, as St. John's did at 00:01 until 2011.
    return { from: to, to: startOf(next(following)) };
  };
}

function hours(zonedAt: ZonedAt) {
  return (at: number): Period => {
    const zoned = zonedAt(at);
    const { offsetNanoseconds: offset } = zoned;
    // While its offset stays, what a clock shows and the time that passes are the same.
    let from = at - (zoned.minute * 60_000 + zoned.second * 1_000 + zoned.millisecond);
    let to = from + HOUR_MS;
    // Looking for a move of the clock can take milliseconds; that there was none is told at once.
    if (zonedAt(from).offsetNanoseconds !== offset) {
      // `at + 1`: what is looked for is strictly before, and a move at `at` has been made.
      const moved = zonedAt(at + 1).getTimeZoneTransition('previous');
      from = Math.max(from, moved?.epochMilliseconds ?? from);
    }
    if (zonedAt(to).offsetNanoseconds !== offset) {
      to = Math.min(to, zoned.getTimeZoneTransition('next')?.epochMilliseconds ?? to);
    }
    return { from, to };
  };
}

function requireZone(timeZone: string, probe: () => unknown): void {
  let cause: unknown;
  if (isTimeZone(timeZone)) {
    try {
      probe();
      return;
    } catch (error) {
      // Some names that have long been withdrawn are known to Intl alone.
      cause = error;
    }
  }
  throw new TypeError(
    `[claude-metrics] budgets: timeZone must be an IANA time zone, got ${show(timeZone)}. ` +
      `Write it like 'Europe/Paris' or 'UTC'.`,
    cause === undefined ? {} : { cause },
  );
}

/**
 * Whether a value is the name of an IANA time zone, such as `Europe/Paris` or `UTC`.
 *
 * Refused although some Node may take them: offsets such as `+02:00`, which Node 20 does not know and
 * which no summer time follows, and abbreviations such as `PST`, `EST` or `IST`, which mean different
 * zones to different people.
 *
 * @example
 * isTimeZone('Europe/Paris'); // true
 * isTimeZone('CET'); // false
 */
export function isTimeZone(value: unknown): value is string {
  if (typeof value !== 'string' || !NAME.test(value) || ABBREVIATION.test(value)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

const NAME = /^[a-z][\w+/-]*$/i;
/** Also the names of `SystemV/…`, which only ICU has. */
const ABBREVIATION = /^(?!utc$|gmt$)[a-z]{3}$|^systemv\//i;
