import { randomUUID } from 'node:crypto';
import { ADD, LIST_BUCKETS } from './bucket-scripts.js';
import { blocksOf, checkWritable } from './codec.js';
import { TABLE_NAMES, tableOf, type Keys, type Place, type Table } from './keys.js';
import { textsIn, type Server } from './server.js';
import { startTurns, type Turns } from './turn.js';
import type { Cell, Family, Resolution } from '../store.js';

/**
 * Adding a batch: to each of its buckets in one step, which also marks the batch there. Brought again
 * after a failure, it is added to those buckets only that do not have it.
 *
 * - **part**: what a batch brings for one bucket.
 */
export interface AddOptions {
  readonly server: Server;
  readonly keys: Keys;
  readonly resolutions: readonly Resolution[];
}

interface Part extends Place {
  readonly ttlMs: number;
  readonly cells: Map<Family, Cell[]>;
}

/** How full a table of a bucket is. */
export interface Level extends Place {
  readonly table: Table;
  readonly deltas: number;
  readonly deltaBytes: number;
  readonly wholeBytes: number;
}

/** Kept for a little longer than is said: clocks differ. */
const SLACK_MS = 600_000;
/** Buckets that are sent at once. */
const AT_ONCE = 16;

/** Rejects when a bucket does not have its part; all others that were begun are done with by then. */
export async function addBatch(
  { server, keys, resolutions }: AddOptions,
  cells: readonly Cell[],
  now: number,
  batch: string = randomUUID(),
): Promise<readonly Level[]> {
  const turns = startTurns();
  for (let i = 0; i < cells.length; i += 1) {
    checkWritable(cells[i]!);
    if (i % 64 === 0) await turns.pass();
  }
  const parts = await partsOf(cells, resolutions, now, turns);
  const levels: Level[] = [];
  for (let i = 0; i < parts.length; i += AT_ONCE) {
    const some = parts.slice(i, i + AT_ONCE);
    const listed = resolutions.map(({ bucketMs }) => list(server, keys, bucketMs, some));
    const added = some.map(async (part) => {
      levels.push(...(await addPart(server, keys, part, batch)));
    });
    const failed = (await Promise.allSettled([...listed, ...added])).find(
      ({ status }) => status === 'rejected',
    );
    if (failed) throw (failed as PromiseRejectedResult).reason;
  }
  return levels;
}

/** What is too old to be kept, and what is of no resolution, is left out. */
async function partsOf(
  cells: readonly Cell[],
  resolutions: readonly Resolution[],
  now: number,
  turns: Turns,
): Promise<readonly (Part & { readonly args: readonly string[] })[]> {
  const parts = new Map<string, Part>();
  for (const cell of cells) {
    const { bucketMs, at, family } = cell;
    const kept = resolutions.find((each) => each.bucketMs === bucketMs);
    const leftMs = at + bucketMs + (kept?.retentionMs ?? -Infinity) - now;
    if (!(leftMs > 0)) continue;
    const name = `${bucketMs}:${at}`;
    let part = parts.get(name);
    if (part === undefined) {
      part = { bucketMs, at, ttlMs: Math.ceil(leftMs) + SLACK_MS, cells: new Map() };
      parts.set(name, part);
    }
    const some = part.cells.get(family);
    if (some) some.push(cell);
    else part.cells.set(family, [cell]);
  }
  const written: (Part & { readonly args: readonly string[] })[] = [];
  for (const part of parts.values()) {
    const args: string[] = [];
    for (const [family, some] of part.cells) {
      const blocks: string[] = [];
      for (const block of blocksOf('d', some)) {
        blocks.push(block);
        await turns.pass();
      }
      args.push(tableOf(family), String(blocks.length), ...blocks);
    }
    written.push({ ...part, args });
  }
  return written;
}

async function list(
  server: Server,
  keys: Keys,
  bucketMs: number,
  parts: readonly Part[],
): Promise<void> {
  const args = parts
    .filter((part) => part.bucketMs === bucketMs)
    .flatMap(({ at, ttlMs }) => [String(at), String(ttlMs)]);
  if (args.length > 0) {
    await server.run('merge', LIST_BUCKETS, keys.directory(bucketMs), args);
  }
}

async function addPart(
  server: Server,
  keys: Keys,
  part: Part & { readonly args: readonly string[] },
  batch: string,
): Promise<readonly Level[]> {
  const { bucketMs, at, ttlMs } = part;
  const lists = [...part.cells.keys()].map((family) => keys.blocks(part, family));
  const answer = await server.run(
    'merge',
    ADD,
    [keys.marks(part), keys.meta(part), ...lists],
    [JSON.stringify(batch), String(ttlMs), ...part.args],
  );
  // Nothing: the bucket has the batch.
  if (answer === null) return [];
  const numbers = textsIn(answer).map((text) => Number(text) || 0);
  return TABLE_NAMES.map((table, i) => {
    const [deltas, deltaBytes, wholeBytes] = numbers.slice(3 * i, 3 * i + 3) as [
      number,
      number,
      number,
    ];
    return { bucketMs, at, table, deltas, deltaBytes, wholeBytes };
  });
}
