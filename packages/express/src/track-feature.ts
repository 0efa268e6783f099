import { checkFeature, withContext } from '@claude-metrics/core';
import type { Handler } from './request.js';

/**
 * Names the feature of every Claude call that the following handlers make, instead of the route.
 *
 * @throws TypeError for a name that is empty or no string.
 *
 * @example
 * app.post('/v2/text', trackFeature('summarise'), (req, res) => res.json({}));
 */
export function trackFeature(name: string): Handler {
  checkFeature('trackFeature', name);
  return function trackFeature(_req, _res, next) {
    withContext({ feature: name }, () => next());
  };
}
