import { createAdapter, userIdOf, type Adapter, type AdapterOptions } from '@claude-metrics/core';
import { trackedFeatureOf } from './feature.js';
import type { ExpressRequest, Visit } from './request.js';
import { routeOf } from './route.js';

/**
 * The adapter of core, over visits: the application's functions are asked with the request that its
 * handlers get, as soon as that is known.
 *
 * @throws TypeError for an option that does not exist, cannot be right, or would be ignored.
 */
export function visitAdapter<Req>(where: string, options: AdapterOptions<Req>): Adapter<Visit> {
  const { userId, feature, feedback, sessionId, authorize } = options;
  return createAdapter<Visit>(
    where,
    {
      ...options,
      userId: overVisits(userId),
      sessionId: overVisits(sessionId),
      feedback: overVisits(feedback),
      authorize: overVisits(authorize) as AdapterOptions<Visit>['authorize'],
      feature: typeof feature === 'function' ? namedFirst(feature) : feature,
    },
    { userId: userOfVisit, feature: namedFirst(routeOf as (native: never) => unknown) },
  );
}

type Native = (native: never) => unknown;

/** Anything but a function is left as it is, for the check of options to name it. */
function overVisits(ask: Native | undefined): ((visit: Visit) => unknown) | undefined {
  if (typeof ask !== 'function') return ask;
  return ({ native }) => (native === undefined ? undefined : ask(native as never));
}

/** `@TrackFeature()` was said explicitly, so it comes first. */
function namedFirst(ask: Native): (visit: Visit) => unknown {
  return ({ native }) =>
    native === undefined ? undefined : (trackedFeatureOf(native) ?? ask(native as never));
}

/** Middleware under Fastify puts its user on Node's request: there is no other yet. */
function userOfVisit({ native, raw }: Visit): unknown {
  return userIdOf(native?.user) ?? userIdOf((raw as ExpressRequest).user);
}
