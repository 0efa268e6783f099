/** Budgets against the naive model of them, in random lives. */
import { playAll, playFastCheck, seed, sequencesOf } from './draw.js';
import { readyEngine } from './engine.js';
import { playEngine } from './engine-play.js';

const sequences = sequencesOf(500, 10_000);

beforeAll(async () => {
  await readyEngine({ usd: 1, per: 'day' });
});

it(`budgets decide and count as they should in ${sequences} lives of seed ${seed}`, () => {
  expect(playAll(playEngine, sequences)).toBe(sequences);
}, 600_000);

it(`and in what fast-check makes of seed ${seed}`, () => {
  expect(playFastCheck(playEngine, Math.min(sequences, 200))).toBeGreaterThan(0);
}, 600_000);
