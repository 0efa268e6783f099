/** Numbers and times as people read them. English notation and UTC, whatever the host's locale. */

// Made when a page is: loading the locale's data takes longer than loading half of this package.
let integer: Intl.NumberFormat | undefined;
let cents: Intl.NumberFormat | undefined;
const integers = () => (integer ??= new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 }));
const dollars = () =>
  (cents ??= new Intl.NumberFormat('en-US', {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  }));
const NANO = 1e9;

export function formatCount(count: number): string {
  return integers().format(count);
}

/** Cents from a dollar on; below it four digits, or the first two that are not zero. */
export function formatUsd(nanoUsd: number): string {
  const usd = nanoUsd / NANO;
  const size = Math.abs(usd);
  if (size === 0 || size >= 1) return `$${dollars().format(usd)}`;
  if (size >= 0.01) return `$${usd.toFixed(4)}`;
  const digits = Math.min(9, 1 - Math.floor(Math.log10(size)));
  return `$${usd.toFixed(Math.max(4, digits))}`;
}

/** Every digit there is. */
export function formatExactUsd(nanoUsd: number): string {
  const sign = nanoUsd < 0 ? '-' : '';
  const [whole, rest] = [Math.floor(Math.abs(nanoUsd) / NANO), Math.abs(nanoUsd) % NANO];
  return `${sign}$${whole}.${String(rest).padStart(9, '0')}`;
}

export function formatMs(ms: number): string {
  if (ms < 1000) return `${formatCount(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${(ms / 60_000).toFixed(1)} min`;
}

export function formatPercent(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (part / whole) * 100;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  return `${percent.toFixed(percent > 0 && percent < 10 ? 1 : 0)} %`;
}

/** `2026-11-24 14:03:07`; UTC is said once, by the page. */
export function formatTime(at: number | string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? '–' : date.toISOString().slice(0, 19).replace('T', ' ');
}

/** `2026-11-24 14:03` of an ISO time. */
export function formatMinute(iso: string): string {
  return formatTime(iso).slice(0, 16);
}
