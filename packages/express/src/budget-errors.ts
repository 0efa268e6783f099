import { budgetAnswer, BudgetExceededError } from '@claude-metrics/core';
import { Buffer } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Next } from './request.js';

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
    const { status, headers, without, body } = budgetAnswer(error);
    for (const name of without) res.removeHeader(name);
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    res.setHeader('content-length', Buffer.byteLength(body));
    res.statusCode = status;
    res.end(body);
  };
}
