import type { ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { field, type Adapter } from '@claude-metrics/core';
import type { ExpressRequest, Next } from './request.js';

/** Carries one request under the mount over to core, and its answer back. */
export async function serve<Req extends ExpressRequest>(
  adapter: Adapter<Req>,
  req: ExpressRequest,
  res: ServerResponse,
  next: Next,
  below: string,
): Promise<void> {
  try {
    const { status, headers, body } = await adapter.answer({
      method: req.method,
      below,
      url: req.originalUrl ?? req.url ?? '/',
      headers: req.headers,
      secure: req.secure === true || (req.socket as Partial<TLSSocket>).encrypted === true,
      native: req as Req,
      raw: req,
      parsed: () => field(req, 'body'),
    });
    const { 'set-cookie': cookie, ...rest } = headers;
    // Added, because a session may have set one of its own.
    if (cookie !== undefined) res.appendHeader('set-cookie', cookie);
    res.writeHead(status, rest);
    res.end(body);
  } catch (error) {
    next(error);
  }
}
