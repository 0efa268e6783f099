import { createCellCodec, type CellData } from '../../cell-data.js';
import { escapeText, unescapeText } from './text.js';
import type { Cell, Family } from '../store.js';

/** Cells as columns, and back. Names are written as Postgres can keep them; see cell-data.ts for the rest. */
const codec = createCellCodec({ write: escapeText, read: unescapeText });

export const dataOf = codec.textOf;

/** The cells of one bucket and family, from one JSON array for each column. */
export function cellsOfJSON(
  family: Family,
  bucketMs: number,
  at: number,
  [keys1, keys2, data]: readonly [keys1: string, keys2: string, data: string],
): Cell[] {
  const seconds = JSON.parse(keys2) as readonly string[];
  const rows = JSON.parse(data) as readonly CellData[];
  return (JSON.parse(keys1) as readonly string[]).map((first, i) => {
    const key = [unescapeText(first), unescapeText(seconds[i]!)] as const;
    return codec.cellOf({ family, bucketMs, at, key }, rows[i]!);
  });
}

export function cellOf(
  family: Family,
  bucketMs: number,
  at: number,
  key: readonly [string, string],
  data: string,
): Cell {
  return codec.cellOf({ family, bucketMs, at, key }, JSON.parse(data) as CellData);
}
