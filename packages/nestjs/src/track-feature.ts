import 'reflect-metadata';
import { checkFeature, withContext } from '@claude-metrics/core';
import { featureNamed, nameFeature } from './feature.js';
import { keepContext } from './results.js';

type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Names the feature of every Claude call that a method makes, or all methods of a class: of
 * controllers, services, jobs, consumers, resolvers and gateways alike. The nearest wins.
 *
 * @throws TypeError for a name that is empty or no string, and on anything but a class or a method.
 *
 * @example
 * class Summaries {
 *   @TrackFeature('summarise')
 *   async summarise(text) {}
 * }
 */
export function TrackFeature(name: string): ClassDecorator & MethodDecorator {
  checkFeature('@TrackFeature', name);
  return function decorate(
    target: object,
    key?: string | symbol,
    descriptor?: PropertyDescriptor,
  ): void {
    if (typeof target === 'function' && key === undefined && descriptor === undefined)
      trackAll(target, name);
    else if (isMethod(descriptor)) descriptor.value = track(descriptor.value, name);
    else {
      throw new TypeError(
        `[claude-metrics] @TrackFeature: put it on a class or a method, got ${show(key)}.`,
      );
    }
  } as ClassDecorator & MethodDecorator;
}

function show(key: unknown): string {
  return typeof key === 'string' || typeof key === 'symbol' ? `"${String(key)}"` : 'a parameter';
}

function isMethod(
  descriptor: PropertyDescriptor | undefined,
): descriptor is PropertyDescriptor & { value: Method } {
  return typeof descriptor?.value === 'function';
}

/** The methods that the class itself has. One with a name of its own keeps it: that one is nearer. */
function trackAll(target: { readonly prototype: object }, name: string): void {
  const { prototype } = target;
  for (const key of Reflect.ownKeys(prototype)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
    if (key === 'constructor' || !isMethod(descriptor) || featureNamed(descriptor.value)) continue;
    descriptor.value = track(descriptor.value, name);
    Object.defineProperty(prototype, key, descriptor);
  }
}

/** `method` in a context. It carries everything that other decorators have put on `method`. */
function track(method: Method, feature: string): Method {
  const tracked = {
    call(this: unknown, ...args: unknown[]): unknown {
      return withContext({ feature }, () => keepContext(Reflect.apply(method, this, args)));
    },
  }.call;
  for (const name of Reflect.ownKeys(method)) {
    const property = Object.getOwnPropertyDescriptor(method, name);
    if (property && name !== 'prototype') Object.defineProperty(tracked, name, property);
  }
  for (const key of Reflect.getMetadataKeys(method) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, method), tracked);
  }
  if (!featureNamed(tracked)) nameFeature(tracked, feature);
  return tracked;
}
