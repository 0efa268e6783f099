import { checkOptions, rule, type OptionRules } from '../options.js';
import {
  basisOf,
  check,
  checkKept,
  figureOptions,
  lower,
  number,
  oneOf,
  percentage,
  positive,
  share,
  upper,
  type Defaults,
} from './rule-options.js';
import { inUnit, spanOf } from './wording.js';
import type { CellRule, FigureOptions, LatencyRule, UnattributedRule } from './rule.js';

/** Rules over the figures of a window: rates, percentiles and sums of its calls. */
export interface LatencyOptions extends FigureOptions {
  /** 1 to 99.9; default 95. */
  readonly percentile?: number | undefined;
  /** `total` (default): the whole call with its retries. `ttft`: to the first token of a stream. */
  readonly of?: 'ttft' | 'total' | undefined;
}

export interface AcceptanceOptions extends Omit<FigureOptions, 'minCalls'> {
  /** Fewer answers (accepted or rejected) than that are no breach. Default 20. */
  readonly minAnswers?: number | undefined;
}

export interface UnpricedOptions extends FigureOptions {
  /** Fires with more of them in the window. Default 0. */
  readonly above?: number | undefined;
}

export interface UnattributedOptions extends FigureOptions {
  /** Which name is missing. Default `user`. */
  readonly of?: 'user' | 'feature' | undefined;
}

/** Enough calls for a rate to mean something. */
const RATE_CALLS = 20;

/**
 * Failed ÷ all calls. Refusals, aborts of the application's own and blocked budgets are no failures.
 *
 * @param limit 0 to below 1; 0.05 is 5 %.
 * @throws TypeError for a limit or an option that cannot be right.
 *
 * @example
 * alert.errorRateAbove(0.05, { window: '5m', severity: 'critical' });
 */
export function errorRateAbove(limit: number, options: FigureOptions = {}): CellRule {
  const where = 'alert.errorRateAbove';
  check(where, 'limit', limit, percentage);
  return figureRule(where, 'errorRateAbove', options, {
    name: (ms) => `error rate above ${inUnit(limit, 'ratio')} over ${spanOf(ms)}`,
    severity: 'critical',
    window: '5m',
    minCalls: RATE_CALLS,
    ...upper(limit),
  });
}

/**
 * A percentile of the time that calls take, within 1 %.
 *
 * @param limitMs Milliseconds.
 * @throws TypeError for a limit or an option that cannot be right; latency is not kept by user.
 *
 * @example
 * alert.latencyAbove(2_000, { percentile: 99, of: 'ttft', by: 'model' });
 */
export function latencyAbove(limitMs: number, options: LatencyOptions = {}): LatencyRule {
  const where = 'alert.latencyAbove';
  check(where, 'limitMs', limitMs, positive);
  const allowed = {
    ...figureOptions,
    percentile: number('a number from 1 to 99.9', (n) => n >= 1 && n <= 99.9),
    of: oneOf('ttft', 'total'),
  };
  checkOptions(where, options, allowed);
  const { percentile = 95, of = 'total' } = options;
  const what = of === 'ttft' ? 'time to first token' : 'latency';
  const basis = basisOf(where, options, allowed, {
    name: (ms) => `p${percentile} ${what} above ${inUnit(limitMs, 'ms')} over ${spanOf(ms)}`,
    severity: 'warning',
    window: '5m',
    minCalls: RATE_CALLS,
    ...upper(limitMs),
  });
  checkKept(where, basis, 'sketches');
  return Object.freeze({ kind: 'latencyAbove', ...basis, percentile, of });
}

/**
 * Money spent within a window. Unlike a budget it blocks nothing and follows no calendar.
 *
 * @param usd Decimal USD.
 * @throws TypeError for a limit or an option that cannot be right.
 *
 * @example
 * alert.spendAbove(5, { window: '1h', by: 'user' });
 */
export function spendAbove(usd: number, options: FigureOptions = {}): CellRule {
  const where = 'alert.spendAbove';
  check(where, 'usd', usd, positive);
  return figureRule(where, 'spendAbove', options, {
    name: (ms) => `spend above ${inUnit(usd, 'usd')} over ${spanOf(ms)}`,
    severity: 'warning',
    window: '1h',
    ...upper(usd),
  });
}

