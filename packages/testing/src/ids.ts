import { randomBytes } from 'node:crypto';

/** Ids as the API makes them: a prefix that says what it is, `_01`, and 22 characters. */
const DIGITS = '0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

export function makeId(prefix: string, start = '01', length = 22): string {
  let id = '';
  for (const byte of randomBytes(length)) id += DIGITS[byte % DIGITS.length];
  return `${prefix}_${start}${id}`;
}

export function makeRequestId(): string {
  return makeId('req', '011C', 20);
}
