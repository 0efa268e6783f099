/**
 * Bad options are told at start-up, in full: which one, what it was, what is allowed.
 *
 * - **rule**: what one option accepts, as a test and in words.
 */
export interface OptionRule {
  /** Completes "must be …". */
  readonly allowed: string;
  ok(value: unknown): boolean;
}

export type OptionRules = Readonly<Record<string, OptionRule>>;

/**
 * Checks an options object against its rules. `undefined` always passes: it means "the default".
 *
 * @throws TypeError naming the option's path, its value and what is allowed; also for names that
 * do not exist, so that a typing error does not silently switch a safety off.
 *
 * @example
 * checkOptions('createMonitor', { log: false }, { log: rule.boolean });
 */
export function checkOptions(where: string, options: unknown, rules: OptionRules): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(
      `[claude-metrics] ${where}: options must be an object, got ${show(options)}.`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule) {
      throw new TypeError(
        `[claude-metrics] ${where}: there is no option "${name.slice(0, 64)}". ` +
          `Options are: ${Object.keys(rules).join(', ')}.`,
      );
    }
    if (value !== undefined && !rule.ok(value)) {
      throw new TypeError(
        `[claude-metrics] ${where}: options.${name} must be ${rule.allowed}, got ${show(value)}.`,
      );
    }
  }
}

/** The rules that most options need. */
export const rule = {
  boolean: { allowed: 'true or false', ok: (value) => typeof value === 'boolean' },
  function: { allowed: 'a function', ok: (value) => typeof value === 'function' },
  text: {
    allowed: 'a string that is not empty',
    ok: (value) => typeof value === 'string' && value.length > 0,
  },
  object: {
    allowed: 'an object',
    ok: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  },
  /** An integer within bounds, both inclusive. */
  integer: (min: number, max: number): OptionRule => ({
    allowed: `an integer from ${min} to ${max}`,
    ok: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  }),
  listOf: (item: OptionRule): OptionRule => ({
    allowed: `an array, each item ${item.allowed}`,
    ok: (value) => Array.isArray(value) && value.every((each) => item.ok(each)),
  }),
  /** An object that has these methods. */
  methods: (...names: string[]): OptionRule => ({
    allowed: `an object with ${names.map((name) => `${name}()`).join(' and ')}`,
    ok: (value) =>
      typeof value === 'object' &&
      value !== null &&
      names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function'),
  }),
  either: (...rules: OptionRule[]): OptionRule => ({
    allowed: rules.map((each) => each.allowed).join(', or '),
    ok: (value) => rules.some((each) => each.ok(value)),
  }),
  exactly: (literal: string | boolean): OptionRule => ({
    allowed: JSON.stringify(literal),
    ok: (value) => value === literal,
  }),
} as const satisfies Record<string, OptionRule | ((...args: never[]) => OptionRule)>;

/** A value as it can be shown in a message: typed, short, on one line. */
export function show(value: unknown): string {
  try {
    if (typeof value === 'string') return JSON.stringify(value.slice(0, 64));
    if (typeof value === 'function') return 'a function';
    if (Array.isArray(value)) return `an array of ${value.length}`;
    if (typeof value === 'object' && value !== null) return 'an object';
    return String(value);
  } catch {
    return 'a value that cannot be shown';
  }
}
