import { budgetAnswer, BudgetExceededError, field } from '@claude-metrics/core';
import type { KoaContext, KoaMiddleware } from './context.js';

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
  const { status, headers, without, body } = budgetAnswer(error);
  for (const name of without) ctx.remove(name);
  // First, because it makes up a status and a type of its own.
  ctx.body = body;
  ctx.status = status;
  ctx.set(headers);
}
