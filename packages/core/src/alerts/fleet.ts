import { createHash } from 'node:crypto';
import { inTime } from '../deadline.js';
import { ownWords } from '../fault-text.js';
import { createLead, type Part } from './lead.js';
import { stateOf, textOf, type AlertsState, type Revision } from './state.js';
import { MAX_WISHES, wishesIn, wishesWith, wishOf, type Until, type Wish } from './wishes.js';
import type { Health } from '../health.js';
import type { SharedNotes } from '../stores/budget-store.js';
import type { Roster } from './roster.js';
import type { Rule } from './rule.js';

/**
 * Processes with the same rules, of which one looks at them: what they tell each other, in notes.
 *
 * - **fleet**: those whose rules say the same. Others, with the same store, have another name.
 * - **changed**: this process has looked at rules since it read or wrote the state, so that what it
 *   knows itself is newer than what stands there, unless somebody else has written since.
 */
export interface Fleet {
  readonly part: Part;
  /** Before an evaluation. Never fails. */
  ask(): Promise<Part>;
  /** The claim has not run out meanwhile. */
  mayTell(): boolean;
  /** After an evaluation. Never fails. */
  save(at: number, failing: AlertsState['failing']): Promise<void>;
  /** Hears how the leader's alerts are. Never fails. */
  refresh(): Promise<void>;
  /** Tells the leader. */
  wish(alert: string, until: Until): void;
  /** The evaluation that was heard of last; `null` before the first. */
  heard(): Pick<AlertsState, 'at' | 'failing'> | null;
  close(): Promise<void>;
}

export interface FleetOptions {
  readonly notes: SharedNotes;
  readonly member: string;
  readonly rules: readonly Rule[];
  readonly roster: Roster;
  readonly everyMs: number;
  readonly claimMs: number;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly health: Pick<Health, 'fault' | 'drop' | 'notice'>;
  /** Somebody was forgotten: what was read before is out of date. */
  readonly readAnew?: (() => void) | undefined;
}

const LONGEST_MS = 5_000;
/** A state of a later release that nobody has written for so many claims is not looked after any more. */
const PATIENCE = 3;

