import { localTimeIn } from './local-time.js';
import { audienceOf, sessionsOf, type Audience, type Sessions } from './trackers/audience.js';
import {
  hoursOf,
  mostCalls,
  mostCallsByPair,
  type Hours,
  type Ranked,
  type RankedPair,
} from './trackers/habit.js';
import { partOf, type Dimension, type Window } from './window.js';
import type { FeedbackRules } from './trackers/usage.js';
import type { Cell } from './stores/store.js';

/** Who uses it, when, for what, and how much of it in one go. What they think of it is in the totals. */
export interface UsageReport {
  /** Of days, weeks, months and hours. */
  readonly timeZone: string;
  /** `null`: cannot be told under these filters. */
  readonly users: Audience | null;
  /** Only of all calls: `null` under a filter. */
  readonly sessions: Sessions | null;
  readonly hours: Hours;
  /** Those with the most calls: 10 features, 10 users, 20 pairs. Empty where they cannot be told. */
  readonly topFeatures: readonly Ranked[];
  readonly topUsers: readonly Ranked[];
  readonly topPairs: readonly RankedPair[];
}

/** How usage is read. */
export interface UsageOptions extends FeedbackRules {
  /** IANA name of the zone of days and hours. Default `UTC`. */
  readonly timeZone?: string | undefined;
}

/** The cells of a window that it is read from. */
export interface UsageCells {
  /** All calls, bucket by bucket, and all of them together. */
  readonly all: readonly Cell[];
  readonly whole: Cell;
  /** `null`: not kept for these filters. */
  readonly by: Readonly<Record<'feature' | 'user', readonly Cell[] | null>>;
}

const MOST = 10;
const MOST_PAIRS = 20;

export function usageOf(
  { all, whole, by }: UsageCells,
  { from, to }: Window,
  { timeZone = 'UTC' }: UsageOptions = {},
): UsageReport {
  const local = localTimeIn(timeZone);
  const top = (dimension: 'feature' | 'user') => {
    const cells = by[dimension] ?? [];
    return cells[0] ? mostCalls(cells, placeOf(cells[0], dimension), MOST) : [];
  };
  const pairs = by.user?.[0]?.family === 'user-feature' ? by.user : [];
  return {
    timeZone,
    users: by.user && audienceOf({ all, byUser: by.user, from, to, local }),
    sessions: sessionsOf(whole),
    hours: hoursOf(all, local),
    topFeatures: top('feature'),
    topUsers: top('user'),
    topPairs: mostCallsByPair(pairs, MOST_PAIRS),
  };
}

function placeOf({ family }: Cell, dimension: Dimension): 0 | 1 {
  return partOf(family, dimension) === 1 ? 1 : 0;
}
