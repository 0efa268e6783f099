import type { Alert, AlertsPage } from './alert.js';
import type { BudgetAdjustment } from './budget.js';
import type { AdjustmentInput } from './budgets/adjustments.js';
import type { Decision } from './budgets/decision.js';
import type { Pause } from './budgets/pauses.js';
import type { SpendRequest } from './budgets/spend-request.js';
import type { FeedbackEvent } from './feedback.js';
import type { Forgotten } from './forgetting.js';
import type { HealthReport } from './health.js';
import type { CallInput } from './import.js';
import type { Middleware } from './middleware.js';
import type { CallRecord, Sink } from './record.js';
import type { ContextInput } from './scope.js';
import type { Snapshot, SnapshotQuery } from './snapshot.js';
import type { MetricsPage } from './status.js';
import type { CallsPage, CallsQuery } from './stores/store.js';

/**
 * The whole flow as one object: capture → record → sinks, and the ledger among them → snapshot.
 */
export interface Monitor {
  /** Adds our middleware to `client` and returns it; its `withOptions()` clones record too. */
  observe<C>(client: C): C;
  /**
   * For `new Anthropic({ middleware: [monitor.middleware(Anthropic)] })`; put it last. With the class, a
   * refusal by a budget comes out of `messages.stream()` as it is, and not as the cause of another error.
   */
  middleware(client?: object): Middleware;
  /** Observes every client of the SDK's copies that can be found, as the option `instrument` does. */
  instrument(): void;
  /** Runs `fn`; calls it makes are recorded by this monitor, with this context. */
  withContext<T>(context: ContextInput, fn: () => T): T;
  /** For adapters: `withContext()` whose names are defaults, so that `contextFrom` comes first. */
  withDefaults<T>(context: ContextInput, fn: () => T): T;
  /** Adds a call that was made some other way (another transport, an import). */
  record(call: CallInput): CallRecord;
  /** What budgets would say of a call in the current context, before it is made. */
  canSpend(request: SpendRequest): Promise<Decision>;
  /** Corrects what a budget has counted as spent in its current period. */
  adjust(input: AdjustmentInput): Promise<BudgetAdjustment>;
  /** Corrections, the last first; at most 1,000. */
  adjustments(): readonly BudgetAdjustment[];
  /** Refuses every call of a feature, until `resume()`. */
  pause(feature: string, reason?: string): void;
  /** `false`: it was not paused. */
  resume(feature: string): boolean;
  paused(): readonly Pause[];
  /**
   * What somebody did with an answer, also days later. `false`: it is not known (any more, or yet), which is
   * counted under `health.dropped`. Rejects with a TypeError for what cannot be right.
   */
  feedback(event: FeedbackEvent): Promise<boolean>;
  /** The name that a user has in figures, calls, alerts and logs: see the option `userIds`. */
  userKey(id: unknown): string | null;
  /**
   * Takes a user's name out of the store, the budgets and the alerts, and out of this process. The id is
   * the application's own; a pseudonym that `userIds` made will do, too.
   *
   * @throws TypeError (rejects) for what is no id.
   * @throws Error (rejects) when the store cannot forget, or does not answer: then call it again.
   */
  forgetUser(id: string | number): Promise<Forgotten>;
  /** What was firing, pending, silenced and resolved when it was last looked at. */
  alerts(): Promise<AlertsPage>;
  /**
   * Looks at every rule now, as the timer does: for tests, and where processes sleep between requests.
   * Where another process does so for all that share the store, it hears of them instead.
   */
  evaluateAlerts(): Promise<void>;
  /**
   * Tells nobody about an alert for so long; `null` ends the silence. `null` back: no such alert, as
   * far as this process has heard.
   */
  silence(id: string, forMs: number | null): Alert | null;
  /** Adds a sink. Returns the way to take it off again. */
  on(sink: Sink): () => void;
  snapshot(query?: SnapshotQuery): Promise<Snapshot>;
  /** Recent records, newest first. */
  calls(query?: CallsQuery): Promise<CallsPage>;
  health(): HealthReport;
  /**
   * Metrics as Prometheus scrapes them, for the `Accept` of a request. There only if one of the option
   * `sinks` has some, as `prometheusExporter()` does.
   */
  readonly metrics?: (accept?: string) => Promise<MetricsPage>;
  /** One line to the operator. */
  say(text: string): void;
  /** Counts something that went wrong around this monitor, for adapters. */
  fault(step: string, error: unknown): void;
  /** Ends calls under way, flushes, stops timers. Later calls pass unrecorded. */
  close(options?: { timeoutMs?: number }): Promise<void>;
}
