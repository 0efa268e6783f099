import { show } from './options.js';
import type { FastPrice, ModelPrice, PricePeriod, PromptTier, Rates } from './prices.js';

/** USD per 1,000,000 tokens. */
export interface RatesInput {
  readonly input: number;
  readonly output: number;
  /** Default 0.1 × `input`. Several models differ: check yours. */
  readonly cacheRead?: number | undefined;
  /** Default 1.25 × `input`. */
  readonly cacheWrite5m?: number | undefined;
  /** Default 2 × `input`. */
  readonly cacheWrite1h?: number | undefined;
}

export interface TierInput extends RatesInput {
  readonly overPromptTokens: number;
}

export interface PeriodInput extends RatesInput {
  /** `YYYY-MM-DD`, UTC, inclusive; default: since ever. */
  readonly from?: string | null | undefined;
  /** Exclusive; default: until further notice. */
  readonly to?: string | null | undefined;
  readonly tiers?: readonly TierInput[] | undefined;
  readonly sources?: readonly string[] | undefined;
  readonly confidence?: string | undefined;
}

export interface FastInput {
  readonly multiplier: number;
  readonly from?: string | null | undefined;
  readonly until?: string | null | undefined;
  readonly sources?: readonly string[] | undefined;
  readonly confidence?: string | undefined;
}

/** What holds for a model at any time. Left out, a known model keeps its own, a new one has none. */
export interface ModelInput {
  readonly aliases?: readonly string[] | undefined;
  readonly usMultiplier?: number | null | undefined;
  readonly fast?: FastInput | null | undefined;
}

/** One price, or prices by period. An entry of `prices.models` is one, too. */
export type ModelPriceInput =
  (ModelInput & PeriodInput) | (ModelInput & { readonly periods: readonly PeriodInput[] });

/** At most nine decimals and these sizes, so that fractions of them stay exact. */
const MAX_PRICE = 100_000;
const PRICE_SCALE = 1e9;
const MAX_MULTIPLIER = 100;
const MULTIPLIER_SCALE = 1e3;
const MAX_NAME = 256;

/**
 * The whole price of a model from what was said about it.
 *
 * @param where Named in errors, with `path`: what was called, and with what.
 * @throws TypeError with the path, the value and what is allowed.
 */
export function modelPriceOf(
  where: string,
  path: string,
  input: unknown,
  known: ModelPrice | undefined,
): ModelPrice {
  const check = checks(where);
  const price = check.object(path, input);
  const aliases = price['aliases'] ?? known?.aliases ?? [];
  const us = price['usMultiplier'] === undefined ? known?.usMultiplier : price['usMultiplier'];
  const fast = price['fast'] === undefined ? known?.fast : price['fast'];
  const list = price['periods'];
  check.fields(path, price, list === undefined ? [...MODEL, ...PERIOD] : [...MODEL, 'periods']);
  const periods =
    list === undefined
      ? [period(path, price)]
      : check.list(`${path}.periods`, list).map((each, i) => {
          check.fields(`${path}.periods[${i}]`, each, PERIOD);
          return period(`${path}.periods[${i}]`, each);
        });
  if (periods.length === 0) check.fail(`${path}.periods`, 'an array that is not empty', list);
  return {
    aliases: check.names(`${path}.aliases`, aliases),
    usMultiplier: us == null ? null : check.multiplier(`${path}.usMultiplier`, us),
    fast: fast == null ? null : fastPrice(`${path}.fast`, fast),
    periods: disjoint(path, periods),
  };

  function period(at: string, value: unknown): PricePeriod {
    const { from, to, tiers, sources, confidence } = check.object(at, value);
    return {
      ...rates(at, value),
      from: check.day(`${at}.from`, from),
      to: check.day(`${at}.to`, to),
      tiers: check
        .list(`${at}.tiers`, tiers ?? [])
        .map((each, i) => tier(`${at}.tiers[${i}]`, each)),
      sources: check.names(`${at}.sources`, sources ?? []),
      confidence: typeof confidence === 'string' ? confidence : 'registered',
    };
  }

  function tier(at: string, value: unknown): PromptTier {
    const { overPromptTokens: limit } = check.fields(at, value, ['overPromptTokens', ...RATES]);
    if (!Number.isSafeInteger(limit) || (limit as number) < 0) {
      check.fail(`${at}.overPromptTokens`, 'a whole number of tokens', limit);
    }
    return { overPromptTokens: limit as number, ...rates(at, value) };
  }

  function rates(at: string, value: unknown): Rates {
    const { input, output, cacheRead, cacheWrite5m, cacheWrite1h } = check.object(at, value);
    const base = check.price(`${at}.input`, input);
    const derived = (name: string, own: unknown, ratio: number) =>
      check.price(
        `${at}.${name}`,
        own === undefined ? Math.round(base * ratio * PRICE_SCALE) / PRICE_SCALE : own,
      );
    return {
      input: base,
      output: check.price(`${at}.output`, output),
      cacheRead: derived('cacheRead', cacheRead, 0.1),
      cacheWrite5m: derived('cacheWrite5m', cacheWrite5m, 1.25),
      cacheWrite1h: derived('cacheWrite1h', cacheWrite1h, 2),
    };
  }

  function fastPrice(at: string, value: unknown): FastPrice {
    const { multiplier, from, until, sources, confidence } = check.fields(at, value, FAST);
    return {
      multiplier: check.multiplier(`${at}.multiplier`, multiplier),
      from: check.day(`${at}.from`, from),
      until: check.day(`${at}.until`, until),
      sources: check.names(`${at}.sources`, sources ?? []),
      confidence: typeof confidence === 'string' ? confidence : 'registered',
    };
  }

  function disjoint(at: string, all: readonly PricePeriod[]): readonly PricePeriod[] {
    const sorted = [...all].sort((a, b) => (a.from ?? '').localeCompare(b.from ?? ''));
    sorted.forEach(({ from, to }, i) => {
      const next = sorted[i + 1];
      if (to !== null && from !== null && to <= from) check.fail(`${at}.periods`, ORDER, `${to}`);
      if (next && (to === null || next.from === null || next.from < to)) {
        check.fail(`${at}.periods`, ORDER, `${next.from} inside ${from}..${to}`);
      }
    });
    return sorted;
  }
}

