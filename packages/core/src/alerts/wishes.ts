import { randomUUID } from 'node:crypto';

/**
 * What processes want of the one that leads. Pure, but for the names of wishes.
 *
 * - **wish**: the silence of an alert until a time, or its end; or that it is forgotten. It stands in a note that every process
 *   adds to, and is granted when the state of the leader says so. Two that write at once lose one of
 *   their wishes: so each brings its own again until it is granted.
 */
export interface Wish {
  readonly name: string;
  /** Id of the alert. */
  readonly alert: string;
  readonly until: Until;
}

/** Milliseconds since the epoch; `null` ends the silence. `forget`: there never was such an alert. */
export type Until = number | null | 'forget';

export const MAX_WISHES = 100;
const MAX_CHARS = 64;
const LATEST = 8.64e15;

export function wishOf(alert: string, until: Until): Wish {
  return { name: randomUUID(), alert, until };
}

/** A text that is none has no wishes in it. */
export function wishesIn(text: string | null): readonly Wish[] {
  try {
    const found: unknown = JSON.parse(text ?? '[]');
    if (!Array.isArray(found)) return [];
    const wishes = found.filter(isWish).slice(-MAX_WISHES);
    return wishes.map(({ name, alert, until }) => ({ name, alert, until }));
  } catch {
    return [];
  }
}

/** `wishes` with those of `own` that are not among them; without those that are granted. */
export function wishesWith(
  wishes: readonly Wish[],
  own: readonly Wish[],
  granted: ReadonlySet<string>,
): readonly Wish[] {
  const known = new Set(wishes.map(({ name }) => name));
  const all = [...wishes, ...own.filter(({ name }) => !known.has(name))];
  return all.filter(({ name }) => !granted.has(name)).slice(-MAX_WISHES);
}

function isWish(value: unknown): value is Wish {
  const { name, alert, until } = (value ?? {}) as Partial<Record<keyof Wish, unknown>>;
  const text = (each: unknown) => typeof each === 'string' && each.length <= MAX_CHARS;
  const time =
    until === null ||
    until === 'forget' ||
    (typeof until === 'number' && Math.abs(until) <= LATEST);
  return text(name) && text(alert) && time;
}
