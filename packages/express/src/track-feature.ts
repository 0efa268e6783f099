import { withContext } from '@claude-metrics/core';
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
  if (typeof name !== 'string' || name.trim() === '') {
    throw new TypeError(
      `[claude-metrics] trackFeature: the name must be a string that is not empty, got ` +
        `${typeof name === 'string' ? JSON.stringify(name) : typeof name}. ` +
        "Name what the calls are for: trackFeature('summarise').",
    );
  }
  return function trackFeature(_req, _res, next) {
    withContext({ feature: name }, () => next());
  };
}
