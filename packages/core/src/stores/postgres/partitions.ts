import { TIERS } from './columns.js';
import { isTable, lockStatement } from './migrating.js';
import { msOf } from './text.js';
import type { Database } from './database.js';
import type { Run } from './transaction.js';

/**
 * Partitions in time: made before they are needed, dropped whole when their time has passed.
 *
 * - **span**: the time of one partition, a day or a month of UTC. Its stamp (`20261124`, `202611`) ends
 *   the name of its table.
 */
export interface Parted {
  readonly table: string;
  readonly span: 'day' | 'month';
}

export interface Partitions {
  /** Makes what these times need, unless it is known to be there. */
  make(parted: Parted, times: readonly number[]): Promise<void>;
  /** Drops what ended `retentionMs` before `now`. */
  drop(parted: Parted, now: number, retentionMs: number): Promise<void>;
}

export const CALLS: Parted = { table: 'calls', span: 'day' };
export const ALL_PARTED: readonly Parted[] = [...TIERS, CALLS];

/** How long making or dropping may make others wait for it. */
const LOCK_MS = 2_000;
const MAX_KNOWN = 2_000;

export function createPartitions(database: Database): Partitions {
  const { s, schema } = database;
  const known = new Set<string>();
  let losses = 0;

  async function makeOne({ table }: Parted, { stamp, from, to }: Span): Promise<void> {
    const name = `${table}_${stamp}`;
    const first = lockStatement(schema, 'partitions');
    await database.transact('make a partition', { first, lockMs: LOCK_MS }, async (run) => {
      if (await isTable(run, schema, name)) return;
      const bounds = [from, to].map((at) => `'${new Date(at).toISOString()}'`).join(') TO (');
      // Attached rather than created in place, it lets others go on writing meanwhile.
      await run(
        `CREATE TABLE ${s}.${name} (LIKE ${s}.${table} INCLUDING ALL)
           WITH (fillfactor = ${table === CALLS.table ? 100 : 80});
         ALTER TABLE ${s}.${table} ATTACH PARTITION ${s}.${name} FOR VALUES FROM (${bounds})`,
      );
    });
    if (known.size >= MAX_KNOWN) known.clear();
    known.add(name);
  }

  return {
    async make(parted, times) {
      if (losses !== database.losses) known.clear();
      losses = database.losses;
      for (const at of new Set(times.map((time) => spanOf(parted.span, time).from))) {
        const span = spanOf(parted.span, at);
        if (!known.has(`${parted.table}_${span.stamp}`)) await makeOne(parted, span);
      }
    },
    async drop(parted, now, retentionMs) {
      const { table } = parted;
      const first = lockStatement(schema, 'partitions');
      const options = { first, lockMs: LOCK_MS };
      await database.transact('drop old partitions', options, async (run) => {
        for (const stamp of (await stampsOf(run, schema, table)).sort()) {
          const end = endOf(parted.span, stamp);
          if (end === null || end > now - retentionMs) continue;
          const name = `${table}_${stamp}`;
          if (table === CALLS.table) await passNumbers(run, s, name);
          await run(`DROP TABLE ${s}.${name}`);
          known.delete(name);
        }
      });
    },
  };
}

/** The server's clock, milliseconds since the epoch. */
export async function presentOf(run: Run, s: string): Promise<number> {
  const { rows } = await run(`SELECT ${msOf(`${s}.present()`)} AS now`);
  return Number(rows[0]?.['now']);
}

interface Span {
  readonly stamp: string;
  readonly from: number;
  readonly to: number;
}

function spanOf(span: Parted['span'], at: number): Span {
  const date = new Date(at);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const text = date.toISOString().slice(0, 10).replaceAll('-', '');
  return span === 'day'
    ? { stamp: text, from: Date.UTC(year, month, day), to: Date.UTC(year, month, day + 1) }
    : { stamp: text.slice(0, 6), from: Date.UTC(year, month), to: Date.UTC(year, month + 1) };
}

/** `null` for a table that is none of ours. */
function endOf(span: Parted['span'], stamp: string): number | null {
  const parts = /^(\d{4})(\d{2})(\d{2})?$/.exec(stamp);
  if (!parts) return null;
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  const found = spanOf(span, Date.UTC(year, month - 1, parts[3] === undefined ? 1 : day));
  return found.stamp === stamp ? found.to : null;
}

async function stampsOf(run: Run, schema: string, table: string): Promise<string[]> {
  const { rows } = await run(
    `SELECT c.relname::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace
      WHERE n.nspname = $1 AND p.relname = $2`,
    [schema, table],
  );
  return rows.map((row) => (row['name'] ?? '').slice(table.length + 1));
}

/** Calls that go are the oldest: their numbers are counted as let go. */
async function passNumbers(run: Run, s: string, table: string): Promise<void> {
  await run(
    `UPDATE ${s}.call_numbers
      SET oldest = greatest(oldest, 1 + (SELECT coalesce(max(seq), 0) FROM ${s}.${table}))`,
  );
}
