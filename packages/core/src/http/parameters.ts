import { OUTCOMES, type Outcome } from '../record.js';
import { DIMENSIONS, type Dimension } from '../snapshot.js';

/**
 * Query parameters as data: what they accept, in words, in code and as JSON schema, in one place.
 */
export interface Parameter<T = unknown> {
  readonly name: string;
  readonly description: string;
  /** Completes "must be …". */
  readonly allowed: string;
  readonly schema: Readonly<Record<string, unknown>>;
  /** `undefined` for what is not allowed. */
  parse(text: string): T | undefined;
}

/** Longest name of a model, feature or user; longer ones are never kept. */
export const MAX_NAME = 128;
const MAX_CURSOR = 256;
export const MAX_PAGE = 200;

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const ISO =
  /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+\- ]\d{2}:\d{2}))?$/;

/** ISO 8601 with a zone, a date (UTC), or epoch milliseconds; `undefined` for anything else. */
export function parseTime(text: string): number | undefined {
  // 12 to 14 digits: a time in seconds is a common mistake, and would mean January 1970.
  if (/^\d{12,14}$/.test(text)) return Number(text);
  const day = ISO.exec(text)?.[1];
  if (day === undefined) return undefined;
  const at = Date.parse(text.replace(' ', '+'));
  // Date.parse lets some impossible days roll over into the next month.
  const sameDay = new Date(Date.parse(`${day}T00:00:00Z`)).getUTCDate() === Number(day.slice(8));
  return Number.isNaN(at) || !sameDay ? undefined : at;
}

/** `15m`, `24h`, `7d` in milliseconds. */
export function parseRange(text: string): number | undefined {
  const match = /^([1-9]\d{0,4})([mhd])$/.exec(text);
  return match ? Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS] : undefined;
}

function time(name: string, description: string): Parameter<number> {
  return {
    name,
    description,
    allowed:
      'must be a time with a zone (2026-11-24T14:00:00Z), a date, or milliseconds since the epoch',
    schema: { type: 'string', examples: ['2026-11-24T14:00:00Z', '1795528800000'] },
    parse: parseTime,
  };
}

function filter(name: string, description: string): Parameter<string> {
  return {
    name,
    description,
    allowed: `must be 1 to ${MAX_NAME} characters`,
    schema: { type: 'string', minLength: 1, maxLength: MAX_NAME },
    parse: (text) => (text.length >= 1 && text.length <= MAX_NAME ? text : undefined),
  };
}

function oneOf<T extends string>(
  name: string,
  description: string,
  values: readonly T[],
): Parameter<T> {
  return {
    name,
    description,
    allowed: `must be one of ${values.join(', ')}`,
    schema: { type: 'string', enum: values },
    parse: (text) => values.find((value) => value === text),
  };
}

const range: Parameter<number> = {
  name: 'range',
  description: 'Length of the window that ends at `to`; instead of `from`. Default 24h.',
  allowed: 'must be a whole number of minutes, hours or days: 15m, 24h, 7d',
  schema: { type: 'string', pattern: '^[1-9][0-9]{0,4}[mhd]$', examples: ['15m', '24h', '7d'] },
  parse: parseRange,
};

const limit: Parameter<number> = {
  name: 'limit',
  description: 'Calls in the answer. Default 50.',
  allowed: `must be a whole number from 1 to ${MAX_PAGE}`,
  schema: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: 50 },
  parse: (text) =>
    /^[1-9]\d{0,3}$/.test(text) && Number(text) <= MAX_PAGE ? Number(text) : undefined,
};

const before: Parameter<string> = {
  name: 'before',
  description: 'The `next` of the previous page.',
  allowed: `must be the \`next\` of a previous page`,
  schema: { type: 'string', minLength: 1, maxLength: MAX_CURSOR },
  parse: (text) => (/^[\x21-\x7e]{1,256}$/.test(text) ? text : undefined),
};

export const FILTERS = {
  model: filter('model', 'Only calls of this model.'),
  feature: filter('feature', 'Only calls of this feature.'),
  user: filter('user', 'Only calls of this user.'),
} as const;

export const WINDOW = {
  from: time('from', 'Start of the window, inclusive.'),
  to: time('to', 'End of the window, exclusive. Default now.'),
  range,
} as const;

export const SNAPSHOT_PARAMETERS = {
  ...WINDOW,
  by: oneOf<Dimension>('by', 'Splits `series` by this dimension.', DIMENSIONS),
  ...FILTERS,
} as const;

export const CALLS_PARAMETERS = {
  limit,
  before,
  ...FILTERS,
  outcome: oneOf<Outcome>('outcome', 'Only calls that ended like this.', OUTCOMES),
} as const;
