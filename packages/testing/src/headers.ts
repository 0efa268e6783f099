/** The headers of an answer, as the API sends them. */
const ORGANIZATION = '6f2c7a1e-5a0b-4c1d-9e5f-0d9b1c2a3e4f';
const LIMITS = {
  requests: 4_000,
  tokens: 480_000,
  'input-tokens': 400_000,
  'output-tokens': 80_000,
} as const;
const MINUTE_MS = 60_000;

/** @param used How much of each limit the current minute has used. */
export function headersOf(
  requestId: string,
  used: Readonly<Partial<Record<keyof typeof LIMITS, number>>>,
  now: number,
): Record<string, string> {
  const headers: Record<string, string> = {
    'request-id': requestId,
    'anthropic-organization-id': ORGANIZATION,
  };
  const reset = new Date((Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS).toISOString();
  for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const left = Math.max(0, LIMITS[name] - (used[name] ?? 0));
    const rounded = name === 'requests' ? left : Math.floor(left / 1_000) * 1_000;
    headers[`anthropic-ratelimit-${name}-limit`] = String(LIMITS[name]);
    headers[`anthropic-ratelimit-${name}-remaining`] = String(rounded);
    headers[`anthropic-ratelimit-${name}-reset`] = reset.replace(/\.\d+Z$/, 'Z');
  }
  return headers;
}
