/** Several alert engines, as of several processes, over one ledger and one set of notes. */
import { createAlerts, type AlertsOptions } from '../../src/alerts/engine.js';
import { createHealth } from '../../src/health.js';
import type { AlertMessage } from '../../src/alert.js';
import type { Rule } from '../../src/alerts/rule.js';
import type { SharedNotes } from '../../src/stores/budget-store.js';
import { failed, MINUTE, rigOf } from '../state-fixture.js';
import { SECOND, times } from './alert-fixture.js';

export const EVERY = 15 * SECOND;
/** 3 evaluations and 5 seconds. */
export const CLAIM = 50 * SECOND;

/** Notes as a store keeps them, whose clock is set by hand and whose network can be taken away. */
export function handNotes(clock: { readonly passed: number }) {
  const claims = new Map<string, { holder: string; until: number }>();
  const texts = new Map<string, string>();
  const state = { down: false, claims, texts, asked: 0 };
  const answering = async <T>(answer: () => T): Promise<T> => {
    state.asked += 1;
    await Promise.resolve();
    if (state.down) throw new Error('connection refused');
    return answer();
  };
  const notes: SharedNotes = {
    claim: (name, holder, forMs) =>
      answering(() => {
        const held = claims.get(name);
        if (held && held.holder !== holder && held.until > clock.passed) return false;
        claims.set(name, { holder, until: clock.passed + forMs });
        return true;
      }),
    note: (name) => answering(() => texts.get(name) ?? null),
    putNote: (name, text) =>
      answering(() => void (text === null ? texts.delete(name) : texts.set(name, text))),
  };
  return { state, notes };
}

/** What all processes have in common. */
interface Ground {
  readonly rules: readonly Rule[];
  readonly rig: ReturnType<typeof rigOf>;
  readonly clock: { passed: number };
  readonly notes: SharedNotes;
}

export type Member = ReturnType<typeof memberOf>;

function memberOf(ground: Ground, member: string, options: Partial<AlertsOptions> = {}) {
  const { rules, rig, clock, notes } = ground;
  const health = createHealth();
  const sent: AlertMessage[] = [];
  const alerts = createAlerts({
    ...{ rules, source: rig.ledger, health, notes, member },
    budgets: () => [],
    snapshot: rig.snapshot,
    now: () => rig.clock.now,
    monotonic: () => clock.passed,
    send: (message) => sent.push(message),
    ...options,
  });
  return {
    ...{ member, alerts, sent, health },
    types: () => sent.map(({ type }) => type),
    /** As a page is asked for. */
    async page() {
      await alerts.refresh();
      return alerts.page();
    },
  };
}

export function fleetOf(rules: readonly Rule[]) {
  const rig = rigOf();
  const clock = { passed: 1_000 };
  const { notes, state } = handNotes(clock);
  const members: Member[] = [];
  const join = (name: string, options?: Partial<AlertsOptions>) =>
    memberOf({ rules, rig, clock, notes }, name, options);

  const fleet = {
    ...{ notes, state, members, store: rig.store, clock },
    /** A member that is not in step with the others. */
    join,
    start(...names: readonly string[]) {
      members.push(...names.map((name) => join(name)));
      return members.slice(-names.length);
    },
    now: () => rig.clock.now,
    call: rig.record,
    /** A process that is gone without a word. */
    kill(member: Member) {
      members.splice(members.indexOf(member), 1);
    },
    /** All clocks: the wall's, the store's, and those of processes. */
    wait(ms: number) {
      rig.clock.now += ms;
      clock.passed += ms;
    },
    /** Lets time pass in steps of the timers, one evaluation of each member after each. */
    async pass(ms: number, eachStep?: () => void) {
      for (let passed = 0; passed < ms; passed += EVERY) {
        fleet.wait(EVERY);
        eachStep?.();
        for (const { alerts } of [...members]) await alerts.evaluate();
      }
    },
    /** What people got of all of them, in order of time. */
    told: () => members.flatMap((each) => each.types()),
    text: (what: 'state' | 'silences') => {
      const name = [...state.texts.keys()].find((each) => each.endsWith(`/${what}`)) ?? '';
      return { name, text: state.texts.get(name) ?? '' };
    },
  };
  return fleet;
}

const error = { kind: 'overloaded', type: 'overloaded_error', message: '' } as const;

/** Failing calls of the present moment. */
export function fail(fleet: Fleet, count = 30): void {
  fleet.call(...times(count, () => failed(error, { at: fleet.now() })));
}

export type Fleet = ReturnType<typeof fleetOf>;

/** Three processes, and an alert that the first of them has told. */
export async function firingFleet(rules: readonly Rule[]) {
  const fleet = fleetOf(rules);
  const [ada, bob, cyd] = fleet.start('ada', 'bob', 'cyd') as [Member, Member, Member];
  fail(fleet);
  await fleet.pass(MINUTE);
  expect(ada.types()).toEqual(['firing']);
  expect(fleet.told()).toEqual(['firing']);
  return { fleet, ada, bob, cyd, id: ada.sent[0]!.alert.id };
}
