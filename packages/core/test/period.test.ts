/** Periods on the days that are hard, and of any zone at any time; all zones: period-zones.test.ts. */
import fc from 'fast-check';
import { isTimeZone, loadCalendar, type Calendar, type PeriodOptions } from '../src/period.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let calendar: Calendar;

beforeAll(async () => {
  calendar = await loadCalendar();
});

type Unit = PeriodOptions['per'];

const periods = (timeZone: string, per: Unit, weekStart: PeriodOptions['weekStart'] = 1) =>
  calendar.periods({ per, timeZone, weekStart });

/** The period of an instant, as ISO instants without seconds. */
function shown(timeZone: string, per: Unit, at: string, weekStart?: PeriodOptions['weekStart']) {
  const { from, to } = periods(timeZone, per, weekStart)(Date.parse(at));
  return `${iso(from)} ${iso(to)}`;
}

const iso = (at: number) => new Date(at).toISOString().replace(':00.000Z', 'Z');

/** The lengths of the periods from one instant to another, in hours. */
function lengths(timeZone: string, per: Unit, from: string, to: string): number[] {
  const find = periods(timeZone, per);
  const found: number[] = [];
  for (let period = find(Date.parse(from)); period.from < Date.parse(to);) {
    found.push((period.to - period.from) / HOUR);
    period = find(period.to);
  }
  return found;
}

describe('a day', () => {
  it.each([
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00Z 2026-04-24T21:00Z'],
    ['America/Havana', '2026-03-08', '2026-03-08T05:00Z 2026-03-09T04:00Z'],
    ['Asia/Beirut', '2026-03-29', '2026-03-28T22:00Z 2026-03-29T21:00Z'],
    ['America/Santiago', '2026-09-06', '2026-09-06T04:00Z 2026-09-07T03:00Z'],
  ])('without a midnight (%s, %s) begins at 01:00', (timeZone, date, expected) => {
    expect(shown(timeZone, 'day', `${date}T12:00Z`)).toBe(expected);
    expect(clock(timeZone, Date.parse(expected.split(' ')[0]!))).toBe('01:00');
  });

  it('with two midnights (America/Havana, 2026-11-01) begins at the first and is one', () => {
    const expected = '2026-11-01T04:00Z 2026-11-02T05:00Z';
    expect(clock('America/Havana', Date.parse('2026-11-01T04:00Z'))).toBe('00:00');
    expect(clock('America/Havana', Date.parse('2026-11-01T05:00Z'))).toBe('00:00');
    expect(shown('America/Havana', 'day', '2026-11-01T04:30Z')).toBe(expected);
    expect(shown('America/Havana', 'day', '2026-11-01T05:30Z')).toBe(expected);
  });

  it('goes on where the clock falls back over midnight, and is reset once', () => {
    // At 00:01 on November 7 it became 23:01 on November 6 again.
    const expected = '2010-11-07T02:30Z 2010-11-08T03:30Z';
    for (const at of ['02:30', '02:31', '03:29', '03:30']) {
      expect(shown('America/St_Johns', 'day', `2010-11-07T${at}Z`)).toBe(expected);
    }
    expect(shown('America/St_Johns', 'day', '2010-11-07T02:29Z')).toBe(
      '2010-11-06T02:30Z 2010-11-07T02:30Z',
    );
  });

  it('that a zone skips (Pacific/Apia, 2011-12-30) does not exist', () => {
    expect(shown('Pacific/Apia', 'day', '2011-12-30T09:59Z')).toBe(
      '2011-12-29T10:00Z 2011-12-30T10:00Z',
    );
    expect(shown('Pacific/Apia', 'day', '2011-12-30T10:00Z')).toBe(
      '2011-12-30T10:00Z 2011-12-31T10:00Z',
    );
  });

  it.each([
    ['Australia/Lord_Howe', '2026-04-03', '2026-04-07', [24, 24, 24.5, 24, 24]],
    ['Australia/Lord_Howe', '2026-10-02', '2026-10-06', [24, 24, 23.5, 24, 24]],
    ['Antarctica/Troll', '2026-03-28', '2026-03-30', [24, 22, 24]],
    ['Antarctica/Troll', '2026-10-24', '2026-10-26', [24, 26]],
    ['Europe/Paris', '2026-03-28', '2026-03-31', [24, 23, 24, 24]],
    ['Asia/Kathmandu', '2026-03-28', '2026-03-30', [24, 24, 24]],
    ['UTC', '2026-03-28', '2026-03-31', [24, 24, 24]],
  ])('in %s, from %s to %s, has its hours', (timeZone, from, to, expected) => {
    expect(lengths(timeZone, 'day', `${from}T00:00Z`, `${to}T00:00Z`)).toEqual(expected);
  });

  it('in Casablanca is an hour longer before Ramadan and shorter after it', () => {
    const uneven = lengths('Africa/Casablanca', 'day', '2026-02-01T00:00Z', '2026-04-15T00:00Z');
    expect(uneven.filter((hours) => hours !== 24)).toEqual([25, 23]);
  });

  it.each([
    ['Asia/Kathmandu', '2026-07-01T18:15Z 2026-07-02T18:15Z'],
    ['Pacific/Kiritimati', '2026-07-02T10:00Z 2026-07-03T10:00Z'],
    ['Pacific/Pago_Pago', '2026-07-02T11:00Z 2026-07-03T11:00Z'],
    ['UTC', '2026-07-02T00:00Z 2026-07-03T00:00Z'],
  ])('in %s begins at its own midnight', (timeZone, expected) => {
    expect(shown(timeZone, 'day', '2026-07-02T12:00Z')).toBe(expected);
  });
});

