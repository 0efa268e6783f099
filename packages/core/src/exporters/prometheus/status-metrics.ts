import { label } from '../../context.js';
import { add, createTally, type Metric, type Reading, type Tally } from './metric.js';
import type { BudgetReport } from '../../budget.js';
import type { MonitorStatus } from '../../status.js';
import type { Sample } from './histogram.js';

/**
 * What is said of budgets, alerts and the monitor itself. Names in here are those of the operator: of
 * budgets, rules and steps of ours; never whom a budget or an alert is about.
 */
export const STATUS_METRICS: readonly Metric[] = [
  {
    name: 'budget_usage_ratio',
    type: 'gauge',
    help: 'Spent part of the limit; of a budget for each user or the like, of the one that used most.',
    labels: ['budget'],
    aggregator: 'max',
    // The reports have those nearest to their limit first.
    read: (reading) => eachBudget(reading, ({ scopes }) => scopes[0]?.used ?? 0, Math.max),
  },
  {
    name: 'budget_spent_usd',
    type: 'gauge',
    help: 'Spent in the current period; budgets of all only.',
    labels: ['budget'],
    aggregator: 'max',
    read: (reading) =>
      eachBudget(
        reading,
        (budget) => (isOfAll(budget) ? budget.scopes[0]!.spentUsd : null),
        Math.max,
      ),
  },
  {
    name: 'budget_limit_usd',
    type: 'gauge',
    help: 'Limit of the current period; budgets of all only.',
    labels: ['budget'],
    aggregator: 'max',
    read: (reading) =>
      eachBudget(
        reading,
        (budget) => (isOfAll(budget) ? budget.scopes[0]!.limitUsd : null),
        Math.max,
      ),
  },
  {
    name: 'budget_decisions_total',
    type: 'counter',
    help: 'What budgets decided about calls.',
    labels: ['budget', 'verdict'],
    read: ({ statuses }) => {
      const tally = createTally();
      for (const { budgets } of statuses) {
        for (const { name, calls } of budgets) {
          const budget = nameOf(name);
          for (const [verdict, count] of Object.entries(calls)) {
            tally.put({ budget, verdict }, count, add);
          }
        }
      }
      return tally.samples();
    },
  },
  {
    name: 'alerts_firing',
    type: 'gauge',
    help: 'Alerts that fire and are not silenced, by rule.',
    labels: ['rule', 'severity'],
    aggregator: 'max',
    read: ({ statuses, fired }) => {
      fired.fill(0);
      for (const { alerts } of statuses) {
        for (const { rule, severity } of alerts.firing) {
          fired.put({ rule: nameOf(rule), severity }, 1, add);
        }
      }
      return fired.samples();
    },
  },
  {
    name: 'unobserved_requests_total',
    type: 'counter',
    help: 'Requests to a Messages endpoint that no monitor recorded.',
    labels: [],
    read: ({ statuses }) => [
      { labels: {}, value: statuses.reduce((sum, { unobserved }) => sum + unobserved, 0) },
    ],
  },
  {
    name: 'monitor_faults_total',
    type: 'counter',
    help: 'What went wrong inside the monitor, by step.',
    labels: ['step'],
    read: (reading) =>
      eachCount(reading, 'step', ({ health }) =>
        Object.entries(health.faults).map(([step, { count }]) => [step, count]),
      ),
  },
  {
    name: 'monitor_dropped_total',
    type: 'counter',
    help: 'What a bound made the monitor leave out.',
    labels: ['what'],
    read: (reading) => eachCount(reading, 'what', ({ health }) => Object.entries(health.dropped)),
  },
  {
    name: 'build_info',
    type: 'gauge',
    help: 'Always 1; the version of the prices that calls are counted with.',
    labels: ['price_version'],
    aggregator: 'first',
    read: ({ statuses }) => {
      const tally = createTally();
      for (const { priceVersion } of statuses) {
        tally.put({ price_version: nameOf(priceVersion) }, 1, Math.max);
      }
      return tally.samples();
    },
  },
];

/** What is `null` has no series. */
function eachBudget(
  { statuses }: Reading,
  read: (budget: BudgetReport) => number | null,
  join: (a: number, b: number) => number,
): Sample[] {
  const tally = createTally();
  for (const { budgets } of statuses) {
    for (const budget of budgets) {
      const value = read(budget);
      if (value !== null) tally.put({ budget: nameOf(budget.name) }, value, join);
    }
  }
  return tally.samples();
}

function eachCount(
  { statuses }: Reading,
  name: string,
  read: (status: MonitorStatus) => readonly (readonly [string, number])[],
): Sample[] {
  const tally: Tally = createTally();
  for (const status of statuses) {
    for (const [key, count] of read(status)) tally.put({ [name]: nameOf(key) }, count, add);
  }
  return tally.samples();
}

/** Whose one scope is there; it is not before its first call. */
function isOfAll({ of, scopes }: BudgetReport): boolean {
  return of === 'all' && scopes.length > 0;
}

function nameOf(text: string): string {
  return label(text) ?? '(none)';
}
