import { randomUUID } from 'node:crypto';
import { show } from '../options.js';
import { modelFactsOf, type Retirement } from '../models.js';
import { createBurn } from './burn.js';
import { inTime } from '../deadline.js';
import { createSeenTime } from './elapsed.js';
import { createFleet } from './fleet.js';
import { forgetUser } from './forgetting.js';
import { createHeadroom } from './headroom.js';
import { createJudge } from './judge.js';
import { messageOf } from './message.js';
import { createRoster } from './roster.js';
import { checkHistory, checkRules } from './rules.js';
import { reasonOf } from './wording.js';
import type { Alert, AlertMessage, AlertsPage } from '../alert.js';
import type { BudgetReport } from '../budget.js';
import type { Health } from '../health.js';
import type { CallRecord, Sink } from '../record.js';
import type { CellSource, Snapshot, SnapshotQuery } from '../snapshot.js';
import type { SharedNotes } from '../stores/budget-store.js';
import type { Rule } from './rule.js';
import type { Verdict } from './verdict.js';

/**
 * The alert engine: on a timer, also without traffic, it asks every rule what it says of every group,
 * moves their machines, and sends what is to be told.
 *
 * - **evaluation**: one round over all rules, at one reading of the clock. Two never overlap, and a
 *   rule that fails, or does not answer in time, stops no other.
 *
 * With `notes`, one of the processes that share them does so for all; see fleet.ts.
 */
export interface AlertsOptions {
  readonly rules: readonly Rule[];
  /** The ledger. `flush()` brings what it has not told the store yet; it never fails. */
  readonly source: CellSource & { flush?(): void | Promise<void> };
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
  /** Of the store whose cells are judged, where processes share it. */
  readonly notes?: SharedNotes | null | undefined;
  /** Name of this process, that no other has. Default: one by chance. */
  readonly member?: string | undefined;
  /** Another process takes over when the one that led was silent for so long. Default 3 evaluations, and a bit. */
  readonly claimMs?: number | undefined;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic?: (() => number) | undefined;
}

export interface Alerts extends Sink {
  readonly name: 'alerts';
  record(call: CallRecord): void;
  /** One evaluation; while one is under way, that one. Never fails. */
  evaluate(): Promise<void>;
  /** Hears how the alerts of the process are that leads, for `page()`. Never fails. */
  refresh(): Promise<void>;
  page(): Omit<AlertsPage, 'channels'>;
  /**
   * Tells nobody about an alert until then (milliseconds since the epoch); `null` ends it. Returns the
   * alert, or `null` for an id that is not known.
   *
   * @throws TypeError for a time that is none.
   */
  silence(id: string, untilMs: number | null): Alert | null;
  /** Forgets alerts about a user, by every name of theirs, in all processes; says how many. Never fails. */
  forgetUser(names: readonly string[]): Promise<number>;
  start(): void;
  close(): Promise<void>;
}

const UNSEEN = 'not looked at by this process: the store that processes share does not answer';
/** Evaluations are late when the process is busy; what is later than this was a jump of the clock. */
const LATE = 4;
const LEAST_STEP_MS = 60_000;
const SLACK_MS = 5_000;
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
  const { notes = null, member = randomUUID(), monotonic = () => performance.now() } = options;
  const { claimMs = 3 * everyMs + Math.min(everyMs, SLACK_MS) } = options;
  checkRules('createAlerts', rules);
  checkHistory('createAlerts', rules, source.resolutions);
  const maxStepMs = Math.max(LATE * everyMs, LEAST_STEP_MS);
  const time = createSeenTime(maxStepMs);
  const headroom = createHeadroom({ now, health });
  const burn = createBurn(
    rules.flatMap((rule) => (rule.kind === 'burnRate' ? rule.windowsMs : [])),
  );
  const roster = createRoster({ maxGroups, maxStepMs, health });
  const newJudge = () =>
    createJudge({
      ...{ source, rules, headroom, burn, health, maxGroups },
      budgets: reportsNow,
      snapshot: options.snapshot,
      retirementOf: options.retirementOf ?? ((model) => modelFactsOf(model).retirement),
    });
  let judge = newJudge();
  /** What it has read may have a name that is erased by now. */
  const readAnew = () => void (judge = newJudge());
  const common = { rules, roster, now, monotonic, health };
  const fleet =
    notes && rules.length > 0
      ? createFleet({ ...common, notes, member, everyMs, claimMs, readAnew })
      : null;
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
    const part = fleet && (await fleet.ask());
    const at = now();
    time.pass(at);
    // Also where another process leads: who takes over has to know the rates.
    sampleBudgets();
    if (part === 'follow' || part === 'wait') {
      // Who reads nothing has to bring what the others read.
      void source.flush?.();
      return;
    }
    const answers = await Promise.allSettled(rules.map((rule) => ask(rule, at)));
    // Stopped meanwhile, for so long that another process has taken over.
    if (closed || fleet?.mayTell() === false) return;
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
    await fleet?.save(at, [...failing]);
  }

  function page(): Omit<AlertsPage, 'channels'> {
    const heard = fleet?.part === 'follow' ? fleet.heard() : null;
    const unseen = fleet?.part === 'wait' ? rules.map(({ name }) => [name, UNSEEN] as const) : null;
    const faults = unseen ?? heard?.failing ?? [...failing];
    return {
      at: new Date(heard?.at ?? now()).toISOString(),
      ...roster.lists(),
      failing: faults.map(([rule, message]) => ({ rule, message })),
    };
  }

  function silence(id: string, untilMs: number | null): Alert | null {
    if (untilMs !== null && !(Number.isFinite(untilMs) && Math.abs(untilMs) <= LATEST)) {
      throw new TypeError(
        `[claude-metrics] alerts.silence: untilMs must be a time in milliseconds since the epoch, ` +
          `or null, got ${show(untilMs)}.`,
      );
    }
    const silenced = roster.silence(id, untilMs, now());
    if (silenced) fleet?.wish(id, untilMs);
    return silenced;
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
    async refresh() {
      if (!closed) await fleet?.refresh();
    },
    page,
    silence,
    async forgetUser(names) {
      // It may have read what is erased by now.
      await evaluating;
      readAnew();
      const budgets = health.guard('alerts.budgets', options.budgets) ?? [];
      return forgetUser({ names, budgets, roster, burn, fleet, failing, now });
    },
    start() {
      if (closed || timer || rules.length === 0) return;
      timer = setInterval(() => void evaluate(), everyMs);
      timer.unref();
    },
    async close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      await fleet?.close();
    },
  };
}
