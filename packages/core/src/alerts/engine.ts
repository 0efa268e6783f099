import { show } from '../options.js';
import { modelFactsOf, type Retirement } from '../models.js';
import { createBurn } from './burn.js';
import { createSeenTime } from './elapsed.js';
import { createHeadroom } from './headroom.js';
import { createJudge } from './judge.js';
import { messageOf } from './message.js';
import { createRoster } from './roster.js';
import { checkRules } from './rules.js';
import { oneLine, spanOf } from './wording.js';
import type { Alert, AlertMessage, AlertsPage } from '../alert.js';
import type { BudgetReport } from '../budget.js';
import type { Health } from '../health.js';
import type { CallRecord, Sink } from '../record.js';
import type { CellSource, Snapshot, SnapshotQuery } from '../snapshot.js';
import type { Rule } from './rule.js';
import type { Verdict } from './verdict.js';

/**
 * The alert engine: on a timer, also without traffic, it asks every rule what it says of every group,
 * moves their machines, and sends what is to be told.
 *
 * - **evaluation**: one round over all rules, at one reading of the clock. Two never overlap, and a
 *   rule that fails, or does not answer in time, stops no other.
 */
export interface AlertsOptions {
  readonly rules: readonly Rule[];
  /** The ledger. */
  readonly source: CellSource;
  readonly budgets: () => readonly BudgetReport[];
  readonly snapshot: (query: SnapshotQuery) => Promise<Snapshot>;
  readonly health: Health;
  /** Milliseconds since the epoch; may be set ahead or back. */
  readonly now: () => number;
  /** From one evaluation to the next; default 15 seconds. */
  readonly everyMs?: number | undefined;
  /** Where an alert can be looked at. */
  readonly link?: ((alert: Alert) => string | null) | undefined;
  readonly send: (message: AlertMessage) => void;
  /** Default: what is known of Anthropic's models. */
  readonly retirementOf?: ((model: string) => Retirement | null) | undefined;
  /** Groups that are not in order; beyond it new ones are left out, and counted. Default 500. */
  readonly maxGroups?: number | undefined;
}

export interface Alerts extends Sink {
  readonly name: 'alerts';
  record(call: CallRecord): void;
  /** One evaluation; while one is under way, that one. Never fails. */
  evaluate(): Promise<void>;
  page(): Omit<AlertsPage, 'channels'>;
  /**
   * Tells nobody about an alert until then (milliseconds since the epoch); `null` ends it. Returns the
   * alert, or `null` for an id that is not known.
   *
   * @throws TypeError for a time that is none.
   */
  silence(id: string, untilMs: number | null): Alert | null;
  start(): void;
  close(): void;
}

const DAY_MS = 86_400_000;
/** Evaluations are late when the process is busy; what is later than this was a jump of the clock. */
const LATE = 4;
const LEAST_STEP_MS = 60_000;
const LATEST = 8.64e15;

/**
 * @throws TypeError for rules that cannot be right, or that look further back than the store keeps.
 *
 * @example
 * const alerts = createAlerts({ rules: [alert.errorRateAbove(0.05)], source: ledger, ...rest });
 * alerts.start();
 */
