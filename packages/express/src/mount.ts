import type { ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Http } from '@claude-metrics/core';
import type { ExpressRequest, Next } from './request.js';

/** Carries one request under the mount over to core, and its answer back. */
export async function serve(
  http: Http,
  req: ExpressRequest,
  res: ServerResponse,
  next: Next,
  below: string,
): Promise<void> {
  const end = below.indexOf('?');
  try {
    const { status, headers, body } = await http.handle({
      method: req.method ?? 'GET',
      path: end === -1 ? below : below.slice(0, end),
      query: new URLSearchParams(end === -1 ? '' : below.slice(end + 1)),
      header: (name) => {
        const value = req.headers[name];
        return Array.isArray(value) ? value.join(', ') : value;
      },
      url: req.originalUrl ?? req.url ?? '/',
      secure: req.secure === true || (req.socket as Partial<TLSSocket>).encrypted === true,
      native: req,
    });
    res.writeHead(status, headers);
    res.end(body);
  } catch (error) {
    next(error);
  }
}

/**
 * What is left of `url` below `path`, or `null` when it is somewhere else. The text as it arrived is
 * compared, undecoded: any other spelling is the application's, and not ours.
 */
export function below(url: string, path: string): string | null {
  if (!url.startsWith(path)) return null;
  const rest = url.slice(path.length);
  return rest === '' || rest.startsWith('/') || rest.startsWith('?') ? rest : null;
}
