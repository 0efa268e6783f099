import { field } from '@claude-metrics/core';
import type { KoaContext } from './context.js';

/**
 * The matched route as the application wrote it: `POST /tenants/:id/chat/:room`, never what the
 * client sent.
 *
 * - **layer**: @koa/router keeps one for each route and for each `router.use()`, its prefixes
 *   included. Those that match the path are in `ctx.matched`, in the order they run in; the path of
 *   the one that runs now is in `ctx._matchedRoute`.
 * - **base**: where koa-mount hung the router. It keeps the innermost mount path only; what is in
 *   front of that is written `…`.
 */
export function routeOf(ctx: KoaContext): string | null {
  const running = field(ctx, '_matchedRoute');
  if (running === undefined || running === null) return null;
  const layer = layerOf(ctx, running);
  if (layer === null) return null;
  const own = String(field(layer, 'path'));
  const base = baseOf(ctx, field(layer, 'regexp'));
  return `${ctx.method} ${own === '/' && base !== '' ? base : base + own}`;
}

const UNKNOWN = '/…';

/** The route's layer: the one that runs; while a `router.use()` runs, the route that is to follow. */
function layerOf(ctx: KoaContext, running: unknown): unknown {
  const matched = field(ctx, 'matched');
  const layers: readonly unknown[] = Array.isArray(matched) ? matched : [];
  const at = layers.findIndex((layer) => field(layer, 'path') === running);
  // Not the router's own doing; then the application says so itself.
  if (at === -1) return { path: running };
  const isRoute = (layer: unknown) => {
    const methods = field(layer, 'methods');
    return Array.isArray(methods) && methods.includes(ctx.method);
  };
  return layers.slice(at).find(isRoute) ?? layers.find(isRoute) ?? null;
}

/**
 * The mount path is kept after the mount is left, while `ctx.path` is whole again. So it counts only
 * if the route would not match without it.
 */
function baseOf(ctx: KoaContext, regexp: unknown): string {
  const mount = field(ctx, 'mountPath');
  if (typeof mount !== 'string' || mount === '') return '';
  const [path = ''] = ctx.originalUrl.split('?');
  if (ctx.path === path && matches(regexp, path)) return '';
  for (let at = path.indexOf(mount); at !== -1; at = path.indexOf(mount, at + 1)) {
    const rest = path.slice(at + mount.length);
    if (matches(regexp, rest === '' ? '/' : rest)) return at === 0 ? mount : UNKNOWN + mount;
  }
  return UNKNOWN;
}

/** `search()` leaves `lastIndex` alone, should the application's own expression have one. */
function matches(regexp: unknown, path: string): boolean {
  return regexp instanceof RegExp && path.search(regexp) !== -1;
}
