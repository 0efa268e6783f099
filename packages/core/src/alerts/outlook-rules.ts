import { checkOptions, rule } from '../options.js';
import {
  basisOf,
  check,
  checkKept,
  durationFrom,
  figureOptions,
  lower,
  number,
  positive,
  ruleOptions,
  share,
  windowOptions,
} from './rule-options.js';
import { counted, inUnit, oneLine, spanOf } from './wording.js';
import type {
  AnomalyRule,
  Condition,
  ConditionRule,
  FigureOptions,
  HeadroomRule,
  LimitOptions,
  RetiringRule,
  WindowOptions,
} from './rule.js';

/** Rules that look further than the figures of one window: at habits, rate limits, dates. */
export interface AnomalyOptions extends Omit<FigureOptions, 'clear'> {
  /** Times the median of the days before. Default 3. */
  readonly factor?: number | undefined;
  /** Standard deviations above it, as the median absolute deviation tells them. Default 6. */
  readonly z?: number | undefined;
  /** Days to compare with. Default 14. */
  readonly days?: number | undefined;
  /** Says nothing while fewer of them are known. Default 5. */
  readonly minDays?: number | undefined;
  /** Spend that is no matter, however unusual. Default $1. */
  readonly minUsd?: number | undefined;
  /** Where "the same hour" is: an IANA name. Default UTC. */
  readonly timeZone?: string | undefined;
}

export interface HeadroomOptions extends LimitOptions {
  readonly filter?: { readonly model?: string | undefined } | undefined;
}

export interface RetiringOptions extends WindowOptions {
  /** 0 to 365; default 30. */
  readonly withinDays?: number | undefined;
}

/** Conditions and dates have no figure to be on the way back. */
const { clear: _, ...unclearable } = figureOptions;
const timeZoneRule = {
  allowed: 'an IANA time zone such as "Europe/Paris"',
  ok(value: unknown) {
    if (typeof value !== 'string' || value === '') return false;
    try {
      return Boolean(new Intl.DateTimeFormat('en-US', { timeZone: value }));
    } catch {
      return false;
    }
  },
};

/**
 * Spend that is out of the ordinary for the time of day: above `factor` times the median of the same
 * window on days before, and above `z` deviations from it, and above `minUsd`.
 *
 * @throws TypeError for an option that cannot be right.
 *
 * @example
 * alert.spendAnomaly({ factor: 4, by: 'feature', timeZone: 'Europe/Paris' });
 */
export function spendAnomaly(options: AnomalyOptions = {}): AnomalyRule {
  const where = 'alert.spendAnomaly';
  const allowed = {
    ...unclearable,
    window: durationFrom('15m', '24h'),
    factor: number('a number from 1.1', (n) => n >= 1.1),
    z: positive,
    days: rule.integer(3, 60),
    minDays: rule.integer(3, 60),
    minUsd: number('a number from 0', () => true),
    timeZone: timeZoneRule,
  };
  checkOptions(where, options, allowed);
  const { factor = 3, z = 6, days = 14, minUsd = 1, timeZone = 'UTC' } = options;
  const { minDays = Math.min(5, days) } = options;
  check(where, 'options.minDays', minDays, rule.integer(3, days));
  const basis = basisOf(where, options, allowed, {
    name: (ms) => `spend of ${spanOf(ms)} out of the ordinary`,
    severity: 'warning',
    window: '1h',
    limit: 0,
    clear: 0,
  });
  checkKept(where, basis, 'sums');
  return Object.freeze({
    ...{ kind: 'spendAnomaly' as const, ...basis },
    ...{ factor, z, days, minDays, minUsd, timeZone },
  });
}

/**
 * What the API's rate limits leave: the smallest `remaining ÷ limit` that the last answer of a model
 * told, until that limit's reset. For each model on its own.
 *
 * @param limit Above 0 and up to 1; 0.1 is a tenth.
 * @throws TypeError for a limit or an option that cannot be right.
 *
 * @example
 * alert.rateLimitHeadroomBelow(0.1, { for: '1m' });
 */
export function rateLimitHeadroomBelow(limit: number, options: HeadroomOptions = {}): HeadroomRule {
  const where = 'alert.rateLimitHeadroomBelow';
  check(where, 'limit', limit, share);
  const filter = {
    allowed: 'an object with model',
    ok: (value: unknown) =>
      windowOptions['filter']!.ok(value) && Object.keys(value as object).join() === 'model',
  };
  const allowed = { ...ruleOptions, clear: figureOptions['clear']!, filter };
  const basis = basisOf(where, options, allowed, {
    name: () => `rate-limit headroom below ${inUnit(limit, 'ratio')}`,
    severity: 'warning',
    ...lower(limit),
  });
  return Object.freeze({ kind: 'rateLimitHeadroomBelow', ...basis, by: 'model' });
}

/**
 * Models that are in use, and whose announced retirement is near. Reminds once a day.
 *
 * @throws TypeError for an option that cannot be right.
 *
 * @example
 * alert.modelRetiring({ withinDays: 30 });
 */
export function modelRetiring(options: RetiringOptions = {}): RetiringRule {
  const where = 'alert.modelRetiring';
  const allowed = { ...windowOptions, withinDays: rule.integer(0, 365) };
  checkOptions(where, options, allowed);
  const { withinDays = 30 } = options;
  const basis = basisOf(where, options, allowed, {
    name: () => `model retiring within ${counted(withinDays, 'day')}`,
    severity: 'warning',
    window: '24h',
    cooldown: '24h',
    limit: withinDays,
    clear: withinDays,
  });
  return Object.freeze({ kind: 'modelRetiring', ...basis, by: 'model' });
}

/**
 * A condition of the application's own over the snapshot of a window. It answers at once: `true` while
 * it holds, or a value and the limit that it must not pass. It is asked without any traffic, too, unless
 * `minCalls` says otherwise.
 *
 * @throws TypeError for a name, a function or an option that cannot be right.
 *
 * @example
 * alert.condition('retries', ({ totals }) => ({ value: totals.retries, limit: 100 }));
 */
export function condition(
  name: string,
  holds: Condition,
  options: Omit<WindowOptions, 'name'> = {},
): ConditionRule {
  const where = 'alert.condition';
  check(where, 'name', name, ruleOptions['name']!);
  check(where, 'holds', holds, rule.function);
  const { name: __, ...others } = windowOptions;
  // It may be about there being no traffic at all.
  const allowed = { ...others, minCalls: rule.integer(0, 1_000_000_000) };
  const basis = basisOf(where, options, allowed, {
    name: () => oneLine(name),
    severity: 'warning',
    window: '1h',
    minCalls: 0,
    limit: 0,
    clear: 0,
  });
  return Object.freeze({ kind: 'condition', ...basis, holds });
}
