import { checkOptions, rule } from '../options.js';
import { createAccess } from './sqlite/access.js';
import { foldStaged, mergeBatch } from './sqlite/batches.js';
import { createBudgets, type SqliteBudgets } from './sqlite/budgets.js';
import { createCallLog } from './sqlite/call-log.js';
import { DRIVER_NAMES, findDriver, type SqliteDriver } from './sqlite/driver.js';
import { forgetUser } from './sqlite/erasing.js';
import { SqliteStoreError } from './sqlite/failure.js';
import { openFile } from './sqlite/file.js';
import { createProblems } from './problems.js';
import { createNotes, type SqliteNotes } from './sqlite/notes.js';
import { readCells } from './sqlite/reading.js';
import { tidy } from './sqlite/tidying.js';
import { createFileTime } from './sqlite/time.js';
import type { Clock } from '../clock.js';
import type { Erased } from '../erased.js';
import type { CallRecord } from '../record.js';
import type { CallsPage, CallsQuery, Cell, CellQuery, Store, StoreProblem } from './store.js';

/**
 * The store that survives a restart: one SQLite file, for one process or for several on the same machine.
 * Docs: `docs/sqlite.md`.
 */
export interface SqliteStoreOptions {
  /** Path of the file; its folder has to exist. One file, several processes: they add up. */
  readonly file: string;
  /** Default: the first of `node:sqlite`, `libsql`, `better-sqlite3` that is there. */
  readonly driver?: SqliteDriver | undefined;
  /** Recent calls to keep for `/calls`. Default 10,000; 0 keeps none. */
  readonly maxCalls?: number | undefined;
  /** How long minute buckets are kept. Default 3 hours. */
  readonly minuteRetentionMs?: number | undefined;
  /** How long quarter-hour buckets are kept. Default 90 days. */
  readonly historyRetentionMs?: number | undefined;
  /** How long recent calls are kept, counted from their start. Default 30 days. */
  readonly callRetentionMs?: number | undefined;
  /** Bound on what is in the file, in bytes; beyond it old buckets lose names. Default 1 GB. */
  readonly maxBytes?: number | undefined;
  /** How long to wait for another process that writes. Default 5 seconds. */
  readonly lockTimeoutMs?: number | undefined;
  /** What leases and claims expire by. Default: the machine's. In tests, one that they move. */
  readonly clock?: Clock | undefined;
  /** Told what went wrong without anybody asking. A monitor listens by itself. */
  readonly onProblem?: ((problem: StoreProblem) => void) | undefined;
}

export interface SqliteStore extends Store {
  readonly name: 'sqlite';
  /** Absolute path. */
  readonly file: string;
  /** The library that has the file open. */
  readonly driver: string;
  readonly shared: true;
  /** Money of budgets, which all processes that have the file open share. */
  readonly budgets: SqliteBudgets;
  readonly notes: SqliteNotes;
  merge(cells: readonly Cell[], now: number, batch?: string): Promise<void>;
  read(query: CellQuery): Promise<readonly Cell[]>;
  addCalls(calls: readonly CallRecord[]): void;
  calls(query: CallsQuery): Promise<CallsPage>;
  findCall(messageId: string): Promise<CallRecord | null>;
  /** Tells `listener` what went wrong, also what nobody has heard of so far. */
  onProblem(listener: (problem: StoreProblem) => void): void;
  /**
   * Makes a user nobody: what was used counts under `(erased)` from now on, and every total stays.
   * What the process, or another one, has not yet written is not touched: call it again later.
   */
  forgetUser(userId: string): Promise<Erased>;
  /** Writes what waits, and closes the file. */
  close(): Promise<void>;
}

export type { Erased, SqliteBudgets, SqliteDriver, SqliteNotes };
export { SqliteStoreError };

const MINUTE_MS = 60_000;
const QUARTER_MS = 900_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MACHINE: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

const rules = {
  file: {
    allowed: 'the path of a file (for memory alone there is memoryStore())',
    ok: (value: unknown) => typeof value === 'string' && value !== '' && value !== ':memory:',
  },
  driver: rule.either(...DRIVER_NAMES.map(rule.exactly), rule.function, {
    allowed: 'the module node:sqlite',
    ok: (value) => typeof (value as { DatabaseSync?: unknown } | null)?.DatabaseSync === 'function',
  }),
  maxCalls: rule.integer(0, 1_000_000),
  minuteRetentionMs: rule.integer(5 * MINUTE_MS, 7 * DAY_MS),
  historyRetentionMs: rule.integer(HOUR_MS, 400 * DAY_MS),
  callRetentionMs: rule.integer(MINUTE_MS, 400 * DAY_MS),
  maxBytes: rule.integer(4_000_000, 1_000_000_000_000),
  lockTimeoutMs: rule.integer(0, 60_000),
  clock: rule.methods('now', 'monotonic'),
  onProblem: rule.function,
};

