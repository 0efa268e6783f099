import { createHash } from 'node:crypto';
import type { Alert, AlertMessage } from './alert.js';

/**
 * How a message is put for people, whatever its names hold: they come from outside.
 *
 * - **headline**: the whole message in one line: "Resolved: Error rate 2.1 % over 5 min, feature chat".
 */

// Controls, bidi and other format characters, lone surrogates: nothing a name needs to be read.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;
const LINE_END = /\r\n|[\r\u2028\u2029]/g;
const STATES = { firing: 'Firing', reminder: 'Still firing', resolved: 'Resolved' } as const;

/** At most `max` UTF-16 units, on one line, cut between characters. */
export function oneLine(text: string, max: number, escape = (char: string) => char): string {
  return cut(text.slice(0, max + 1).replace(INVISIBLE, '\uFFFD'), max, escape);
}

/** The same, but lines stay lines. */
export function plain(text: string, max: number, escape = (char: string) => char): string {
  const lines = text
    .slice(0, max + 1)
    .replace(LINE_END, '\n')
    .split('\n')
    .map((line) => line.replace(INVISIBLE, '\uFFFD'));
  return cut(lines.join('\n'), max, escape);
}

export function headline(message: AlertMessage, max = 250): string {
  const group = groupOf(message.alert);
  const what = oneLine(message.alert.title, 200);
  return oneLine(`${STATES[message.type]}: ${what}${group === null ? '' : `, ${group}`}`, max);
}

/** "feature chat"; `null` for an alert about everything. */
export function groupOf({ group }: Alert): string | null {
  return group === null ? null : `${group.by} ${oneLine(group.key, 128)}`;
}

/** The link, if it leads to the web: no other scheme is sent to people. */
export function webLink({ link }: AlertMessage): string | null {
  if (link === null || !URL.canParse(link)) return null;
  const { protocol, href } = new URL(link);
  return protocol === 'https:' || protocol === 'http:' ? href : null;
}

/** An id that is safe in headers and between dots; one that is not becomes its hash. */
export function safeId(id: string): string {
  return /^[\w-]{1,128}$/.test(id) ? id : createHash('sha256').update(id).digest('hex');
}

/** Escapes each character on its own, so that the cut never falls into an escape. */
function cut(text: string, max: number, escape: (char: string) => string): string {
  let out = '';
  let kept = '';
  for (const char of text) {
    out += escape(char);
    if (out.length > max) return `${kept}…`;
    if (out.length < max) kept = out;
  }
  return out;
}
