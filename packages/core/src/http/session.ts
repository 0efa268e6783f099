import { Buffer } from 'node:buffer';
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The cookie that stands for the token. It holds an expiry and a MAC, never the token, and it ends
 * by itself.
 */
export interface Session {
  /** A `Set-Cookie` value. */
  issue(host: string | undefined, secure: boolean): string;
  isValid(cookieHeader: string | undefined, host: string | undefined): boolean;
}

const LIFETIME_S = 7 * 24 * 60 * 60;

/** Constant time for equal lengths of hashes, which is always. */
export function sameSecret(offered: string, secret: string): boolean {
  return timingSafeEqual(sha256(offered), sha256(secret));
}

export function createSession(token: string, now: () => number): Session {
  const key = createHmac('sha256', token).update('claude-metrics session key 1').digest();
  const sign = (expires: string) => createHmac('sha256', key).update(expires).digest('base64url');

  return {
    issue(host, secure) {
      const expires = Math.floor(now() / 1000 + LIFETIME_S).toString(36);
      const attributes = `Max-Age=${LIFETIME_S}; HttpOnly; SameSite=Strict`;
      const cookie = `${cookieName(host)}=${expires}.${sign(expires)}; ${attributes}`;
      return secure ? `${cookie}; Secure` : cookie;
    },
    isValid(cookieHeader, host) {
      if (!cookieHeader) return false;
      const name = cookieName(host);
      for (const pair of cookieHeader.split(';')) {
        const equals = pair.indexOf('=');
        if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
        const [expires = '', mac = ''] = pair
          .slice(equals + 1)
          .trim()
          .split('.');
        if (!sameSecret(mac, sign(expires))) continue;
        if (Number.parseInt(expires, 36) * 1000 > now()) return true;
      }
      return false;
    },
  };
}

/** Cookies ignore ports; two applications on one host must not sign each other out. */
function cookieName(host: string | undefined): string {
  const port = /:(\d{1,5})$/.exec(host ?? '')?.[1];
  return port === undefined ? 'claude-metrics' : `claude-metrics-${port}`;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
