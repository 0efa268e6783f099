import { BudgetExceededError, budgetProblem, field } from '@claude-metrics/core';
import type { KoaContext, KoaMiddleware } from './context.js';

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

/**
 * Answers requests that a budget refused, with status 429 (503 for a paused feature), `Retry-After`
 * and a body of RFC 9457. Use it first of all; it throws every other error on, and this one, too, when
 * an answer has begun or is not Koa's to give.
 *
 * @example
 * app.use(budgetErrors());
 */
export function budgetErrors(): KoaMiddleware {
  return async function budgetErrors(ctx, next) {
    try {
      await next();
    } catch (error) {
      // With `respond: false` nobody would send what is put on `ctx`.
      const mayAnswer = !ctx.headerSent && field(ctx, 'respond') !== false;
      if (!BudgetExceededError.is(error) || !mayAnswer) throw error;
      answer(ctx, error);
    }
  };
}

function answer(ctx: KoaContext, error: BudgetExceededError): void {
  for (const name of DESCRIBED) ctx.remove(name);
  // First, because it makes up a status and a type of its own.
  ctx.body = JSON.stringify(budgetProblem(error));
  ctx.status = error.status;
  ctx.set({
    ...error.headers,
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  });
}
