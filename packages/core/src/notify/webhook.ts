import type { AlertMessage, Channel } from '../alert.js';
import { rule, type OptionRule } from '../options.js';
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
import { keyOf, SECRET_FORM, signatures } from './signature.js';
import { safeId } from '../wording.js';

export interface WebhookOptions extends ChannelOptions {
  /** https; http only to this machine and private networks, or with `allowHttp`. */
  readonly url: string;
  /** `whsec_…`, the base64 of 24 to 64 random bytes. Several while one replaces another. */
  readonly secret: string | readonly string[];
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Signed, but readable on the way. Default `false`. */
  readonly allowHttp?: boolean | undefined;
  /** Unix time in milliseconds, for tests. */
  readonly now?: (() => number) | undefined;
}

/** What a webhook receives. */
export interface WebhookBody {
  readonly type: `alert.${AlertMessage['type']}`;
  /** ISO 8601: when it happened, not when it was sent. */
  readonly timestamp: string;
  readonly data: Pick<AlertMessage, 'alert' | 'text' | 'link'>;
}

const RESERVED =
  /^(webhook-.*|content-.*|host|connection|keep-alive|transfer-encoding|expect|upgrade)$/i;

const plainHeaders: OptionRule = {
  allowed: 'an object of header names and texts; not webhook-*, content-* or Host',
  ok: (value) => rule.object.ok(value) && Object.entries(value as object).every(isHeader),
};

const rules = {
  ...channelRules,
  url: secretText,
  secret: rule.either(secretText, rule.listOf(secretText)),
  headers: plainHeaders,
  allowHttp: rule.boolean,
  now: rule.function,
};

/**
 * Posts each message as JSON, signed as https://www.standardwebhooks.com specifies, so that any of
 * its libraries can verify it. A receiver drops a `webhook-id` it has seen: a message whose answer
 * was lost is sent again.
 *
 * @throws TypeError for an address or a secret that cannot be safe.
 *
 * @example
 * channel.webhook({ url: 'https://ops.example/alerts', secret: process.env.ALERT_SECRET ?? '' });
 */
export function webhook(options: WebhookOptions): Channel {
  const where = 'channel.webhook';
  checkSettings(where, options, rules);
  const { secret, headers, allowHttp, now = Date.now } = options;
  const url = checkedAddress(where, options.url, allowHttp);
  const keys = [secret].flat().map((each) => keyOf(each ?? ''));
  const known = keys.filter((key) => key !== null);
  need(where, 'secret', known.length > 0 && known.length === keys.length, SECRET_FORM);
  return {
    ...named('webhook', options),
    send(message, signal) {
      const id = safeId(message.id);
      const timestamp = Math.floor(now() / 1_000);
      const body = JSON.stringify(bodyOf(message));
      const signed = {
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signatures(known, { id, timestamp, body }),
      };
      return post({ url, headers: { ...headers, ...signed }, body, signal, now });
    },
  };
}

function bodyOf({ type, at, alert, text, link }: AlertMessage): WebhookBody {
  return { type: `alert.${type}`, timestamp: at, data: { alert, text, link } };
}

function isHeader([name, value]: [string, unknown]): boolean {
  if (typeof value !== 'string' || RESERVED.test(name)) return false;
  try {
    new Headers({ [name]: value });
    return true;
  } catch {
    return false;
  }
}
