import { NOW } from '../state-fixture.js';
import type { Clock } from '../../src/clock.js';

/** The wall's time and the time that passes, which differ when somebody sets the wall's. */
export function handClock(): Clock & { pass(ms: number): void; jump(ms: number): void } {
  let wall = NOW;
  let passed = 1_000;
  return {
    now: () => wall,
    monotonic: () => passed,
    pass(ms) {
      wall += ms;
      passed += ms;
    },
    jump: (ms) => void (wall += ms),
  };
}
