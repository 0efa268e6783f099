import { Buffer } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/**
 * The body of a request, whoever has read it.
 *
 * - **raw**: Node's own request: a stream, to be read once.
 * - **parsed**: what a body parser in front of us made of it; then the stream has nothing left.
 */
export interface RawRequest extends Readable {
  readonly headers: IncomingHttpHeaders;
}

/** Text of at most `limit` bytes; `null` when there is more. Rejects when it cannot be read. */
export type ReadBody = (limit: number) => Promise<string | null>;

/**
 * Reads the body of Node's request, or else takes what `parsed()` finds in its place. Nothing is read
 * before it is asked for, and never more than the limit is held.
 *
 * @example
 * createServer((req, res) => handle({ readBody: bodyOf(req) }));
 */
export function bodyOf(raw: RawRequest, parsed?: () => unknown): ReadBody {
  return async (limit) => {
    // A parser leaves alone what is not of its type, and may set an empty object all the same. So
    // the stream comes first, unless it has been read.
    if (!raw.readableDidRead) return raw.readableEnded ? '' : collect(raw, limit);
    const text = textOf(parsed?.(), raw.headers['content-type']);
    if (text === null) throw new Error('it was read before, and kept nowhere');
    return Buffer.byteLength(text) > limit ? null : text;
  };
}

/** What is beyond the limit is let go instead of kept waiting, so that the connection lives on. */
function collect(raw: RawRequest, limit: number): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const lose = () => reject(new Error('the connection was lost'));
    const add = (chunk: Buffer | string) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      size += bytes.length;
      if (size <= limit) return void chunks.push(bytes);
      raw.off('data', add).resume();
      resolve(null);
    };
    raw.on('data', add).once('end', () => resolve(Buffer.concat(chunks).toString()));
    raw.once('close', lose).on('error', lose);
    if (raw.destroyed) lose();
  });
}

/** `null` for what is no body: nothing at all, or a plain number of a lenient parser. */
function textOf(parsed: unknown, contentType: string | undefined): string | null {
  if (typeof parsed === 'string') return parsed;
  if (parsed instanceof Uint8Array) return Buffer.from(parsed).toString();
  if (typeof parsed !== 'object' || parsed === null) return null;
  if (mediaType(contentType) !== FORM) return JSON.stringify(parsed);
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parsed)) {
    for (const each of [value].flat() as unknown[]) {
      form.append(name, typeof each === 'string' ? each : JSON.stringify(each));
    }
  }
  return form.toString();
}

export const JSON_TYPE = 'application/json';
export const FORM = 'application/x-www-form-urlencoded';

/** `application/json; charset=utf-8` → `application/json`. */
export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