describe('a week', () => {
  it('begins on the weekday that is asked for', () => {
    const at = '2026-03-25T12:00Z'; // A Wednesday.
    expect(shown('UTC', 'week', at, 1)).toBe('2026-03-23T00:00Z 2026-03-30T00:00Z');
    expect(shown('UTC', 'week', at, 7)).toBe('2026-03-22T00:00Z 2026-03-29T00:00Z');
    expect(shown('UTC', 'week', at, 3)).toBe('2026-03-25T00:00Z 2026-04-01T00:00Z');
    expect(shown('UTC', 'week', at, 4)).toBe('2026-03-19T00:00Z 2026-03-26T00:00Z');
  });

  it('has 167 hours in spring, on either side of its start', () => {
    expect(shown('Europe/Paris', 'week', '2026-03-25T12:00Z', 1)).toBe(
      '2026-03-22T23:00Z 2026-03-29T22:00Z',
    );
    expect(shown('Europe/Paris', 'week', '2026-03-29T12:00Z', 7)).toBe(
      '2026-03-28T23:00Z 2026-04-04T22:00Z',
    );
  });

  it('whose first day is skipped begins with the next day', () => {
    // December 30, 2011 was to be a Friday.
    expect(shown('Pacific/Apia', 'week', '2011-12-30T12:00Z', 5)).toBe(
      '2011-12-30T10:00Z 2012-01-05T10:00Z',
    );
    expect(shown('Pacific/Apia', 'week', '2011-12-30T09:00Z', 5)).toBe(
      '2011-12-23T10:00Z 2011-12-30T10:00Z',
    );
  });
});

describe('a month', () => {
  it('runs from its first day to that of the next, through leap days and years', () => {
    expect(shown('UTC', 'month', '2028-02-29T23:59Z')).toBe('2028-02-01T00:00Z 2028-03-01T00:00Z');
    expect(shown('UTC', 'month', '2027-12-31T23:59Z')).toBe('2027-12-01T00:00Z 2028-01-01T00:00Z');
  });

  it('is of the zone, not of UTC', () => {
    expect(shown('America/New_York', 'month', '2026-04-01T03:59Z')).toBe(
      '2026-03-01T05:00Z 2026-04-01T04:00Z',
    );
    expect(shown('Pacific/Kiritimati', 'month', '2026-03-31T10:00Z')).toBe(
      '2026-03-31T10:00Z 2026-04-30T10:00Z',
    );
  });
});

