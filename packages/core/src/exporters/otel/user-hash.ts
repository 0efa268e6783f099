import { createHash, createHmac } from 'node:crypto';

/** 128 bits: no two users share a hash by chance. */
const DIGITS = 32;

/**
 * The value of `user.hash`: the first 32 hexadecimal digits of the HMAC-SHA-256 of the user's id in
 * UTF-8; without a key of its SHA-256, which whoever can guess the id can also compute.
 */
export function userHash(userId: string, key: string | undefined): string {
  const hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  return hash.update(userId).digest('hex').slice(0, DIGITS);
}
