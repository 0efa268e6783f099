import assert from 'node:assert/strict';

/** What is said when a store gives something else than it should: both, in a few words. */

/** Longer values are cut: a message is to be read. */
const MAX_SHOWN = 400;

/**
 * Compares data as JSON knows it, and `NaN` and infinities. Prototypes do not count: a store may have
 * its objects from a driver, or from another realm.
 *
 * @throws AssertionError that says what was looked at, what was expected and what the store gave.
 */
export function expectGiven(given: unknown, expected: unknown, what: string): void {
  const found = differenceOf(given, expected, '');
  if (found === null) return;
  const where = found.place === '' ? '' : ` at ${found.place}`;
  const [wanted, got] = [show(found.expected), show(found.given)];
  assert.fail(`${what}${where}: expected ${wanted}, the store gave ${got}`);
}

export function expectThat(right: boolean, problem: string): asserts right {
  if (!right) assert.fail(problem);
}

/** What a rejection or a throw was; `null` for none. */
export async function failureOf(act: () => unknown): Promise<unknown> {
  try {
    await act();
    return null;
  } catch (error) {
    return error ?? new Error('nothing, but thrown');
  }
}

/** That something works, where it is the working that is looked at. */
export async function expectWorks(act: () => unknown, what: string): Promise<void> {
  const failure = await failureOf(act);
  if (failure === null) return;
  assert.fail(`${what}: expected that it works, but it failed with ${show(failure)}`);
}

export function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${cut(value.message)}`;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return cut(JSON.stringify(value, replaced) ?? String(value));
}

interface Difference {
  /** `.cost.lines[0]`; empty for the whole. */
  readonly place: string;
  readonly given: unknown;
  readonly expected: unknown;
}

/** The first place where they differ. */
function differenceOf(given: unknown, expected: unknown, place: string): Difference | null {
  if (Object.is(given, expected)) return null;
  const here = { place, given, expected };
  if (!isObject(given) || !isObject(expected)) return here;
  if (Array.isArray(given) !== Array.isArray(expected)) return here;
  const keys = Object.keys(expected);
  if (Object.keys(given).length !== keys.length) return here;
  for (const key of keys) {
    if (!Object.hasOwn(given, key)) return here;
    const inside = Array.isArray(expected) ? `${place}[${key}]` : `${place}.${key}`;
    const found = differenceOf(given[key], expected[key], inside);
    if (found) return found;
  }
  return null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function replaced(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

function cut(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
