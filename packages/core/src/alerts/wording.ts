import { faultText } from '../fault-text.js';
import type { Alert } from '../alert.js';

/** Figures as a line for people says them. English notation, whatever the host's locale. */
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const UNSHOWN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/** A value in its unit: `7.2 %`, `9.2 s`, `$6.20`, `3 calls`, `7 days`. */
export function inUnit(value: number, unit: Alert['unit']): string {
  switch (unit) {
    case 'ratio':
      return `${percentOf(value * 100)} %`;
    case 'ms':
      return millisecondsOf(value);
    case 'usd':
      return dollarsOf(value);
    case 'calls':
      return counted(value, 'call');
    case 'days':
      return counted(value, 'day');
    default:
      return trimmed(value.toFixed(Math.abs(value) < 10 ? 3 : 1));
  }
}

export function counted(count: number, noun: string): string {
  return `${grouped(String(count))} ${noun}${count === 1 ? '' : 's'}`;
}

/** A duration in its largest whole unit: `5 min`, `24 h`, `7 days`. */
export function spanOf(ms: number): string {
  if (ms >= 2 * DAY_MS && ms % DAY_MS === 0) return `${ms / DAY_MS} days`;
  if (ms >= HOUR_MS && ms % HOUR_MS === 0) return `${ms / HOUR_MS} h`;
  if (ms >= MINUTE_MS && ms % MINUTE_MS === 0) return `${ms / MINUTE_MS} min`;
  return `${trimmed((ms / SECOND_MS).toFixed(1))} s`;
}

/** About how long something was: `12 min`, `3 h 5 min`, `2 days 4 h`. */
export function aboutSpan(ms: number): string {
  const minutes = Math.max(Math.round(ms / MINUTE_MS), 0);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return joined(`${hours} h`, minutes % 60, 'min');
  return joined(`${Math.floor(hours / 24)} days`, hours % 24, 'h');
}

/** `2026-11-24 14:03 UTC`. */
export function minuteOf(at: number | string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return 'an unknown time';
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** One line of at most `max` characters, with nothing invisible in it. */
export function oneLine(text: string, max = 300): string {
  const line = text
    .slice(0, 4 * max)
    .replace(UNSHOWN, ' ')
    .trim();
  // A pair of surrogates that the cut has parted would be half a character.
  return line.length <= max ? line : `${line.slice(0, max - 1).replace(/\p{Cs}$/u, '')}…`;
}

/** What went wrong, in one line; whatever was thrown. */
export function reasonOf(error: unknown): string {
  return oneLine(faultText(error), 200);
}

function joined(whole: string, rest: number, unit: string): string {
  return rest === 0 ? whole : `${whole} ${rest} ${unit}`;
}

function percentOf(percent: number): string {
  const size = Math.abs(percent);
  return grouped(trimmed(percent.toFixed(size > 0 && size < 1 ? 2 : 1)));
}

function millisecondsOf(ms: number): string {
  if (ms < SECOND_MS) return `${trimmed(ms.toFixed(ms < 10 ? 1 : 0))} ms`;
  if (ms < 2 * MINUTE_MS) return `${trimmed((ms / SECOND_MS).toFixed(1))} s`;
  return `${trimmed((ms / MINUTE_MS).toFixed(1))} min`;
}

/** Cents from a dollar on; below it the first two digits that are not zero. */
function dollarsOf(usd: number): string {
  const size = Math.abs(usd);
  const sign = usd < 0 ? '-' : '';
  if (size >= 1) return `${sign}$${grouped(size.toFixed(2).replace(/\.00$/, ''))}`;
  if (size < 1e-9) return '$0';
  const digits = Math.min(9, Math.max(2, 1 - Math.floor(Math.log10(size))));
  return `${sign}$${size.toFixed(digits)}`;
}

function grouped(digits: string): string {
  const [whole = '', ...rest] = digits.split('.');
  return [whole.replace(/\B(?=(?:\d{3})+$)/g, ','), ...rest].join('.');
}

function trimmed(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}
