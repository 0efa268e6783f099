import assert from 'node:assert/strict';
import type { ContractApplication, ContractRequest, ContractResponse } from './subject.js';
import type { Stage, Watched } from './stage.js';

/** The smallest application: one adapter, one route, and one visit to it. */
export interface Scene {
  /** Options of the adapter. */
  readonly options?: object;
  /** Options of its monitor. */
  readonly monitor?: object;
  readonly authenticate?: ContractApplication['authenticate'];
  readonly prefix?: string;
  /** Of the route. */
  readonly feature?: string;
  /** The route's pattern. */
  readonly path?: string;
  /** What is visited. */
  readonly target?: string;
  readonly headers?: object;
  /** Default: one call, `call`. */
  handle?(request: ContractRequest): Promise<unknown>;
}

export interface Visit {
  readonly watched: Watched;
  readonly response: ContractResponse;
}

/** Builds the application, posts `{}` to it once, and expects that all went well. */
export async function visit(stage: Stage, scene: Scene = {}): Promise<Visit> {
  const { options, authenticate, prefix = '', feature, headers = {} } = scene;
  const { path = '/chat/:room', target = '/chat/42', handle } = scene;
  const watched = stage.createMonitor(scene.monitor);
  const { agent } = await stage.start({
    adapters: [{ monitor: watched.monitor, ...options }],
    authenticate,
    prefix: prefix === '' ? undefined : prefix,
    routes: [
      {
        method: 'POST',
        path,
        feature,
        async handle(request) {
          await (handle ? handle(request) : stage.ask('call'));
          return { done: true };
        },
      },
    ],
  });
  const response = await agent.post(`${prefix}${target}`).set(headers).send({});
  // Nest answers a POST with 201.
  assert.deepEqual(
    [response.status - (response.status % 100), response.body],
    [200, { done: true }],
  );
  return { watched, response };
}

/** Authentication that takes a while and finds this. */
export function finds(user: unknown): NonNullable<ContractApplication['authenticate']> {
  return () => new Promise((resolve) => setImmediate(() => resolve(user)));
}

/** What a function among an adapter's options is called with, in every framework. */
export interface NativeRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
}
