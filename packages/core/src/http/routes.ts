import { FEEDBACK_FIELDS, FEEDBACK_RESPONSES, giveFeedback, REQUIRED_FIELDS } from './feedback.js';
import { json, notFound, respond, type HttpRequest, type HttpResponse } from './message.js';
import { describe } from './openapi.js';
import { renderPage, renderProblem, servePage } from './page.js';
import { CALLS_PARAMETERS, SNAPSHOT_PARAMETERS } from './parameters.js';
import { answerProblem, badQuery, type Problem } from './problem.js';
import { readCallsQuery, readParameters, readSnapshotQuery, withoutEmpty } from './query.js';
import { partsOf, type HttpReadings, type Route, type RouteContext } from './route.js';
import { FORM_FIELDS, SILENCE_FIELDS, silence } from './silence.js';

/** The addresses under the mount. */

const RECENT_CALLS = 20;
const MAX_DETAIL = 400;

export const routes: readonly Route[] = [
  {
    method: 'GET',
    path: '/',
    operationId: 'page',
    summary: 'The dashboard, as one HTML page without script.',
    parameters: Object.values(SNAPSHOT_PARAMETERS),
    answer: { type: 'text/html', description: 'The page.', schema: { type: 'string' } },
    handle: page,
  },
  {
    method: 'GET',
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
    method: 'GET',
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
    method: 'GET',
    path: '/alerts',
    operationId: 'alerts',
    summary: 'What fires, what is about to, what is silenced, and what is over.',
    parameters: [],
    needs: 'alerts',
    answer: answers('AlertsPage', 'The alerts.'),
    handle: ({ query, readings }) => plain(query, async () => json(await readings.alerts?.())),
  },
  {
    method: 'POST',
    path: '/alerts/{id}/silence',
    operationId: 'silence',
    summary: 'Tells nobody about an alert for a while. The alert is evaluated all the same.',
    parameters: [],
    needs: 'silence',
    body: { json: SILENCE_FIELDS, form: { ...SILENCE_FIELDS, ...FORM_FIELDS } },
    answer: answers('Alert', 'The alert.'),
    handle: (context) => plain(context.query, () => silence(context)),
  },
  {
    method: 'POST',
    path: '/feedback',
    operationId: 'feedback',
    summary: 'What a user of the application did with an answer.',
    parameters: [],
    isForUsers: true,
    needs: 'feedback',
    body: { json: FEEDBACK_FIELDS, form: FEEDBACK_FIELDS, required: REQUIRED_FIELDS },
    answer: { ...answers('FeedbackAnswer', 'It counts.'), status: 202 },
    responses: FEEDBACK_RESPONSES,
    handle: (context) => plain(context.query, () => giveFeedback(context)),
  },
  {
    method: 'GET',
    path: '/metrics',
    operationId: 'metrics',
    summary: 'Metrics for Prometheus, of the whole registry that was handed in.',
    parameters: [],
    needs: 'metrics',
    answer: {
      type: 'text/plain',
      alternative: 'application/openmetrics-text',
      description: 'Its text format; OpenMetrics, if the registry has it and `Accept` allows it.',
      schema: { type: 'string' },
    },
    handle: ({ query, readings, request }) => plain(query, () => metrics(readings, request)),
  },
  {
    method: 'GET',
    path: '/openapi.json',
    operationId: 'openapi',
    summary: 'This description.',
    parameters: [],
    answer: { type: 'application/json', description: 'OpenAPI 3.1.', schema: { type: 'object' } },
    handle: (context) =>
      plain(context.query, () => Promise.resolve(json(describe(context.routes)))),
  },
];

/** The routes that these readings can serve. `door`: there is a way in for users. */
export function routesOf(readings: HttpReadings, door: boolean): readonly Route[] {
  return routes.filter(
    ({ needs, isForUsers }) =>
      (needs === undefined || readings[needs] !== undefined) && (door || !isForUsers),
  );
}

/** Every route at `path`, with the parts that its pattern names. */
export function routesAt(path: string, among: readonly Route[]) {
  return among.flatMap((route) => {
    const params = partsOf(route.path, path);
    return params ? [{ route, params }] : [];
  });
}

async function page({
  query,
  now,
  readings,
  routes,
  wantsHtml,
}: RouteContext): Promise<HttpResponse> {
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
  const alerts = orNull(async () => readings.alerts?.());
  return asked(async () => {
    const snapshot = await readings.snapshot(read.value);
    return servePage(
      renderPage({
        snapshot,
        recent: await recent,
        alerts: await alerts,
        canSilence: routes.some(({ needs }) => needs === 'silence'),
        query: given,
      }),
    );
  }, refuse);
}

async function metrics(readings: HttpReadings, request: HttpRequest): Promise<HttpResponse> {
  const page = await readings.metrics?.(request.header('accept'));
  return page ? respond(200, page.type, page.body) : notFound();
}

/** `null` for what could not be read: the rest of the page is worth showing. */
function orNull<T>(read: () => Promise<T>): Promise<T | null> {
  return read().catch(() => null);
}

/** A route without parameters. */
async function plain(
  query: URLSearchParams,
  answer: () => Promise<HttpResponse>,
): Promise<HttpResponse> {
  const read = readParameters(query, {});
  return read.ok ? answer() : answerProblem(badQuery(read.errors));
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
