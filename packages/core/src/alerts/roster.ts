import { createHash } from 'node:crypto';
import { createMachine, isIdle, silence, step, type MachineTiming } from './machine.js';
import { unitOf, type Verdict } from './verdict.js';
import type { Alert, AlertGroup, AlertsPage } from '../alert.js';
import type { Health } from '../health.js';
import type { MachineEvent, MachineState } from './machine.js';
import type { Rule } from './rule.js';
import type { AlertsState, SavedEntry } from './state.js';

/**
 * The alerts there are: a machine for each (rule, group) that is not in order, or was lately.
 *
 * - **entry**: a machine, and the last that was measured. It begins with a breach, and is forgotten when
 *   nothing is left to remember: groups in order take no room.
 */
export interface Roster {
  /**
   * Takes what an evaluation says about the groups of a rule. A group that it says nothing about has no
   * figures, and is in order. While figures are not `settled`, nothing is cleared.
   */
  apply(rule: Rule, verdicts: readonly Verdict[], now: number, settled: boolean): readonly News[];
  /** `null` for an id that is not known. */
  silence(id: string, untilMs: number | null, now: number): Alert | null;
  /** Alerts about one of these groups, also those that are over. */
  about(groups: readonly AlertGroup[]): readonly string[];
  forget(ids: readonly string[]): void;
  lists(): Pick<AlertsPage, 'firing' | 'pending' | 'silenced' | 'recent'>;
  saved(): Saved;
  /** Forgets what there is, and goes on from what was saved. Rules that are not here any more are left out. */
  load(saved: Saved, rules: readonly Rule[]): void;
}

export type Saved = Pick<AlertsState, 'entries' | 'recent'>;

/** Something to tell. */
export interface News {
  readonly event: MachineEvent;
  readonly alert: Alert;
}

interface Entry {
  readonly id: string;
  readonly rule: Rule;
  readonly group: AlertGroup | null;
  machine: MachineState;
  last: Verdict;
}

const MAX_RECENT = 100;

export function createRoster(options: {
  readonly maxGroups: number;
  readonly maxStepMs: number;
  readonly health: Pick<Health, 'drop'>;
}): Roster {
  const { maxGroups, maxStepMs, health } = options;
  const entries = new Map<string, Entry>();
  /** As they were when they resolved, oldest first. */
  const recent = new Map<string, Entry>();

  function begin(rule: Rule, verdict: Verdict, now: number): Entry | null {
    if (entries.size >= maxGroups) {
      health.drop('alerts.groups');
      return null;
    }
    const id = idOf(rule, verdict.group);
    const { group } = verdict;
    const entry = { id, rule, group, machine: createMachine(now), last: verdict };
    entries.set(id, entry);
    return entry;
  }

  function move(entry: Entry, verdict: Verdict, now: number): News | null {
    const timing = timingOf(entry.rule, maxStepMs);
    const before = entry.machine;
    const [machine, event] = step(before, verdict, now, timing);
    entry.machine = machine;
    entry.last = verdict;
    const alert = alertOf(entry);
    if (machine.phase === 'firing') recent.delete(entry.id);
    if (before.phase === 'firing' && machine.phase === 'ok') {
      recent.set(entry.id, { ...entry });
      if (recent.size > MAX_RECENT) recent.delete(recent.keys().next().value!);
    }
    if (isIdle(machine, timing)) entries.delete(entry.id);
    return event === null ? null : { event, alert };
  }

  return {
    apply(rule, verdicts, now, settled) {
      const said = new Map(verdicts.map((verdict) => [idOf(rule, verdict.group), verdict]));
      for (const { id, last, rule: owner } of entries.values()) {
        if (owner !== rule || said.has(id)) continue;
        said.set(id, { ...last, breached: false, cleared: true, value: null });
      }
      return [...said].flatMap(([id, verdict]) => {
        const entry = entries.get(id) ?? (verdict.breached ? begin(rule, verdict, now) : null);
        if (entry === null) return [];
        const news = move(entry, { ...verdict, cleared: verdict.cleared && settled }, now);
        return news === null ? [] : [news];
      });
    },
    silence(id, untilMs, now) {
      const entry = entries.get(id);
      if (!entry) return null;
      entry.machine = silence(entry.machine, untilMs, now);
      return alertOf(entry);
    },
    about(groups) {
      const all = [...entries.values(), ...recent.values()];
      const found = all.filter(({ group }) =>
        groups.some(({ by, key }) => group?.by === by && group.key === key),
      );
      return [...new Set(found.map(({ id }) => id))];
    },
    forget(ids) {
      for (const id of ids) {
        entries.delete(id);
        recent.delete(id);
      }
    },
    lists() {
      const alerts = [...entries.values()].map((entry) => ({ entry, alert: alertOf(entry) }));
      const of = (state: Alert['state']) =>
        alerts
          .filter(({ entry, alert }) => !entry.machine.silence && alert.state === state)
          .map(({ alert }) => alert);
      return {
        firing: of('firing'),
        pending: of('pending'),
        silenced: alerts.filter(({ entry }) => entry.machine.silence).map(({ alert }) => alert),
        recent: [...recent.values()].reverse().map(alertOf),
      };
    },
    saved: () => ({
      entries: [...entries.values()].map(savedOf),
      recent: [...recent.values()].map(savedOf),
    }),
    load(saved, rules) {
      const named = new Map(rules.map((rule) => [rule.name, rule]));
      const fill = (into: Map<string, Entry>, from: readonly SavedEntry[]) => {
        into.clear();
        for (const each of from) {
          const rule = named.get(each.rule);
          if (!rule) continue;
          const { group, machine } = each;
          const id = idOf(rule, group);
          into.set(id, { id, rule, group, machine, last: { ...each.last, group } });
        }
      };
      fill(entries, saved.entries.slice(0, maxGroups));
      fill(recent, saved.recent.slice(-MAX_RECENT));
    },
  };
}

function savedOf({ rule, group, machine, last }: Entry): SavedEntry {
  const { breached, cleared, value, limit, title } = last;
  return { rule: rule.name, group, machine, last: { breached, cleared, value, limit, title } };
}

/** The same whenever it fires again, in every process. */
function idOf({ name }: Rule, group: AlertGroup | null): string {
  const subject = JSON.stringify([name, group?.by ?? null, group?.key ?? null]);
  return createHash('sha256').update(subject).digest('base64url').slice(0, 16);
}

function timingOf({ forMs, cooldownMs, clearForMs }: Rule, maxStepMs: number): MachineTiming {
  return { forMs, cooldownMs, clearForMs, maxStepMs };
}

function alertOf({ id, rule, group, machine, last }: Entry): Alert {
  const { phase, since, firedAt, resolvedAt } = machine;
  return {
    id,
    rule: rule.name,
    severity: rule.severity,
    group,
    state: phase === 'ok' ? 'resolved' : phase,
    title: last.title,
    value: last.value,
    limit: last.limit,
    unit: unitOf(rule),
    since: new Date(since).toISOString(),
    firedAt: isoOf(firedAt),
    resolvedAt: isoOf(resolvedAt),
    silencedUntil: isoOf(machine.silence?.until ?? null),
  };
}

function isoOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
