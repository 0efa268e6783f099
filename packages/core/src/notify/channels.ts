import { callback } from './callback.js';
import { email } from './email.js';
import { log } from './log.js';
import { pagerDuty } from './pager-duty.js';
import { slack } from './slack.js';
import { webhook } from './webhook.js';

/**
 * The ways to people. Each makes a channel from checked options; an object with `name` and `send()`
 * of your own is a channel too.
 *
 * @example
 * const channels = [
 *   channel.log(),
 *   channel.slack({ url: process.env.SLACK_URL ?? '', minSeverity: 'warning' }),
 * ];
 */
export const channel = Object.freeze({ log, callback, webhook, slack, pagerDuty, email });
