import { oneLine } from './wording.js';
import type { AlertGroup } from '../alert.js';
import type { MachineState } from './machine.js';
import type { Verdict } from './verdict.js';

/**
 * What an engine knows, as a text that the next one goes on from. Pure.
 *
 * - **revision**: how often the state was written, and by whom last.
 * - **version**: of the form of the text. One that is higher was written by a later release, and is
 *   not touched: what is in it would be lost.
 */
export interface AlertsState {
  readonly revision: Revision;
  /** Milliseconds since the epoch: the evaluation it comes from. */
  readonly at: number;
  readonly entries: readonly SavedEntry[];
  /** Resolved, the oldest first. */
  readonly recent: readonly SavedEntry[];
  readonly failing: readonly (readonly [rule: string, message: string])[];
  /** Names of the wishes that are in it; see wishes.ts. */
  readonly granted: readonly string[];
}

export interface Revision {
  readonly number: number;
  readonly by: string;
}

/** One (rule, group), by names: what else there is to know of a rule is in every process. */
export interface SavedEntry {
  readonly rule: string;
  readonly group: AlertGroup | null;
  readonly machine: MachineState;
  readonly last: Omit<Verdict, 'group'>;
}

const VERSION = 1;
/** What every store takes as a note. */
const MAX_BYTES = 900_000;
const MAX_LIST = 10_000;
const MAX_NAME = 4_000;
const MAX_TITLE = 300;
const LATEST = 8.64e15;
const GROUPS: ReadonlySet<unknown> = new Set(['model', 'feature', 'user', 'budget']);

/**
 * What is left out for want of room: first what is resolved, the oldest of it; then alerts, those that
 * began last.
 */
export function textOf(state: AlertsState): { readonly text: string; readonly left: number } {
  let { entries, recent } = state;
  for (;;) {
    const text = JSON.stringify({ version: VERSION, ...state, entries, recent });
    const left = state.entries.length + state.recent.length - entries.length - recent.length;
    if (Buffer.byteLength(text) <= MAX_BYTES || entries.length + recent.length === 0) {
      return { text, left };
    }
    if (recent.length > 0) recent = recent.slice(Math.ceil(recent.length / 2));
    else entries = entries.slice(0, Math.floor(entries.length / 2));
  }
}

/** `null`: the text is no state. `'newer'`: it is one of a later release. */
export function stateOf(text: string): AlertsState | 'newer' | null {
  try {
    const found = JSON.parse(text) as Loose;
    if (wholeNumber(found['version']) > VERSION) return 'newer';
    const { number, by } = found['revision'] as Loose;
    return {
      revision: { number: wholeNumber(number), by: name(by) },
      at: time(found['at']),
      entries: list(found['entries']).map(entryOf),
      recent: list(found['recent']).map(entryOf),
      failing: list(found['failing']).map((each) => {
        const [rule, message] = list(each);
        return [name(rule), oneLine(name(message), MAX_TITLE)] as const;
      }),
      granted: list(found['granted']).map(name),
    };
  } catch {
    return null;
  }
}

type Loose = Readonly<Record<string, unknown>>;

function entryOf(value: unknown): SavedEntry {
  const { rule, group, machine, last } = value as Loose;
  return {
    rule: name(rule),
    group: group === null ? null : groupOf(group as Loose),
    machine: machineOf(machine as Loose),
    last: verdictOf(last as Loose),
  };
}

function groupOf({ by, key }: Loose): AlertGroup {
  return GROUPS.has(by) ? { by: by as AlertGroup['by'], key: name(key) } : wrong('a group');
}

function machineOf(of: Loose): MachineState {
  const phase = of['phase'];
  const silence = of['silence'] as Loose | null;
  if (phase !== 'ok' && phase !== 'pending' && phase !== 'firing') return wrong('a phase');
  return {
    phase,
    at: time(of['at']),
    heldMs: orNull(duration, of['heldMs']),
    told: flag(of['told']),
    // JSON has no Infinity.
    sinceToldMs: orNull(duration, of['sinceToldMs']) ?? Infinity,
    silence: silence && { until: time(silence['until']), leftMs: duration(silence['leftMs']) },
    since: time(of['since']),
    firedAt: orNull(time, of['firedAt']),
    resolvedAt: orNull(time, of['resolvedAt']),
  };
}

function verdictOf(of: Loose): SavedEntry['last'] {
  return {
    breached: flag(of['breached']),
    cleared: flag(of['cleared']),
    value: orNull(finite, of['value']),
    limit: orNull(finite, of['limit']),
    title: oneLine(name(of['title']), MAX_TITLE),
  };
}

function orNull<T>(read: (value: unknown) => T, value: unknown): T | null {
  return value === null ? null : read(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) && value.length <= MAX_LIST ? value : wrong('a list');
}

function name(value: unknown): string {
  return typeof value === 'string' && value.length <= MAX_NAME ? value : wrong('a name');
}

function flag(value: unknown): boolean {
  return typeof value === 'boolean' ? value : wrong('true or false');
}

function finite(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : wrong('a number');
}

function wholeNumber(value: unknown): number {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : wrong('a count');
}

function duration(value: unknown): number {
  return finite(value) >= 0 ? Number(value) : wrong('a duration');
}

function time(value: unknown): number {
  return Math.abs(finite(value)) <= LATEST ? Number(value) : wrong('a time');
}

function wrong(what: string): never {
  throw new TypeError(`this is not ${what}`);
}