describe('an hour', () => {
  it('begins where the local clock shows minute 0', () => {
    expect(shown('UTC', 'hour', '2026-07-01T12:59Z')).toBe('2026-07-01T12:00Z 2026-07-01T13:00Z');
    expect(shown('Asia/Kathmandu', 'hour', '2026-07-01T12:14Z')).toBe(
      '2026-07-01T11:15Z 2026-07-01T12:15Z',
    );
    expect(shown('Asia/Kolkata', 'hour', '2026-07-01T12:30Z')).toBe(
      '2026-07-01T12:30Z 2026-07-01T13:30Z',
    );
  });

  it('that is repeated in autumn is two', () => {
    for (const start of ['00', '01']) {
      const from = `2026-10-25T${start}:00Z`;
      expect(clock('Europe/Paris', Date.parse(from))).toBe('02:00');
      expect(shown('Europe/Paris', 'hour', `2026-10-25T${start}:30Z`).split(' ')[0]).toBe(from);
    }
  });

  it('is cut where the clock is moved by half an hour', () => {
    // At 02:00 it became 01:30 again; in spring, 02:30.
    expect(
      lengths('Australia/Lord_Howe', 'hour', '2026-04-04T14:00Z', '2026-04-04T16:30Z'),
    ).toEqual([1, 0.5, 1]);
    expect(shown('Australia/Lord_Howe', 'hour', '2026-04-04T15:10Z')).toBe(
      '2026-04-04T15:00Z 2026-04-04T15:30Z',
    );
    expect(
      lengths('Australia/Lord_Howe', 'hour', '2026-10-03T14:30Z', '2026-10-03T17:00Z'),
    ).toEqual([1, 0.5, 1]);
  });

  it('is cut where the clock is moved at another minute', () => {
    const found = lengths('America/St_Johns', 'hour', '2010-11-07T01:30Z', '2010-11-07T04:30Z');
    expect(found.map((hours) => Math.round(hours * 60))).toEqual([60, 1, 59, 60]);
  });
});

describe('the function of a kind of period', () => {
  it('returns the same object while a period lasts, and is right after any jump', () => {
    const dayOf = periods('Europe/Paris', 'day');
    const noon = Date.UTC(2026, 2, 29, 12);
    const day = dayOf(noon);
    expect(dayOf(day.from)).toBe(day);
    expect(dayOf(day.to - 1)).toBe(day);
    expect(dayOf(day.to)).toMatchObject({ from: day.to });
    expect(dayOf(day.from - 1)).toMatchObject({ to: day.from });
    expect(dayOf(noon)).toEqual(day);
  });

  it('takes a time between two milliseconds for the one before', () => {
    const { to } = periods('UTC', 'hour')(0);
    expect(periods('UTC', 'hour')(to - 0.25)).toEqual({ from: 0, to });
  });

  it.each([NaN, Infinity, 8.64e15 + 1])('throws for %d, which is no time', (at) => {
    expect(() => periods('UTC', 'day')(at)).toThrow(RangeError);
    expect(() => periods('Europe/Paris', 'hour')(at)).toThrow(RangeError);
  });

  it('is refused for a time zone that nobody knows, in words', () => {
    expect(() => periods('Europe/Pariss', 'day')).toThrow(
      new TypeError(
        '[claude-metrics] budgets: timeZone must be an IANA time zone, got "Europe/Pariss". ' +
          "Write it like 'Europe/Paris' or 'UTC'.",
      ),
    );
    expect(() => periods('+02:00', 'day')).toThrow(/IANA time zone, got "\+02:00"/);
  });
});

it('any instant in any zone is in one period, next to the one before and the one after', () => {
  const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'), 'UTC');
  const at = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2040, 0, 1) });
  const per = fc.constantFrom<Unit>('hour', 'day', 'week', 'month');
  const weekStart = fc.constantFrom<PeriodOptions['weekStart']>(1, 2, 3, 4, 5, 6, 7);
  const property = fc.property(zone, at, per, weekStart, (timeZone, instant, unit, start) => {
    const find = periods(timeZone, unit, start);
    const period = find(instant);
    expect(period.from).toBeLessThanOrEqual(instant);
    expect(period.to).toBeGreaterThan(instant);
    // Each step leaves the period that is remembered, so that all are found anew.
    expect(find(period.from - 1).to).toBe(period.from);
    expect(find(period.from)).toEqual(period);
    expect(find(period.to).from).toBe(period.to);
    expect(find(period.to - 1)).toEqual(period);
  });
  fc.assert(property, { numRuns: 1_000 });
});