const RATES = ['input', 'output', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h'];
const PERIOD = [...RATES, 'from', 'to', 'tiers', 'sources', 'confidence'];
const FAST = ['multiplier', 'from', 'until', 'sources', 'confidence'];
const MODEL = ['aliases', 'usMultiplier', 'fast'];
const ORDER = 'periods that end after they begin and do not overlap';
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Checks of the values in a price table, which throw in words. */
export function checks(where: string) {
  function fail(path: string, allowed: string, value: unknown): never {
    throw new TypeError(
      `[claude-metrics] ${where}: ${path} must be ${allowed}, got ${show(value)}.`,
    );
  }
  function decimal(path: string, value: unknown, max: number, scale: number, what: string): number {
    const ok = typeof value === 'number' && value >= 0 && value <= max;
    if (!ok || Math.round(value * scale) / scale !== value) {
      fail(path, `${what} from 0 to ${max} with at most ${Math.log10(scale)} decimals`, value);
    }
    return value;
  }
  function object(path: string, value: unknown): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      fail(path, 'an object', value);
    }
    return value as Record<string, unknown>;
  }
  function name(path: string, value: unknown): string {
    const ok = typeof value === 'string' && value !== '' && value.length <= MAX_NAME;
    if (!ok) fail(path, `a string of 1 to ${MAX_NAME} characters`, value);
    return value;
  }
  return {
    fail,
    price: (path: string, value: unknown) =>
      decimal(path, value, MAX_PRICE, PRICE_SCALE, 'a number of USD'),
    multiplier: (path: string, value: unknown) =>
      decimal(path, value, MAX_MULTIPLIER, MULTIPLIER_SCALE, 'a number'),
    object,
    /** A misspelt price must not silently become the default. */
    fields(path: string, value: unknown, allowed: readonly string[]): Record<string, unknown> {
      const fields = object(path, value);
      for (const each of Object.keys(fields)) {
        if (!allowed.includes(each)) fail(`a field of ${path}`, allowed.join(', '), each);
      }
      return fields;
    },
    list(path: string, value: unknown): readonly unknown[] {
      if (!Array.isArray(value)) fail(path, 'an array', value);
      return value;
    },
    name,
    names(path: string, value: unknown): readonly string[] {
      if (!Array.isArray(value)) fail(path, 'an array of strings', value);
      return Array.from(value, (each, i) => name(`${path}[${i}]`, each));
    },
    day(path: string, value: unknown): string | null {
      if (value === undefined || value === null) return null;
      const time = typeof value === 'string' && DAY.test(value) ? Date.parse(value) : NaN;
      // `2026-02-30` parses, but as another day.
      if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== value) {
        fail(path, 'a day as "YYYY-MM-DD", or null', value);
      }
      return value as string;
    },
  };
}
