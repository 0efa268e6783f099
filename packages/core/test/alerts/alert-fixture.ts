/** The alert engine over a real ledger and a real store, with a clock to set, and what it has sent. */
import { createAlerts, type AlertsOptions } from '../../src/alerts/engine.js';
import { failed, rigOf } from '../state-fixture.js';
import type { AlertMessage } from '../../src/alert.js';
import type { Caps } from '../../src/bucket.js';
import type { BudgetReport, BudgetScopeReport } from '../../src/budget.js';
import type { CallRecord } from '../../src/record.js';
import type { Rule } from '../../src/alerts/rule.js';
import type { Store } from '../../src/stores/store.js';

export const SECOND = 1_000;
export const HOUR = 3_600_000;
const STEP = 15 * SECOND;

export type AlertRig = ReturnType<typeof alertRig>;

interface RigOptions extends Partial<AlertsOptions> {
  readonly caps?: Caps;
  readonly store?: Store;
  /** Where the clock begins. */
  readonly at?: number;
}

export function alertRig(rules: readonly Rule[], { store, at, caps, ...options }: RigOptions = {}) {
  const rig = rigOf({
    ...(store && { store }),
    ...(caps && { caps }),
    ...(at !== undefined && { now: at }),
  });
  const sent: AlertMessage[] = [];
  const budgets: { reports: readonly BudgetReport[] } = { reports: [] };
  const alerts = createAlerts({
    rules,
    source: rig.ledger,
    budgets: () => budgets.reports,
    snapshot: rig.snapshot,
    health: rig.health,
    now: () => rig.clock.now,
    send: (message) => sent.push(message),
    ...options,
  });
  return {
    ...rig,
    alerts,
    sent,
    budgets,
    /** Calls of the present moment, to the ledger and to the engine, as a monitor hands them out. */
    call(...calls: readonly CallRecord[]) {
      for (const call of calls) {
        rig.record({ ...call, at: rig.clock.now });
        alerts.record(call);
      }
    },
    /** Lets time pass in steps of the engine's timer, evaluating after each. */
    async pass(ms: number, eachStep?: () => void, stepMs = STEP) {
      for (let passed = 0; passed < ms; passed += stepMs) {
        rig.clock.now += stepMs;
        eachStep?.();
        await alerts.evaluate();
      }
    },
    types: () => sent.map(({ type }) => type),
    titles: () => sent.map(({ alert }) => alert.title),
  };
}

export function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** A monthly budget of November 2026, of users. */
export function budgetOf(
  scopes: readonly (Partial<BudgetScopeReport> & { spentUsd: number })[],
  overrides: Partial<BudgetReport> = {},
): BudgetReport {
  return {
    name: 'monthly',
    per: 'month',
    of: 'user',
    action: 'warn',
    shadow: false,
    timeZone: 'UTC',
    from: '2026-11-01T00:00:00.000Z',
    to: '2026-12-01T00:00:00.000Z',
    scopes: scopes.map((each) => {
      const { spentUsd, heldUsd = 0, limitUsd = 100 } = each;
      const used = limitUsd > 0 ? spentUsd / limitUsd : null;
      const nothing = { uncertainUsd: 0, overrunUsd: 0, refusedCalls: 0, unpricedCalls: 0 };
      return { scope: null, ...nothing, ...each, heldUsd, limitUsd, used };
    }),
    scopeCount: scopes.length,
    calls: { allow: 0, warn: 0, clamp: 0, downgrade: 0, block: 0 },
    wouldBlock: 0,
    ...overrides,
  };
}

/** Failing calls of the present moment. */
export function storm(rig: AlertRig, count: number): void {
  const error = { kind: 'overloaded', type: 'overloaded_error', message: '' } as const;
  rig.call(...times(count, () => failed(error)));
}
