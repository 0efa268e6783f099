import type { Monitor } from '@claude-metrics/core';

/**
 * The client behind `@InjectAnthropic()`. The SDK is loaded when somebody injects it, and not before:
 * it is an optional peer.
 */

/**
 * @param given A client, or options of one.
 * @throws Error when the SDK is needed and cannot be loaded.
 */
export async function clientOf(monitor: Monitor, given: object | undefined): Promise<object> {
  if (given !== undefined && isClient(given)) return monitor.observe(given);
  const { default: Anthropic } = await loadSdk();
  return monitor.observe(new Anthropic(given));
}

function isClient(given: object): boolean {
  return 'messages' in given && typeof given.messages === 'object';
}

async function loadSdk() {
  try {
    return await import('@anthropic-ai/sdk');
  } catch (cause) {
    throw new Error(
      '[claude-metrics] @InjectAnthropic: @anthropic-ai/sdk could not be loaded. Run `npm install ' +
        '@anthropic-ai/sdk`, or pass a client: ClaudeMetricsModule.forRoot({ anthropic: client }).',
      { cause },
    );
  }
}
