import Current from '@anthropic-ai/sdk';
import type { Simulator } from '../src/index.js';

/** The two ends of the range of SDK versions that the simulator is driven with. */
export type Sdk = typeof Current;
export type Client = InstanceType<Sdk>;
export type ClientOptions = NonNullable<ConstructorParameters<Sdk>[0]>;

const { default: Oldest } = require('anthropic-sdk-0.103') as { default: Sdk };
const { VERSION: oldest } = require('anthropic-sdk-0.103/version') as { VERSION: string };
const { VERSION: current } = require('@anthropic-ai/sdk/version') as { VERSION: string };

export const SDKS: readonly { readonly version: string; readonly Anthropic: Sdk }[] = [
  { version: current, Anthropic: Current },
  { version: oldest, Anthropic: Oldest },
];

export const QUESTION = {
  model: 'claude-sonnet-5-5',
  max_tokens: 256,
  messages: [{ role: 'user' as const, content: 'What is the capital of France?' }],
};
export const STREAM = { ...QUESTION, stream: true as const };

/** A client that calls the simulator once a call, unless told otherwise. */
export function clientOf(simulator: Simulator, Anthropic: Sdk, options?: ClientOptions): Client {
  return new Anthropic({
    apiKey: 'sk-ant-test',
    baseURL: simulator.url,
    maxRetries: 0,
    logLevel: 'off',
    fetch: fetchOfThisRealm,
    ...options,
  });
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** What a promise rejects with. */
export async function thrownBy(promise: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`nothing was thrown, but it gave ${JSON.stringify(value)}`);
}

/** Turns of the event loop until something holds; the test's own timeout is the limit. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Jest runs tests in a realm of its own, where Node's DOMException is no Error. In an application it
 * is one, and SDK 0.103 asks.
 */
async function fetchOfThisRealm(...args: Parameters<typeof fetch>): Promise<Response> {
  try {
    return await fetch(...args);
  } catch (error) {
    if (error instanceof Error) throw error;
    const { name, message } = error as Error;
    throw Object.assign(new Error(message, { cause: error }), { name });
  }
}
