import { hostname } from 'node:os';
import type { AlertMessage, Channel } from '../alert.js';
import { rule } from '../options.js';
import { post } from './post.js';
import {
  channelRules,
  checkedAddress,
  checkSettings,
  named,
  need,
  secretText,
  type ChannelOptions,
} from './settings.js';
import { groupOf, headline, oneLine, plain, safeId, webLink } from '../wording.js';

export interface PagerDutyOptions extends ChannelOptions {
  /** The integration key of an "Events API v2" integration: 32 letters and digits. */
  readonly routingKey: string;
  /** Default that of the US region; the EU's is `https://events.eu.pagerduty.com/v2/enqueue`. */
  readonly url?: string | undefined;
  /** What is affected. Default: the name of this host. */
  readonly source?: string | undefined;
}

const US = 'https://events.pagerduty.com/v2/enqueue';
const MAX_SUMMARY = 1_024;

const rules = { ...channelRules, routingKey: secretText, url: secretText, source: rule.text };

/**
 * Opens and closes one incident an alert, through the Events API v2. A reminder is one more trigger
 * of the same incident.
 *
 * @throws TypeError for a key or an address that cannot be one.
 *
 * @example
 * channel.pagerDuty({ routingKey: process.env.PAGERDUTY_KEY ?? '', minSeverity: 'critical' });
 */
export function pagerDuty(options: PagerDutyOptions): Channel {
  const where = 'channel.pagerDuty';
  checkSettings(where, options, rules);
  const { routingKey, source = hostname() } = options;
  const url = checkedAddress(where, options.url ?? US);
  const isKey = /^[A-Za-z0-9]{32}$/.test(routingKey ?? '');
  need(where, 'routingKey', isKey, 'the 32 letters and digits of an integration key');
  return {
    ...named('pagerDuty', options),
    send(message, signal) {
      const body = JSON.stringify({ routing_key: routingKey, ...eventOf(message, source) });
      return post({ url, body, signal });
    },
  };
}

function eventOf(message: AlertMessage, source: string) {
  const { alert } = message;
  const dedup_key = safeId(alert.id);
  if (message.type === 'resolved') return { event_action: 'resolve', dedup_key };
  const link = webLink(message);
  const { rule: name, value, limit, unit, since } = alert;
  return {
    // Of reminders too: PagerDuty adds them to the open incident without paging anybody again, and
    // where the first trigger was lost they are what opens it.
    event_action: 'trigger',
    dedup_key,
    client: 'claude-metrics',
    ...(link !== null && { client_url: link, links: [{ href: link, text: 'Dashboard' }] }),
    payload: {
      summary: oneLine(headline(message, MAX_SUMMARY), MAX_SUMMARY),
      source: oneLine(source, 255),
      severity: alert.severity,
      timestamp: message.at,
      class: oneLine(name, 255),
      custom_details: {
        rule: oneLine(name, 255),
        group: groupOf(alert),
        value,
        limit,
        unit,
        since,
        text: plain(message.text, 4_000),
      },
    },
  };
}
