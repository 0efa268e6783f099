import { checkOptions, rule } from '../options.js';
import { addCells, checkCells } from './postgres/adding.js';
import { createBudgets, type PostgresBudgets } from './postgres/budgets.js';
import { createCallLog } from './postgres/call-log.js';
import { TIERS } from './postgres/columns.js';
import { createDatabase } from './postgres/database.js';
import { eraseUser } from './postgres/erasing.js';
import { closedError, PostgresStoreError } from './postgres/failure.js';
import { createFolding } from './postgres/folding.js';
import { lockStatement } from './postgres/migrating.js';
import { createNotes, type PostgresNotes } from './postgres/notes.js';
import { createPartitions } from './postgres/partitions.js';
import { readCells } from './postgres/reading.js';
import { hashOf } from './postgres/text.js';
import { createUpkeep } from './postgres/upkeep.js';
import { createProblems } from './problems.js';
import type { Erased } from '../erased.js';
import type { CallRecord } from '../record.js';
import type { PostgresClient, PostgresPool } from './postgres/pool.js';
import type { CallsPage, CallsQuery, Cell, CellQuery, Store, StoreProblem } from './store.js';

/**
 * Cells, calls and the money of budgets in Postgres, for any number of processes on any number of
 * machines, in tables that people can ask. Docs: `docs/postgres.md`.
 */
export interface PostgresStoreOptions {
  /** A `Pool` of `pg`. It stays yours: the store never ends it. */
  readonly pool: PostgresPool;
  /** Where the tables are; made if it is not there. Default `claude_metrics`. */
  readonly schema?: string | undefined;
  /** Recent calls to keep for `/calls`. Default 100,000; 0 keeps none. */
  readonly maxCalls?: number | undefined;
  /** How long minute buckets are kept. Default 3 hours. */
  readonly minuteRetentionMs?: number | undefined;
  /** How long quarter-hour buckets are kept. Default 400 days. */
  readonly historyRetentionMs?: number | undefined;
  /** How long calls are kept, from when they were written. Default 30 days. */
  readonly callRetentionMs?: number | undefined;
  /** How long one transaction may take, with waiting for a connection. Default 10 seconds. */
  readonly timeoutMs?: number | undefined;
  /** Told what went wrong without anybody asking. A monitor listens by itself. */
  readonly onProblem?: ((problem: StoreProblem) => void) | undefined;
}

export interface PostgresStore extends Store {
  readonly name: 'postgres';
  readonly shared: true;
  /** Money of budgets, which all processes that use the schema share. */
  readonly budgets: PostgresBudgets;
  readonly notes: PostgresNotes;
  merge(cells: readonly Cell[], now: number, batch?: string): Promise<void>;
  read(query: CellQuery): Promise<readonly Cell[]>;
  addCalls(calls: readonly CallRecord[]): void;
  calls(query: CallsQuery): Promise<CallsPage>;
  findCall(messageId: string): Promise<CallRecord | null>;
  /** Tells `listener` what went wrong, also what nobody has heard of so far. */
  onProblem(listener: (problem: StoreProblem) => void): void;
  /**
   * Makes a user nobody: what was used counts under `(erased)` from now on, and every total stays.
   * What a process has not yet written is not touched: call it again later.
   */
  forgetUser(userId: string): Promise<Erased>;
  /** Writes what waits, and drops what cannot be written. The pool stays open. */
  close(): Promise<void>;
}

export type { Erased, PostgresBudgets, PostgresClient, PostgresNotes, PostgresPool };
export { PostgresStoreError };

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const rules = {
  pool: rule.methods('connect'),
  schema: {
    allowed: 'a name of lower-case letters, digits and _, at most 40 characters, not pg_…',
    ok: (value: unknown) =>
      typeof value === 'string' &&
      /^[a-z_][a-z0-9_]{0,39}$/.test(value) &&
      !value.startsWith('pg_'),
  },
  maxCalls: rule.integer(0, 10_000_000),
  minuteRetentionMs: rule.integer(5 * MINUTE_MS, 7 * DAY_MS),
  historyRetentionMs: rule.integer(HOUR_MS, 4_000 * DAY_MS),
  callRetentionMs: rule.integer(HOUR_MS, 4_000 * DAY_MS),
  timeoutMs: rule.integer(100, 600_000),
  onProblem: rule.function,
};

/**
 * Makes a store; nothing is asked of the server before its first use.
 *
 * @throws TypeError for an option that does not exist or cannot be right.
 *
 * @example
 * import { Pool } from 'pg';
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL });
 * pool.on('error', console.error);
 * const monitor = createMonitor({ store: postgresStore({ pool }) });
 */
