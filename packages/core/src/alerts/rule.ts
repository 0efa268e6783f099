import type { Severity } from '../alert.js';
import type { Snapshot } from '../snapshot.js';
import type { Dimension } from '../window.js';

/**
 * Rules as data, and what can be said about each when it is made.
 *
 * - **limit**: what a value must not pass, in the unit of its kind.
 * - **clear**: how far back a value must be before its alert resolves, so that a value at the limit
 *   does not fire and resolve in turns.
 * - **minimum traffic**: with fewer calls in the window a rate says nothing, and a rule is not breached.
 */

/** Milliseconds, or a number of minutes, hours or days: `'5m'`, `'1h'`, `'7d'`. */
export type Duration = number | `${number}m` | `${number}h` | `${number}d`;

/** What every rule can be told. */
export interface RuleOptions {
  /** Unique among the rules of a monitor; at most 80 characters. Default: the kind and the limit. */
  readonly name?: string | undefined;
  readonly severity?: Severity | undefined;
  /** The condition must hold for this long before it fires. Default 0. */
  readonly for?: Duration | undefined;
  /** Reminders, and news of firing again, come no more often. Default 1 hour. */
  readonly cooldown?: Duration | undefined;
  /**
   * Back in order for this long before it resolves. Default 0: a window is a memory of its own length
   * already, and what comes and goes within the cooldown is not told twice.
   */
  readonly clearFor?: Duration | undefined;
}

export interface LimitOptions extends RuleOptions {
  /** Resolves only here or beyond. Default 90 % of an upper limit, 110 % of a lower one. */
  readonly clear?: number | undefined;
}

export interface WindowOptions extends RuleOptions {
  /** What is looked at, widened to whole buckets (a minute, for long windows a quarter of an hour). */
  readonly window?: Duration | undefined;
  /** Fewer calls in the window than that are no breach. */
  readonly minCalls?: number | undefined;
  /** Only calls of this model, feature, or both; names as the snapshot shows them. */
  readonly filter?: RuleFilter | undefined;
}

export interface FigureOptions extends WindowOptions, LimitOptions {
  /** Evaluates each model, feature or user on its own. */
  readonly by?: Dimension | undefined;
}

export interface RuleFilter {
  readonly model?: string | undefined;
  readonly feature?: string | undefined;
}

/** What every rule has, whatever made it. Durations in milliseconds. */
export interface RuleBasis {
  readonly name: string;
  readonly severity: Severity;
  readonly forMs: number;
  readonly cooldownMs: number;
  readonly clearForMs: number;
  /** 0 where a rule looks at no window. */
  readonly windowMs: number;
  readonly minCalls: number;
  readonly by: Dimension | null;
  readonly filter: { readonly model?: string; readonly feature?: string };
  /** In the unit of the kind; 0 where the limit is only known when it is evaluated. */
  readonly limit: number;
  readonly clear: number;
}

export interface LatencyRule extends RuleBasis {
  readonly kind: 'latencyAbove';
  readonly percentile: number;
  /** `ttft`: to the first token of a stream. `total`: the whole call, with its retries. */
  readonly of: 'ttft' | 'total';
}

export interface UnattributedRule extends RuleBasis {
  readonly kind: 'unattributedAbove';
  readonly of: 'user' | 'feature';
}

/** Rules whose value is a reading of one cell. */
export type CellRule =
  | LatencyRule
  | UnattributedRule
  | (RuleBasis & {
      readonly kind:
        | 'errorRateAbove'
        | 'spendAbove'
        | 'cacheHitRateBelow'
        | 'acceptanceRateBelow'
        | 'unpricedCalls';
    });

export interface BudgetRule extends RuleBasis {
  readonly kind: 'budgetAbove';
  /** `null`: every budget. */
  readonly budget: string | null;
}

export interface BurnRule extends RuleBasis {
  readonly kind: 'burnRate';
  readonly budget: string | null;
  /** The short window and the long one. */
  readonly windowsMs: readonly [number, number];
}

export interface AnomalyRule extends RuleBasis {
  readonly kind: 'spendAnomaly';
  readonly factor: number;
  readonly z: number;
  readonly days: number;
  readonly minDays: number;
  readonly minUsd: number;
  readonly timeZone: string;
}

export interface RetiringRule extends RuleBasis {
  readonly kind: 'modelRetiring';
}

export interface HeadroomRule extends RuleBasis {
  readonly kind: 'rateLimitHeadroomBelow';
}

/** What a condition of the application's own may answer. */
export interface ConditionFigure {
  readonly value: number;
  /** Breached above it; in order again at 90 % of it. */
  readonly limit: number;
  /** One line. Default: the name of the rule with value and limit. */
  readonly title?: string | undefined;
}

/** Asked at every evaluation; it answers at once. */
export type Condition = (figures: Snapshot) => boolean | ConditionFigure;

export interface ConditionRule extends RuleBasis {
  readonly kind: 'condition';
  readonly holds: Condition;
}

/** Frozen, and JSON-safe but for the function of a condition. */
export type Rule =
  CellRule | BudgetRule | BurnRule | AnomalyRule | RetiringRule | HeadroomRule | ConditionRule;
export type RuleKind = Rule['kind'];
