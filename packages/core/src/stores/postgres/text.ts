import { createHash } from 'node:crypto';

/**
 * Names, numbers and times as Postgres can keep them, and back.
 *
 * - **escape**: text of Postgres has no NUL and no lone surrogates. They become U+001A and four
 *   hexadecimal digits, and so does U+001A itself; all other names are kept as they are.
 * - **list**: an array of Postgres, as text.
 */
// Controls are what this is about.
// oxlint-disable-next-line no-control-regex
const HOSTILE = /[\0\x1a]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
// oxlint-disable-next-line no-control-regex
const ESCAPED = /\x1a([0-9a-f]{4})/g;
/** An index entry must fit into a third of a page. Labels end at 128 characters. */
const MAX_KEY = 256;

export function escapeText(text: string): string {
  return text.replace(HOSTILE, (char) => {
    return `\x1a${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

export function unescapeText(text: string): string {
  if (!text.includes('\x1a')) return text;
  return text.replace(ESCAPED, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
}

/** A name as part of an index: one that is much longer than labels are ends in its hash. */
export function keyText(name: string): string {
  if (name.length <= MAX_KEY) return escapeText(name);
  return escapeText(`${name.slice(0, MAX_KEY - 44)}~${hashOf(name)}`);
}

/** 43 letters, digits, `-` and `_`, so that it can be written into a statement as it is. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}

/** Of numbers, `null`, or text without anything to quote. */
export function listOf(items: readonly (string | number | bigint | boolean | null)[]): string {
  return `{${items.map((item) => item ?? 'NULL').join()}}`;
}

/** Of any texts. */
export function quotedList(items: readonly (string | null)[]): string {
  return `{${items.map((item) => (item === null ? 'NULL' : quoted(item))).join()}}`;
}

function quoted(text: string): string {
  return /["\\]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}

/** The year 10,000: from here on a time has other digits. */
const END = Date.UTC(10_000, 0, 1);

/** Milliseconds as a time of Postgres, which knows the ends of the world by name. */
export function timeOf(ms: number): string {
  if (ms < 0) return '-infinity';
  return ms < END ? new Date(ms).toISOString() : 'infinity';
}

/** A time that can be read back as milliseconds: none is for ever. */
export function finiteTimeOf(ms: number): string {
  return timeOf(Number.isFinite(ms) ? Math.min(Math.max(ms, 0), END - 1) : 0);
}

/** The other way, in a statement. */
export function msOf(time: string): string {
  return `round(extract(epoch FROM ${time}) * 1000)::bigint::text`;
}
