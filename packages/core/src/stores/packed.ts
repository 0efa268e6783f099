import { cellsOf, createBucket, mergeIntoBucket } from '../bucket.js';
import { createCell, NAMED_FAMILIES } from '../cell.js';
import { sketchFromJSON, sketchToJSON } from '../sketch.js';
import type { Bucket, Caps } from '../bucket.js';
import type { Cell, Family, Line } from './store.js';

/**
 * A bucket at rest: its cells as JSON text, a text for each family. It takes about a fifth of the
 * room, and buckets that time has passed by are read now and then, but hardly ever added to.
 */
export interface Packed {
  readonly at: number;
  readonly bucketMs: number;
  readonly texts: ReadonlyMap<Family, string>;
  /** Bytes. */
  readonly size: number;
  /** It has nothing left to be made smaller by. */
  readonly bare?: boolean;
}

type LineRow = readonly [Line['model'], Line['class'], Line['speed'], Line['geo'], Line['tier']];
type CellRow = readonly [
  key: readonly [string, string],
  sums: number[],
  rare: number[] | 0,
  lines: readonly number[],
  amounts: number[],
  sketches: readonly (readonly number[])[],
];

const FAMILIES: readonly Family[] = ['total', ...NAMED_FAMILIES];
/** A string with one wider character takes two bytes for each. */
const WIDE = /[^\0-\xff]/g;

export function pack(bucket: Bucket): Packed {
  const texts = new Map<Family, string>();
  let size = 0;
  for (const family of FAMILIES) {
    const cells: Cell[] = [];
    cellsOf(bucket, [family], cells);
    const text = packCells(cells);
    texts.set(family, text);
    size += text.length;
  }
  return { at: bucket.at, bucketMs: bucket.bucketMs, texts, size };
}

export function unpack(packed: Packed, caps: Caps): Bucket {
  const bucket = createBucket(packed.at, packed.bucketMs, caps);
  for (const cell of cellsOfPacked(packed, FAMILIES)) mergeIntoBucket(bucket, cell);
  return bucket;
}

export function cellsOfPacked(packed: Packed, families: readonly Family[]): Cell[] {
  return families.flatMap((family) => unpackCells(packed, family));
}

function packCells(cells: readonly Cell[]): string {
  const lines = new Map<string, number>();
  const rows = cells.map((cell): CellRow => {
    const numbers = cell.lines.map(({ model, class: part, speed, geo, tier }) => {
      const row = JSON.stringify([model, part, speed, geo, tier] satisfies LineRow);
      const number = lines.get(row) ?? lines.size;
      lines.set(row, number);
      return number;
    });
    const sketches = cell.sketches ? Object.values(cell.sketches).map(sketchToJSON) : [];
    return [cell.key, cell.sums, cell.rare ?? 0, numbers, cell.amounts, sketches];
  });
  return narrow(`[[${[...lines.keys()].join()}],${JSON.stringify(rows)}]`);
}

function narrow(json: string): string {
  return json.replace(WIDE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Whether cells of users can be among them that have this name; without unpacking them. */
export function mayHaveName({ texts }: Packed, user: string): boolean {
  return texts.get('user-model')?.includes(narrow(`[${JSON.stringify(user)},`)) ?? false;
}

function unpackCells({ texts, at, bucketMs }: Packed, family: Family): Cell[] {
  const text = texts.get(family);
  if (text === undefined) return [];
  const [lineRows, rows] = JSON.parse(text) as [LineRow[], CellRow[]];
  const lines = lineRows.map(([model, part, speed, geo, tier]): Line => {
    return { model, class: part, speed, geo, tier };
  });
  return rows.map(([key, sums, rare, numbers, amounts, sketches]) => {
    const cell = createCell(family, bucketMs, at, key);
    sums.forEach((value, slot) => (cell.sums[slot] = value));
    cell.rare = rare === 0 ? null : rare;
    cell.lines = numbers.map((number) => lines[number]!);
    cell.amounts = amounts;
    if (!cell.sketches) return cell;
    Object.values(cell.sketches).forEach((sketch, i) =>
      Object.assign(sketch, sketchFromJSON(sketches[i] ?? [])),
    );
    return cell;
  });
}
