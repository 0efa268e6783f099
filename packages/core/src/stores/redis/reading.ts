import { mergeCell } from '../../cell.js';
import { READ } from './bucket-scripts.js';
import { cellsOf, kindOf } from './codec.js';
import { TABLE_NAMES, TABLES, type Keys, type Place } from './keys.js';
import { textsIn, type Server } from './server.js';
import { startTurns, type Turns } from './turn.js';
import type { Cell, CellQuery, Family } from '../store.js';

/**
 * Reading a range of cells. A bucket is read as it is at one moment; the next ones are on their way while
 * one is made cells of.
 */
const AT_ONCE = 8;
const FAMILIES: readonly Family[] = TABLE_NAMES.flatMap((name) => [...TABLES[name]]);

/** @param oldest Buckets that begin before it are let go, and not shown any more. */
export async function readCells(
  server: Server,
  keys: Keys,
  query: CellQuery,
  oldest: number,
): Promise<readonly Cell[]> {
  const families = FAMILIES.filter((family) => query.families.includes(family));
  const from = Math.max(query.from, oldest);
  if (families.length === 0 || !(query.to > from)) return [];
  const starts = await startsOf(server, keys, query.bucketMs, from, query.to);
  const turns = startTurns();
  const cells: Cell[] = [];
  let coming = readSome(server, keys, query.bucketMs, starts.slice(0, AT_ONCE), families);
  for (let i = 0; i < starts.length; i += AT_ONCE) {
    const lists = await coming;
    const next = i + AT_ONCE;
    coming = readSome(server, keys, query.bucketMs, starts.slice(next, next + AT_ONCE), families);
    // It is awaited in the next round; what fails before that is no surprise to the process.
    coming.catch(() => undefined);
    for (const [j, blocks] of lists.entries()) {
      const place = { bucketMs: query.bucketMs, at: starts[i + j]! };
      for (const [k, family] of families.entries()) {
        await decode(blocks[k] ?? [], place, family, cells, turns);
      }
    }
  }
  return cells;
}

/** Starts of the buckets that there are, in order. */
export async function startsOf(
  server: Server,
  keys: Keys,
  bucketMs: number,
  from: number,
  to: number,
): Promise<number[]> {
  const [starts] = keys.directory(bucketMs);
  const range = ['ZRANGEBYSCORE', starts, bound(from), `(${bound(to)}`];
  return textsIn(await server.send('read', starts, range)).map(Number);
}

function bound(time: number): string {
  if (time === Infinity) return '+inf';
  return time === -Infinity ? '-inf' : String(time);
}

/** For each bucket the blocks of each family. */
async function readSome(
  server: Server,
  keys: Keys,
  bucketMs: number,
  starts: readonly number[],
  families: readonly Family[],
): Promise<string[][][]> {
  return Promise.all(
    starts.map(async (at) => {
      const lists = families.map((family) => keys.blocks({ bucketMs, at }, family));
      const answer = await server.run('read', READ, lists, []);
      return (answer as unknown[]).map(textsIn);
    }),
  );
}

/** Whole blocks as they are; deltas are added to what there is, each once. */
async function decode(
  blocks: readonly string[],
  place: Place,
  family: Family,
  into: Cell[],
  turns: Turns,
): Promise<void> {
  const deltas = new Map<string, Cell>();
  for (const block of blocks) {
    if (kindOf(block) === 'w') continue;
    for (const cell of cellsOf(block, place, family)) {
      const address = addressOf(cell);
      const before = deltas.get(address);
      if (before) mergeCell(before, cell);
      else deltas.set(address, cell);
    }
    await turns.pass();
  }
  for (const block of blocks) {
    if (kindOf(block) === 'd') continue;
    for (const cell of cellsOf(block, place, family)) {
      if (deltas.size > 0) {
        const address = addressOf(cell);
        const more = deltas.get(address);
        if (more) mergeCell(cell, more);
        deltas.delete(address);
      }
      into.push(cell);
    }
    await turns.pass();
  }
  for (const cell of deltas.values()) into.push(cell);
}

/** The length makes it the name of one key only. */
function addressOf({ key }: Cell): string {
  return `${key[0].length}:${key[0]}${key[1]}`;
}
