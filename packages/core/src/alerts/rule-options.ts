import { SEVERITIES, type Severity } from '../alert.js';
import { checkOptions, rule, show, type OptionRule, type OptionRules } from '../options.js';
import { DIMENSIONS, familyFor, type Dimension } from '../window.js';
import { FAMILIES } from '../cell.js';
import { oneLine } from './wording.js';
import type { Duration, FigureOptions, RuleBasis } from './rule.js';

/** What the builders of rules accept, and the part of a rule that all of them have. */
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const UNITS: Readonly<Record<string, number>> = { m: MINUTE_MS, h: 60 * MINUTE_MS, d: DAY_MS };
const MAX_NAME = 80;
const MAX_LABEL = 128;

/** Everything a builder may be given; each allows a part of it. */
export type AnyOptions = FigureOptions;

/** What a kind of rule brings, and what stands where an option is left out. */
export interface Defaults {
  /** Without the group: "error rate above 5 % over 5 min". */
  readonly name: (windowMs: number) => string;
  readonly severity: Severity;
  readonly window?: Duration;
  readonly minCalls?: number;
  readonly cooldown?: Duration;
  readonly limit: number;
  readonly clear: number;
}

export const percentage = number('a number from 0 and below 1 (0.05 is 5 %)', (n) => n < 1);
export const share = number('a number above 0 and up to 1 (0.05 is 5 %)', (n) => n > 0 && n <= 1);
export const positive = number('a number above 0', (n) => n > 0);

/** Clear at 90 % of an upper limit. */
export const upper = (limit: number) => ({ limit, clear: rounded(0.9 * limit) });
/** Clear at 110 % of a lower limit, or where a share cannot come that far, half of the way to all. */
export const lower = (limit: number) => ({
  limit,
  clear: rounded(Math.min(1.1 * limit, (1 + limit) / 2)),
});

/** 1.1 × 0.1 is not quite 0.11. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}

/** A finite number from 0 that passes `ok`. */
export function number(allowed: string, ok: (value: number) => boolean): OptionRule {
  return {
    allowed,
    ok: (value) => Number.isFinite(value) && (value as number) >= 0 && ok(value as number),
  };
}

export function oneOf(...values: readonly string[]): OptionRule {
  return {
    allowed: values.map((each) => JSON.stringify(each)).join(', '),
    ok: (value) => values.includes(value as string),
  };
}

/** A duration within bounds, in milliseconds or as text. */
export function durationFrom(min: Duration, max: Duration): OptionRule {
  return {
    allowed: `a duration from ${min} to ${max}: milliseconds, or text such as "5m", "1h" or "7d"`,
    ok(value) {
      const ms = millisecondsIn(value);
      return ms >= millisecondsIn(min) && ms <= millisecondsIn(max);
    },
  };
}

/** `NaN` for what is no duration. */
export function millisecondsIn(value: unknown): number {
  if (typeof value === 'number') return Number.isInteger(value) ? value : NaN;
  const [, digits, unit] = /^(\d{1,6})([mhd])$/.exec(String(value)) ?? [];
  return Number(digits) * (UNITS[unit ?? ''] ?? NaN);
}

const label: OptionRule = {
  allowed: `text of 1 to ${MAX_LABEL} characters`,
  ok: (value) => typeof value === 'string' && value !== '' && value.length <= MAX_LABEL,
};

export const ruleOptions: OptionRules = {
  name: {
    allowed: `one line of 1 to ${MAX_NAME} characters`,
    ok: (value) => typeof value === 'string' && value !== '' && oneLine(value, MAX_NAME) === value,
  },
  severity: oneOf(...SEVERITIES),
  for: durationFrom(0, '7d'),
  cooldown: durationFrom('1m', '30d'),
  clearFor: durationFrom(0, '7d'),
};
export const windowOptions: OptionRules = {
  ...ruleOptions,
  window: durationFrom('1m', '30d'),
  minCalls: rule.integer(1, 1_000_000_000),
  filter: {
    allowed: `an object with model, feature, or both; each ${label.allowed}`,
    ok: (value) =>
      rule.object.ok(value) &&
      Object.entries(value as object).every(
        ([name, each]) =>
          ['model', 'feature'].includes(name) && (each === undefined || label.ok(each)),
      ),
  },
};
export const figureOptions: OptionRules = {
  ...windowOptions,
  clear: number('a number from 0', () => true),
  by: oneOf(...DIMENSIONS),
};
/** The name of one budget. */
export const budgetName = label;

/** @throws TypeError for a value that is not what `allowed` says. */
export function check(where: string, name: string, value: unknown, wanted: OptionRule): void {
  if (wanted.ok(value)) return;
  throw new TypeError(
    `[claude-metrics] ${where}: ${name} must be ${wanted.allowed}, got ${show(value)}.`,
  );
}

/** Checks the options, and makes of them what every rule has. */
export function basisOf(
  where: string,
  options: AnyOptions,
  allowed: OptionRules,
  defaults: Defaults,
): RuleBasis {
  checkOptions(where, options, allowed);
  const { limit, severity, window = 0, cooldown = '1h', minCalls = 1 } = defaults;
  const windowMs = millisecondsIn(options.window ?? window);
  const by = options.by ?? null;
  const clear = options.clear ?? defaults.clear;
  const { model, feature } = options.filter ?? {};
  if (defaults.clear <= limit ? clear > limit : clear < limit) {
    const side = defaults.clear <= limit ? 'at most' : 'at least';
    check(
      where,
      'options.clear',
      clear,
      number(`${side} the limit, ${limit}`, () => false),
    );
  }
  return {
    name: options.name ?? oneLine(defaults.name(windowMs) + (by ? ` by ${by}` : ''), MAX_NAME),
    severity: options.severity ?? severity,
    forMs: millisecondsIn(options.for ?? 0),
    cooldownMs: millisecondsIn(options.cooldown ?? cooldown),
    clearForMs: millisecondsIn(options.clearFor ?? 0),
    windowMs,
    minCalls: options.minCalls ?? minCalls,
    by,
    filter: Object.freeze({
      ...(model !== undefined && { model }),
      ...(feature !== undefined && { feature }),
    }),
    limit,
    clear,
  };
}

/**
 * @throws TypeError for calls that no family of cells can tell apart: by user under a filter of model
 * and feature, and distributions by user.
 */
export function checkKept(
  where: string,
  { by, filter }: Pick<RuleBasis, 'by' | 'filter'>,
  needs: 'sums' | 'sketches',
): void {
  const family = familyFor(filter, by ?? undefined);
  if (family !== null && (needs === 'sums' || FAMILIES[family].sketches)) return;
  const names: readonly Dimension[] = DIMENSIONS.filter((name) => name !== 'user');
  const reason =
    family === null
      ? 'users are not kept by model and feature together. Leave out by or one of the filters'
      : `latency is not kept by user. Use by: ${names.map((name) => `"${name}"`).join(' or ')}`;
  throw new TypeError(
    `[claude-metrics] ${where}: options.by cannot be "user" here, because ${reason}.`,
  );
}