/**
 * Input tokens read from the prompt cache ÷ all input tokens.
 *
 * @param limit Above 0 and up to 1; 0.5 is half of the input.
 * @throws TypeError for a limit or an option that cannot be right.
 *
 * @example
 * alert.cacheHitRateBelow(0.5, { filter: { feature: 'chat' } });
 */
export function cacheHitRateBelow(limit: number, options: FigureOptions = {}): CellRule {
  const where = 'alert.cacheHitRateBelow';
  check(where, 'limit', limit, share);
  return figureRule(where, 'cacheHitRateBelow', options, {
    name: (ms) => `cache hit rate below ${inUnit(limit, 'ratio')} over ${spanOf(ms)}`,
    severity: 'info',
    window: '1h',
    minCalls: RATE_CALLS,
    ...lower(limit),
  });
}

/**
 * Accepted ÷ (accepted + rejected) answers, as users' feedback says.
 *
 * @param limit Above 0 and up to 1; 0.7 is 70 %.
 * @throws TypeError for a limit or an option that cannot be right.
 *
 * @example
 * alert.acceptanceRateBelow(0.7, { by: 'feature', minAnswers: 50 });
 */
export function acceptanceRateBelow(limit: number, options: AcceptanceOptions = {}): CellRule {
  const where = 'alert.acceptanceRateBelow';
  check(where, 'limit', limit, share);
  const { minCalls: _, ...others } = figureOptions;
  const allowed = { ...others, minAnswers: rule.integer(1, 1_000_000_000) };
  const basis = basisOf(where, options, allowed, {
    name: (ms) => `acceptance rate below ${inUnit(limit, 'ratio')} over ${spanOf(ms)}`,
    severity: 'info',
    window: '24h',
    ...lower(limit),
  });
  checkKept(where, basis, 'sums');
  const minCalls = options.minAnswers ?? RATE_CALLS;
  return Object.freeze({ kind: 'acceptanceRateBelow' as const, ...basis, minCalls });
}

/**
 * Calls that cost something nobody can say: a model without a price, an answer without usage.
 *
 * @throws TypeError for an option that cannot be right.
 *
 * @example
 * alert.unpricedCalls({ above: 0, by: 'model' });
 */
export function unpricedCalls(options: UnpricedOptions = {}): CellRule {
  const where = 'alert.unpricedCalls';
  const allowed = { ...figureOptions, above: rule.integer(0, 1_000_000_000) };
  checkOptions(where, options, allowed);
  const { above: limit = 0 } = options;
  const defaults: Defaults = {
    name: (ms) => `more than ${inUnit(limit, 'calls')} without a price over ${spanOf(ms)}`,
    severity: 'warning',
    window: '1h',
    ...upper(limit),
  };
  return figureRule(where, 'unpricedCalls', options, defaults, allowed);
}

/**
 * The share of calls of which nobody knows the user, or the feature.
 *
 * @param limit 0 to below 1; 0.2 is 20 %.
 * @throws TypeError for a limit or an option that cannot be right.
 *
 * @example
 * alert.unattributedAbove(0.2, { of: 'user' });
 */
export function unattributedAbove(
  limit: number,
  options: UnattributedOptions = {},
): UnattributedRule {
  const where = 'alert.unattributedAbove';
  check(where, 'limit', limit, percentage);
  const allowed = { ...figureOptions, of: oneOf('user', 'feature') };
  checkOptions(where, options, allowed);
  const { of = 'user' } = options;
  const basis = basisOf(where, options, allowed, {
    name: (ms) => `calls without ${of} above ${inUnit(limit, 'ratio')} over ${spanOf(ms)}`,
    severity: 'info',
    window: '1h',
    minCalls: RATE_CALLS,
    ...upper(limit),
  });
  checkKept(where, basis, 'sums');
  return Object.freeze({ kind: 'unattributedAbove', ...basis, of });
}

type PlainKind = Exclude<CellRule['kind'], 'latencyAbove' | 'unattributedAbove'>;

function figureRule(
  where: string,
  kind: PlainKind,
  options: FigureOptions,
  defaults: Defaults,
  allowed: OptionRules = figureOptions,
): CellRule {
  const basis = basisOf(where, options, allowed, defaults);
  checkKept(where, basis, 'sums');
  return Object.freeze({ kind, ...basis });
}
