import type { BudgetPeriod, BudgetScope } from '../budget.js';
import { checkOptions, rule, show, type OptionRule, type OptionRules } from '../options.js';
import { isTimeZone } from '../period.js';
import type { CallContext } from '../record.js';

/** What a call looks like to `match` and to a limit that depends on it. */
export interface BudgetCall extends CallContext {
  readonly model: string;
}

/** A limit of USD per calendar period, for each scope of a kind. */
export interface BudgetOptions {
  /** Unique. Default from `of` and `per`: `user-day`. */
  readonly name?: string | undefined;
  /** USD, 0 to 9,000,000, or `Infinity`. A function gives each scope its own; it answers at once. */
  readonly usd: number | ((scope: string | null) => number);
  /** Calendar periods in `timeZone`; `call` limits every single call. */
  readonly per: BudgetPeriod;
  /** Default `all`. Calls without a user, feature or tag share the scope `(unattributed)`. */
  readonly of?: BudgetScope | undefined;
  /** What happens to a call that does not fit. Default `block`. */
  readonly action?: 'warn' | 'block' | 'downgrade' | undefined;
  /** Models to try instead, the best first; for `downgrade`. Without any, `max_tokens` is cut. */
  readonly models?: readonly string[] | undefined;
  /** A `downgrade` never cuts `max_tokens` below this. Default 256. */
  readonly minTokens?: number | undefined;
  /** Shares of the limit whose passing is told. Default `[0.5, 0.8]`, and 1 with the action `warn`. */
  readonly warnAt?: readonly number[] | undefined;
  /** IANA name. Default `UTC`, whatever the machine is set to. */
  readonly timeZone?: string | undefined;
  /** First day of a week, 1 (Monday) to 7 (Sunday). Default 1. */
  readonly weekStart?: 1 | 2 | 3 | 4 | 5 | 6 | 7 | undefined;
  /** What is reserved before a call. Default `worst-case`: the only one under which the limit holds. */
  readonly hold?: 'worst-case' | 'estimate' | 'none' | undefined;
  /** A model without a known price. Default `block`, or `allow` with the action `warn`. */
  readonly unpriced?: 'allow' | 'block' | undefined;
  /** A request whose cost has no bound, without a declared ceiling. Default `estimate`. */
  readonly unbounded?: 'estimate' | 'block' | undefined;
  /** Ceiling in USD of requests whose cost has no bound; `maxCostUsd` of the context goes first. */
  readonly maxCostUsd?: number | undefined;
  /** Which calls it is about. Default all. */
  readonly match?: ((call: BudgetCall) => boolean) | undefined;
  /** Only reports what it would have done. */
  readonly shadow?: boolean | undefined;
  /**
   * What happens to calls while the store of shared budgets does not answer. `lease` (default): those
   * go on for which this process has money in hand. `closed`: as little as possible is in hand.
   * `open`: all go on that fit by what was last known; processes together may pass the limit.
   */
  readonly onStoreDown?: 'lease' | 'closed' | 'open' | undefined;
}

/** Options with every default in its place. Money in nano-dollars. */
export interface Budget {
  readonly name: string;
  readonly per: BudgetPeriod;
  readonly of: BudgetScope;
  readonly action: 'warn' | 'block' | 'downgrade';
  readonly limit: number | ((scope: string | null) => number);
  readonly models: readonly string[];
  readonly minTokens: number;
  /** Ascending. */
  readonly warnAt: readonly number[];
  readonly timeZone: string;
  readonly weekStart: 1 | 2 | 3 | 4 | 5 | 6 | 7;
  readonly hold: 'worst-case' | 'estimate' | 'none';
  readonly unpriced: 'allow' | 'block';
  readonly unbounded: 'estimate' | 'block';
  readonly ceiling: number | null;
  readonly match: ((call: BudgetCall) => boolean) | null;
  readonly shadow: boolean;
  readonly onStoreDown: 'lease' | 'closed' | 'open';
}

const NANO = 1e9;
export const MAX_USD = 9_000_000;

const usd: OptionRule = {
  allowed: `a number of USD from 0 to ${MAX_USD}, or Infinity`,
  ok: isUsd,
};
const oneOf = (...values: readonly string[]): OptionRule => ({
  allowed: `one of ${values.map((value) => `'${value}'`).join(', ')}`,
  ok: (value) => values.includes(value as string),
});
const share: OptionRule = {
  allowed: 'a share above 0 and up to 1',
  ok: (value) => typeof value === 'number' && value > 0 && value <= 1,
};

