import { JSON_TYPE, mediaType } from './body.js';
import type { HttpRequest } from './message.js';

/**
 * Against forged requests: a page of another site makes the browser of somebody who may open the mount
 * send a `POST` there, cookies and all.
 *
 * - **own page**: a page with the scheme, host and port that the request was sent to. Browsers say so
 *   in `Sec-Fetch-Site` (to https and localhost), and name the page's origin in `Origin`; no script
 *   can change either. Other subdomains and ports are other sites.
 * - **no browser**: neither header. Then the type must be JSON, which no form can send, and no script
 *   without asking first: we never say yes to that.
 */

/** Why a request that changes something is refused; `null` when it is not. */
export function forgeryOf(request: HttpRequest, allowedHosts: readonly string[]): string | null {
  const site = request.header('sec-fetch-site');
  if (site !== undefined) {
    if (site.trim().toLowerCase() === 'same-origin') return null;
    return 'The browser says that another site sent this (Sec-Fetch-Site).';
  }
  const origin = request.header('origin');
  if (origin !== undefined) {
    const names = [request.header('host'), ...allowedHosts];
    if (names.some((host) => isOriginOf(origin, host, request.secure))) return null;
    return (
      'Origin is not the host that this was sent to. Behind a proxy that changes Host, add the ' +
      'host of the address (with its port, if it has one) to the option `allowedHosts`.'
    );
  }
  if (mediaType(request.header('content-type')) === JSON_TYPE) return null;
  return `Without Sec-Fetch-Site or Origin, as browsers send them, Content-Type must be ${JSON_TYPE}.`;
}

const ORIGIN = /^(https?:)\/\/([^\s/?#@\\]+)$/i;
const HOST = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/i;

/**
 * Name and port must be the same; without a port it is that of the scheme. A proxy may have ended
 * TLS, so https may have become http on the way to us, but never the other way round.
 */
function isOriginOf(origin: string, host: string | undefined, secure: boolean): boolean {
  const [, scheme = '', from = ''] = ORIGIN.exec(origin) ?? [];
  if (scheme === '' || !HOST.test(from) || host === undefined || !HOST.test(host)) return false;
  if (secure && scheme.toLowerCase() === 'http:') return false;
  const normal = (name: string) => {
    const address = `${scheme}//${name}`;
    return URL.canParse(address) ? new URL(address).host : null;
  };
  const page = normal(from);
  return page !== null && page === normal(host);
}
