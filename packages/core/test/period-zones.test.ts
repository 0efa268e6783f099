/**
 * Periods around every move of a clock from 2020 to 2035, in every zone, against what Intl shows.
 * Intl finds the moves too, so nothing here is taken from the calendar that is tested.
 */
import { loadCalendar, type Calendar, type Period, type PeriodOptions } from '../src/period.js';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
const FROM = Date.UTC(2020, 0, 1);
const TO = Date.UTC(2036, 0, 1);
/** A quiet instant, for zones whose clock is never moved. */
const QUIET = Date.UTC(2026, 6, 1, 11, 59, 59, 999);

/** What clocks of a zone show, from Intl alone. */
interface Wall {
  /** Days since the epoch. */
  readonly date: number;
  readonly day: number;
  /** Months since the year 0. */
  readonly month: number;
  readonly isoWeekday: number;
  readonly hour: number;
  /** Milliseconds since the full hour. */
  readonly pastHour: number;
}

function wallOf(timeZone: string): (at: number) => Wall {
  const numeric = 'numeric';
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, calendar: 'gregory', hourCycle: 'h23', year: numeric, month: numeric },
    ...{ day: numeric, hour: numeric, minute: numeric, second: numeric },
  });
  return (at) => {
    // Taken from the text, "7/1/2026, 13:59:59": its parts would take three times as long.
    const numbers = format.format(at).match(/\d+/g)?.map(Number) ?? [];
    const [month = NaN, day = NaN, year = NaN, hour = NaN, minute = NaN, second = NaN] = numbers;
    const utc = Date.UTC(year, month - 1, day);
    return {
      date: utc / DAY,
      day,
      month: year * 12 + month,
      isoWeekday: new Date(utc).getUTCDay() || 7,
      hour,
      pastHour: minute * 60 * SECOND + second * SECOND + (at % SECOND),
    };
  };
}

interface Move {
  readonly at: number;
  readonly before: string;
  readonly after: string;
}

/** No zone has been moved and moved back within a week. */
function movesOf(timeZone: string): readonly Move[] {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const offsetAt = (at: number) => format.format(at).split(' ').at(-1) ?? '';
  const moves: Move[] = [];
  let before = offsetAt(FROM);
  for (let start = FROM; start < TO; start += 7 * DAY) {
    const after = offsetAt(start + 7 * DAY);
    if (after !== before) {
      let [low, high] = [start, start + 7 * DAY];
      while (high - low > SECOND) {
        const middle = Math.floor((low + high) / 2 / SECOND) * SECOND;
        if (offsetAt(middle) === before) low = middle;
        else high = middle;
      }
      moves.push({ at: high, before, after });
    }
    before = after;
  }
  return moves.length > 0 ? moves : [{ at: QUIET, before, after: before }];
}

/** Zones with the same moves are one; the first name stands for all. */
function differentZones(): ReadonlyMap<string, readonly Move[]> {
  const byMoves = new Map<string, readonly [string, readonly Move[]]>();
  for (const zone of ['UTC', ...Intl.supportedValuesOf('timeZone')]) {
    const moves = movesOf(zone);
    const key = JSON.stringify(moves);
    if (!byMoves.has(key)) byMoves.set(key, [zone, moves]);
  }
  return new Map(byMoves.values());
}

const zones = differentZones();
let calendar: Calendar;

beforeAll(async () => {
  calendar = await loadCalendar();
});

/** Finds the periods from so long before to so long after, if they tile that time both ways. */
function tilesOf(options: PeriodOptions): (around: number, reach?: number) => readonly Period[] {
  const forward = calendar.periods(options);
  const backward = calendar.periods(options);
  return (around, reach = 2 * DAY) => {
    const found: Period[] = [];
    for (let at = around - reach; at <= around + reach; at = found.at(-1)!.to) {
      const period = forward(at);
      if (!(period.from <= at && at < period.to)) throw fault(options, at, period, 'is elsewhere');
      if (found.length > 0 && period.from !== at) throw fault(options, at, period, 'overlaps');
      found.push(period);
    }
    for (const wanted of found.toReversed()) {
      const period = backward(wanted.to - 1);
      if (period.from !== wanted.from || period.to !== wanted.to) {
        throw fault(options, wanted.to - 1, period, 'is another one backwards');
      }
    }
    return found;
  };
}

function fault({ per, timeZone }: PeriodOptions, at: number, period: Period, what: string): Error {
  const iso = (each: number) => new Date(each).toISOString();
  const shown = `${iso(period.from)}–${iso(period.to)}`;
  return new Error(`${timeZone}, ${per} of ${iso(at)}: ${shown} ${what}`);
}

type Verdict = (wall: (at: number) => Wall, period: Period) => boolean;

