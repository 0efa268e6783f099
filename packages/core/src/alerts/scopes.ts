import { OTHER } from '../cell.js';
import { judged, type Verdict } from './verdict.js';
import { inUnit, minuteOf, oneLine } from './wording.js';
import type { BudgetReport, BudgetScopeReport } from '../budget.js';
import type { BurnTracker } from './burn.js';
import type { BudgetRule, BurnRule } from './rule.js';

/** What rules say about the scopes of budgets. */
export function usageOf(rule: BudgetRule, reports: readonly BudgetReport[]): Verdict[] {
  return scopesOf(rule.budget, reports).flatMap(({ report, scope, key }) => {
    if (scope.used === null) return [];
    const { spentUsd, limitUsd, refusedCalls } = scope;
    const money = `${inUnit(spentUsd, 'usd')} of ${inUnit(limitUsd, 'usd')}`;
    const lead = `Budget ${key}: ${inUnit(scope.used, 'ratio')} used, ${money} this ${report.per}`;
    const verdict = judged(rule, { by: 'budget', key }, scope.used, lead);
    if (refusedCalls === 0) return [verdict];
    // What has no room for a call is used up, however much of it that call would have left.
    const title = oneLine(`${verdict.title}, calls refused: ${refusedCalls}`);
    return [{ ...verdict, title, breached: true, cleared: false }];
  });
}

/**
 * Where spending will end, if it goes on like this: the smaller of both windows' projections decides.
 * While it cannot be told, an alert stays as it is.
 */
export function projectionsOf(
  rule: BurnRule,
  reports: readonly BudgetReport[],
  burn: BurnTracker,
  now: number,
): Verdict[] {
  return scopesOf(rule.budget, reports).flatMap(({ report, scope, key }) => {
    if (report.to === null || !(scope.limitUsd > 0 && Number.isFinite(scope.limitUsd))) return [];
    const group = { by: 'budget', key } as const;
    const restMs = Math.max(Date.parse(report.to) - now, 0);
    const [shortMs] = rule.windowsMs;
    const parts = rule.windowsMs.map((windowMs) => {
      const rate = burn.rateOf(report.name, scope.scope, windowMs, shortMs);
      return rate === null ? NaN : (scope.spentUsd + rate * restMs) / scope.limitUsd;
    });
    const projected = Math.min(...parts);
    if (Number.isNaN(projected)) {
      const unknown = {
        value: null,
        limit: rule.limit,
        title: `Budget ${key}: rate not known yet`,
      };
      return [{ group, breached: false, cleared: false, ...unknown }];
    }
    const lead = `Budget ${key}: on course for ${inUnit(projected, 'ratio')} by ${minuteOf(report.to)}`;
    return [judged(rule, group, projected, lead)];
  });
}

/** `monthly`, or of a scope `monthly of ada`. */
function scopesOf(budget: string | null, reports: readonly BudgetReport[]) {
  const found: { report: BudgetReport; scope: BudgetScopeReport; key: string }[] = [];
  for (const report of reports) {
    if (budget !== null && report.name !== budget) continue;
    for (const scope of report.scopes) {
      if (scope.scope === OTHER) continue;
      const key = scope.scope === null ? report.name : `${report.name} of ${scope.scope}`;
      found.push({ report, scope, key });
    }
  }
  return found;
}
