/**
 * Relative addresses, worked out from what the browser asked for. We never know the whole address
 * (a proxy may have stripped a prefix), so we never say it.
 */

const PLAIN_SEGMENT = /^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/;

function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}

function searchOf(url: string): string {
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start).replace(/#.*$/s, '');
}

/** The original address ends in a slash, so that relative links resolve below it. */
export function endsInSlash(url: string): boolean {
  return pathOf(url).endsWith('/');
}

/**
 * `…/claude-metrics?range=1h` → `claude-metrics/?range=1h`. The answer has no scheme, no host and
 * no leading slash, whatever the request looked like.
 */
export function withSlash(url: string): string {
  const path = pathOf(url);
  const segment = path.slice(path.lastIndexOf('/') + 1);
  // "./" keeps `a:b` from being a scheme; encoding keeps `\` from being a slash.
  const safe = PLAIN_SEGMENT.test(segment) ? segment : `./${encodeUnsafe(segment)}`;
  return `${safe}/${encodeUnsafe(searchOf(url))}`;
}

/** The same address without its `token` parameter, relative to itself. */
export function withoutToken(path: string, query: URLSearchParams): string {
  const rest = new URLSearchParams(query);
  rest.delete('token');
  const search = rest.size > 0 ? `?${rest.toString()}` : '';
  const name = path.slice(path.lastIndexOf('/') + 1);
  return `./${encodeUnsafe(name)}${search}`;
}

/** Everything in front of the part below the mount: `/app/claude-metrics`; `''` if it is odd. */
export function mountOf(url: string, below: string): string {
  const path = pathOf(url);
  const mount = below !== '' && path.endsWith(below) ? path.slice(0, -below.length) : path;
  return /^\/[A-Za-z0-9._~%/-]*$/.test(mount) ? mount.replace(/\/+$/, '') : '';
}

function encodeUnsafe(part: string): string {
  return part.replace(/[^\x21-\x7e]|["<>\\^`{|}]/g, (char) => {
    const code = char.charCodeAt(0);
    return code < 0x100 ? `%${code.toString(16).toUpperCase().padStart(2, '0')}` : '%EF%BF%BD';
  });
}
