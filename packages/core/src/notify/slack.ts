import type { AlertMessage, Channel } from '../alert.js';
import { rule } from '../options.js';
import { post } from './post.js';
import {
  channelRules,
  checkedAddress,
  checkSettings,
  named,
  secretText,
  type ChannelOptions,
} from './settings.js';
import { groupOf, headline, oneLine, plain, webLink } from '../wording.js';

export interface SlackOptions extends ChannelOptions {
  /** Of an incoming webhook. Whoever has it can post: keep it like a password. */
  readonly url: string;
  /** Of another channel than the webhook's; only older webhooks heed it. */
  readonly channel?: string | undefined;
  /** Likewise. */
  readonly username?: string | undefined;
}

const rules = { ...channelRules, url: secretText, channel: rule.text, username: rule.text };

// Limits of Block Kit, in characters after escaping.
const MAX_HEADER = 150;
const MAX_FIELD = 2_000;
const MAX_SECTION = 3_000;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * Posts to an incoming webhook of Slack, or of what speaks its language. Everything that came from
 * outside is plain text: it cannot mention anybody, link anywhere or be formatted.
 *
 * @throws TypeError for an address that is not https.
 *
 * @example
 * channel.slack({ url: process.env.SLACK_URL ?? '', minSeverity: 'warning' });
 */
export function slack(options: SlackOptions): Channel {
  const where = 'channel.slack';
  checkSettings(where, options, rules);
  const url = checkedAddress(where, options.url);
  const { channel, username } = options;
  return {
    ...named('slack', options),
    send(message, signal) {
      const body = JSON.stringify({ channel, username, ...contentOf(message) });
      return post({ url, body, signal });
    },
  };
}

function contentOf(message: AlertMessage) {
  const { alert } = message;
  const link = webLink(message);
  const facts = [
    ['Severity', alert.severity],
    ['Rule', alert.rule],
    ['For', groupOf(alert) ?? 'everything'],
    ['Since', alert.since],
  ] as const;
  const blocks: object[] = [
    { type: 'header', text: plainText(headline(message), MAX_HEADER) },
    { type: 'section', text: plainText(message.text, MAX_SECTION) },
    {
      type: 'section',
      fields: facts.map(([name, value]) => plainText(`${name}\n${oneLine(value, 200)}`, MAX_FIELD)),
    },
  ];
  const target = link === null ? null : slackLink(link);
  if (target !== null) {
    blocks.push({ type: 'section', text: { type: 'mrkdwn', text: target, verbatim: true } });
  }
  // Shown in notifications, where blocks are not.
  return { text: oneLine(headline(message), MAX_FIELD, escape), blocks };
}

/** Text that Slack shows as it is: no mentions, no links, no emoji codes. */
function plainText(text: string, max: number) {
  return { type: 'plain_text', text: plain(text, max, escape), emoji: false };
}

function escape(char: string): string {
  return ESCAPES[char] ?? char;
}

/** `null` for a link that is too long: half of one leads elsewhere. */
function slackLink(href: string): string | null {
  const target = href.replace(/[|<>]/g, encodeURIComponent).replaceAll('&', '&amp;');
  return target.length > MAX_FIELD ? null : `<${target}|Open the dashboard>`;
}
