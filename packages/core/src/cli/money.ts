/**
 * Money as whole nano-dollars of any size, and as text. No sum here passes through a floating-point
 * number.
 */
const NANO = 1_000_000_000n;
/** One cent. */
const CENT_DIGITS = 7;
const CARRY = 1_000_000_000_000_000n;
/** Below half of the last digit that tables show, all digits are shown. */
const SMALL = 50_000n;

/** An amount of a cell: nano-dollars, and their carry in the slot after. */
export function nanoAt(numbers: readonly number[], slot: number): bigint {
  return BigInt(numbers[slot] ?? 0) + CARRY * BigInt(numbers[slot + 1] ?? 0);
}

/** Exact decimal of USD, without zeros that say nothing: `1.5`, `0`, `-0.000000001`. */
export function decimalUsd(nano: bigint): string {
  const size = absolute(nano);
  const rest = (size % NANO).toString().padStart(9, '0').replace(/0+$/, '');
  return `${nano < 0n ? '-' : ''}${size / NANO}${rest === '' ? '' : `.${rest}`}`;
}

/** For people: `$1,234.5678`; tiny amounts in full. */
export function shownUsd(nano: bigint): string {
  const size = absolute(nano);
  const sign = nano < 0n ? '-' : '';
  if (size > 0n && size < SMALL) return `${sign}$${decimalUsd(size)}`;
  const rounded = (size + 50_000n) / 100_000n;
  const whole = (rounded / 10_000n).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  return `${sign}$${whole}.${(rounded % 10_000n).toString().padStart(4, '0')}`;
}

/** An amount of the bill, and half of its last digit: what it may have been rounded by. */
export interface Billed {
  readonly nanoUsd: bigint;
  readonly roundedBy: bigint;
}

/** Cents as a decimal string (`123.45` is $1.2345); `null` for anything else. */
export function centsToNano(text: unknown): Billed | null {
  if (typeof text !== 'string') return null;
  const [, sign = '', whole = '', digits = ''] =
    /^(-?)(\d{1,18})(?:\.(\d{1,30}))?$/.exec(text) ?? [];
  if (whole === '') return null;
  const kept = digits.slice(0, CENT_DIGITS).padEnd(CENT_DIGITS, '0');
  const up = Number(digits[CENT_DIGITS] ?? '0') >= 5 ? 1n : 0n;
  const size = BigInt(whole + kept) + up;
  const step = 10n ** BigInt(Math.max(0, CENT_DIGITS - digits.length));
  return { nanoUsd: sign === '-' ? -size : size, roundedBy: step / 2n };
}

/** `part / whole` of an amount, rounded half away from zero. */
export function share(amount: bigint, part: bigint, whole: bigint): bigint {
  if (whole === 0n) return 0n;
  const product = amount * part;
  const size = absolute(product);
  const rounded = (2n * size + whole) / (2n * whole);
  return product < 0n ? -rounded : rounded;
}

/** For sorting, the largest first. */
export function descending(a: bigint, b: bigint): number {
  return a === b ? 0 : a > b ? -1 : 1;
}

export function absolute(nano: bigint): bigint {
  return nano < 0n ? -nano : nano;
}
