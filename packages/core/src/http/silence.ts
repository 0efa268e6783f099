import { json, respond, type HttpResponse } from './message.js';
import { renderProblem, servePage } from './page.js';
import {
  answerProblem,
  badBody,
  echo,
  plainProblem,
  sentenceOf,
  type Problem,
  type QueryIssue,
} from './problem.js';
import type { RouteContext } from './route.js';
import { readSubmission, type Submission } from './submission.js';

/** `POST /alerts/{id}/silence`: nobody is told about an alert for a while. */

const MAX_MINUTES = 10_080;
const DEFAULT_MINUTES = 60;
const MAX_VIEW = 2_048;
/** From the address of a silence to the page. */
const PAGE = '../../';

export const SILENCE_FIELDS = {
  minutes: {
    type: 'integer',
    minimum: 0,
    maximum: MAX_MINUTES,
    default: DEFAULT_MINUTES,
    description: '0 ends the silence',
  },
} as const;

/** What a form has besides. */
export const FORM_FIELDS = {
  view: {
    type: 'string',
    maxLength: MAX_VIEW,
    description: 'query of the page to go back to',
  },
} as const;

const MINUTES = `must be a whole number from 1 to ${MAX_MINUTES}, or 0 to end the silence`;

export async function silence(context: RouteContext): Promise<HttpResponse> {
  const { readings, request, params, wantsHtml } = context;
  const read = await readSubmission(request);
  const refuse = (problem: Problem) =>
    wantsHtml ? servePage(renderProblem(problem, PAGE), problem.status) : answerProblem(problem);
  if (!read.ok) return refuse(read.problem);
  const { value: submission } = read;
  const issues = issuesOf(submission);
  const [first] = issues;
  if (first) return refuse(badBody(sentenceOf(first), issues));
  const minutes = minutesOf(submission) ?? DEFAULT_MINUTES;
  const forMs = minutes === 0 ? null : minutes * 60_000;
  // It may be another process that leads: what fires there is heard of before, and told it after.
  await readings.alerts?.();
  const alert = (await readings.silence?.(params['id'] ?? '', forMs)) ?? null;
  await readings.alerts?.();
  if (alert === null) {
    const detail = 'There is no such alert; it may have been resolved a while ago.';
    return refuse(plainProblem(404, 'Not Found', detail));
  }
  if (!submission.form) return json(alert);
  return respond(303, 'text/plain; charset=utf-8', '', { location: PAGE + viewOf(submission) });
}

/** Strict, as queries are: a field that is silently ignored would silence for another time. */
function issuesOf(submission: Submission): QueryIssue[] {
  const known = Object.keys({ ...SILENCE_FIELDS, ...(submission.form && FORM_FIELDS) });
  return submission.fields.slice(0, 10).flatMap(([name, value]) => {
    const got = submission.form && typeof value === 'string' ? value : JSON.stringify(value);
    const issue = (allowed: string) => [{ parameter: echo(name), value: echo(got), allowed }];
    if (!known.includes(name)) return issue(`is no field here; there are ${known.join(', ')}`);
    if (Array.isArray(value) && submission.form) return issue('must be given once');
    return name === 'minutes' && minutesOf(submission) === null ? issue(MINUTES) : [];
  });
}

/** `undefined` when they are not given, `null` when they cannot be right. */
function minutesOf({ form, fields }: Submission): number | null | undefined {
  const field = fields.find(([name]) => name === 'minutes');
  if (!field) return undefined;
  const [, value] = field;
  const minutes = form && /^\d{1,5}$/.test(String(value)) ? Number(value) : value;
  const ok = typeof minutes === 'number' && Number.isInteger(minutes) && minutes >= 0;
  return ok && minutes <= MAX_MINUTES ? minutes : null;
}

/** Encoded anew, so that it is a query and nothing else. */
function viewOf({ fields }: Submission): string {
  const [, view] = fields.find(([name]) => name === 'view') ?? [];
  if (typeof view !== 'string' || view === '' || view.length > MAX_VIEW) return '';
  return `?${new URLSearchParams(view).toString()}`;
}
