import type { Snapshot, SnapshotQuery } from '../snapshot.js';
import type { CallsPage, CallsQuery } from '../stores/store.js';
import { json, type HttpResponse } from './message.js';
import { describe, type RouteDescription } from './openapi.js';
import { renderPage, renderProblem, servePage } from './page.js';
import { CALLS_PARAMETERS, SNAPSHOT_PARAMETERS } from './parameters.js';
import { answerProblem, badQuery, type Problem } from './problem.js';
import { readCallsQuery, readParameters, readSnapshotQuery, withoutEmpty } from './query.js';

/** What the routes read, and whom they tell: a `Monitor`, or anything that answers like one. */
export interface HttpReadings {
  snapshot(query?: SnapshotQuery): Promise<Snapshot>;
  calls(query?: CallsQuery): Promise<CallsPage>;
  /** One line to the operator. */
  say?(line: string): void;
  /** Counts something that went wrong here. */
  fault?(step: string, error: unknown): void;
}

export interface RouteContext {
  readonly readings: HttpReadings;
  readonly query: URLSearchParams;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The client asked for HTML first, so a person is likely to read the answer. */
  readonly wantsHtml: boolean;
}

/** One path under the mount: what it says about itself, and what it answers. */
export interface Route extends RouteDescription {
  handle(context: RouteContext): Promise<HttpResponse>;
}

const RECENT_CALLS = 20;
const MAX_DETAIL = 400;

export const routes: readonly Route[] = [
  {
    path: '/',
    operationId: 'page',
    summary: 'The dashboard, as one HTML page without script.',
    parameters: Object.values(SNAPSHOT_PARAMETERS),
    answer: { type: 'text/html', description: 'The page.', schema: { type: 'string' } },
    handle: page,
  },
  {
    path: '/snapshot',
    operationId: 'snapshot',
    summary: 'Spend, calls, latency, errors and usage of a window.',
    parameters: Object.values(SNAPSHOT_PARAMETERS),
    answer: answers('Snapshot', 'The snapshot.'),
    async handle({ query, now, readings }) {
      const read = readSnapshotQuery(query, now);
      if (!read.ok) return answerProblem(badQuery(read.errors));
      return asked(async () => json(await readings.snapshot(read.value)), answerProblem);
    },
  },
  {
    path: '/calls',
    operationId: 'calls',
    summary: 'Recent calls, newest first.',
    parameters: Object.values(CALLS_PARAMETERS),
    answer: answers('CallsPage', 'A page of calls.'),
    async handle({ query, readings }) {
      const read = readCallsQuery(query);
      if (!read.ok) return answerProblem(badQuery(read.errors));
      return asked(async () => json(await readings.calls(read.value)), answerProblem);
    },
  },
  {
    path: '/openapi.json',
    operationId: 'openapi',
    summary: 'This description.',
    parameters: [],
    answer: { type: 'application/json', description: 'OpenAPI 3.1.', schema: { type: 'object' } },
    handle({ query }) {
      const read = readParameters(query, {});
      return Promise.resolve(
        read.ok ? json(describe(routes)) : answerProblem(badQuery(read.errors)),
      );
    },
  },
];

async function page({ query, now, readings, wantsHtml }: RouteContext): Promise<HttpResponse> {
  const given = withoutEmpty(query);
  const refuse = (problem: Problem) =>
    wantsHtml ? servePage(renderProblem(problem), problem.status) : answerProblem(problem);
  const read = readSnapshotQuery(given, now);
  if (!read.ok) return refuse(badQuery(read.errors));
  const { model, feature, user } = read.value;
  const recent = readings.calls({ limit: RECENT_CALLS, model, feature, user }).then(
    (found) => found.calls,
    () => null,
  );
  return asked(async () => {
    const snapshot = await readings.snapshot(read.value);
    return servePage(renderPage({ snapshot, recent: await recent, query: given }));
  }, refuse);
}

/** A query that is well formed, and still cannot be answered (too long ago, a bad cursor), is a 400. */
async function asked(
  answer: () => Promise<HttpResponse>,
  refuse: (problem: Problem) => HttpResponse,
): Promise<HttpResponse> {
  try {
    return await answer();
  } catch (error) {
    // By name: the application may hold another copy of this package.
    if (!(error instanceof Error) || error.name !== 'QueryError') throw error;
    return refuse({ ...badQuery([]), detail: detailOf(error.message) });
  }
}

/** Core's own words, without the prefix that is for logs, and not longer than a line. */
function detailOf(message: string): string {
  return message.replace(/^\[claude-metrics\] /, '').slice(0, MAX_DETAIL);
}

function answers(name: string, description: string) {
  return {
    type: 'application/json',
    description,
    schema: { $ref: `#/components/schemas/${name}` },
  };
}
