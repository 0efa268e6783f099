import type { AlertMessage, Channel } from '../alert.js';
import { checkOptions, show } from '../options.js';
import { channelRules, named, type ChannelOptions } from './settings.js';

/**
 * Hands each message to a function. One that throws or rejects is called again; an error with
 * `retry: false` is not. `signal` fires when it takes too long, or the monitor closes.
 *
 * @throws TypeError if `fn` is not a function.
 *
 * @example
 * channel.callback(async (message) => queue.publish('alerts', message), { name: 'queue' });
 */
export function callback(
  fn: (message: AlertMessage, signal: AbortSignal) => void | Promise<void>,
  options: ChannelOptions = {},
): Channel {
  checkOptions('channel.callback', options, channelRules);
  if (typeof fn !== 'function') {
    throw new TypeError(
      `[claude-metrics] channel.callback: expected a function of a message, got ${show(fn)}.`,
    );
  }
  return { ...named('callback', options), send: (message, signal) => fn(message, signal) };
}
