import 'reflect-metadata';
import { field, type Adapter } from '@claude-metrics/core';
import {
  All,
  Controller,
  Inject,
  NotFoundException,
  Req,
  Res,
  VERSION_NEUTRAL,
  type Type,
} from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { NAMED_WILDCARD, WILDCARD } from './platform.js';
import { isFastify, type NestRequest, type Visit } from './request.js';
import { patternOf } from './route.js';

/**
 * The dashboard as a controller of the application's own: guards, interceptors, filters, the global
 * prefix and versioning apply to it as to any other.
 *
 * - **wildcard**: how the platform spells "anything below here". It is known only when the application
 *   has a platform, which is before Nest reads the routes.
 */
export interface Mount {
  readonly controller: Type<unknown>;
  /** Spells the route below the mount. */
  spell(wildcard: string): void;
}

export const MOUNTED: symbol = Symbol.for('@claude-metrics/nestjs:mounted');

/** Who answers. `null` until the application has its routes. */
export interface Mounted {
  adapter: Adapter<Visit> | null;
}

interface FastifyReply {
  code(status: number): FastifyReply;
  headers(headers: Readonly<Record<string, string>>): FastifyReply;
  send(body: string): unknown;
}

export function mountAt(path: string): Mount {
  @Controller({ path, version: VERSION_NEUTRAL })
  class ClaudeMetricsController {
    readonly mounted: Mounted;

    constructor(@Inject(MOUNTED) mounted: Mounted) {
      this.mounted = mounted;
    }

    @All(['', WILDCARD])
    answer(@Req() request: NestRequest, @Res() response: unknown): Promise<void> {
      return answer(this.mounted, request, response);
    }
  }
  // What `@ApiExcludeController()` of @nestjs/swagger would write: these routes are no part of the
  // application's own description.
  Reflect.defineMetadata('swagger/apiExcludeController', [true], ClaudeMetricsController);

  const { prototype } = ClaudeMetricsController;
  const method = Object.getOwnPropertyDescriptor(prototype, 'answer') as PropertyDescriptor;
  return {
    controller: ClaudeMetricsController,
    spell: (wildcard) => void All(['', wildcard])(prototype, 'answer', method),
  };
}

/** Carries one request under the mount over to core, and its answer back. */
async function answer(
  { adapter }: Mounted,
  request: NestRequest,
  response: unknown,
): Promise<void> {
  const raw = isFastify(request) ? request.raw : request;
  const url = request.originalUrl ?? raw.url ?? '/';
  const below = belowOf(raw.url ?? '/', patternOf(request) ?? '');
  if (!adapter || below === null) throw new NotFoundException(`Cannot ${request.method} ${url}`);
  const { status, headers, body } = await adapter.answer({
    method: request.method,
    below,
    url,
    headers: request.headers,
    secure: isFastify(request) ? request.protocol === 'https' : request.secure === true,
    native: { native: request, raw },
    raw,
    parsed: () => field(request, 'body'),
  });
  if (isFastify(request)) {
    (response as FastifyReply).code(status).headers(headers).send(body);
  } else {
    (response as ServerResponse).writeHead(status, headers).end(body);
  }
}

/**
 * Path and query below the mount. The text as it arrived is compared with the route, undecoded: any
 * other spelling that a router may be told to accept is not ours.
 */
function belowOf(url: string, pattern: string): string | null {
  const base = pattern.split('/');
  if (base.at(-1) === WILDCARD || base.at(-1) === NAMED_WILDCARD) base.pop();
  const end = url.indexOf('?');
  const path = end === -1 ? url : url.slice(0, end);
  const segments = path.split('/');
  if (!base.every((text, i) => text === segments[i] || text.startsWith(':'))) return null;
  const below = segments.slice(base.length).map((segment) => `/${segment}`);
  return below.join('') + (end === -1 ? '' : url.slice(end));
}
