import { moneyAt, OTHER, SUM } from '../cell.js';
import { partOf, select } from '../window.js';
import { viewOf } from './readings.js';
import type { CellSource } from '../snapshot.js';
import type { Cell } from '../stores/store.js';
import type { AnomalyRule } from './rule.js';

/**
 * What a group usually spends at this time of day, from the store's history.
 *
 * - **past window**: the rule's window, as it ended on a day before at the same local time. History is
 *   kept in wide buckets, so two of them are taken, one ending before and one after that time, and the
 *   dearer one counts: a rise within the hour is no anomaly.
 * - **known day**: one on which, or before which, the group spent something in such a window. A day
 *   without spend between known days is a day of $0.
 */
export interface Habit {
  /** Above it, spend is out of the ordinary; decimal USD. */
  readonly limitUsd: number;
  readonly medianUsd: number;
}

export interface Habits {
  /** By the key of a group, without groups of too few known days. @throws what the store throws. */
  habitsOf(rule: AnomalyRule, now: number): Promise<ReadonlyMap<string | null, Habit>>;
}

type Spend = ReadonlyMap<string | null, number>;

const DAY_MS = 86_400_000;
const NANO = 1e9;
/** Of a normal distribution, the standard deviation is so many median absolute deviations. */
const SIGMA_PER_MAD = 1.4826;
/** Days that are all alike would make any difference an anomaly. */
const LEAST_SIGMA = 0.1;

/**
 * @example
 * const habits = createHabits(ledger);
 * (await habits.habitsOf(alert.spendAnomaly(), Date.now())).get(null)?.medianUsd;
 */
export function createHabits(source: CellSource): Habits {
  // The past windows move when the clock enters another bucket: until then they are the same.
  const known = new Map<
    string,
    { at: number; habits: Promise<ReadonlyMap<string | null, Habit>> }
  >();

  async function read(rule: AnomalyRule, end: number, bucketMs: number) {
    const { family } = viewOf(rule);
    const days: Spend[] = [];
    for (let back = rule.days; back >= 1; back -= 1) {
      const to = floorTo(sameTime(end, back, rule.timeZone), bucketMs);
      const from = floorTo(to - rule.windowMs, bucketMs);
      const window = { from, to: to + bucketMs, bucketMs };
      const cells = await source.cells({ ...window, families: [family] });
      days.push(
        dearer(
          spendIn(cells, rule, from, to),
          spendIn(cells, rule, from + bucketMs, to + bucketMs),
        ),
      );
    }
    return habitsFrom(days, rule);
  }

  return {
    async habitsOf(rule, now) {
      const bucketMs = historyBucket(source, rule);
      const at = floorTo(now, bucketMs);
      const last = known.get(rule.name);
      if (last?.at === at) return last.habits;
      const habits = read(rule, at, bucketMs);
      known.set(rule.name, { at, habits });
      habits.catch(() => known.delete(rule.name));
      return habits;
    },
  };
}

/** The finest buckets that are kept long enough; a rule is only made for a store that has some. */
function historyBucket({ resolutions }: CellSource, rule: AnomalyRule): number {
  const wantedMs = rule.days * DAY_MS + rule.windowMs;
  const kept = resolutions.find(({ retentionMs }) => retentionMs >= wantedMs);
  return (kept ?? resolutions[resolutions.length - 1])?.bucketMs ?? 900_000;
}

/** The days oldest first. */
function habitsFrom(days: readonly Spend[], rule: AnomalyRule): ReadonlyMap<string | null, Habit> {
  const keys = new Set(days.flatMap((day) => [...day.keys()]));
  const habits = new Map<string | null, Habit>();
  for (const key of keys) {
    const spends = days.map((day) => day.get(key) ?? 0);
    const knownDays = spends.slice(spends.findIndex((spend) => spend > 0));
    if (knownDays.length < rule.minDays || !spends.some((spend) => spend > 0)) continue;
    const medianUsd = medianOf(knownDays) / NANO;
    const deviations = knownDays.map((spend) => Math.abs(spend / NANO - medianUsd));
    const sigma = Math.max(SIGMA_PER_MAD * medianOf(deviations), LEAST_SIGMA * medianUsd);
    const limitUsd = Math.max(rule.minUsd, rule.factor * medianUsd, medianUsd + rule.z * sigma);
    habits.set(key, { limitUsd, medianUsd });
  }
  return habits;
}

function spendIn(cells: readonly Cell[], rule: AnomalyRule, from: number, to: number): Spend {
  const { family, by, filter } = viewOf(rule);
  const part = by === null ? -1 : partOf(family, by);
  const spend = new Map<string | null, number>();
  for (const cell of select(cells, family, filter)) {
    const key = part < 0 ? null : cell.key[part]!;
    if (cell.at < from || cell.at >= to || key === OTHER) continue;
    spend.set(key, (spend.get(key) ?? 0) + moneyAt(cell.sums, SUM.nanoUsd));
  }
  return spend;
}

function dearer(one: Spend, other: Spend): Spend {
  const most = new Map(one);
  for (const [key, spend] of other) most.set(key, Math.max(spend, most.get(key) ?? 0));
  return most;
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The instant `days` local days before, at the same time on the clock of the zone. */
export function sameTime(at: number, days: number, timeZone: string): number {
  const plain = at - days * DAY_MS;
  return plain + offsetAt(at, timeZone) - offsetAt(plain, timeZone);
}

const formats = new Map<string, Intl.DateTimeFormat>();
const FIELDS = ['year', 'month', 'day', 'hour', 'minute', 'second'] as const;

/** How far the zone's clock is ahead of UTC, in milliseconds. */
function offsetAt(at: number, timeZone: string): number {
  if (timeZone === 'UTC') return 0;
  let format = formats.get(timeZone);
  if (!format) {
    const fields = Object.fromEntries(FIELDS.map((field) => [field, 'numeric']));
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...fields });
    formats.set(timeZone, format);
  }
  const parts = format.formatToParts(at);
  const field = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const [year, month, day, hour, minute, second] = FIELDS.map(field) as [number, ...number[]];
  const local = Date.UTC(year, month! - 1, day, hour, minute, second);
  return local - floorTo(at, 1_000);
}

function floorTo(at: number, width: number): number {
  return Math.floor(at / width) * width;
}
