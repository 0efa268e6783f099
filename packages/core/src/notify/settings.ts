import { BlockList, isIP } from 'node:net';
import { SEVERITIES, type Severity } from '../alert.js';
import { checkOptions, rule, type OptionRule, type OptionRules } from '../options.js';

/**
 * What every channel can be told, and checks whose messages never show the value: an address of a
 * chat, a routing key and a signing secret are secrets.
 */
export interface ChannelOptions {
  /** As reports show it; needed when there are two channels of a kind. Letters, digits, `.`, `-`. */
  readonly name?: string | undefined;
  /** Messages below it are not sent here. Default `info`: all. */
  readonly minSeverity?: Severity | undefined;
}

/** A name is shown on pages and in logs, so it cannot hold more than a name needs. */
export const nameRule: OptionRule = {
  allowed: 'a name of at most 64 letters, digits, ".", "-" and "_"',
  ok: (value) => typeof value === 'string' && /^[\w.-]{1,64}$/.test(value),
};

export const channelRules = {
  name: nameRule,
  minSeverity: rule.either(...SEVERITIES.map((severity) => rule.exactly(severity))),
} as const satisfies OptionRules;

/** Text whose value no message may show; what is wrong with it is told by the check that follows. */
export const secretText: OptionRule = {
  allowed: 'a string',
  ok: (value) => typeof value === 'string',
};

/**
 * Checks the options of a channel that cannot do without.
 *
 * @throws TypeError; a bare address in place of the options is not shown either.
 */
export function checkSettings(where: string, options: unknown, rules: OptionRules): void {
  if (!rule.object.ok(options)) {
    throw new TypeError(
      `[claude-metrics] ${where}: expected an object with options: ${Object.keys(rules).join(', ')}.`,
    );
  }
  checkOptions(where, options, rules);
}

/** @throws TypeError that names the option, but not its value. */
export function need(where: string, name: string, ok: boolean, allowed: string): void {
  if (ok) return;
  throw new TypeError(`[claude-metrics] ${where}: options.${name} must be ${allowed}.`);
}

/** The fields of a channel that come from the options all channels share. */
export function named(
  kind: string,
  { name, minSeverity }: ChannelOptions,
): { readonly name: string; readonly minSeverity: Severity } {
  return { name: name ?? kind, minSeverity: minSeverity ?? 'info' };
}

/**
 * The address to post to: https, or http where it cannot leave a private network.
 *
 * @throws TypeError for anything else, and for a password in it.
 */
export function checkedAddress(where: string, url: string | undefined, allowHttp = false): string {
  const parsed = url !== undefined && URL.canParse(url) ? new URL(url) : null;
  const isSafe =
    parsed?.protocol === 'https:' ||
    (parsed?.protocol === 'http:' && (allowHttp || isPrivate(parsed.hostname)));
  need(
    where,
    'url',
    isSafe,
    'an https address, or an http one of this machine or a private network',
  );
  const isBare = parsed?.username === '' && parsed.password === '';
  need(where, 'url', isBare, 'an address without user and password; send a header instead');
  return parsed?.href ?? '';
}

const PRIVATE = new BlockList();
PRIVATE.addSubnet('127.0.0.0', 8);
PRIVATE.addSubnet('10.0.0.0', 8);
PRIVATE.addSubnet('172.16.0.0', 12);
PRIVATE.addSubnet('192.168.0.0', 16);
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');

/** Names without a dot are found only by a resolver of one's own: `http://receiver:8080`. */
function isPrivate(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const version = isIP(host);
  if (version !== 0) return PRIVATE.check(host, version === 4 ? 'ipv4' : 'ipv6');
  return !host.includes('.') || /\.(localhost|local|internal)$/.test(host);
}
