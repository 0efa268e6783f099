import { moneyAt } from '../../cell.js';
import { dataOf } from './codec.js';
import { KEY_COLUMNS, MONEY_COLUMNS, SUM_COLUMNS, type Tier } from './columns.js';
import { keyText, listOf, msOf, quotedList, timeOf } from './text.js';
import type { Run } from './transaction.js';
import type { Cell, Family } from '../store.js';

/**
 * Rows of cells: what is sent is one list for each column, so that one statement does for all of them.
 */

const CARRY = 1_000_000_000_000_000n;
/** The largest whole number of a column, with room to add to it. */
const MOST = 2 ** 62;

const COLUMNS = [
  ...KEY_COLUMNS,
  ...Object.keys(SUM_COLUMNS),
  ...Object.keys(MONEY_COLUMNS),
  'data',
] as const;
const TYPES = [
  ...['timestamptz', 'text', 'text', 'text'],
  ...Object.keys(SUM_COLUMNS).map(() => 'bigint'),
  ...Object.keys(MONEY_COLUMNS).map(() => 'numeric'),
  'json',
];

/** How many there are in these buckets, by bucket and family. */
export async function countRows(
  run: Run,
  s: string,
  { table }: Tier,
  buckets: readonly number[],
): Promise<Map<string, number>> {
  const { rows } = await run(
    `SELECT ${msOf('at')} AS at, family, count(*)::text AS count FROM ${s}.${table}
      WHERE at = ANY ($1::timestamptz[]) GROUP BY at, family`,
    [listOf(buckets.map(timeOf))],
  );
  return new Map(
    rows.map(({ at, family, count }) => [placeOf(Number(at), family!), Number(count)]),
  );
}

export function placeOf(at: number, family: string): string {
  return `${at}/${family}`;
}

/** The data of those that are there. */
export async function findRows(
  run: Run,
  s: string,
  { table }: Tier,
  cells: readonly Cell[],
): Promise<Map<Cell, string>> {
  if (cells.length === 0) return new Map();
  const { rows } = await run(
    `SELECT (w.i - 1)::text AS place, c.data::text AS data
      FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[])
        WITH ORDINALITY AS w(at, family, key1, key2, i)
      JOIN ${s}.${table} c USING (at, family, key1, key2) WHERE c.at = ANY ($5::timestamptz[])`,
    [...keyLists(cells), listOf([...new Set(cells.map(({ at }) => timeOf(at)))])],
  );
  return new Map(rows.map((row) => [cells[Number(row['place'])]!, row['data']!]));
}

/** Rows that may be there or not. */
export async function putRows(
  run: Run,
  s: string,
  tier: Tier,
  cells: readonly Cell[],
): Promise<void> {
  const changed = COLUMNS.slice(KEY_COLUMNS.length).map((name) => `${name} = excluded.${name}`);
  const keys = KEY_COLUMNS.join(', ');
  await insertRows(
    run,
    s,
    tier,
    cells,
    `ON CONFLICT (${keys}) DO UPDATE SET ${changed.join(', ')}`,
  );
}

/** Rows that are known not to be there: looking for each once more takes a third of the time. */
export async function insertRows(
  run: Run,
  s: string,
  { table }: Tier,
  cells: readonly Cell[],
  otherwise = '',
): Promise<void> {
  if (cells.length === 0) return;
  const lists = TYPES.map((type, i) => `$${i + 1}::${type}[]`).join(', ');
  await run(
    `INSERT INTO ${s}.${table} (${COLUMNS.join(', ')}) SELECT * FROM unnest(${lists}) ${otherwise}`,
    columnsOf(cells),
  );
}

/** Cells as one list for each column. */
export function columnsOf(cells: readonly Cell[]): string[] {
  return [
    ...keyLists(cells),
    ...Object.values(SUM_COLUMNS).map((slot) =>
      listOf(cells.map(({ sums }) => whole(sums[slot]!))),
    ),
    ...Object.values(MONEY_COLUMNS).map((slot) =>
      listOf(cells.map(({ sums }) => money(sums, slot))),
    ),
    quotedList(cells.map(dataOf)),
  ];
}

export function keyLists(cells: readonly { at: number; family: Family; key: Cell['key'] }[]) {
  return [
    listOf(cells.map(({ at }) => timeOf(at))),
    listOf(cells.map(({ family }) => family)),
    quotedList(cells.map(({ key }) => keyText(key[0]))),
    quotedList(cells.map(({ key }) => keyText(key[1]))),
  ];
}

/** For people to read: what is no whole number is rounded, and `data` has it as it is. */
function whole(value: number): number | bigint {
  if (Number.isSafeInteger(value)) return value;
  return BigInt(Math.round(Math.min(Math.max(value, -MOST), MOST)));
}

function money(sums: readonly number[], slot: number): number | bigint {
  const nano = moneyAt(sums, slot);
  if (Number.isSafeInteger(nano)) return nano;
  return BigInt(whole(sums[slot]!)) + CARRY * BigInt(whole(sums[slot + 1]!));
}

export async function deleteRows(
  run: Run,
  s: string,
  { table }: Tier,
  cells: readonly Cell[],
): Promise<void> {
  if (cells.length === 0) return;
  const at = timeOf(cells[0]!.at);
  await run(
    `DELETE FROM ${s}.${table} c
      USING unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[]) AS w(at, family, key1, key2)
      WHERE c.at = $5::timestamptz AND c.at = w.at AND c.family = w.family AND c.key1 = w.key1
        AND c.key2 = w.key2`,
    [...keyLists(cells), at],
  );
}
