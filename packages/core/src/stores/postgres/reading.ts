import { FAMILIES } from '../../cell.js';
import { cellsOfJSON } from './codec.js';
import { tierOf, type Tier } from './columns.js';
import { listOf, msOf, timeOf } from './text.js';
import type { Rows, Run } from './transaction.js';
import type { Cell, CellQuery, Family } from '../store.js';

/**
 * Reading cells: three texts for each bucket and family, which is much faster than a row for each cell.
 *
 * - **slice**: a part of the time that is asked for. While one is read by the server, the one before is
 *   made into cells here.
 */
type Slice = readonly [from: number, to: number];

/** Work on one answer before others have their turn. */
const TURN_MS = 8;
const SLICE_MS = 6 * 3_600_000;
const MAX_SLICES = 200;

export async function readCells(run: Run, s: string, query: CellQuery): Promise<Cell[]> {
  const tier = tierOf(query.bucketMs);
  const families = query.families.filter((name) => Object.hasOwn(FAMILIES, name));
  if (tier === undefined || families.length === 0) return [];
  const cells: Cell[] = [];
  const slices = await slicesOf(run, s, tier, query);
  let next = slices[0] && askSlice(run, s, tier, families, slices[0]);
  for (let i = 0; next !== undefined; i += 1) {
    const { rows } = await next;
    const following = slices[i + 1];
    next = following && askSlice(run, s, tier, families, following);
    // Whoever waits for it hears of its failure; until then nobody has to.
    next?.catch(() => undefined);
    let turn = performance.now();
    for (const { at, family, keys1, keys2, data } of rows) {
      const columns = [keys1!, keys2!, data!] as const;
      const some = cellsOfJSON(family as Family, tier.bucketMs, Number(at), columns);
      for (const cell of some) cells.push(cell);
      if (performance.now() - turn < TURN_MS) continue;
      await nextTurn();
      turn = performance.now();
    }
  }
  return cells;
}

function askSlice(
  run: Run,
  s: string,
  { table }: Tier,
  families: readonly Family[],
  [from, to]: Slice,
): Promise<Rows> {
  return run(
    `SELECT ${msOf('at')} AS at, family, json_agg(key1)::text AS keys1, json_agg(key2)::text AS keys2,
        '[' || string_agg(data::text, ',') || ']' AS data
      FROM ${s}.${table} WHERE at >= $1::timestamptz AND at < $2::timestamptz
        AND family = ANY ($3::text[]) GROUP BY at, family`,
    [timeOf(from), timeOf(to), listOf(families)],
  );
}

async function slicesOf(run: Run, s: string, { table }: Tier, query: CellQuery): Promise<Slice[]> {
  const { rows } = await run(
    `SELECT ${msOf('min(at)')} AS first, ${msOf('max(at)')} AS last FROM ${s}.${table}
      WHERE at >= $1::timestamptz AND at < $2::timestamptz`,
    [timeOf(query.from), timeOf(query.to)],
  );
  const { first, last } = rows[0] ?? {};
  if (first === null || first === undefined) return [];
  const [from, to] = [Number(first), Number(last) + 1];
  const width = Math.max(SLICE_MS, Math.ceil((to - from) / MAX_SLICES));
  return Array.from({ length: Math.ceil((to - from) / width) }, (_, i) => {
    const start = from + i * width;
    return [start, Math.min(start + width, to)];
  });
}

/** Start of every bucket that has cells, from index entry to index entry. */
export async function bucketsOf(run: Run, s: string, { table }: Tier): Promise<number[]> {
  const { rows } = await run(
    `WITH RECURSIVE buckets AS (
       SELECT min(at) AS at FROM ${s}.${table}
       UNION ALL
       SELECT (SELECT min(c.at) FROM ${s}.${table} c WHERE c.at > b.at) FROM buckets b
         WHERE b.at IS NOT NULL
     ) SELECT ${msOf('at')} AS at FROM buckets WHERE at IS NOT NULL`,
  );
  return rows.map((row) => Number(row['at']));
}

/** Lets everybody else have their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