export function createAlerts(options: AlertsOptions): Alerts {
  const { rules, source, health, now, everyMs = 15_000, maxGroups = 500 } = options;
  checkRules('createAlerts', rules);
  for (const rule of rules) checkHistory(rule, source);
  const maxStepMs = Math.max(LATE * everyMs, LEAST_STEP_MS);
  const time = createSeenTime(maxStepMs);
  const headroom = createHeadroom({ now, health });
  const burn = createBurn(
    rules.flatMap((rule) => (rule.kind === 'burnRate' ? rule.windowsMs : [])),
  );
  const roster = createRoster({ maxGroups, maxStepMs, health });
  const judge = createJudge({
    ...{ source, rules, headroom, burn, health, maxGroups },
    budgets: reportsNow,
    snapshot: options.snapshot,
    retirementOf: options.retirementOf ?? ((model) => modelFactsOf(model).retirement),
  });
  const usesBudgets = rules.some(({ kind }) => kind === 'budgetAbove' || kind === 'burnRate');
  const usesHeadroom = rules.some(({ kind }) => kind === 'rateLimitHeadroomBelow');
  /** Rules whose last evaluation failed, with why. */
  const failing = new Map<string, string>();
  /** Asked, and without an answer yet: not asked again, or a store that hangs would pile up questions. */
  const asked = new Set<Rule>();
  let reports: readonly BudgetReport[] | null = null;
  let evaluating: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function reportsNow(): readonly BudgetReport[] {
    if (reports === null) throw new Error('the budgets could not be read');
    return reports;
  }

  function sampleBudgets(): void {
    reports = usesBudgets ? (health.guard('alerts.budgets', options.budgets) ?? null) : null;
    if (reports) burn.sample(reports, time.seenMs());
  }

  async function ask(rule: Rule, at: number): Promise<readonly Verdict[]> {
    if (asked.has(rule)) throw new Error('no answer yet to the question of an evaluation before');
    asked.add(rule);
    const answer = judge(rule, at).finally(() => asked.delete(rule));
    return inTime(answer, everyMs);
  }

  async function evaluateAll(): Promise<void> {
    const at = now();
    time.pass(at);
    sampleBudgets();
    const answers = await Promise.allSettled(rules.map((rule) => ask(rule, at)));
    if (closed) return;
    answers.forEach((answer, i) => {
      const rule = rules[i]!;
      if (answer.status === 'rejected') {
        failing.set(rule.name, reasonOf(answer.reason));
        health.fault(`alert:${rule.name}`, answer.reason);
        return;
      }
      failing.delete(rule.name);
      // After a jump of the clock a window has to fill again before it can say that all is in order.
      const settled = time.calmMs() >= Math.max(rule.windowMs, LEAST_STEP_MS);
      for (const news of roster.apply(rule, answer.value, at, settled)) {
        const link = health.guard('alerts.link', () => options.link?.(news.alert) ?? null);
        health.guard('alerts.send', options.send, messageOf(news, at, link ?? null));
      }
    });
  }

  function evaluate(): Promise<void> {
    if (closed) return Promise.resolve();
    evaluating ??= evaluateAll()
      .catch((error: unknown) => health.fault('alerts.evaluate', error))
      .finally(() => (evaluating = null));
    return evaluating;
  }

  return {
    name: 'alerts',
    record(call) {
      if (usesHeadroom) headroom.record(call);
    },
    evaluate,
    page() {
      const faults = [...failing].map(([rule, message]) => ({ rule, message }));
      return { at: new Date(now()).toISOString(), ...roster.lists(), failing: faults };
    },
    silence(id, untilMs) {
      if (untilMs === null || (Number.isFinite(untilMs) && Math.abs(untilMs) <= LATEST)) {
        return roster.silence(id, untilMs, now());
      }
      throw new TypeError(
        `[claude-metrics] alerts.silence: untilMs must be a time in milliseconds since the epoch, ` +
          `or null, got ${show(untilMs)}.`,
      );
    },
    start() {
      if (closed || timer || rules.length === 0) return;
      timer = setInterval(() => void evaluate(), everyMs);
      timer.unref();
    },
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}

/** @throws TypeError for a rule that looks further back than anything is kept. */
function checkHistory(rule: Rule, { resolutions }: CellSource): void {
  const days = rule.kind === 'spendAnomaly' ? rule.days : 0;
  const neededMs = rule.windowMs + days * DAY_MS;
  const keptMs = Math.max(...resolutions.map(({ retentionMs }) => retentionMs), 0);
  if (neededMs <= keptMs) return;
  throw new TypeError(
    `[claude-metrics] createAlerts: the rule ${show(rule.name)} looks back ${spanOf(neededMs)}, and ` +
      `the store keeps ${spanOf(keptMs)}. Let it look back less, or the store keep more.`,
  );
}

async function inTime<T>(answer: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`no answer within ${spanOf(limitMs)}`);
    timer = setTimeout(() => reject(error), limitMs);
    timer.unref();
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(error: unknown): string {
  try {
    return oneLine(error instanceof Error ? `${error.name}: ${error.message}` : String(error), 200);
  } catch {
    return 'an error that cannot be printed';
  }
}