const rules: OptionRules = {
  name: rule.text,
  usd: rule.either(usd, rule.function),
  per: oneOf('call', 'hour', 'day', 'week', 'month'),
  of: {
    allowed: "'all', 'user', 'feature', 'model' or { tag: 'its name' }",
    ok: (value) =>
      ['all', 'user', 'feature', 'model'].includes(value as string) || rule.text.ok(tagOf(value)),
  },
  action: oneOf('warn', 'block', 'downgrade'),
  models: rule.listOf(rule.text),
  minTokens: rule.integer(1, 1_000_000),
  warnAt: rule.listOf(share),
  timeZone: { allowed: "an IANA time zone such as 'Europe/Paris'", ok: isTimeZone },
  weekStart: rule.integer(1, 7),
  hold: oneOf('worst-case', 'estimate', 'none'),
  unpriced: oneOf('allow', 'block'),
  unbounded: oneOf('estimate', 'block'),
  maxCostUsd: usd,
  match: rule.function,
  shadow: rule.boolean,
  onStoreDown: oneOf('lease', 'closed', 'open'),
};

/** The rule of the monitor's option; what is wrong inside a budget is told by `budgetsOf()`. */
export const budgetsRule: OptionRule = rule.listOf(rule.object);

/**
 * @throws TypeError for a budget that cannot be right, or two of the same name.
 */
export function budgetsOf(where: string, list: readonly BudgetOptions[]): readonly Budget[] {
  const budgets = list.map((options, i) => budgetOf(`${where}: budgets[${i}]`, options));
  budgets.forEach(({ name }, i) => {
    if (budgets.findIndex((other) => other.name === name) === i) return;
    throw new TypeError(
      `[claude-metrics] ${where}: budgets[${i}].name ${show(name)} is taken by another budget. ` +
        'Give each a name of its own.',
    );
  });
  return budgets;
}

function budgetOf(where: string, options: BudgetOptions): Budget {
  checkOptions(where, options, rules);
  for (const name of ['usd', 'per'] as const) {
    if (options[name] !== undefined) continue;
    throw new TypeError(
      `[claude-metrics] ${where}: options.${name} must be ${rules[name]!.allowed}, got undefined.`,
    );
  }
  const { per, of = 'all', action = 'block', match, maxCostUsd } = options;
  const warnAt = options.warnAt ?? (action === 'warn' ? [0.5, 0.8, 1] : [0.5, 0.8]);
  if (options.models !== undefined && action !== 'downgrade') {
    throw new TypeError(
      `[claude-metrics] ${where}: options.models is for the action 'downgrade', got ` +
        `${show(action)}. Change the action or leave the models out.`,
    );
  }
  return {
    name: options.name ?? `${typeof of === 'object' ? of.tag : of}-${per}`,
    per,
    of,
    action,
    limit: typeof options.usd === 'function' ? options.usd : nanoOf(options.usd),
    models: options.models ?? [],
    minTokens: options.minTokens ?? 256,
    warnAt: [...new Set(warnAt)].sort((a, b) => a - b),
    timeZone: options.timeZone ?? 'UTC',
    weekStart: options.weekStart ?? 1,
    hold: options.hold ?? 'worst-case',
    unpriced: options.unpriced ?? (action === 'warn' ? 'allow' : 'block'),
    unbounded: options.unbounded ?? 'estimate',
    ceiling: maxCostUsd === undefined ? null : nanoOf(maxCostUsd),
    match: match ?? null,
    shadow: options.shadow ?? false,
    onStoreDown: options.onStoreDown ?? 'lease',
  };
}

export function isUsd(value: unknown): value is number {
  return value === Infinity || (typeof value === 'number' && value >= 0 && value <= MAX_USD);
}

/** Rounded down: a limit is never passed by the rounding. */
export function nanoOf(value: number): number {
  // What is a whole number of nano-dollars in decimal may be a hair below it in binary.
  return value === Infinity ? Infinity : Math.floor(value * NANO + 1e-3);
}

export function usdOf(nanoUsd: number): number {
  return nanoUsd / NANO;
}

function tagOf(value: unknown): unknown {
  return (value as { tag?: unknown } | null | undefined)?.tag;
}