export function postgresStore(options: PostgresStoreOptions): PostgresStore {
  checkOptions('postgresStore', options ?? {}, rules);
  if (options?.pool === undefined) {
    throw new TypeError(
      '[claude-metrics] postgresStore: options.pool must be a Pool of `pg`, got undefined.',
    );
  }
  const {
    pool,
    schema = 'claude_metrics',
    maxCalls = 100_000,
    minuteRetentionMs = 3 * HOUR_MS,
    historyRetentionMs = 400 * DAY_MS,
    callRetentionMs = 30 * DAY_MS,
    timeoutMs = 10_000,
  } = options;
  const problems = createProblems(options.onProblem);
  const faultOf = (name: string) => (error: unknown) => {
    problems.tell({ kind: 'fault', name, error });
  };
  const dropOf = (name: string) => (count: number) => problems.tell({ kind: 'drop', name, count });
  const [minute, quarter] = TIERS;
  const resolutions = [
    { bucketMs: minute.bucketMs, retentionMs: Math.min(minuteRetentionMs, historyRetentionMs) },
    { bucketMs: quarter.bucketMs, retentionMs: historyRetentionMs },
  ];
  const database = createDatabase(pool, schema, timeoutMs);
  const { s } = database;
  const partitions = createPartitions(database);
  const folding = createFolding(database);
  const calls = createCallLog({
    ...{ database, partitions, capacity: maxCalls },
    onDrop: dropOf('postgres.calls'),
    onFault: faultOf('postgres.calls'),
  });
  const budgets = createBudgets({
    database,
    onDrop: dropOf('postgres.adjustments'),
    onFault: faultOf('postgres.budgets'),
  });
  const notes = createNotes(database);
  const { upkeep } = createUpkeep({ database, partitions, resolutions, callRetentionMs });
  const running = new Set<Promise<unknown>>();
  let closed: Promise<void> | null = null;
  /** The ledger's clock, as last heard of. */
  let present = -Infinity;

  /** Lets `close()` wait until the work is done. */
  function during<T>(work: () => Promise<T>): Promise<T> {
    if (closed !== null) return Promise.reject(closedError());
    const done = work();
    const ended = done.catch(() => undefined).finally(() => running.delete(ended));
    running.add(ended);
    return done;
  }

  function oldestOf(bucketMs: number): number {
    const kept = resolutions.find((each) => each.bucketMs === bucketMs);
    return kept ? present - kept.retentionMs - bucketMs + 1 : Infinity;
  }

  /** What is old already is left out, so that no partition is made for it. */
  async function merge(cells: readonly Cell[], batch: string | undefined): Promise<void> {
    checkCells(cells);
    const kept = cells.filter(({ at, bucketMs }) => at >= oldestOf(bucketMs));
    if (kept.length === 0) return;
    for (const tier of TIERS) {
      const mine = kept.filter(({ bucketMs }) => bucketMs === tier.bucketMs);
      await partitions.make(
        tier,
        mine.map(({ at }) => at),
      );
    }
    const name =
      batch === undefined
        ? ''
        : `INSERT INTO ${s}.batches (id, added_at) VALUES ('${hashOf(batch)}', ${s}.present())
           ON CONFLICT DO NOTHING`;
    const first = lockStatement(schema, 'cells') + name;
    const grown = await database.transact('merge', { first }, async (run, { rowCount }) => {
      return rowCount === 0 ? [] : addCells(run, s, kept);
    });
    // The batch counts by now: whatever fails from here on is no reason to bring it again.
    for (const bucket of grown.filter(folding.isOvergrown)) {
      await folding.fold(bucket).catch(faultOf('postgres.fold'));
    }
  }

  async function closeNow(): Promise<void> {
    await Promise.all(running);
    await calls.close();
  }

  return {
    name: 'postgres',
    resolutions,
    shared: true,
    budgets: {
      name: 'postgres',
      exchange: (exchange) => during(() => budgets.exchange(exchange)),
      accounts: (query) => during(() => budgets.accounts(query)),
      adjustments: (limit) => during(() => budgets.adjustments(limit)),
      forgetUser: (userId) => during(() => budgets.forgetUser(userId)),
    },
    notes: {
      claim: (name, holder, forMs) => during(() => notes.claim(name, holder, forMs)),
      note: (name) => during(() => notes.note(name)),
      putNote: (name, text) => during(() => notes.putNote(name, text)),
    },
    merge: (cells, now, batch) =>
      during(async () => {
        present = now;
        await merge(cells, batch);
        await upkeep(now).catch(faultOf('postgres.upkeep'));
      }),
    read: (query) =>
      during(() => {
        const from = Math.max(query.from, oldestOf(query.bucketMs));
        return database.transact('read', { reading: true }, (run) => {
          return readCells(run, s, { ...query, from });
        });
      }),
    addCalls(some) {
      if (closed === null) calls.add(some);
      else dropOf('postgres.calls')(some.length);
    },
    calls: (query) => during(() => calls.page(query)),
    findCall: (messageId) => during(() => calls.find(messageId)),
    onProblem: problems.listen,
    forgetUser: (userId) =>
      during(async () => {
        await calls.flush();
        return eraseUser(database, userId);
      }),
    close: () => (closed ??= closeNow()),
  };
}
