/** What one evaluation can say, and ordinary durations. */
import type { MachineInput, MachineTiming } from '../../src/alerts/machine.js';
import { MINUTE } from '../state-fixture.js';

export const HOUR = 60 * MINUTE;
export const TIMING: MachineTiming = {
  forMs: 0,
  cooldownMs: HOUR,
  clearForMs: 0,
  maxStepMs: MINUTE,
};
export type Input = MachineInput;
export const BAD: Input = { breached: true, cleared: false };
export const BETWEEN: Input = { breached: false, cleared: false };
export const GOOD: Input = { breached: false, cleared: true };
