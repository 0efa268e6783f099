import { json, type HttpResponse } from './message.js';

/** One bad parameter: what it was (shortened) and what it may be. */
export interface QueryIssue {
  readonly parameter: string;
  readonly value: string;
  readonly allowed: string;
}

/** RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly QueryIssue[];
}

const MAX_ECHO = 64;

/** A value from outside, short enough to be repeated. */
export function echo(value: string): string {
  return value.length <= MAX_ECHO ? value : `${value.slice(0, MAX_ECHO)}…`;
}

export function badQuery(errors: readonly QueryIssue[]): Problem {
  const [first] = errors;
  return {
    type: 'urn:claude-metrics:problem:bad-query',
    title: 'The query cannot be answered',
    status: 400,
    detail: first
      ? `${first.parameter}: ${first.allowed}, got ${JSON.stringify(first.value)}.`
      : 'The query cannot be answered.',
    errors,
  };
}

export function failed(): Problem {
  return {
    type: 'about:blank',
    title: 'Internal Server Error',
    status: 500,
    detail: 'The numbers could not be read. The application’s log and `health` say why.',
  };
}

export function answerProblem(problem: Problem): HttpResponse {
  return json(problem, problem.status, 'application/problem+json');
}
