import 'reflect-metadata';
import type { CanActivate, ExecutionContext } from '@nestjs/common';

/**
 * The names that `@TrackFeature()` gave.
 *
 * - **tracked**: a request whose handler has a name. The decorated method is called last of all, so a
 *   guard of ours tells the name before: calls in guards, interceptors and pipes have it, too.
 */
const FEATURE = Symbol.for('@claude-metrics/nestjs:feature');
const tracked = new WeakMap<object, string>();

export function nameFeature(method: object, feature: string): void {
  Reflect.defineMetadata(FEATURE, feature, method);
}

export function featureNamed(method: object): string | undefined {
  return Reflect.getOwnMetadata(FEATURE, method) as string | undefined;
}

/** The name that the handler of `request` has. */
export function trackedFeatureOf(request: object): string | undefined {
  return tracked.get(request);
}

/** Lets everything pass. */
export const featureGuard: CanActivate = {
  canActivate(context: ExecutionContext) {
    if (context.getType() !== 'http') return true;
    const feature = featureNamed(context.getHandler());
    if (feature !== undefined) tracked.set(context.switchToHttp().getRequest<object>(), feature);
    return true;
  },
};
