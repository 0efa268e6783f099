import { json, type HttpResponse } from './message.js';

/** One bad parameter, or field of a body: what it was (shortened) and what it may be. */
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
    detail: first ? sentenceOf(first) : 'The query cannot be answered.',
    errors,
  };
}

export function sentenceOf({ parameter, allowed, value }: QueryIssue): string {
  return `${parameter}: ${allowed}, got ${JSON.stringify(value)}.`;
}

export function badBody(detail: string, errors: readonly QueryIssue[] = []): Problem {
  const title = 'The body cannot be understood';
  return { type: 'urn:claude-metrics:problem:bad-body', title, status: 400, detail, errors };
}

/** A problem that its status says all about. */
export function plainProblem(status: number, title: string, detail: string): Problem {
  return { type: 'about:blank', title, status, detail };
}

export function failed(): Problem {
  const detail = 'This could not be answered. The application’s log and `health` say why.';
  return plainProblem(500, 'Internal Server Error', detail);
}

export function answerProblem(problem: Problem): HttpResponse {
  return json(problem, problem.status, 'application/problem+json');
}
