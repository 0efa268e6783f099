/**
 * The words of alerting: what the engine tells, and whom.
 *
 * - **rule**: a condition over the figures, with a severity; data, made by the builders of `alert`.
 * - **group**: one model, feature, user or budget scope that a rule is evaluated for on its own.
 * - **alert**: the state of one (rule, group) that is not in order, or was not until lately.
 * - **message**: what is sent to people: one when an alert fires, reminders no more often than the
 *   cooldown, one when it resolves.
 * - **channel**: a way to people: a log, a callback, a webhook, a chat, a pager, a mail.
 */
export type Severity = 'info' | 'warning' | 'critical';

/** Least severe first. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const satisfies readonly Severity[];

export interface AlertGroup {
  readonly by: 'model' | 'feature' | 'user' | 'budget';
  /** A name as the snapshot shows it; for a budget its name and scope. Comes from outside. */
  readonly key: string;
}

/** JSON-safe. Times are ISO 8601. */
export interface Alert {
  /** Of the (rule, group): the same whenever it fires again. 16 characters, safe in an address. */
  readonly id: string;
  /** Name of the rule. */
  readonly rule: string;
  readonly severity: Severity;
  readonly group: AlertGroup | null;
  /** `pending`: breached, but not yet for as long as the rule asks. */
  readonly state: 'pending' | 'firing' | 'resolved';
  /** One line: "Error rate 7.2 % over 5 min (limit 5 %)". */
  readonly title: string;
  /** What was measured last, and the limit, in `unit`; `null` where a rule has no number. */
  readonly value: number | null;
  readonly limit: number | null;
  readonly unit: 'ratio' | 'ms' | 'usd' | 'calls' | 'days' | null;
  /** Since when the condition has held. */
  readonly since: string;
  readonly firedAt: string | null;
  readonly resolvedAt: string | null;
  /** Nobody is told until then. */
  readonly silencedUntil: string | null;
}

export interface AlertMessage {
  /** Unique: a receiver that gets it twice may drop the second. */
  readonly id: string;
  readonly type: 'firing' | 'reminder' | 'resolved';
  /** ISO 8601. */
  readonly at: string;
  readonly alert: Alert;
  /** The whole message as plain text, for channels without a form of their own. */
  readonly text: string;
  /** Where to look: the dashboard, when its address is known. */
  readonly link: string | null;
}

export interface Channel {
  readonly name: string;
  /** Messages below it are not sent here. Default `info`: all. */
  readonly minSeverity?: Severity | undefined;
  /**
   * Sends one message. A rejection is retried, unless the error has `retry: false`; `retryAfterMs` of
   * an error is honoured. `signal` fires when it takes too long, or the monitor closes.
   */
  send(message: AlertMessage, signal: AbortSignal): void | Promise<void>;
}

/** How a channel is doing. */
export interface ChannelReport {
  readonly name: string;
  readonly sent: number;
  /** Messages given up after the last retry. */
  readonly failed: number;
  /** Messages that the bound of the queue left out. */
  readonly dropped: number;
  readonly queued: number;
  /** Of the last failure; scrubbed, one line. `null` once a message has come through again. */
  readonly lastError: string | null;
}

/** What `/alerts` shows. */
export interface AlertsPage {
  /** ISO 8601. */
  readonly at: string;
  readonly firing: readonly Alert[];
  readonly pending: readonly Alert[];
  /** Firing or not, the ones that nobody is told about. */
  readonly silenced: readonly Alert[];
  /** Resolved, the last first; at most 100. */
  readonly recent: readonly Alert[];
  readonly channels: readonly ChannelReport[];
  /** Rules that could not be evaluated, with why. */
  readonly failing: readonly { readonly rule: string; readonly message: string }[];
}
