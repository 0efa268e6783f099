import { MAX_COMMENT } from '../feedback.js';
import { FEEDBACK_ACTIONS, type FeedbackAction } from '../record.js';
import { PER_MINUTE } from './door.js';
import { json, respond, type HttpResponse } from './message.js';
import { problem } from './openapi.js';
import {
  answerProblem,
  badBody,
  echo,
  plainProblem,
  sentenceOf,
  type QueryIssue,
} from './problem.js';
import { readSubmission, type Submission } from './submission.js';
import type { RouteContext } from './route.js';

/**
 * `POST /feedback`: the application's users say what they did with an answer. What is sent never says who
 * sends it: that is for the door. And it names an answer by its message id alone, which cannot be
 * guessed, as the ids of our records can.
 */

const MAX_ID = 256;

export const FEEDBACK_FIELDS = {
  messageId: {
    type: 'string',
    minLength: 1,
    maxLength: MAX_ID,
    description: '`id` of the answer',
  },
  action: { type: 'string', enum: FEEDBACK_ACTIONS },
  comment: { type: 'string', maxLength: MAX_COMMENT, description: 'for sinks; never kept' },
  score: { type: 'number', description: 'for sinks; never kept' },
} as const;

export const REQUIRED_FIELDS = ['messageId', 'action'] as const;

/** What it answers beside what every `POST` does. */
export const FEEDBACK_RESPONSES = {
  204: { description: 'It counts; a form was sent, and a browser stays where it is.' },
  303: null,
  401: null,
  403: {
    description: 'Another site sent it, or nobody whom the application knows.',
    content: problem,
  },
  404: { description: 'No such answer is known: not any more, or not yet.', content: problem },
  429: { description: 'Too many by this user; `Retry-After` says when.', content: problem },
} as const;

export async function giveFeedback(context: RouteContext): Promise<HttpResponse> {
  const { door, readings, request } = context;
  const userId = (await door?.userOf(request)) ?? null;
  if (door === null || userId === null) {
    const detail = 'Feedback is for users of the application, and this request is of none.';
    return answerProblem(plainProblem(403, 'Forbidden', detail));
  }
  const waitMs = door.wait(userId);
  if (waitMs > 0) return tooMany(waitMs);
  const read = await readSubmission(request);
  if (!read.ok) return answerProblem(read.problem);
  const { form } = read.value;
  const { issues, fields } = fieldsOf(read.value);
  const [first] = issues;
  if (first || !fields) return answerProblem(badBody(first ? sentenceOf(first) : '', issues));
  if (!(await readings.feedback?.({ ...fields, userId }))) {
    const detail = 'No such answer is known here: not any more, or not yet.';
    return answerProblem(plainProblem(404, 'Not Found', detail));
  }
  // A browser that has sent a form stays where it is.
  return form ? respond(204, 'text/plain; charset=utf-8', '') : json({ counted: true }, 202);
}

function tooMany(waitMs: number): HttpResponse {
  const detail = `At most ${PER_MINUTE} a minute.`;
  const response = answerProblem(plainProblem(429, 'Too Many Requests', detail));
  const seconds = String(Math.ceil(waitMs / 1_000));
  return { ...response, headers: { ...response.headers, 'retry-after': seconds } };
}

interface Fields {
  readonly messageId: string;
  readonly action: FeedbackAction;
  readonly comment?: string;
  readonly score?: number;
}

type Name = keyof typeof FEEDBACK_FIELDS;

const CHECKS: Readonly<Record<Name, readonly [allowed: string, ok: (value: unknown) => boolean]>> =
  {
    messageId: [
      `must be the id of an answer, 1 to ${MAX_ID} characters`,
      (value) => isText(value, MAX_ID) && value !== '',
    ],
    action: [
      `must be one of ${FEEDBACK_ACTIONS.join(', ')}`,
      (value) => FEEDBACK_ACTIONS.includes(value as FeedbackAction),
    ],
    comment: [`must be at most ${MAX_COMMENT} characters`, (value) => isText(value, MAX_COMMENT)],
    score: ['must be a number', (value) => Number.isFinite(value)],
  };

/** Strict, as queries are: a field that is silently ignored would be feedback of another kind. */
function fieldsOf({ form, fields }: Submission): { issues: QueryIssue[]; fields?: Fields } {
  const known = Object.keys(FEEDBACK_FIELDS);
  const issues: QueryIssue[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, value] of fields.slice(0, 10)) {
    const got = typeof value === 'string' ? value : JSON.stringify(value);
    const issue = (allowed: string) =>
      issues.push({ parameter: echo(name), value: echo(got), allowed });
    if (!known.includes(name)) issue(`is no field here; there are ${known.join(', ')}`);
    else {
      const given = form && name === 'score' && value !== '' ? Number(value) : value;
      const [allowed, ok] = CHECKS[name as Name];
      // A form sends what was left empty, too.
      if (form && value === '' && name !== 'messageId') continue;
      if (ok(given)) values[name] = given;
      else issue(allowed);
    }
  }
  for (const name of REQUIRED_FIELDS) {
    if (name in values || issues.some(({ parameter }) => parameter === name)) continue;
    issues.push({ parameter: name, value: '', allowed: CHECKS[name][0] });
  }
  return issues.length > 0 ? { issues } : { issues, fields: values as unknown as Fields };
}

function isText(value: unknown, most: number): boolean {
  return typeof value === 'string' && value.length <= most;
}