export function createFleet(options: FleetOptions): Fleet {
  const { notes, member, rules, roster, everyMs, claimMs, now, monotonic, health } = options;
  const name = `alerts/${nameOf(rules)}`;
  const limitMs = Math.min(everyMs, LONGEST_MS);
  const lead = createLead({ ...options, name, limitMs });
  let revision: Revision = { number: 0, by: '' };
  let changed = false;
  let heard: Pick<AlertsState, 'at' | 'failing'> | null = null;
  let granted: ReadonlySet<string> = new Set();
  let own: readonly Wish[] = [];
  let writing: Promise<void> | null = null;
  let refreshing: Promise<void> | null = null;
  let later: { readonly text: string; readonly since: number } | null = null;

  async function read(what: 'state' | 'silences'): Promise<string | null> {
    return inTime(notes.note(`${name}/${what}`), limitMs);
  }

  function grant(wishes: readonly Wish[]): void {
    for (const { alert, until } of wishes) {
      if (until !== 'forget') {
        roster.silence(alert, until, now());
        continue;
      }
      roster.forget([alert]);
      options.readAnew?.();
    }
  }

  /** `false`: it is left alone, for a later release looks after it. */
  function take(text: string | null): boolean {
    const state = text === null ? null : stateOf(text);
    if (text !== null && state === 'newer') return !isKept(text);
    later = null;
    if (text === null || state === 'newer') return true;
    if (state === null)
      health.fault('alerts.state', ownWords(new Error(`the note ${name}/state is no state`)));
    else if (lead.part === 'follow' || !changed || isAfter(state.revision, revision)) adopt(state);
    return true;
  }

  function isKept(text: string): boolean {
    if (later?.text !== text) later = { text, since: monotonic() };
    health.notice(
      'alerts.newer',
      'A later release of claude-metrics looks at the alerts of this store. This process leaves them to it.',
    );
    return monotonic() - later.since < PATIENCE * claimMs;
  }

  function adopt(state: AlertsState): void {
    roster.load(state, rules);
    ({ revision } = state);
    changed = false;
    heard = state;
    granted = new Set(state.granted);
    own = own.filter((each) => !granted.has(each.name));
  }

  async function begin(): Promise<boolean> {
    return take(await read('state'));
  }

  async function grantAll(): Promise<void> {
    const wishes = wishesIn(await read('silences'));
    if (!lead.mayTell()) return;
    grant(wishesWith(wishes, [], granted));
    const names = [...granted, ...wishes.map((each) => each.name)];
    // Also those that stand there no more: one that writes at the same time may bring them again.
    granted = new Set([...new Set(names)].slice(-2 * MAX_WISHES));
    // What it wants itself is in its roster.
    own = [];
  }

  async function follow(): Promise<void> {
    const [state, silences] = await Promise.all([read('state'), read('silences')]);
    // It may lead by now, with what is newer than this.
    if (lead.mayTell()) return;
    take(state);
    const wishes = wishesIn(silences);
    grant(wishesWith(wishes, own, granted));
    if (own.some((each) => !wishes.some((known) => known.name === each.name))) write();
  }

  /** Adds the own wishes to those that stand there. */
  function write(): void {
    writing ??= (async () => {
      const wishes = wishesWith(wishesIn(await read('silences')), own, granted);
      await inTime(notes.putNote(`${name}/silences`, JSON.stringify(wishes)), limitMs);
    })()
      .catch((error: unknown) => health.fault('alerts.notes', error))
      .finally(() => (writing = null));
  }

  async function hear(): Promise<void> {
    await writing;
    if (lead.part === 'alone') return;
    // What has run out is another one's by now.
    await (lead.mayTell() ? grantAll() : follow());
  }

  const refresh = () =>
    (refreshing ??= hear()
      .catch((error: unknown) => health.fault('alerts.notes', error))
      .finally(() => (refreshing = null)));

  return {
    get part() {
      return lead.part;
    },
    async ask() {
      const part = await lead.ask(begin);
      if (part === 'wait' || part === 'alone') {
        health.notice(`alerts.${part}`, NOTICES[part]);
        return part;
      }
      // One that is under way may be of the part before.
      await refreshing;
      await refresh();
      return part;
    },
    mayTell: lead.mayTell,
    async save(at, failing) {
      changed = true;
      heard = { at, failing };
      if (lead.part !== 'lead' || !lead.mayTell()) return;
      revision = { number: revision.number + 1, by: member };
      const state = { ...roster.saved(), revision, at, failing, granted: [...granted] };
      const { text, left } = textOf(state);
      if (left > 0) health.drop('alerts.state', left);
      try {
        await inTime(notes.putNote(`${name}/state`, text), limitMs);
      } catch (error) {
        health.fault('alerts.notes', error);
      }
    },
    refresh,
    wish(alert, until) {
      if (own.length >= MAX_WISHES) health.drop('alerts.silences');
      own = [...own.slice(1 - MAX_WISHES), wishOf(alert, until)];
      write();
    },
    heard: () => heard,
    close: lead.letGo,
  };
}

const NOTICES = {
  wait:
    'The store that processes share does not answer: this process does not look at alerts, for ' +
    'another one may do so.',
  alone:
    'The store that processes share has not answered for long: every process looks at alerts and ' +
    'tells of them by itself, until it does.',
} as const;

function isAfter(stored: Revision, known: Revision): boolean {
  return stored.number > known.number || (stored.number === known.number && stored.by !== known.by);
}

/** The same for rules that say the same, in whatever order they are given. */
function nameOf(rules: readonly Rule[]): string {
  const texts = rules.map((rule) => JSON.stringify(rule)).sort();
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64url').slice(0, 16);
}
