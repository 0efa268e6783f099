import Current from '@anthropic-ai/sdk';

/**
 * The two ends of the range of SDK versions that is supported, and how each is set up here.
 *
 * - **bare**: nobody observes the client. What an application sees of a bare client is what it has to
 *   see of an observed one.
 */
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
