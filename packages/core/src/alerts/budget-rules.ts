import { checkOptions } from '../options.js';
import {
  basisOf,
  budgetName,
  check,
  durationFrom,
  figureOptions,
  millisecondsIn,
  number,
  positive,
  ruleOptions,
  upper,
} from './rule-options.js';
import { inUnit } from './wording.js';
import type { BudgetRule, BurnRule, Duration, LimitOptions } from './rule.js';

/** Rules over budgets: how much of them is used, and whether they will last. */
export interface BudgetRuleOptions extends LimitOptions {
  /** Name of the budget. Default: every budget. */
  readonly budget?: string | undefined;
}

export interface BurnOptions extends BudgetRuleOptions {
  /** Times the limit that the projection must pass. Default 1. */
  readonly above?: number | undefined;
  /** A short and a long one, which must agree. Default `['1h', '6h']`. */
  readonly windows?: readonly [Duration, Duration] | undefined;
}

const ofBudget = (budget?: string) => (budget === undefined ? 'a budget' : `budget ${budget}`);
const budgetOptions = { ...ruleOptions, clear: figureOptions['clear']!, budget: budgetName };

/**
 * Spent ÷ the limit, for each scope of a budget on its own. A scope that has refused a call in
 * this period counts as above it, whatever is left.
 *
 * @param limit Above 0 and up to 10; 0.8 is 80 % of the budget.
 * @throws TypeError for a limit or an option that cannot be right.
 *
 * @example
 * alert.budgetAbove(0.8, { budget: 'monthly' });
 */
export function budgetAbove(limit: number, options: BudgetRuleOptions = {}): BudgetRule {
  const where = 'alert.budgetAbove';
  check(
    where,
    'limit',
    limit,
    number('a number above 0 and up to 10', (n) => n > 0 && n <= 10),
  );
  const basis = basisOf(where, options, budgetOptions, {
    name: () => `${ofBudget(options.budget)} above ${inUnit(limit, 'ratio')}`,
    severity: 'warning',
    ...upper(limit),
  });
  return Object.freeze({ kind: 'budgetAbove', ...basis, budget: options.budget ?? null });
}

/**
 * Whether a budget will not last: both windows' rate of spending, continued to the end of the period,
 * passes `above` times the limit. The long window keeps a burst quiet, the short one ends the alert
 * soon. Says nothing before half of the short window has been seen.
 *
 * @throws TypeError for an option that cannot be right.
 *
 * @example
 * alert.burnRate({ budget: 'monthly', windows: ['1h', '6h'] });
 */
export function burnRate(options: BurnOptions = {}): BurnRule {
  const where = 'alert.burnRate';
  const window = durationFrom('10m', '7d');
  const allowed = {
    ...budgetOptions,
    above: positive,
    windows: {
      allowed: `a short and a longer window, each ${window.allowed}`,
      ok: (value: unknown) =>
        Array.isArray(value) &&
        value.length === 2 &&
        value.every((each) => window.ok(each)) &&
        millisecondsIn(value[0]) < millisecondsIn(value[1]),
    },
  };
  checkOptions(where, options, allowed);
  const { above: limit = 1, windows = ['1h', '6h'] } = options;
  const windowsMs = [millisecondsIn(windows[0]), millisecondsIn(windows[1])] as const;
  const basis = basisOf(where, options, allowed, {
    name: () => `${ofBudget(options.budget)} on course for ${inUnit(limit, 'ratio')}`,
    severity: 'warning',
    ...upper(limit),
  });
  return Object.freeze({
    kind: 'burnRate',
    ...basis,
    budget: options.budget ?? null,
    windowsMs: Object.freeze(windowsMs),
  });
}
