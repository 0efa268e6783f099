/** The state machine of one alert: what people are told, whatever happens and whatever the clock does. */
import {
  createMachine,
  isIdle,
  silence,
  step,
  type MachineEvent,
  type MachineTiming,
} from '../../src/alerts/machine.js';
import { DAY, MINUTE, NOW } from '../state-fixture.js';
import { BAD, BETWEEN, GOOD, HOUR, TIMING, type Input } from './machine-fixture.js';

/** A machine that is stepped, with what it told: `[minutes since the start, event]`. */
function machineOf(timing: Partial<MachineTiming> = {}) {
  const told: (readonly [number, MachineEvent])[] = [];
  const all = { ...TIMING, ...timing };
  let state = createMachine(NOW);
  let now = NOW;
  let seen = 0;
  const one = (input: Input, ms: number) => {
    now += ms;
    seen += Math.min(Math.max(ms, 0), all.maxStepMs);
    const [next, event] = step(state, input, now, all);
    state = next;
    if (event) told.push([seen / MINUTE, event]);
    return event;
  };
  return {
    told,
    one,
    state: () => state,
    idle: () => isIdle(state, all),
    minutes(count: number, input: Input) {
      for (let i = 0; i < count; i += 1) one(input, MINUTE);
    },
    silence(ms: number | null) {
      state = silence(state, ms === null ? null : now + ms, now);
    },
  };
}

describe('one alert', () => {
  it('is told once when it fires and once when it is over', () => {
    const machine = machineOf();
    machine.minutes(10, BAD);
    machine.minutes(10, GOOD);
    expect(machine.told).toEqual([
      [1, 'firing'],
      [11, 'resolved'],
    ]);
  });

  it('is pending until the breach has held, and forgets one that has not', () => {
    const machine = machineOf({ forMs: 5 * MINUTE });
    machine.minutes(5, BAD);
    expect(machine.state().phase).toBe('pending');
    machine.one(BETWEEN, MINUTE);
    expect(machine.state().phase).toBe('ok');
    machine.minutes(5, BAD);
    expect(machine.told).toEqual([]);
    machine.one(BAD, MINUTE);
    expect(machine.told).toEqual([[12, 'firing']]);
    // The breach began with the first step that saw it, not with the one that fired.
    expect(machine.state()).toMatchObject({
      since: NOW + 7 * MINUTE,
      firedAt: NOW + 12 * MINUTE,
    });
  });

  it('stays as it is between limit and clear value, and until it was clear for long enough', () => {
    const machine = machineOf({ clearForMs: 3 * MINUTE });
    machine.one(BAD, MINUTE);
    machine.minutes(30, BETWEEN);
    machine.minutes(3, GOOD);
    machine.one(BETWEEN, MINUTE);
    machine.minutes(3, GOOD);
    expect(machine.state().phase).toBe('firing');
    machine.one(GOOD, MINUTE);
    expect(machine.told.at(-1)).toEqual([39, 'resolved']);
  });

  it('reminds once in every cooldown', () => {
    const machine = machineOf();
    machine.minutes(150, BAD);
    expect(machine.told).toEqual([
      [1, 'firing'],
      [61, 'reminder'],
      [121, 'reminder'],
    ]);
  });

  it('tells nothing new while it flaps, and what is left of it after the cooldown', () => {
    const machine = machineOf();
    for (let i = 0; i < 25; i += 1) {
      machine.one(BAD, MINUTE);
      machine.one(GOOD, MINUTE);
    }
    expect(machine.told).toEqual([
      [1, 'firing'],
      [2, 'resolved'],
    ]);
    machine.minutes(20, BAD);
    expect(machine.told.slice(2)).toEqual([[61, 'firing']]);
  });

  it('is forgotten once nothing is left to remember', () => {
    const machine = machineOf();
    machine.one(GOOD, MINUTE);
    expect(machine.idle()).toBe(true);
    machine.one(BAD, MINUTE);
    machine.minutes(59, GOOD);
    expect(machine.idle()).toBe(false);
    machine.one(GOOD, MINUTE);
    expect(machine.idle()).toBe(true);
  });
});

describe('a silence', () => {
  it('holds everything back, and afterwards a firing alert is told', () => {
    const machine = machineOf();
    machine.silence(30 * MINUTE);
    machine.minutes(29, BAD);
    expect(machine.told).toEqual([]);
    expect(machine.state().phase).toBe('firing');
    machine.one(BAD, MINUTE);
    expect(machine.told).toEqual([[30, 'firing']]);
  });

  it('owes the end of what was told before it', () => {
    const machine = machineOf();
    machine.one(BAD, MINUTE);
    machine.silence(30 * MINUTE);
    machine.minutes(20, GOOD);
    expect(machine.told).toEqual([[1, 'firing']]);
    expect(machine.idle()).toBe(false);
    machine.minutes(20, GOOD);
    expect(machine.told.slice(1)).toEqual([[31, 'resolved']]);
  });

  it('leaves out what came and went within it', () => {
    const machine = machineOf();
    machine.silence(30 * MINUTE);
    machine.minutes(10, BAD);
    machine.minutes(100, GOOD);
    expect(machine.told).toEqual([]);
  });

  it('can be lifted, and one into the past is none', () => {
    const machine = machineOf();
    machine.silence(HOUR);
    machine.one(BAD, MINUTE);
    machine.silence(null);
    expect(machine.one(BAD, MINUTE)).toBe('firing');
    machine.silence(-1);
    expect(machine.state().silence).toBeNull();
  });

  it('ends although the clock was set back', () => {
    const machine = machineOf();
    machine.silence(10 * MINUTE);
    machine.one(BAD, -DAY);
    machine.minutes(9, BAD);
    expect(machine.told).toEqual([]);
    machine.one(BAD, MINUTE);
    expect(machine.told).toEqual([[10, 'firing']]);
  });
});

describe('a clock that is set', () => {
  it('ahead resolves nothing, fires nothing, and wears out no cooldown', () => {
    const machine = machineOf({ forMs: 5 * MINUTE, clearForMs: 5 * MINUTE });
    machine.one(BAD, MINUTE);
    machine.one(BAD, DAY);
    expect(machine.state().phase).toBe('pending');
    machine.minutes(5, BAD);
    machine.one(BAD, DAY);
    machine.one(GOOD, MINUTE);
    machine.one(GOOD, DAY);
    expect(machine.state().phase).toBe('firing');
    expect(machine.told).toHaveLength(1);
  });

  it('back holds nothing up', () => {
    const machine = machineOf({ forMs: 2 * MINUTE, clearForMs: 2 * MINUTE });
    machine.one(BAD, MINUTE);
    machine.one(BAD, -DAY);
    machine.minutes(2, BAD);
    machine.one(BAD, -DAY);
    machine.minutes(60, BAD);
    machine.minutes(3, GOOD);
    expect(machine.told.map(([, event]) => event)).toEqual(['firing', 'reminder', 'resolved']);
  });
});
