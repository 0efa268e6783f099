import { SEVERITIES } from '../alert.js';
import { rule as rules, show } from '../options.js';
import { budgetAbove, burnRate } from './budget-rules.js';
import {
  acceptanceRateBelow,
  cacheHitRateBelow,
  errorRateAbove,
  latencyAbove,
  spendAbove,
  unattributedAbove,
  unpricedCalls,
} from './figure-rules.js';
import { condition, modelRetiring, rateLimitHeadroomBelow, spendAnomaly } from './outlook-rules.js';
import { spanOf } from './wording.js';
import type { Resolution } from '../stores/store.js';
import type { Rule, RuleKind } from './rule.js';

/**
 * Makes the rules of `createMonitor({ alerts })`. A rule is frozen data: it can be kept, compared, and
 * but for the function of a condition written as JSON.
 *
 * @example
 * const alerts = [
 *   alert.errorRateAbove(0.05, { window: '5m', severity: 'critical' }),
 *   alert.budgetAbove(0.8),
 * ];
 */
export const alert = Object.freeze({
  errorRateAbove,
  latencyAbove,
  spendAbove,
  budgetAbove,
  burnRate,
  spendAnomaly,
  cacheHitRateBelow,
  acceptanceRateBelow,
  rateLimitHeadroomBelow,
  unpricedCalls,
  unattributedAbove,
  modelRetiring,
  condition,
});

const KINDS = Object.keys(alert) as RuleKind[];
const MAX_RULES = 100;
const DAY_MS = 86_400_000;
const DURATIONS = ['forMs', 'cooldownMs', 'clearForMs', 'windowMs', 'minCalls'] as const;

/**
 * @throws TypeError for what is no list of rules, and for two rules of one name: an alert is known by
 * the name of its rule.
 */
export function checkRules(where: string, value: unknown): asserts value is readonly Rule[] {
  if (!Array.isArray(value)) throw refusal(where, `must be an array of rules, got ${show(value)}`);
  if (value.length > MAX_RULES) {
    throw refusal(where, `can have at most ${MAX_RULES} rules, got ${value.length}`);
  }
  const names = new Set<string>();
  value.forEach((each: unknown, i) => {
    if (!isRule(each)) {
      const made = `a rule made by alert.${KINDS.join('(), alert.')}()`;
      throw refusal(where, `must have at ${i} ${made}, got ${show(each)}`);
    }
    if (names.has(each.name)) {
      const hint = 'Give one of them another with the option name';
      throw refusal(where, `has two rules named ${show(each.name)}. ${hint}`);
    }
    names.add(each.name);
  });
}

/** @throws TypeError for a rule that looks further back than anything is kept. */
export function checkHistory(
  where: string,
  list: readonly Rule[],
  resolutions: readonly Resolution[],
): void {
  const keptMs = Math.max(...resolutions.map(({ retentionMs }) => retentionMs), 0);
  for (const rule of list) {
    const days = rule.kind === 'spendAnomaly' ? rule.days : 0;
    const neededMs = rule.windowMs + days * DAY_MS;
    if (neededMs <= keptMs) continue;
    throw new TypeError(
      `[claude-metrics] ${where}: the rule ${show(rule.name)} looks back ${spanOf(neededMs)}, and ` +
        `the store keeps ${spanOf(keptMs)}. Let it look back less, or the store keep more.`,
    );
  }
}

function isRule(value: unknown): value is Rule {
  if (!rules.object.ok(value)) return false;
  const made = value as Partial<Record<string, unknown>>;
  return (
    KINDS.includes(made['kind'] as RuleKind) &&
    rules.text.ok(made['name']) &&
    SEVERITIES.some((each) => each === made['severity']) &&
    DURATIONS.every((name) => Number.isFinite(made[name]) && Number(made[name]) >= 0) &&
    (made['kind'] !== 'condition' || rules.function.ok(made['holds']))
  );
}

function refusal(where: string, text: string): TypeError {
  return new TypeError(`[claude-metrics] ${where}: ${text}.`);
}
