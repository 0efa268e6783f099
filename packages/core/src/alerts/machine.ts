import { elapsedMs } from './elapsed.js';

/**
 * The state machine of one (rule, group): what it is, and what people were told. Pure.
 *
 * - **ok → pending → firing → ok**: `pending` until a breach has held for `forMs`.
 * - **told**: people believe that it is firing: the last message said so. Every message follows from
 *   the phase, from what was told and when, and from a silence; so nothing that happens meanwhile can
 *   make a storm, and everything told is taken back in the end.
 * - **silence**: nobody is told anything; the state goes on.
 *
 * All durations are of time that was seen to pass between steps, so setting the clock neither resolves
 * an alert, nor wears out a cooldown, nor makes one last for ever.
 */
export type MachinePhase = 'ok' | 'pending' | 'firing';
export type MachineEvent = 'firing' | 'reminder' | 'resolved';

export interface MachineState {
  readonly phase: MachinePhase;
  /** The clock at the last step; milliseconds since the epoch, as are the other times. */
  readonly at: number;
  /** While pending: how long breached. While firing: how long in order, `null` when it is not. */
  readonly heldMs: number | null;
  readonly told: boolean;
  /** Since firing was last told, or told again; `Infinity` when it never was. */
  readonly sinceToldMs: number;
  /** Ends at `until`, and after `leftMs` at the latest, whatever is done to the clock. */
  readonly silence: { readonly until: number; readonly leftMs: number } | null;
  /** Since when the condition holds, or held. */
  readonly since: number;
  readonly firedAt: number | null;
  readonly resolvedAt: number | null;
}

export interface MachineInput {
  readonly breached: boolean;
  /** In order beyond doubt; never together with `breached`. Neither of the two: in between. */
  readonly cleared: boolean;
}

export interface MachineTiming {
  readonly forMs: number;
  readonly cooldownMs: number;
  readonly clearForMs: number;
  /** Longer steps are jumps of the clock, and count as this much. */
  readonly maxStepMs: number;
}

/** In order, and nothing told. */
export function createMachine(now: number): MachineState {
  return {
    phase: 'ok',
    at: now,
    heldMs: null,
    told: false,
    sinceToldMs: Infinity,
    silence: null,
    since: now,
    firedAt: null,
    resolvedAt: null,
  };
}

/**
 * One evaluation: the next state, and the message to send, if any.
 *
 * @example
 * const timing = { forMs: 0, cooldownMs: 3_600_000, clearForMs: 0, maxStepMs: 60_000 };
 * step(createMachine(now), { breached: true, cleared: false }, now, timing)[1]; // 'firing'
 */
export function step(
  state: MachineState,
  input: MachineInput,
  now: number,
  timing: MachineTiming,
): readonly [MachineState, MachineEvent | null] {
  const elapsed = elapsedMs(state.at, now, timing.maxStepMs);
  const moved = move(state, input, now, elapsed, timing);
  const next = {
    ...moved,
    at: now,
    sinceToldMs: state.sinceToldMs + elapsed,
    silence: goneBy(state.silence, now, elapsed),
  };
  return tell(next, timing);
}

/** Silent until `until`; a time that is not to come lifts the silence. The next step tells the rest. */
export function silence(state: MachineState, until: number | null, now: number): MachineState {
  const leftMs = (until ?? now) - now;
  return { ...state, silence: until !== null && leftMs > 0 ? { until, leftMs } : null };
}

/** Nothing in it that a new machine would not know. */
export function isIdle(state: MachineState, timing: MachineTiming): boolean {
  const { phase, told, sinceToldMs } = state;
  return phase === 'ok' && !told && state.silence === null && sinceToldMs >= timing.cooldownMs;
}

function move(
  state: MachineState,
  { breached, cleared }: MachineInput,
  now: number,
  elapsed: number,
  timing: MachineTiming,
): MachineState {
  if (state.phase === 'firing') {
    if (breached || !cleared) return { ...state, heldMs: null };
    const heldMs = state.heldMs === null ? 0 : state.heldMs + elapsed;
    if (heldMs < timing.clearForMs) return { ...state, heldMs };
    return { ...state, phase: 'ok', heldMs: null, resolvedAt: now };
  }
  if (!breached) return { ...state, phase: 'ok', heldMs: null };
  const pending = state.phase === 'pending';
  const heldMs = pending ? (state.heldMs ?? 0) + elapsed : 0;
  const since = pending ? state.since : now;
  const begun = { ...state, since, resolvedAt: null };
  if (heldMs < timing.forMs) return { ...begun, phase: 'pending', heldMs, firedAt: null };
  return { ...begun, phase: 'firing', heldMs: null, firedAt: now };
}

function tell(
  state: MachineState,
  { cooldownMs }: MachineTiming,
): readonly [MachineState, MachineEvent | null] {
  if (state.silence !== null) return [state, null];
  if (state.phase === 'firing' && state.sinceToldMs >= cooldownMs) {
    const event = state.told ? 'reminder' : 'firing';
    return [{ ...state, told: true, sinceToldMs: 0 }, event];
  }
  if (state.phase === 'ok' && state.told) return [{ ...state, told: false }, 'resolved'];
  return [state, null];
}

function goneBy(silenced: MachineState['silence'], now: number, elapsed: number) {
  if (silenced === null) return null;
  const leftMs = silenced.leftMs - elapsed;
  return now >= silenced.until || leftMs <= 0 ? null : { ...silenced, leftMs };
}
