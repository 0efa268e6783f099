/** The state machine of one alert under anything that can happen to it, and to the clock. */
import fc from 'fast-check';
import {
  createMachine,
  isIdle,
  silence,
  step,
  type MachineEvent,
  type MachineState,
  type MachineTiming,
} from '../../src/alerts/machine.js';
import { DAY, MINUTE, NOW } from '../state-fixture.js';
import { BAD, BETWEEN, GOOD, HOUR, TIMING } from './machine-fixture.js';

const input = fc.constantFrom(BAD, BAD, BETWEEN, GOOD);
const stepMs = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: MINUTE }) },
  fc.constantFrom(DAY, -DAY, HOUR, -1),
);
const actions = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.record({ input, ms: stepMs }) },
    fc.record({ silenceMs: fc.option(fc.integer({ min: -HOUR, max: 3 * HOUR })) }),
  ),
  { maxLength: 400 },
);
const timings = fc.record({
  forMs: fc.constantFrom(0, MINUTE, 5 * MINUTE),
  cooldownMs: fc.constantFrom(MINUTE, 10 * MINUTE, HOUR),
  clearForMs: fc.constantFrom(0, MINUTE, 5 * MINUTE),
});

interface Step {
  readonly before: MachineState;
  readonly after: MachineState;
  readonly event: MachineEvent | null;
  readonly breached: boolean;
  /** Time that was seen to pass, in all. */
  readonly seen: number;
}

type Actions = typeof actions extends fc.Arbitrary<infer T> ? T : never;

function stepsOf(list: Actions, timing: MachineTiming): Step[] {
  const steps: Step[] = [];
  let state = createMachine(NOW);
  let now = NOW;
  let seen = 0;
  for (const action of list) {
    if ('silenceMs' in action) {
      const { silenceMs } = action;
      state = silence(state, silenceMs === null ? null : now + silenceMs, now);
      continue;
    }
    now += action.ms;
    seen += Math.min(Math.max(action.ms, 0), timing.maxStepMs);
    const [after, event] = step(state, action.input, now, timing);
    steps.push({ before: state, after, event, breached: action.input.breached, seen });
    state = after;
  }
  return steps;
}

describe('whatever happens', () => {
  const check = (holds: (steps: readonly Step[], timing: MachineTiming, list: Actions) => void) =>
    fc.assert(
      fc.property(actions, timings, (list, partial) => {
        const timing = { ...TIMING, ...partial };
        holds(stepsOf(list, timing), timing, list);
      }),
      { numRuns: 500 },
    );
  const news = (steps: readonly Step[]) => steps.filter(({ event }) => event !== null);

  it('messages alternate: firing, any reminders, resolved', () => {
    check((steps) => {
      let open = false;
      for (const { event } of news(steps)) {
        expect(event === 'firing').toBe(!open);
        open = event !== 'resolved';
      }
    });
  });

  it('two messages that it fires or still does are a cooldown apart', () => {
    check((steps, { cooldownMs }) => {
      const loud = news(steps).filter(({ event }) => event !== 'resolved');
      loud.slice(1).forEach(({ seen }, i) => {
        expect(seen - loud[i]!.seen).toBeGreaterThanOrEqual(cooldownMs);
      });
    });
  });

  it('nothing is told in a silence, and only what is so is told', () => {
    check((steps) => {
      for (const { after, event } of news(steps)) {
        expect(after.silence).toBeNull();
        expect(after.phase).toBe(event === 'resolved' ? 'ok' : 'firing');
      }
    });
  });

  it('fires only while breached, and is over only after it fired', () => {
    check((steps) => {
      const moves = steps.map(({ before, after, breached }) => ({
        move: `${before.phase} → ${after.phase}`,
        breached,
      }));
      const moved = (wanted: string) => moves.filter(({ move }) => move === wanted);
      const fired = [...moved('ok → firing'), ...moved('pending → firing')];
      expect(fired.every(({ breached }) => breached)).toBe(true);
      expect(moved('firing → ok').some(({ breached }) => breached)).toBe(false);
      expect(moved('firing → pending')).toEqual([]);
    });
  });

  it('everything told is taken back once it stays in order, and then it is forgotten', () => {
    check((_, timing, list) => {
      const rest = Array.from({ length: 300 }, () => ({ input: GOOD, ms: MINUTE }));
      const steps = stepsOf([...list, ...rest], timing);
      const last = news(steps).at(-1)?.event ?? 'resolved';
      expect(last).toBe('resolved');
      expect(isIdle(steps.at(-1)!.after, timing)).toBe(true);
    });
  });

  it('what goes on firing is known, at the latest after cooldown and silence', () => {
    check((_, timing, list) => {
      const rest = Array.from({ length: 300 }, () => ({ input: BAD, ms: MINUTE }));
      const steps = stepsOf([...list, ...rest], timing);
      const last = news(steps).at(-1)!;
      expect(last.event).not.toBe('resolved');
      expect(steps.at(-1)!.seen - last.seen).toBeLessThanOrEqual(timing.cooldownMs);
    });
  });
});
