import { field } from '@claude-metrics/core';
import type { ExpressRequest } from './request.js';

/**
 * The matched route as the application wrote it: `POST /tenants/:id/chat/:room`, never what the
 * client sent.
 *
 * - **base**: where the route's router is mounted. Express keeps only its concrete text
 *   (`/tenants/42`), so the pattern is read from the routers' layers; when that cannot be done, the
 *   base is written `…`.
 */
export function routeOf(req: ExpressRequest): string | null {
  const path = field(req.route, 'path');
  if (path === undefined || path === null) return null;
  const own = Array.isArray(path) ? path.map(String).join('|') : String(path);
  const base = req.baseUrl ? baseOf(req, req.baseUrl) : '';
  return `${req.method ?? 'GET'} ${own === '/' && base !== '' ? base : base + own}`;
}

/** What a layer of a router took off the address. */
interface Match {
  readonly path: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The mount path is plain text: without parameters it can only match itself. */
  readonly literal: boolean;
}

const UNKNOWN = '…';
const MAX_LAYERS = 5_000;
const known = new WeakMap<object, { readonly baseUrl: string; readonly base: string }>();

function baseOf(req: ExpressRequest, baseUrl: string): string {
  const route = req.route as object;
  const seen = known.get(route);
  if (seen?.baseUrl === baseUrl) return seen.base;
  const budget = { layers: MAX_LAYERS };
  const outer = outerBase(req.app, baseUrl);
  const inner = outer && findBase(stackOf(req.app), outer.rest, route, budget);
  const base = outer && inner !== null && inner !== undefined ? outer.base + inner : UNKNOWN;
  known.set(route, { baseUrl, base });
  return base;
}

/** A sub-application knows its own mount path, as a pattern. */
function outerBase(app: unknown, baseUrl: string): { base: string; rest: string } | null {
  const patterns: string[] = [];
  for (let each = app; field(each, 'parent'); each = field(each, 'parent')) {
    const pattern = field(each, 'mountpath');
    if (typeof pattern !== 'string' || /[*(){}?+\\[\]]/.test(pattern)) return null;
    patterns.unshift(pattern === '/' ? '' : pattern.replace(/\/$/, ''));
    if (patterns.length > 16) return null;
  }
  const base = patterns.join('');
  const depth = base.split('/').length - 1;
  const rest = baseUrl.split('/').slice(depth + 1);
  return { base, rest: rest.length > 0 ? `/${rest.join('/')}` : '' };
}

/** Walks down the routers that match `rest` to the one that holds `route`. */
function findBase(
  stack: readonly unknown[],
  rest: string,
  route: object,
  budget: { layers: number },
): string | null {
  if (rest === '' && stack.some((layer) => field(layer, 'route') === route)) return '';
  for (const layer of stack) {
    if ((budget.layers -= 1) < 0) return null;
    const below = stackOf(field(layer, 'handle'));
    if (below.length === 0) continue;
    const match = matchOf(layer, rest === '' ? '/' : rest);
    if (!match) continue;
    const taken = match.path.replace(/\/$/, '');
    const found = findBase(below, rest.slice(taken.length), route, budget);
    if (found !== null) return patternOf({ ...match, path: taken }) + found;
  }
  return null;
}

/** A router's layers, or an application's. */
function stackOf(handler: unknown): readonly unknown[] {
  // Express 4 first: there, reading `router` of an application throws.
  const router = field(handler, '_router') ?? field(handler, 'router') ?? handler;
  const stack = field(router, 'stack');
  return Array.isArray(stack) ? stack : [];
}

function matchOf(layer: unknown, path: string): Match | null {
  const regexp = field(layer, 'regexp');
  return regexp instanceof RegExp ? match4(layer, regexp, path) : match5(layer, path);
}

/** Express 4: one regular expression and its keys. */
function match4(layer: unknown, regexp: RegExp, path: string): Match | null {
  if (field(regexp, 'fast_slash') === true) return { path: '', params: {}, literal: true };
  const found = regexp.exec(path);
  const keys = field(layer, 'keys');
  if (!found || !Array.isArray(keys)) return null;
  const names = keys.map((key) => String(field(key, 'name')));
  const params = Object.fromEntries(names.map((name, i) => [name, decoded(found[i + 1])]));
  // What the text alone would compile to; a mount path that is a regular expression is not that.
  const text = found[0].replace(/\/$/, '').replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  const alone = `^${text}\\/?(?=\\/|$)`.toLowerCase();
  return { path: found[0], params, literal: regexp.source.toLowerCase().includes(alone) };
}

/** Express 5: a list of matchers; the one of a text path is path-to-regexp's own. */
function match5(layer: unknown, path: string): Match | null {
  if (field(layer, 'slash') === true) return { path: '', params: {}, literal: true };
  const matchers = field(layer, 'matchers');
  if (!Array.isArray(matchers)) return null;
  for (const matcher of matchers as unknown[]) {
    if (typeof matcher !== 'function') return null;
    const found: unknown = matcher(path);
    const taken = field(found, 'path');
    if (typeof taken !== 'string') continue;
    const params = { ...(field(found, 'params') as Match['params'] | undefined) };
    return { path: taken, params, literal: matcher.name !== 'regexpMatcher' };
  }
  return null;
}

/** `/tenants/42` and `{ id: '42' }` → `/tenants/:id`. A value that has no place of its own: `…`. */
function patternOf({ path, params, literal }: Match): string {
  const values = Object.entries(params).filter(([, value]) => value !== undefined);
  if (values.length === 0) return literal ? path : `/${UNKNOWN}`;
  const placed = new Set<string>();
  const segments = path.split('/').map((segment) => {
    const param = values.find(([name, value]) => value === decoded(segment) && !placed.has(name));
    if (!param) return segment;
    placed.add(param[0]);
    return `:${param[0]}`;
  });
  return placed.size === values.length ? segments.join('/') : `/${UNKNOWN}`;
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return text;
  }
}
