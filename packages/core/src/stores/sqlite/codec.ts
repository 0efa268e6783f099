import { createCellCodec, type CellData } from '../../cell-data.js';
import { SUM } from '../../cell.js';
import type { Cell, Family } from '../store.js';

/** A cell as a row, and back. */
export interface Row {
  readonly bucketMs: number;
  readonly at: number;
  readonly family: Family;
  /** JSON string literals. */
  readonly key1: string;
  readonly key2: string;
  /** See cell-data.ts. */
  readonly data: string;
}

const SUMS = Object.keys(SUM).length;
const codec = createCellCodec();

export const dataOf = codec.textOf;

/** @throws TypeError for a cell that could not be read again. */
export function rowOf(cell: Cell): Row {
  const { bucketMs, at, family, key } = cell;
  if (cell.sums.length !== SUMS || !cell.sums.every(isFinite) || !cell.amounts.every(isFinite)) {
    throw new TypeError(
      `[claude-metrics] sqliteStore: a cell of ${family} has sums that are no numbers; ` +
        'bring cells that were made with createCell().',
    );
  }
  return {
    bucketMs,
    at,
    family,
    key1: JSON.stringify(key[0]),
    key2: JSON.stringify(key[1]),
    data: dataOf(cell),
  };
}

/** @param data Instead of the row's own. */
export function cellOf(row: Row, data: CellData = JSON.parse(row.data) as CellData): Cell {
  const { family, bucketMs, at } = row;
  const key = [unquoted(row.key1), unquoted(row.key2)] as const;
  return codec.cellOf({ family, bucketMs, at, key }, data);
}

function unquoted(literal: string): string {
  return literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
}

/** Of `[[key1, key2, data], …]` as JSON, the cells of one bucket. */
export function cellsOfJSON(family: Family, bucketMs: number, at: number, json: string): Cell[] {
  const rows = JSON.parse(json) as readonly (readonly [string, string, CellData])[];
  return rows.map(([key1, key2, data]) => {
    return codec.cellOf({ family, bucketMs, at, key: [key1, key2] }, data);
  });
}
