import { field, type Adapter } from '@claude-metrics/core';
import type { KoaContext } from './context.js';

/**
 * Carries one request under the mount over to core, and its answer back by Koa's own means, so that
 * middleware around it (compression, conditional requests, logs) finds an answer like any other.
 */
export async function serve<Ctx extends KoaContext>(
  adapter: Adapter<Ctx>,
  ctx: KoaContext,
  below: string,
): Promise<void> {
  const { status, headers, body } = await adapter.answer({
    method: ctx.method,
    below,
    url: ctx.originalUrl,
    headers: ctx.headers,
    secure: ctx.secure,
    native: ctx as Ctx,
    raw: ctx.req,
    parsed: () => field(ctx.request, 'body'),
  });
  const { 'set-cookie': cookie, ...rest } = headers;
  // First, because it makes up a status, a type and a length of its own.
  ctx.body = body;
  ctx.status = status;
  ctx.set(rest);
  // Added, because a session may have set one of its own.
  if (cookie !== undefined) ctx.append('set-cookie', cookie);
}
