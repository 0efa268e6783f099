import { field } from '@claude-metrics/core';
import { isFastify, type NestRequest } from './request.js';

/**
 * What the platform matched.
 *
 * - **pattern**: the path as the application wrote it, with global prefix and version:
 *   `/api/v1/chat/:room`. Never what the client sent.
 */
export function patternOf(request: NestRequest): string | null {
  const pattern = isFastify(request)
    ? field(request.routeOptions, 'url')
    : field(request.route, 'path');
  return typeof pattern === 'string' ? pattern : null;
}

/** The feature of a request that nobody named: `POST /api/chat/:room`. */
export function routeOf(request: NestRequest): string | null {
  const pattern = patternOf(request);
  return pattern === null ? null : `${request.method ?? 'GET'} ${pattern}`;
}
