import { createHmac } from 'node:crypto';

/**
 * Signatures as https://www.standardwebhooks.com specifies them: HMAC-SHA256 over
 * `id.timestamp.body`.
 *
 * - **secret**: `whsec_` and the base64 of 24 to 64 random bytes. While one is replaced there are
 *   several, and a signature for each.
 */
const PREFIX = 'whsec_';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

export const SECRET_FORM = '"whsec_" and the base64 of 24 to 64 random bytes';

/** The key of a secret; `null` if it is none. */
export function keyOf(secret: string): Buffer | null {
  const encoded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : '';
  const key = Buffer.from(encoded, 'base64');
  const isWhole =
    BASE64.test(encoded) && key.toString('base64').startsWith(encoded.replace(/=+$/, ''));
  return isWhole && key.length >= 24 && key.length <= 64 ? key : null;
}

export interface Signed {
  /** The same for every try of a message; without a full stop. */
  readonly id: string;
  /** Unix time of the try, in seconds. */
  readonly timestamp: number;
  readonly body: string;
}

/** The value of `webhook-signature`: one signature a key, separated by spaces. */
export function signatures(keys: readonly Buffer[], { id, timestamp, body }: Signed): string {
  return keys
    .map((key) => createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64'))
    .map((signature) => `v1,${signature}`)
    .join(' ');
}