describe('isTimeZone', () => {
  it.each([
    ...['UTC', 'Europe/Paris', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5', 'Asia/Calcutta'],
    ...['America/Port-au-Prince', 'europe/paris', 'GMT', 'Japan', 'EST5EDT'],
  ])('knows %s', (name) => {
    expect(isTimeZone(name)).toBe(true);
    expect(() => periods(name, 'hour')(0)).not.toThrow();
  });

  it('knows every zone that this Node lists', () => {
    expect(Intl.supportedValuesOf('timeZone').filter((name) => !isTimeZone(name))).toEqual([]);
  });

  it.each([
    ...[undefined, null, 1, {}, [], ['UTC'], Symbol('UTC'), () => 'UTC', new String('UTC')],
    ...['', ' ', 'Paris', 'Europe/Pariss', ' UTC', 'UTC ', 'UTC\n', 'Europe/', '/', 'Z', 'local'],
    ...['PST', 'EST', 'IST', 'CET', 'jst', 'SystemV/PST8', '__proto__', 'constructor'],
    ...['Etc/Unknown', '2026-01-01T00:00Z', '2026-01-01T00:00[Europe/Paris]', 'a'.repeat(1e6)],
  ])('refuses what is none (%#)', (value) => {
    expect(isTimeZone(value)).toBe(false);
  });

  it.each(['+02:00', '+0200', '+02', '-00:00', '+00:00', '+23:59', 'UTC+2', 'GMT+2'])(
    'refuses the offset %s, which not every Node knows',
    (offset) => expect(isTimeZone(offset)).toBe(false),
  );
});

describe('loadCalendar', () => {
  type Module = typeof import('../src/period.js');
  const process = globalThis as { Temporal?: unknown };
  const native = Object.getOwnPropertyDescriptor(globalThis, 'Temporal');

  /** A fresh copy of the module, in a process with this Temporal or without. */
  function loadWith(temporal: unknown): ReturnType<Module['loadCalendar']> {
    if (temporal === undefined) delete process.Temporal;
    else Object.defineProperty(process, 'Temporal', { value: temporal, configurable: true });
    let loaded: ReturnType<Module['loadCalendar']> | undefined;
    jest.isolateModules(() => {
      loaded = jest.requireActual<Module>('../src/period.js').loadCalendar();
    });
    return loaded!;
  }

  afterEach(() => {
    delete process.Temporal;
    if (native) Object.defineProperty(globalThis, 'Temporal', native);
  });

  const paris = { per: 'day', timeZone: 'Europe/Paris', weekStart: 1 } as const;
  const spring = { from: Date.UTC(2026, 2, 28, 23), to: Date.UTC(2026, 2, 29, 22) };

  it('loads the polyfill where there is no Temporal', async () => {
    const loading = loadWith(undefined);
    expect(loading).toBeInstanceOf(Promise);
    expect((await loading).periods(paris)(spring.from)).toEqual(spring);
  });

  it('takes the Temporal that is there, at once', async () => {
    const { Temporal } = await import('temporal-polyfill');
    const used: number[] = [];
    const Instant = {
      fromEpochMilliseconds(at: number) {
        used.push(at);
        return Temporal.Instant.fromEpochMilliseconds(at);
      },
    };
    const loaded = loadWith({ ZonedDateTime: Temporal.ZonedDateTime, Instant });
    expect(loaded).not.toBeInstanceOf(Promise);
    expect((loaded as Calendar).periods(paris)(spring.from)).toEqual(spring);
    expect(used).toContain(spring.from);
  });

  it('refuses at once a zone that Intl knows and Temporal does not', async () => {
    const { Temporal } = await import('temporal-polyfill');
    const cause = new RangeError('unknown time zone');
    const toZonedDateTimeISO = () => {
      throw cause;
    };
    const Instant = { fromEpochMilliseconds: () => ({ toZonedDateTimeISO }) };
    const { ZonedDateTime } = Temporal;
    const loaded = (await loadWith({ ZonedDateTime, Instant })) as Calendar;
    expect(() => loaded.periods(paris)).toThrow(
      expect.objectContaining({ name: 'TypeError', cause }) as Error,
    );
  });

  it('does not take a draft of Temporal for the whole', () => {
    const draft = { Instant: {}, ZonedDateTime: { prototype: {} } };
    expect(loadWith(draft)).toBeInstanceOf(Promise);
  });

  it('is the same calendar each time, and not loaded again', async () => {
    const [one, other] = await Promise.all([loadCalendar(), loadCalendar()]);
    expect(other).toBe(one);
    expect(loadCalendar()).toBe(one);
  });
});

/** What a clock shows, from Intl. */
function clock(timeZone: string, at: number): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'short' }).format(at);
}
