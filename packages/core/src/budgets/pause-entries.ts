import { label } from '../context.js';

/** What is known of a feature that was paused, as processes tell each other in a note. */
export interface PauseEntry {
  readonly feature: string;
  readonly reason: string | null;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** When it was resumed; `null` while it is paused. */
  readonly until: number | null;
}

const VERSION = 1;
const MAX_ENTRIES = 2_000;
const MAX_REASON = 500;
const LATEST = 8.64e15;

export function textOf(entries: readonly PauseEntry[]): string {
  return JSON.stringify({ version: VERSION, entries });
}

/**
 * @throws Error for a note of another version, or one that is none of ours; it has to be left as it is.
 */
export function entriesIn(text: string | null): readonly PauseEntry[] {
  if (text === null) return [];
  const { version, entries } = (parsed(text) ?? {}) as { version?: unknown; entries?: unknown };
  if (version !== VERSION || !Array.isArray(entries)) {
    throw new Error(
      '[claude-metrics] the note of paused features is none that this version can read: features are ' +
        'paused and resumed in this process alone. Give all processes one version of the package.',
    );
  }
  return entries.slice(0, MAX_ENTRIES).flatMap(entryOf);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Others wrote it: what makes no sense is left out. */
function entryOf(value: unknown): PauseEntry[] {
  const given = (value ?? {}) as Partial<Record<keyof PauseEntry, unknown>>;
  const feature = label(given.feature);
  const { since, until } = given;
  if (feature === null || !isTime(since) || !(until === null || isTime(until))) return [];
  return [{ feature, reason: reasonOf(given.reason), since, until }];
}

export function reasonOf(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, MAX_REASON) : null;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LATEST;
}
