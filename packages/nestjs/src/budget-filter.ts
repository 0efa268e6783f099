import 'reflect-metadata';
import { budgetAnswer, BudgetExceededError } from '@claude-metrics/core';
import { Catch, type Abstract, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { BaseExceptionFilter, type ApplicationConfig } from '@nestjs/core';
import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';

/**
 * What a request gets that a budget refused.
 *
 * - **fallback**: Nest answers this error as it comes, but for its headers. A filter of ours behind all
 *   of the application's adds them, so that `Retry-After` needs no line of code.
 */

/** Nest asks with `instanceof`, and the ESM and the CommonJS build of core each have a class. */
const ofAnyCopy = {
  [Symbol.hasInstance]: (error: unknown) => BudgetExceededError.is(error),
} as unknown as Abstract<BudgetExceededError>;

interface FastifyReply {
  readonly sent: boolean;
  readonly raw: ServerResponse;
  code(status: number): FastifyReply;
  header(name: string, value: string): FastifyReply;
  removeHeader(name: string): FastifyReply;
  send(body: string): unknown;
}

/** Middleware on Fastify has Node's own response. */
type NestResponse = ServerResponse | FastifyReply;

/**
 * Answers requests that a budget refused, with status 429 (503 for a paused feature), `Retry-After`
 * and a body of RFC 9457. It is for HTTP; in GraphQL and microservices the error stays as it is.
 *
 * @example
 * app.useGlobalFilters(new BudgetExceededFilter());
 */
@Catch(ofAnyCopy)
export class BudgetExceededFilter implements ExceptionFilter<BudgetExceededError> {
  catch(error: BudgetExceededError, host: ArgumentsHost): void {
    // Nest goes on with its own handling when a filter gives nothing.
    if (host.getType() !== 'http') return;
    const response = host.switchToHttp().getResponse<NestResponse>();
    const { status, headers, without, body } = budgetAnswer(error);
    if (isFastify(response)) {
      // As Nest does it: what has begun is ended.
      if (response.sent || response.raw.headersSent) return void response.raw.end();
      for (const name of without) response.removeHeader(name);
      setHeaders(response, headers);
      response.code(status).send(body);
    } else {
      if (response.headersSent) return void response.end();
      for (const name of without) response.removeHeader(name);
      setHeaders(response, { ...headers, 'content-length': String(Buffer.byteLength(body)) });
      response.statusCode = status;
      response.end(body);
    }
  }
}

@Catch(ofAnyCopy)
class RetryAfterFilter extends BaseExceptionFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http' || !BudgetExceededError.is(error)) return;
    const response = host.switchToHttp().getResponse<NestResponse>();
    const begun = isFastify(response)
      ? response.sent || response.raw.headersSent
      : response.headersSent;
    if (!begun) setHeaders(response, error.headers);
    // oxlint-disable-next-line promise/valid-params -- a filter's method, and no promise's
    super.catch(error, host);
  }
}

type HttpServer = ConstructorParameters<typeof BaseExceptionFilter>[0];
const fallbacks = new WeakSet<object>();

/** Puts the fallback behind every filter that the application has or will have, once. */
export function addFallback(config: ApplicationConfig, httpAdapter: HttpServer): void {
  const filters = config.getGlobalFilters();
  if (filters.some((filter) => fallbacks.has(filter))) return;
  const fallback = new RetryAfterFilter(httpAdapter);
  fallbacks.add(fallback);
  // Nest asks them from the last to the first.
  filters.unshift(fallback);
}

function isFastify(response: NestResponse): response is FastifyReply {
  return 'raw' in response;
}

function setHeaders(response: NestResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (isFastify(response)) response.header(name, value);
    else response.setHeader(name, value);
  }
}
