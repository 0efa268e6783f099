import type { Alert, AlertsPage } from '../alert.js';
import type { FeedbackEvent } from '../feedback.js';
import type { Snapshot, SnapshotQuery } from '../snapshot.js';
import type { MetricsPage } from '../status.js';
import type { CallsPage, CallsQuery } from '../stores/store.js';
import type { FeedbackDoor } from './door.js';
import type { HttpRequest, HttpResponse } from './message.js';
import type { RouteDescription } from './openapi.js';

/**
 * One address under the mount: what it says about itself, what it answers, and what it asks.
 *
 * - **readings**: what the routes read and change, and whom they tell: a `Monitor`, or anything that
 *   answers like one. What it cannot do has no route.
 */
export interface HttpReadings {
  snapshot(query?: SnapshotQuery): Promise<Snapshot>;
  calls(query?: CallsQuery): Promise<CallsPage>;
  alerts?(): Promise<AlertsPage> | AlertsPage;
  /** For so many milliseconds; `null` ends the silence. `null` when there is no such alert. */
  silence?(id: string, forMs: number | null): Promise<Alert | null> | Alert | null;
  /** Metrics as they are scraped, for the `Accept` of the request. */
  metrics?(accept?: string): Promise<MetricsPage>;
  /** `false`: no such answer is known (any more, or yet). */
  feedback?(event: FeedbackEvent): Promise<boolean>;
  /** One line to the operator. */
  say?(line: string): void;
  /** Counts something that went wrong here. */
  fault?(step: string, error: unknown): void;
}

export interface RouteContext {
  readonly readings: HttpReadings;
  /** Those that there are. */
  readonly routes: readonly Route[];
  readonly request: HttpRequest;
  /** The `{name}` parts of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Where the application's users come in; `null`: nowhere. */
  readonly door: FeedbackDoor | null;
  /** The client asked for HTML first, so a person is likely to read the answer. */
  readonly wantsHtml: boolean;
}

export interface Route extends RouteDescription {
  /** For the application's users: the route decides by itself whom it lets in. Default: for operators. */
  readonly isForUsers?: boolean;
  /** The route is there only if the readings have this. */
  readonly needs?: 'alerts' | 'silence' | 'feedback' | 'metrics';
  handle(context: RouteContext): Promise<HttpResponse>;
}

/** What a `{name}` in a path may be: the id of an alert. */
const PART = '([A-Za-z0-9_-]{16})';

/** The `{name}` parts of `path`, if it is `pattern` and nothing else; `null` if it is not. */
export function partsOf(pattern: string, path: string): Record<string, string> | null {
  if (!pattern.includes('{')) return pattern === path ? {} : null;
  const names = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const found = new RegExp(`^${pattern.replace(/\{\w+\}/g, PART)}$`).exec(path);
  return found && Object.fromEntries(names.map((name, i) => [name, found[i + 1] ?? '']));
}