/**
 * @throws TypeError for an option that does not exist or cannot be right.
 * @throws Error when no driver is installed.
 * @throws SqliteStoreError when the file cannot be used; one that is not of this store stays as it is.
 *
 * @example
 * const monitor = createMonitor({ store: sqliteStore({ file: 'claude-metrics.sqlite' }) });
 */
export function sqliteStore(options: SqliteStoreOptions): SqliteStore {
  checkOptions('sqliteStore', options ?? {}, rules);
  if (options?.file === undefined) checkOptions('sqliteStore', { file: '' }, rules);
  const {
    maxCalls = 10_000,
    minuteRetentionMs = 3 * HOUR_MS,
    historyRetentionMs = 90 * DAY_MS,
    callRetentionMs = 30 * DAY_MS,
    maxBytes = 1_000_000_000,
    lockTimeoutMs = 5_000,
    clock = MACHINE,
  } = options;
  const problems = createProblems(options.onProblem);
  const driver = findDriver(options.driver);
  const open = openFile({
    driver,
    file: options.file,
    lockTimeoutMs,
    onMoved: (text) => problems.tell({ kind: 'notice', name: 'sqlite.moved', text }),
  });
  const access = createAccess(open, lockTimeoutMs);
  const calls = createCallLog({
    access,
    capacity: maxCalls,
    onDrop: (count) => problems.tell({ kind: 'drop', name: 'sqlite.calls', count }),
    onFault: (error) => problems.tell({ kind: 'fault', name: 'sqlite.calls', error }),
  });
  const time = createFileTime(clock);
  const budgets = createBudgets({
    access,
    time,
    onDrop: (count) => problems.tell({ kind: 'drop', name: 'sqlite.adjustments', count }),
  });
  const notes = createNotes(access, time, open.file);
  const resolutions = [
    { bucketMs: MINUTE_MS, retentionMs: Math.min(minuteRetentionMs, historyRetentionMs) },
    { bucketMs: QUARTER_MS, retentionMs: historyRetentionMs },
  ];
  const running = new Set<Promise<unknown>>();
  let tidiedAt = NaN;
  let closed: Promise<void> | null = null;

  /** Keeps the file open until the work is done. */
  function during<T>(work: () => Promise<T>): Promise<T> {
    if (closed !== null) {
      const text = `${open.file} is closed. Ask nothing of a store after its close().`;
      return Promise.reject(new SqliteStoreError('other', open.file, text));
    }
    const done = work();
    const ended = done.catch(() => undefined).finally(() => running.delete(ended));
    running.add(ended);
    return done;
  }

  async function afterwards(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      problems.tell({ kind: 'fault', name, error });
    }
  }

  async function tidyNow(now: number): Promise<void> {
    const minute = Math.floor(now / MINUTE_MS);
    if (minute === tidiedAt) return;
    tidiedAt = minute;
    await tidy({ access, calls, resolutions, callRetentionMs, maxBytes }, now);
  }

  async function closeNow(): Promise<void> {
    await Promise.all(running);
    calls.stop();
    try {
      await calls.flush();
      access.emptyLog();
    } finally {
      access.close();
    }
  }

  return {
    name: 'sqlite',
    file: open.file,
    driver: driver.name,
    resolutions,
    shared: true,
    budgets: {
      name: 'sqlite',
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
        const known = cells.filter(({ bucketMs }) =>
          resolutions.some((each) => each.bucketMs === bucketMs),
        );
        await mergeBatch(access, known, Math.trunc(now), batch);
        // The batch counts by now: whatever fails from here on is no reason to bring it again.
        await afterwards('sqlite.fold', () => foldStaged(access));
        await afterwards('sqlite.calls', calls.flush);
        await afterwards('sqlite.tidy', () => tidyNow(now));
      }),
    read: (query) => during(() => readCells(access, query)),
    addCalls(some) {
      if (closed === null) calls.add(some);
      else problems.tell({ kind: 'drop', name: 'sqlite.calls', count: some.length });
    },
    calls: (query) => during(() => calls.page(query)),
    findCall: (messageId) => during(() => calls.find(messageId)),
    onProblem: problems.listen,
    forgetUser: (userId) => during(() => forgetUser(access, calls, userId)),
    close: () => (closed ??= closeNow()),
  };
}