function faults(kind: Omit<PeriodOptions, 'timeZone'>, isRight: Verdict): string[] {
  return [...zones].flatMap(([timeZone, moves]) => {
    const options = { ...kind, timeZone };
    const [wall, tiles] = [wallOf(timeZone), tilesOf(options)];
    return moves.flatMap(({ at }) =>
      tiles(at)
        .filter((period) => !isRight(wall, period))
        .map((period) => fault(options, at, period, 'is wrong').message),
    );
  });
}

it('finds the moves of clocks', () => {
  const moves = [...zones.values()].flat();
  expect(moves.length).toBeGreaterThan(1_000);
  expect(zones.get('UTC')?.map(({ at }) => at)).toEqual([QUIET]);
});

it('a day is one local date, begins with its first instant, and has 21 to 27 hours', () => {
  const wrong = faults({ per: 'day', weekStart: 1 }, (wall, { from, to }) => {
    const { date } = wall(from);
    const inside = wall(from - 1).date === date - 1 && wall(to - 1).date === date;
    return inside && wall(to).date === date + 1 && to - from >= 21 * HOUR && to - from <= 27 * HOUR;
  });
  expect(wrong).toEqual([]);
});

it.each([1, 7] as const)('a week begins with the first instant of its weekday %i', (weekStart) => {
  const wrong = faults({ per: 'week', weekStart }, (wall, { from, to }) => {
    const [before, begin, end, after] = [from - 1, from, to - 1, to].map(wall) as Wall[];
    return (
      begin!.isoWeekday === weekStart &&
      before!.date === begin!.date - 1 &&
      end!.date === begin!.date + 6 &&
      after!.date === begin!.date + 7
    );
  });
  expect(wrong).toEqual([]);
});

it('a month begins with the first instant of its first day', () => {
  const wrong = faults({ per: 'month', weekStart: 1 }, (wall, { from, to }) => {
    const [before, begin, end, after] = [from - 1, from, to - 1, to].map(wall) as Wall[];
    return (
      begin!.day === 1 &&
      after!.day === 1 &&
      before!.month === begin!.month - 1 &&
      end!.month === begin!.month &&
      after!.month === begin!.month + 1
    );
  });
  expect(wrong).toEqual([]);
});

it('an hour is what a clock shows without being moved, 60 minutes at most', () => {
  const seen = new Set<string>();
  const wrong: string[] = [];
  for (const [timeZone, moves] of zones) {
    const options = { per: 'hour', timeZone, weekStart: 1 } as const;
    const [wall, tiles] = [wallOf(timeZone), tilesOf(options)];
    for (const { at, before, after } of moves) {
      // Hours around the same move at the same time of day are the same in every year.
      const kind = `${at % DAY} ${before} ${after}`;
      if (seen.has(kind)) continue;
      seen.add(kind);
      const isMove = (instant: number) => before !== after && instant === at;
      for (const period of tiles(at, DAY)) {
        const { from, to } = period;
        const [begin, end] = [wall(from), wall(to - 1)];
        const runsEvenly = end.pastHour - begin.pastHour === to - from - 1;
        const isOne = begin.date === end.date && begin.hour === end.hour && runsEvenly;
        const begins = begin.pastHour === 0 || isMove(from);
        const ends = wall(to).pastHour === 0 || isMove(to);
        if (!isOne || !begins || !ends) wrong.push(fault(options, at, period, 'is wrong').message);
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(seen.size).toBeGreaterThan(40);
});

it('a budget is reset exactly once for every local date', () => {
  const wrong: string[] = [];
  for (const [timeZone, moves] of zones) {
    const wall = wallOf(timeZone);
    const dayOf = calendar.periods({ per: 'day', timeZone, weekStart: 1 });
    for (const { at } of moves) {
      let last = dayOf(at - 2 * DAY);
      let date = wall(at - 2 * DAY).date;
      for (let now = at - 2 * DAY; now <= at + 2 * DAY; now += 3 * HOUR) {
        const period = dayOf(now);
        const today = wall(now).date;
        const resets = period !== last;
        if (resets !== (today !== date)) wrong.push(`${timeZone} ${new Date(now).toISOString()}`);
        [last, date] = [period, today];
      }
    }
  }
  expect(wrong).toEqual([]);
});

it('every name of a zone is known, and its day is that of its clocks', () => {
  const wrong = Intl.supportedValuesOf('timeZone').filter((timeZone) => {
    const wall = wallOf(timeZone);
    const { from, to } = calendar.periods({ per: 'day', timeZone, weekStart: 1 })(QUIET);
    const { date } = wall(QUIET);
    return wall(from).date !== date || wall(from - 1).date === date || wall(to).date === date;
  });
  expect(wrong).toEqual([]);
});
