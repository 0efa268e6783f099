import type { BudgetReport } from '../budget.js';

/**
 * How fast the scopes of budgets spend, from samples of what they have spent.
 *
 * - **sample**: the money a scope had spent in all, at a moment of seen time. Spend goes on counting
 *   over the end of a period, so that a new one begins with a known rate.
 * - **rate**: USD per millisecond over a window. Seen time is what passes: a clock that is set neither
 *   makes spend look slow, nor fast.
 */
export interface BurnTracker {
  /** Once an evaluation. `seenMs` never goes back. */
  sample(reports: readonly BudgetReport[], seenMs: number): void;
  /** Forgets what a scope spent, of any budget. */
  forget(scope: string): void;
  /** `null` with less than half of `leastMs` seen. */
  rateOf(budget: string, scope: string | null, windowMs: number, leastMs: number): number | null;
}

interface Series {
  readonly windowMs: number;
  /** Ascending; the first one is the last that is a whole window old, or the oldest there is. */
  readonly samples: { readonly at: number; readonly usd: number }[];
}

interface Scope {
  readonly series: readonly Series[];
  period: string | null;
  spentUsd: number;
  totalUsd: number;
  at: number;
}

const MAX_SCOPES = 100;
const MAX_BUDGETS = 100;
const SAMPLES_PER_WINDOW = 100;

/**
 * @param windowsMs The windows that will be asked for.
 *
 * @example
 * const burn = createBurn([3_600_000, 21_600_000]);
 * burn.sample(reports, seenMs);
 * burn.rateOf('monthly', 'ada', 3_600_000, 3_600_000);
 */
export function createBurn(windowsMs: readonly number[]): BurnTracker {
  const widths = [...new Set(windowsMs)];
  const budgets = new Map<string, Map<string | null, Scope>>();

  function sampleBudget({ name, from, scopes }: BudgetReport, seenMs: number): void {
    const known = budgets.get(name) ?? new Map<string | null, Scope>();
    budgets.set(name, known);
    const heaviest = [...scopes].sort((a, b) => b.spentUsd - a.spentUsd).slice(0, MAX_SCOPES);
    for (const { scope, spentUsd } of heaviest) {
      const held = known.get(scope) ?? {
        series: widths.map((windowMs): Series => ({ windowMs, samples: [] })),
        ...{ period: from, spentUsd, totalUsd: spentUsd, at: seenMs },
      };
      held.totalUsd += held.period === from ? spentUsd - held.spentUsd : spentUsd;
      Object.assign(held, { period: from, spentUsd, at: seenMs });
      for (const series of held.series) addSample(series, seenMs, held.totalUsd);
      // Put at the end again: the first one is the one that was not reported for longest.
      known.delete(scope);
      known.set(scope, held);
    }
    while (known.size > MAX_SCOPES) known.delete(known.keys().next().value!);
  }

  return {
    sample(reports, seenMs) {
      if (widths.length === 0) return;
      const spending = reports.filter(({ from }) => from !== null).slice(0, MAX_BUDGETS);
      const names = new Set(spending.map(({ name }) => name));
      for (const name of budgets.keys()) if (!names.has(name)) budgets.delete(name);
      for (const report of spending) sampleBudget(report, seenMs);
    },
    forget(scope) {
      for (const scopes of budgets.values()) scopes.delete(scope);
    },
    rateOf(budget, scope, windowMs, leastMs) {
      const held = budgets.get(budget)?.get(scope);
      const first = held?.series.find((each) => each.windowMs === windowMs)?.samples[0];
      if (!held || !first) return null;
      const passed = held.at - first.at;
      return passed <= 0 || passed < leastMs / 2 ? null : (held.totalUsd - first.usd) / passed;
    },
  };
}

function addSample({ windowMs, samples }: Series, at: number, usd: number): void {
  const last = samples[samples.length - 1];
  if (!last || at - last.at >= windowMs / SAMPLES_PER_WINDOW) samples.push({ at, usd });
  while (samples.length > 1 && samples[1]!.at <= at - windowMs) samples.shift();
}
