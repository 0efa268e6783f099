import { SUM } from '../cell.js';
import { ownWords } from '../fault-text.js';
import { createHabits } from './habits.js';
import { leadOf, valueOf } from './measures.js';
import { createReadings, type Groups } from './readings.js';
import { projectionsOf, usageOf } from './scopes.js';
import { judged, namesOf, type Verdict } from './verdict.js';
import { counted, inUnit, oneLine, spanOf } from './wording.js';
import type { BudgetReport } from '../budget.js';
import type { Health } from '../health.js';
import type { Retirement } from '../models.js';
import type { CellSource, Snapshot, SnapshotQuery } from '../snapshot.js';
import type { Cell } from '../stores/store.js';
import type { BurnTracker } from './burn.js';
import type { HeadroomTracker } from './headroom.js';
import type {
  AnomalyRule,
  CellRule,
  ConditionFigure,
  ConditionRule,
  HeadroomRule,
  RetiringRule,
  Rule,
} from './rule.js';

/** Asks each rule's source, and says a verdict of every group that has enough figures. */
export interface JudgeOptions {
  readonly source: CellSource;
  readonly rules: readonly Rule[];
  /** Those of this evaluation. */
  readonly budgets: () => readonly BudgetReport[];
  readonly snapshot: (query: SnapshotQuery) => Promise<Snapshot>;
  readonly retirementOf: (model: string) => Retirement | null;
  readonly headroom: HeadroomTracker;
  readonly burn: BurnTracker;
  readonly health: Pick<Health, 'drop'>;
  readonly maxGroups: number;
}

/** @throws whatever a rule's source or condition throws. */
export type Judge = (rule: Rule, now: number) => Promise<readonly Verdict[]>;

const DAY_MS = 86_400_000;
/** Where a rule cannot be told how far back is far enough: 90 % of its limit. */
const CLEAR_PART = 0.9;

export function createJudge(options: JudgeOptions): Judge {
  const { source, rules, budgets, snapshot, retirementOf, headroom, burn } = options;
  const windowed = rules.filter(({ kind, windowMs }) => windowMs > 0 && kind !== 'condition');
  const readings = createReadings({ ...options, rules: windowed });
  const habits = createHabits(source);

  return async function judge(rule, now) {
    switch (rule.kind) {
      case 'budgetAbove':
        return usageOf(rule, budgets());
      case 'burnRate':
        return projectionsOf(rule, budgets(), burn, now);
      case 'rateLimitHeadroomBelow':
        return headroomOf(rule, headroom, now);
      case 'modelRetiring':
        return retiringOf(rule, await readings.groupsOf(rule, now), retirementOf, now);
      case 'spendAnomaly': {
        const usual = await habits.habitsOf(rule, now);
        return anomaliesOf(rule, await readings.groupsOf(rule, now), usual);
      }
      case 'condition': {
        const query = { rangeMs: rule.windowMs, ...rule.filter };
        return conditionOf(rule, await snapshot(query));
      }
      default:
        return figuresOf(rule, await readings.groupsOf(rule, now));
    }
  };
}

function figuresOf(rule: CellRule, groups: Groups): Verdict[] {
  return [...groups].flatMap(([key, cell]) => {
    const value = valueOf(rule, cell);
    return value === null
      ? []
      : [judged(rule, groupOf(rule, key), value, leadOf(rule, value, cell))];
  });
}

function anomaliesOf(
  rule: AnomalyRule,
  groups: Groups,
  usual: Awaited<ReturnType<ReturnType<typeof createHabits>['habitsOf']>>,
): Verdict[] {
  return [...groups].flatMap(([key, cell]) => {
    const habit = usual.get(key);
    const usd = enough(rule, cell) ? valueOf({ ...rule, kind: 'spendAbove' }, cell) : null;
    if (habit === undefined || usd === null) return [];
    const { limitUsd, medianUsd } = habit;
    const often = `usual at this time ${inUnit(medianUsd, 'usd')}`;
    const lead = `Spend ${inUnit(usd, 'usd')} over ${spanOf(rule.windowMs)}, ${often}`;
    const limits = { limit: limitUsd, clear: CLEAR_PART * limitUsd };
    return [judged(rule, groupOf(rule, key), usd, lead, limits)];
  });
}

function headroomOf(rule: HeadroomRule, tracker: HeadroomTracker, now: number): Verdict[] {
  const { model: wanted } = rule.filter;
  return tracker
    .smallest(now)
    .filter(({ model }) => wanted === undefined || model === wanted)
    .map(({ model, left, kind }) => {
      const lead = `Rate limit: ${inUnit(left, 'ratio')} of ${kind} left`;
      return judged(rule, { by: 'model', key: model }, left, lead);
    });
}

function retiringOf(
  rule: RetiringRule,
  groups: Groups,
  retirementOf: JudgeOptions['retirementOf'],
  now: number,
): Verdict[] {
  return [...groups].flatMap(([model, cell]) => {
    const retirement = model === null ? null : retirementOf(model);
    if (model === null || !retirement?.announced || !enough(rule, cell)) return [];
    const at = Date.parse(retirement.day);
    const days = Math.round((at - Math.floor(now / DAY_MS) * DAY_MS) / DAY_MS);
    if (Number.isNaN(days)) throw ownWords(new Error(`the retirement of ${model} is no day`));
    const breached = days <= rule.limit;
    const group = { by: 'model', key: model } as const;
    const title = oneLine(`Model ${model} ${retiring(retirement.day, days)}`);
    return [{ group, breached, cleared: !breached, value: days, limit: rule.limit, title }];
  });
}

function retiring(day: string, days: number): string {
  if (days < 0) return `was retired on ${day}, ${counted(-days, 'day')} ago, and is still in use`;
  return days === 0 ? 'retires today' : `retires on ${day}, in ${counted(days, 'day')}`;
}

function conditionOf(rule: ConditionRule, figures: Snapshot): Verdict[] {
  if (figures.totals.calls < rule.minCalls) return [];
  const found: unknown = rule.holds(figures);
  if (typeof found === 'boolean') {
    const title = `${rule.name}${namesOf(rule, null)}`;
    return [{ group: null, breached: found, cleared: !found, value: null, limit: null, title }];
  }
  const { value, limit, title } = figureOf(found);
  const limits = { limit, clear: limit - (1 - CLEAR_PART) * Math.abs(limit) };
  const verdict = judged(rule, null, value, `${rule.name}: ${inUnit(value, null)}`, limits);
  return [title === undefined ? verdict : { ...verdict, title: oneLine(title) }];
}

function figureOf(found: unknown): ConditionFigure {
  const { value, limit, title } = (found ?? {}) as Partial<ConditionFigure>;
  const text = title === undefined || typeof title === 'string';
  if (Number.isFinite(value) && Number.isFinite(limit) && text) return found as ConditionFigure;
  throw ownWords(
    new TypeError(
      'a condition must answer true, false, or { value, limit } with finite numbers, at once',
    ),
  );
}

function enough({ minCalls }: Rule, { sums }: Cell): boolean {
  return sums[SUM.calls]! >= minCalls;
}

function groupOf({ by }: Rule, key: string | null): Verdict['group'] {
  return by === null || key === null ? null : { by, key };
}
