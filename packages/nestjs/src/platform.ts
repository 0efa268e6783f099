import { bindContext, field } from '@claude-metrics/core';
import type { IncomingMessage } from 'node:http';
import { type FastifyRequest, type Visit } from './request.js';

/**
 * Where requests come in, on Nest's two platforms, before anything of the application sees them.
 *
 * - **entry**: what a module does around a request. An application may have several modules; the one
 *   that was written first is outermost.
 */
export interface Entry {
  /** When `forRoot()` was called, relative to the others. */
  readonly order: number;
  run<T>(visit: Visit, fn: () => T): T;
}

/** Nest's HTTP adapter, as far as it is used. */
export interface HttpAdapter {
  getType(): string;
  getInstance(): unknown;
  use(...args: unknown[]): unknown;
}

export const WILDCARD = '*';
/** path-to-regexp 8, of Express 5. */
export const NAMED_WILDCARD = '{*below}';

type Next = (error?: unknown) => void;
type Middleware = (raw: IncomingMessage, response: unknown, next: Next) => void;
type Hook = (request: FastifyRequest, reply: unknown, done: Next) => void;

interface Fastify {
  addHook(name: 'onRequest' | 'preValidation', hook: Hook): void;
  /** Middleware as Express has it, where Nest has registered that. */
  use?(fn: Middleware): void;
}

const connected = new WeakMap<HttpAdapter, Entry[]>();

/** On Express 4 the first middleware fixes settings, which `main.ts` must be able to make before. */
export function isTooEarly(httpAdapter: HttpAdapter): boolean {
  return isExpress4(httpAdapter) && !field(httpAdapter.getInstance(), '_router');
}

/** How a route says "anything below here". */
export function wildcardOf(httpAdapter: HttpAdapter): string {
  const named = httpAdapter.getType() === 'express' && !isExpress4(httpAdapter);
  return named ? NAMED_WILDCARD : WILDCARD;
}

/** Lets every request of `httpAdapter` pass through `entry`. Once is enough; more does no harm. */
export function connect(httpAdapter: HttpAdapter, entry: Entry): void {
  const known = connected.get(httpAdapter);
  if (known?.includes(entry)) return;
  const entries = known ?? [];
  entries.push(entry);
  entries.sort((a, b) => a.order - b.order);
  if (known) return;
  connected.set(httpAdapter, entries);
  if (httpAdapter.getType() === 'fastify') connectFastify(httpAdapter.getInstance(), entries);
  else connectExpress(httpAdapter, entries);
}

function enter(entries: readonly Entry[], visit: Visit, fn: () => void): void {
  entries.reduceRight<() => void>((inner, entry) => () => entry.run(visit, inner), fn)();
}

function connectExpress(httpAdapter: HttpAdapter, entries: readonly Entry[]): void {
  const middleware: Middleware = function claudeMetrics(raw, _response, next) {
    enter(entries, { native: raw, raw }, () => next());
  };
  httpAdapter.use(middleware);
  if (isExpress4(httpAdapter)) moveToFront(httpAdapter.getInstance(), middleware);
}

function isExpress4(httpAdapter: HttpAdapter): boolean {
  return typeof field(httpAdapter.getInstance(), 'lazyrouter') === 'function';
}

/** Behind the two that Express itself puts first, and before what `app.use()` has added since. */
function moveToFront(express: unknown, middleware: Middleware): void {
  const stack = field(field(express, '_router'), 'stack');
  if (!Array.isArray(stack)) return;
  const own = stack.findIndex((layer) => field(layer, 'handle') === middleware);
  const init = stack.findIndex((layer) => field(layer, 'name') === 'expressInit');
  if (own === -1 || init === -1) return;
  stack.splice(init + 1, 0, ...(stack.splice(own, 1) as unknown[]));
}

/**
 * Fastify's hooks are the right place, and Nest's middleware runs in one that may come before ours; so
 * a visit begins in whichever is first. A hook of the application's that goes on in somebody else's
 * callback loses the context; it is taken up again before the guards.
 */
function connectFastify(instance: unknown, entries: readonly Entry[]): void {
  const fastify = instance as Fastify;
  const visits = new WeakMap<IncomingMessage, { visit: Visit; resume: (next: Next) => void }>();

  function begin(visit: Visit, next: Next): void {
    enter(entries, visit, () => {
      visits.set(visit.raw, { visit, resume: bindContext((go: Next) => go()) });
      next();
    });
  }

  fastify.use?.((raw, _response, next) => {
    if (visits.has(raw)) next();
    else begin({ native: undefined, raw }, next);
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    const known = visits.get(request.raw);
    if (!known) return begin({ native: request, raw: request.raw }, done);
    known.visit.native = request;
    known.resume(done);
  });
  fastify.addHook('preValidation', (request, _reply, done) => {
    const known = visits.get(request.raw);
    if (known) known.resume(done);
    else done();
  });
}
