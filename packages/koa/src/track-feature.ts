import { checkFeature, withContext } from '@claude-metrics/core';
import type { KoaMiddleware } from './context.js';

/**
 * Names the feature of every Claude call that the following middleware makes, instead of the route.
 *
 * @throws TypeError for a name that is empty or no string.
 *
 * @example
 * router.post('/v2/text', trackFeature('summarise'), (ctx) => void (ctx.body = {}));
 */
export function trackFeature(name: string): KoaMiddleware {
  checkFeature('trackFeature', name);
  return function trackFeature(_ctx, next) {
    return withContext({ feature: name }, () => next());
  };
}
