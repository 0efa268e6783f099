import type { Alert, AlertGroup } from '../alert.js';
import { inUnit, oneLine } from './wording.js';
import type { Rule, RuleKind } from './rule.js';

/**
 * What an evaluation says about one group of a rule. Groups that nothing is said about have no figures:
 * they are not breached.
 *
 * - **breached**: beyond the limit. **cleared**: at the clear value or beyond it, on the good side.
 */
export interface Verdict {
  readonly group: AlertGroup | null;
  readonly breached: boolean;
  readonly cleared: boolean;
  readonly value: number | null;
  readonly limit: number | null;
  /** One line, with figures and group. */
  readonly title: string;
}

const BELOW: ReadonlySet<RuleKind> = new Set([
  'cacheHitRateBelow',
  'acceptanceRateBelow',
  'rateLimitHeadroomBelow',
] satisfies RuleKind[]);

const UNITS: Readonly<Record<RuleKind, Alert['unit']>> = {
  errorRateAbove: 'ratio',
  latencyAbove: 'ms',
  spendAbove: 'usd',
  budgetAbove: 'ratio',
  burnRate: 'ratio',
  spendAnomaly: 'usd',
  cacheHitRateBelow: 'ratio',
  acceptanceRateBelow: 'ratio',
  rateLimitHeadroomBelow: 'ratio',
  unpricedCalls: 'calls',
  unattributedAbove: 'ratio',
  modelRetiring: 'days',
  condition: null,
};

export function unitOf({ kind }: Rule): Alert['unit'] {
  return UNITS[kind];
}

/**
 * A value against a limit. `lead` says the figure; the limit and the names follow it.
 *
 * @example
 * judged(rule, null, 0.072, 'Error rate 7.2 % over 5 min').title;
 * // 'Error rate 7.2 % over 5 min (limit 5 %)'
 */
export function judged(
  rule: Rule,
  group: AlertGroup | null,
  value: number,
  lead: string,
  { limit, clear } = { limit: rule.limit, clear: rule.clear },
): Verdict {
  const below = BELOW.has(rule.kind);
  const breached = below ? value < limit : value > limit;
  const cleared = !breached && (below ? value >= clear : value <= clear);
  const shown = rule.kind === 'unpricedCalls' ? String(limit) : inUnit(limit, unitOf(rule));
  const title = oneLine(`${lead} (limit ${shown})${namesOf(rule, group)}`);
  return { group, breached, cleared, value, limit, title };
}

/** `, feature chat, model claude-opus-5`; nothing for a budget, whose name leads. */
export function namesOf({ filter }: Rule, group: AlertGroup | null): string {
  const names = { ...filter, ...(group && group.by !== 'budget' && { [group.by]: group.key }) };
  return Object.entries(names)
    .map(([name, value]) => `, ${name} ${value}`)
    .join('');
}
