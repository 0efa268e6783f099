import { BudgetExceededError, budgetProblem } from '@claude-metrics/core';
import { Buffer } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Next } from './request.js';

/**
 * What a request gets that a budget refused.
 *
 * - **described**: headers that tell about a body which is not sent any more, as the handler left them.
 *   Others stay: without those of CORS, a page could not read the answer.
 */
const DESCRIBED = [
  ...['content-disposition', 'content-encoding', 'content-language', 'content-range'],
  ...['etag', 'last-modified'],
];

/** An error-handling middleware of Express: it has four arguments. */
export type ErrorHandler = (
  error: unknown,
  req: IncomingMessage,
  res: ServerResponse,
  next: Next,
) => void;

/**
 * Answers requests that a budget refused, with status 429 (503 for a paused feature), `Retry-After`
 * and a body of RFC 9457. Use it after your routes; it passes on every other error, and this one, too,
 * when an answer has begun.
 *
 * @example
 * app.use(budgetErrors());
 */
export function budgetErrors(): ErrorHandler {
  // Express knows such a middleware by the number of its arguments.
  return function budgetErrors(error, _req, res, next) {
    if (!BudgetExceededError.is(error) || res.headersSent) return next(error);
    for (const name of DESCRIBED) res.removeHeader(name);
    for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value);
    const body = JSON.stringify(budgetProblem(error));
    res.statusCode = error.status;
    res.setHeader('content-type', 'application/problem+json');
    res.setHeader('content-length', Buffer.byteLength(body));
    res.setHeader('cache-control', 'no-store');
    res.end(body);
  };
}
