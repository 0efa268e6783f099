import {
  createAccess,
  isRoot,
  redirect,
  type AccessOptions,
  type Operator,
} from './http/access.js';
import { createFeedbackDoor } from './http/door.js';
import { endsInSlash, withSlash } from './http/location.js';
import { notFound, text, type HttpRequest, type HttpResponse } from './http/message.js';
import { forgeryOf } from './http/origin.js';
import { answerProblem, failed, plainProblem } from './http/problem.js';
import type { HttpReadings, Route } from './http/route.js';
import { routesAt, routesOf } from './http/routes.js';

/**
 * What lives under the mount, for any framework: a request as data in, a response as data out.
 *
 * @example
 * const http = createHttp(monitor, { authToken });
 * const { status, headers, body } = await http.handle(request);
 */
export { bodyOf, type RawRequest, type ReadBody } from './http/body.js';
export type { AccessOptions } from './http/access.js';
export type { HttpRequest, HttpResponse } from './http/message.js';
export type { HttpReadings, Route } from './http/route.js';

export interface HttpOptions extends AccessOptions {
  /**
   * Opens `POST /feedback` to the application's users: gives the id of whoever sends a request, asked with
   * the framework's request. A string or number opens, anything else does not. Default: closed.
   */
  readonly feedback?: ((native: unknown) => unknown) | undefined;
}

export interface Http {
  /** What there is to ask for; some of it needs readings that can do it. */
  readonly routes: readonly Route[];
  /** Never rejects. Access is decided before anything is done; only `POST /feedback` has a door of its own. */
  handle(request: HttpRequest): Promise<HttpResponse>;
}

/** @throws TypeError for a token that is too short, or that contradicts `authorize`. */
export function createHttp(readings: HttpReadings, options: HttpOptions = {}): Http {
  const operator: Operator = {
    say: (line) => readings.say?.(line),
    fault: (step, error) => readings.fault?.(step, error),
  };
  const access = createAccess(options, operator);
  const now = options.now ?? Date.now;
  const door = options.feedback ? createFeedbackDoor(options.feedback, now, operator) : null;
  const routes = routesOf(readings, door !== null);

  async function answer(request: HttpRequest): Promise<HttpResponse> {
    const path = isRoot(request.path) ? '/' : request.path;
    const here = routesAt(path, routes);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const found = here.find(({ route }) => route.method === method);
    const refusal = found?.route.isForUsers ? null : await access.check(request);
    if (refusal) return refusal;
    if (here.length === 0) return notFound();
    if (!found) return wrongMethod(here.map(({ route }) => route));
    if (found.route.method === 'POST') {
      const forgery = forgeryOf(request, options.allowedHosts ?? []);
      if (forgery !== null) return answerProblem(plainProblem(403, 'Forbidden', forgery));
    }
    if (path === '/' && !endsInSlash(request.url)) return redirect(withSlash(request.url), 307);
    return found.route.handle({
      readings,
      routes,
      request,
      params: found.params,
      query: request.query,
      now: now(),
      door,
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

function wrongMethod(routes: readonly Route[]): HttpResponse {
  const allow = routes.map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ');
  return text(405, `Method Not Allowed: use ${allow}.`, { allow });
}
