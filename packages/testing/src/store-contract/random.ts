/**
 * Chance that is the same every time.
 *
 * - **seed**: where the sequence starts; the cases have the same one always.
 */
export interface Random {
  /** A whole number from 0, below `end`. */
  below(end: number): number;
  /** `true` once in `times`. */
  once(times: number): boolean;
  pick<T>(items: readonly T[]): T;
  shuffled<T>(items: readonly T[]): T[];
  /** The items in their order, in groups of 1 to `most`. */
  grouped<T>(items: readonly T[], most: number): T[][];
}

export function randomOf(seed: number): Random {
  let state = seed;

  /** The generator known as mulberry32. */
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  const below = (end: number) => Math.floor(next() * end);
  return {
    below,
    once: (times) => below(times) === 0,
    pick: (items) => items[below(items.length)]!,
    shuffled(items) {
      const mixed = [...items];
      for (let i = mixed.length - 1; i > 0; i -= 1) {
        const j = below(i + 1);
        [mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!];
      }
      return mixed;
    },
    grouped(items, most) {
      const groups: (typeof items)[number][][] = [];
      for (let i = 0; i < items.length;) {
        const size = 1 + below(most);
        groups.push(items.slice(i, i + size));
        i += size;
      }
      return groups;
    },
  };
}
