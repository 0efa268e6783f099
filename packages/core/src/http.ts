import { createAccess, isRoot, redirect, type AccessOptions } from './http/access.js';
import { endsInSlash, withSlash } from './http/location.js';
import { notFound, text, type HttpRequest, type HttpResponse } from './http/message.js';
import { answerProblem, failed } from './http/problem.js';
import { routes, type HttpReadings, type Route } from './http/routes.js';

/**
 * What lives under the mount, for any framework: a request as data in, a response as data out.
 *
 * @example
 * const http = createHttp(monitor, { authToken });
 * const { status, headers, body } = await http.handle(request);
 */
export type { AccessOptions } from './http/access.js';
export type { HttpRequest, HttpResponse } from './http/message.js';
export type { HttpReadings, Route } from './http/routes.js';

export type HttpOptions = AccessOptions;

export interface Http {
  readonly routes: readonly Route[];
  /** Never rejects. Access is decided before the path or the method is looked at. */
  handle(request: HttpRequest): Promise<HttpResponse>;
}

const METHODS = 'GET, HEAD';

/** @throws TypeError for a token that is too short, or that contradicts `authorize`. */
export function createHttp(readings: HttpReadings, options: HttpOptions = {}): Http {
  const access = createAccess(options, {
    say: (line) => readings.say?.(line),
    fault: (step, error) => readings.fault?.(step, error),
  });
  const now = options.now ?? Date.now;

  async function answer(request: HttpRequest): Promise<HttpResponse> {
    const refusal = await access.check(request);
    if (refusal) return refusal;
    const path = isRoot(request.path) ? '/' : request.path;
    const route = routes.find((each) => each.path === path);
    if (!route) return notFound();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return text(405, `Method Not Allowed: use ${METHODS}.`, { allow: METHODS });
    }
    if (path === '/' && !endsInSlash(request.url)) return redirect(withSlash(request.url), 307);
    return route.handle({
      readings,
      query: request.query,
      now: now(),
      wantsHtml: /\btext\/html\b/i.test(request.header('accept') ?? ''),
    });
  }

  return {
    routes,
    async handle(request) {
      let response: HttpResponse;
      try {
        response = await answer(request);
      } catch (error) {
        readings.fault?.('http', error);
        response = answerProblem(failed());
      }
      return request.method === 'HEAD' ? { ...response, body: '' } : response;
    },
  };
}
