/**
 * Random sequences that can be repeated and made shorter.
 *
 * - **draw**: a source of chance: an integer from 0 to below its bound.
 * - **play**: plays one sequence that a draw chooses, and throws where something is wrong; writes what
 *   it does in words, if it is given where to.
 *
 * `CLAUDE_METRICS_SEED` repeats a run, `CLAUDE_METRICS_SEQUENCES` makes it longer or shorter.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';

export type Draw = (bound: number) => number;
export type Play = (draw: Draw, said?: string[]) => void;

const { CI, CLAUDE_METRICS_SEED, CLAUDE_METRICS_SEQUENCES } = process.env;

export const seed = Number(CLAUDE_METRICS_SEED ?? randomInt(2 ** 31));

/** How many to play: few on a developer's machine, many in CI. */
export function sequencesOf(few: number, many: number): number {
  return Number(CLAUDE_METRICS_SEQUENCES ?? (CI === 'true' ? many : few));
}

/**
 * Plays sequences `seed`, `seed + 1`, …; the error of one that fails is that of the shortest. Returns
 * how many were played.
 */
export function playAll(play: Play, sequences: number): number {
  let played = 0;
  for (let sequence = 0; sequence < sequences; sequence += 1) {
    try {
      play(drawFrom(seed + sequence));
      played += 1;
    } catch (cause) {
      const which = `CLAUDE_METRICS_SEED=${seed + sequence} CLAUDE_METRICS_SEQUENCES=1 repeats it`;
      try {
        retell(play, drawFrom(seed + sequence));
      } catch (short) {
        const { message, cause: shortest } = short as Error;
        throw new Error(`${which}. ${message}\n${String(shortest)}`, { cause });
      }
      throw new Error(which, { cause });
    }
  }
  return played;
}

/** The same, with sequences that fast-check makes: it likes the small and the extreme. */
export function playFastCheck(play: Play, sequences: number): number {
  fc.assert(propertyOf(play), { seed, numRuns: sequences });
  return sequences;
}

function propertyOf(play: Play) {
  return fc.property(fc.array(fc.nat(), { maxLength: 300 }), (written) => {
    const said: string[] = [];
    try {
      play(drawWritten(written), said);
    } catch (cause) {
      throw new Error(`${String(cause)}\nafter ${said.join('; ')}`, { cause });
    }
  });
}

/** Plays a sequence that has failed again and writes down what it draws, to have it made shorter. */
function retell(play: Play, draw: Draw): void {
  const written: number[] = [];
  try {
    play((bound) => {
      const drawn = draw(bound);
      written.push(drawn);
      return drawn;
    });
  } catch {
    fc.assert(propertyOf(play), { seed, numRuns: 1, examples: [[written]] });
  }
}

/** Mulberry32: fast, and good enough to choose commands. */
export function drawFrom(state: number): Draw {
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

function drawWritten(written: readonly number[]): Draw {
  let next = 0;
  return (bound) => (written[next++] ?? 0) % bound;
}
