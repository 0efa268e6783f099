/** Cells as text, in an order of their own, so that what is the same is equal. */
import { sketchToJSON } from '../../src/sketch.js';
import type { Cell } from '../../src/stores/store.js';

export function contentOf(cells: readonly Cell[]): string[] {
  return cells
    .map(({ sketches, lines, amounts, rare, ...cell }) => {
      const parts = lines.map((line, i) => JSON.stringify([line, amounts.slice(3 * i, 3 * i + 3)]));
      const noted = rare?.some((value) => value !== 0) ? rare : null;
      const drawn = sketches && Object.values(sketches).map(sketchToJSON);
      return JSON.stringify([cell, noted, parts.sort(), drawn]);
    })
    .sort();
}
