import type { Alert } from './alert.js';
import type { BudgetReport } from './budget.js';

/**
 * What a monitor can say of itself at any moment.
 *
 * - **status**: budgets, alerts and health as they stand now, whatever the window of the figures.
 */
export interface MonitorStatus {
  readonly budgets: readonly BudgetReport[];
  readonly alerts: SnapshotAlerts;
  readonly health: HealthReport;
  /** Requests to a Messages endpoint that no monitor recorded, since start. */
  readonly unobserved: number;
  readonly priceVersion: string;
}

export interface SnapshotAlerts {
  readonly firing: readonly Alert[];
  readonly pending: number;
  readonly silenced: number;
}

/** Counters of what went wrong inside the monitor. All counts are since the process started. */
export interface HealthReport {
  readonly ok: boolean;
  readonly faults: Readonly<
    Record<string, { readonly count: number; readonly lastMessage: string }>
  >;
  readonly dropped: Readonly<Record<string, number>>;
  /** Things said once: what could not be observed, prices that are missing. */
  readonly notices: readonly string[];
}

/** As much of a monitor as a sink may ask. */
export interface SinkMonitor {
  status(): Promise<MonitorStatus>;
  /** Counts something that went wrong in the sink. */
  fault(step: string, error: unknown): void;
}

/** Metrics as they are scraped, and the content type of that. */
export interface MetricsPage {
  readonly type: string;
  readonly body: string;
}
