import { OTHER, SUM, UNATTRIBUTED } from '../cell.js';
import { DISTINCT_ERROR, distinctOf } from '../distinct.js';
import { createSketch, mergeSketch } from '../sketch.js';
import type { Cell, Sketch } from '../stores/store.js';

/**
 * How many people used it, and in how many sessions.
 *
 * - **exact**: every call is under a name, or under none; the names are counted.
 * - **estimate**: the cap has merged names, so the sketches of all calls are asked.
 * - **at least**: the cap has merged names, and there is no sketch (under a filter, or of calls from
 *   before there were sketches): the names that are left.
 */
export interface Uniques {
  readonly count: number;
  readonly kind: 'exact' | 'estimate' | 'at_least';
  /** Standard error of an estimate, as a share of the count; 0 when exact, `null` when not known. */
  readonly error: number | null;
}

export interface PeriodUsers extends Uniques {
  /** Day, or the Monday of a week: `2026-11-24`. Month: `2026-11`. By the report's time zone. */
  readonly period: string;
  /** The window has all of it. */
  readonly complete: boolean;
}

export interface Audience extends Uniques {
  /** Calls with a user ÷ users; `null` without users. */
  readonly callsPerUser: number | null;
  /** Periods with calls, in order: at most the last 31 days, 14 weeks and 13 months of the window. */
  readonly perDay: readonly PeriodUsers[];
  readonly perWeek: readonly PeriodUsers[];
  readonly perMonth: readonly PeriodUsers[];
}

export interface Sessions extends Uniques {
  /** Calls that named a session. */
  readonly calls: number;
  /** Of those calls: all input, cached or not, and output. */
  readonly tokens: number;
  /** `null` without sessions. */
  readonly callsPerSession: number | null;
  readonly tokensPerSession: number | null;
}

/** What is asked about: cells of all calls of a window, and the same calls by user. */
export interface AudienceCells {
  readonly all: readonly Cell[];
  readonly byUser: readonly Cell[];
  readonly from: number;
  readonly to: number;
  /** Local time: see local-time.ts. */
  readonly local: (at: number) => number;
}

interface Tally {
  readonly names: Set<string>;
  calls: number;
  /** Calls whose user has a name here, or none at all. */
  known: number;
  withUser: number;
  readonly sketch: Sketch;
}

interface Period {
  /** Days since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly name: string;
}

const DAY_MS = 86_400_000;
const KEPT = { day: 31, week: 14, month: 13 } as const;
type Unit = keyof typeof KEPT;

export function audienceOf({ all, byUser, from, to, local }: AudienceCells): Audience {
  const days = new Map<number, Tally>();
  const dayOf = tallyByDay(days, local);
  for (const cell of all) {
    const calls = cell.sums[SUM.calls]!;
    if (calls === 0) continue;
    const day = dayOf(cell.at);
    day.calls += calls;
    day.withUser += calls - cell.sums[SUM.unattributedUser]!;
    if (cell.sketches?.users) mergeSketch(day.sketch, cell.sketches.users);
  }
  for (const { at, key, sums } of byUser) {
    const calls = sums[SUM.calls]!;
    if (calls === 0 || key[0] === OTHER) continue;
    const day = dayOf(at);
    day.known += calls;
    if (key[0] !== UNATTRIBUTED) day.names.add(key[0]);
  }
  const window = createTally();
  for (const tally of days.values()) addTally(window, tally);
  const listed = (unit: Unit) =>
    periodsOf(unit, days).map(({ period, tally }) => ({
      period: period.name,
      complete: local(from) <= period.from * DAY_MS && local(to) >= period.to * DAY_MS,
      ...uniquesOf(tally),
    }));
  const users = uniquesOf(window);
  return {
    ...users,
    callsPerUser: users.count === 0 ? null : window.withUser / users.count,
    perDay: listed('day'),
    perWeek: listed('week'),
    perMonth: listed('month'),
  };
}

/** `null` where no sketch of sessions is kept: under a filter. */
export function sessionsOf({ sums, sketches }: Cell): Sessions | null {
  const [calls, tokens] = [sums[SUM.sessionCalls]!, sums[SUM.sessionTokens]!];
  if (!sketches?.sessions || sketches.sessions.count < calls) return null;
  const count = Math.round(distinctOf(sketches.sessions));
  return {
    ...{ count, kind: 'estimate', error: DISTINCT_ERROR, calls, tokens },
    callsPerSession: count === 0 ? null : calls / count,
    tokensPerSession: count === 0 ? null : tokens / count,
  };
}

function createTally(): Tally {
  return { names: new Set(), calls: 0, known: 0, withUser: 0, sketch: createSketch() };
}

function uniquesOf({ names, calls, known, withUser, sketch }: Tally): Uniques {
  if (known >= calls) return { count: names.size, kind: 'exact', error: 0 };
  if (sketch.count < withUser) return { count: names.size, kind: 'at_least', error: null };
  const count = Math.max(names.size, Math.round(distinctOf(sketch)));
  return { count, kind: 'estimate', error: DISTINCT_ERROR };
}

function addTally(into: Tally, from: Tally): void {
  into.calls += from.calls;
  into.known += from.known;
  into.withUser += from.withUser;
  for (const name of from.names) into.names.add(name);
  mergeSketch(into.sketch, from.sketch);
}

/** The tally of the day of a time. Cells of a bucket come by the hundred, and are of one day. */
function tallyByDay(
  days: Map<number, Tally>,
  local: (at: number) => number,
): (at: number) => Tally {
  const byTime = new Map<number, Tally>();
  return (at) => {
    let found = byTime.get(at);
    if (found === undefined) {
      const day = Math.floor(local(at) / DAY_MS);
      found = days.get(day) ?? createTally();
      days.set(day, found);
      byTime.set(at, found);
    }
    return found;
  };
}

/** The last periods that have calls, in order, each with all of its days. */
function periodsOf(unit: Unit, days: ReadonlyMap<number, Tally>) {
  const periods = new Map<string, { readonly period: Period; readonly tally: Tally }>();
  for (const [day, { calls, known }] of days) {
    const period = periodOf(unit, day);
    if (calls + known > 0 && !periods.has(period.name)) {
      periods.set(period.name, { period, tally: createTally() });
    }
  }
  const last = [...periods.values()].sort((a, b) => a.period.from - b.period.from);
  const kept = last.slice(-KEPT[unit]);
  for (const { period, tally } of kept) {
    for (const [day, found] of days) {
      if (day >= period.from && day < period.to) addTally(tally, found);
    }
  }
  return kept;
}

function periodOf(unit: Unit, day: number): Period {
  if (unit === 'day') return { from: day, to: day + 1, name: nameOf(day) };
  if (unit === 'week') {
    // The first day of 1970 was a Thursday.
    const monday = day - ((((day + 3) % 7) + 7) % 7);
    return { from: monday, to: monday + 7, name: nameOf(monday) };
  }
  const date = new Date(day * DAY_MS);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const [from, to] = [Date.UTC(year, month) / DAY_MS, Date.UTC(year, month + 1) / DAY_MS];
  return { from, to, name: nameOf(from).slice(0, 7) };
}

function nameOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
