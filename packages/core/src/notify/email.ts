import type { AlertMessage, Channel } from '../alert.js';
import { rule } from '../options.js';
import { codeOf, failure, read, type Failure } from './failure.js';
import {
  channelRules,
  checkSettings,
  named,
  need,
  secretText,
  type ChannelOptions,
} from './settings.js';
import { headline, oneLine, plain, safeId, webLink } from '../wording.js';

export interface EmailOptions extends ChannelOptions {
  /** Of nodemailer: `nodemailer.createTransport(…)`. Its own timeouts decide how long it may hang. */
  readonly transporter: MailTransporter;
  readonly from: string;
  readonly to: string | readonly string[];
  /** Default "[claude-metrics] Firing: …". Some mail programs group by it: make it constant then. */
  readonly subject?: ((message: AlertMessage) => string) | undefined;
}

/** The part of nodemailer's transporter that is used. */
export interface MailTransporter {
  sendMail(mail: AlertMail): Promise<unknown>;
}

export interface AlertMail {
  readonly from: string;
  readonly to: string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  readonly inReplyTo: string;
  readonly references: string;
  readonly headers: { readonly 'Auto-Submitted': 'auto-generated' };
}

const rules = {
  ...channelRules,
  transporter: rule.methods('sendMail'),
  from: secretText,
  to: rule.either(secretText, rule.listOf(secretText)),
  subject: rule.function,
};

const MAX_SUBJECT = 200;
const MAX_TEXT = 20_000;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Sends mails through a transporter of nodemailer. All mails of an alert are one thread.
 *
 * @throws TypeError for a transporter that cannot send, or what cannot be an address.
 *
 * @example
 * channel.email({
 *   transporter: nodemailer.createTransport({ host: 'smtp.example', socketTimeout: 5_000 }),
 *   from: 'claude-metrics@shop.example',
 *   to: ['ops@shop.example'],
 * });
 */
export function email(options: EmailOptions): Channel {
  const where = 'channel.email';
  checkSettings(where, options, rules);
  const { transporter, from, subject = defaultSubject } = options;
  const to = [options.to].flat();
  need(where, 'transporter', transporter !== undefined, 'a transporter of nodemailer');
  need(where, 'from', isAddress(from), 'one mail address');
  need(where, 'to', to.length > 0 && to.every(isAddress), 'a mail address, or an array of them');
  const domain = /@([\w.-]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
  return {
    ...named('email', options),
    async send(message) {
      const thread = `<alert-${safeId(message.alert.id)}@${domain}>`;
      const mail: AlertMail = {
        from,
        to: [...to],
        subject: oneLine(subject(message), MAX_SUBJECT),
        ...contentOf(message),
        messageId: `<${safeId(message.id)}@${domain}>`,
        // No mail has this id: the first that arrives may be any of the thread.
        inReplyTo: thread,
        references: thread,
        headers: { 'Auto-Submitted': 'auto-generated' },
      };
      let info: unknown;
      try {
        info = await transporter.sendMail(mail);
      } catch (error) {
        throw mailFailure(error);
      }
      const rejected = read(info, 'rejected');
      if (Array.isArray(rejected) && rejected.length > 0) {
        // Not again: the others have it.
        const text = `the mail server refused ${rejected.length} of ${to.length} recipients`;
        throw failure(text, { retry: false });
      }
    },
  };
}

function defaultSubject(message: AlertMessage): string {
  return `[claude-metrics] ${headline(message)}`;
}

function contentOf(message: AlertMessage): Pick<AlertMail, 'text' | 'html'> {
  const link = webLink(message);
  const text = plain(message.text, MAX_TEXT);
  const href = link === null ? '' : escapeHtml(link);
  return {
    text: link === null || text.includes(link) ? `${text}\n` : `${text}\n\n${link}\n`,
    html:
      `<p><strong>${escapeHtml(headline(message))}</strong></p>\n` +
      `<p style="white-space: pre-line">${escapeHtml(text)}</p>\n` +
      (href === '' ? '' : `<p><a href="${href}">Open the dashboard</a></p>\n`),
  };
}

/** A refusal for good (5xx) is not tried again; a busy server or a lost connection is. */
function mailFailure(error: unknown): Failure {
  const answer = read(error, 'responseCode');
  if (typeof answer !== 'number') {
    const code = codeOf(error);
    return failure(`the mail could not be sent${code === null ? '' : ` (${code})`}`);
  }
  return failure(`the mail server answered ${answer}`, { retry: answer < 500 });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? '');
}

/** No more than nobody can inject a header; what an address is, the mail server knows. */
function isAddress(text: string | undefined): boolean {
  return (
    text !== undefined && /^[^\p{Cc}\u2028\u2029]{0,400}@[^\p{Cc}\u2028\u2029@]{1,255}$/u.test(text)
  );
}
