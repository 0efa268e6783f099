import { isIP } from 'node:net';

/**
 * Against DNS rebinding: a page on `evil.example` that makes its name point at 127.0.0.1 sends that
 * name as `Host`. Names that always mean this machine, and addresses, cannot be rebound.
 */
export function isKnownHost(header: string | undefined, allowed: readonly string[]): boolean {
  const name = nameOf(header);
  if (name === null) return false;
  if (name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0) return true;
  return allowed.some((host) => nameOf(host) === name);
}

/** A host name in lower case, without port, brackets and final dot; `null` for anything else. */
function nameOf(host: string | undefined): string | null {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253}))(?::\d{1,5})?$/i.exec(host ?? '');
  const name = (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '');
  return name === undefined || name === '' ? null : name;
}
