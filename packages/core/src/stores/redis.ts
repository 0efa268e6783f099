import { checkOptions, rule } from '../options.js';
import { addBatch, type Level } from './redis/adding.js';
import { createBudgets, type RedisBudgets } from './redis/budgets.js';
import { createCallLog } from './redis/call-log.js';
import { commandsOf, type RedisClient } from './redis/client.js';
import { compact, isFull } from './redis/compacting.js';
import { forgetUser } from './redis/erasing.js';
import { closedError, RedisStoreError, type RedisFailure } from './redis/failure.js';
import { keysOf, TABLE_NAMES, type Place, type Table } from './redis/keys.js';
import { createNotes, type RedisNotes } from './redis/notes.js';
import { evictionNotice } from './redis/policy.js';
import { createProblems } from './problems.js';
import { readCells } from './redis/reading.js';
import { createServer } from './redis/server.js';
import { createWatching } from './redis/watching.js';
import type { Erased } from '../erased.js';
import type { CallRecord } from '../record.js';
import type { CallsPage, CallsQuery, Cell, CellQuery, Store, StoreProblem } from './store.js';

/**
 * The store that a fleet shares: cells, recent calls and the money of budgets in Redis, a single server
 * or a cluster. The client is the application's. Docs: `docs/redis.md`.
 */
export interface RedisStoreOptions {
  /**
   * `Redis` or `Cluster` of ioredis, or a client or cluster of node-redis that is connected. It
   * stays the application's: the store never closes it.
   */
  readonly client: RedisClient;
  /** What all keys begin with. Default `claude-metrics`. */
  readonly prefix?: string | undefined;
  /** How long minute buckets are kept. Default 3 hours. */
  readonly minuteRetentionMs?: number | undefined;
  /** How long quarter-hour buckets are kept. Default 90 days. */
  readonly historyRetentionMs?: number | undefined;
  /** Recent calls to keep for `/calls`, of all processes together. Default 10,000; 0 keeps none. */
  readonly maxCalls?: number | undefined;
  /** How long recent calls are kept, counted from their start. Default 30 days. */
  readonly callRetentionMs?: number | undefined;
  /** How long to wait for an answer of the server. Default 5 seconds. */
  readonly timeoutMs?: number | undefined;
  /** Told what went wrong without anybody asking. A monitor listens by itself. */
  readonly onProblem?: ((problem: StoreProblem) => void) | undefined;
}

export interface RedisStore extends Store {
  readonly name: 'redis';
  readonly shared: true;
  readonly budgets: RedisBudgets;
  readonly notes: RedisNotes;
  merge(cells: readonly Cell[], now: number, batch?: string): Promise<void>;
  read(query: CellQuery): Promise<readonly Cell[]>;
  addCalls(calls: readonly CallRecord[]): void;
  calls(query: CallsQuery): Promise<CallsPage>;
  findCall(messageId: string): Promise<CallRecord | null>;
  onProblem(listener: (problem: StoreProblem) => void): void;
  /**
   * Makes a user nobody: what was used counts under `(erased)` from now on, and every total stays. What
   * a process has not yet brought is not touched: call it again later. Budgets have their own.
   */
  forgetUser(userId: string): Promise<Erased>;
  /**
   * Tells `listener`, at most once a second, that some process has merged something. It takes a
   * connection of its own, until the function that it resolves with is called.
   */
  watch(listener: () => void): Promise<() => Promise<void>>;
  /** Writes what waits. The client stays open. */
  close(): Promise<void>;
}

export type { Erased, RedisBudgets, RedisClient, RedisFailure, RedisNotes };
export { RedisStoreError };

const MINUTE_MS = 60_000;
const QUARTER_MS = 900_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Buckets of this process that are still to be packed when their time is over. */
const MAX_TOUCHED = 400;
const MAX_PACKED = 32;
const MAX_EXPIRED_STEPS = 10;

const rules = {
  client: {
    allowed: 'a client or cluster of ioredis or of node-redis (`redis`)',
    ok: (value: unknown) => commandsOf(value) !== null,
  },
  prefix: {
    allowed: '1 to 64 printable characters, without spaces and braces',
    ok: (value: unknown) => typeof value === 'string' && /^[!-z|~]{1,64}$/.test(value),
  },
  minuteRetentionMs: rule.integer(5 * MINUTE_MS, 7 * DAY_MS),
  historyRetentionMs: rule.integer(HOUR_MS, 400 * DAY_MS),
  maxCalls: rule.integer(0, 1_000_000),
  callRetentionMs: rule.integer(MINUTE_MS, 400 * DAY_MS),
  timeoutMs: rule.integer(10, 600_000),
  onProblem: rule.function,
};

/**
 * Nothing is asked of the server before the first use.
 *
 * @throws TypeError for an option that does not exist or cannot be right.
 *
 * @example
 * import { Redis } from 'ioredis';
 * const client = new Redis(process.env.REDIS_URL);
 * client.on('error', console.error);
 * const monitor = createMonitor({ store: redisStore({ client }) });
 */
export function redisStore(options: RedisStoreOptions): RedisStore {
  checkOptions('redisStore', options ?? {}, rules);
  if (options?.client === undefined) checkOptions('redisStore', { client: null }, rules);
  const {
    prefix = 'claude-metrics',
    minuteRetentionMs = 3 * HOUR_MS,
    historyRetentionMs = 90 * DAY_MS,
    maxCalls = 10_000,
    callRetentionMs = 30 * DAY_MS,
    timeoutMs = 5_000,
  } = options;
  const commands = commandsOf(options.client)!;
  const problems = createProblems(options.onProblem);
  const server = createServer(commands, timeoutMs);
  const keys = keysOf(prefix);
  const fault = (name: string) => (error: unknown) => problems.tell({ kind: 'fault', name, error });
  const calls = createCallLog({
    ...{ server, keys, capacity: maxCalls, retentionMs: callRetentionMs },
    onDrop: (count) => problems.tell({ kind: 'drop', name: 'redis.calls', count }),
    onFault: fault('redis.calls'),
  });
  const watching = createWatching({ commands, server, keys, onFault: fault('redis.watch') });
  const resolutions = [
    { bucketMs: MINUTE_MS, retentionMs: Math.min(minuteRetentionMs, historyRetentionMs) },
    { bucketMs: QUARTER_MS, retentionMs: historyRetentionMs },
  ];
  let running = 0;
  let allEnded: (() => void) | null = null;
  /** Buckets to pack when they are over, by name, the first to be touched first. */
  const touched = new Map<string, Place>();
  /** The ledger's clock, as last heard of. */
  let present = -Infinity;
  let tidiedAt = NaN;
  let checked: Promise<void> | null = null;
  let closed: Promise<void> | null = null;

  /** Keeps the store open until the work is done. */
  function during<T>(work: () => Promise<T>): Promise<T> {
    if (closed !== null) return Promise.reject(closedError());
    checked ??= checkPolicy();
    running += 1;
    const done = work();
    done.then(end, end);
    return done;
  }

  function end(): void {
    running -= 1;
    if (running === 0) allEnded?.();
  }

  async function checkPolicy(): Promise<void> {
    const text = await evictionNotice(server);
    if (text !== null) problems.tell({ kind: 'notice', name: 'redis.eviction', text });
  }

  async function afterwards(name: string, work: () => Promise<void>): Promise<void> {
    await work().catch(fault(name));
  }

  async function pack(place: Place, tables: readonly Table[]): Promise<void> {
    for (const table of tables) await compact(server, keys, place, table);
  }

  /** What is full at once; what is over for good. */
  async function tidy(levels: readonly Level[], now: number): Promise<void> {
    for (const level of levels) if (isFull(level)) await pack(level, [level.table]);
    for (const { bucketMs, at } of levels) touched.set(`${bucketMs}:${at}`, { bucketMs, at });
    const over = [...touched].filter(([, { bucketMs, at }]) => now >= at + bucketMs + MINUTE_MS);
    for (const [name, place] of over.slice(0, MAX_PACKED)) {
      touched.delete(name);
      await pack(place, TABLE_NAMES);
    }
    for (const name of [...touched.keys()].slice(MAX_TOUCHED)) touched.delete(name);
    const minute = Math.floor(now / MINUTE_MS);
    if (minute === tidiedAt) return;
    tidiedAt = minute;
    // A clock that jumps ahead makes everything old, so only so much goes a minute.
    for (let i = 0; i < MAX_EXPIRED_STEPS; i += 1) {
      if (!(await calls.expire(now - callRetentionMs))) return;
    }
  }

  async function closeNow(): Promise<void> {
    if (running > 0) await new Promise<void>((resolve) => (allEnded = resolve));
    await checked;
    calls.stop();
    await watching.close();
    await calls.flush();
  }

  const budgets = createBudgets(server, keys);
  const notes = createNotes(server, keys);

  return {
    name: 'redis',
    shared: true,
    resolutions,
    merge: (cells, now, batch) =>
      during(async () => {
        const levels = await addBatch({ server, keys, resolutions }, cells, now, batch);
        present = now;
        if (cells.length > 0) watching.announce();
        // The batch counts by now: whatever fails from here on is no reason to bring it again.
        await afterwards('redis.calls', calls.flush);
        await afterwards('redis.tidy', () => tidy(levels, now));
      }),
    read: (query) =>
      during(async () => {
        const kept = resolutions.find(({ bucketMs }) => bucketMs === query.bucketMs);
        if (kept === undefined) return [];
        return readCells(server, keys, query, present - kept.retentionMs - kept.bucketMs + 1);
      }),
    addCalls(some) {
      if (closed === null) calls.add(some);
      else problems.tell({ kind: 'drop', name: 'redis.calls', count: some.length });
    },
    calls: (query) => during(() => calls.page(query)),
    findCall: (messageId) => during(() => calls.find(messageId)),
    budgets: {
      ...budgets,
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
    onProblem: problems.listen,
    forgetUser: (userId) => during(() => forgetUser(server, keys, resolutions, calls, userId)),
    watch: (listener) => during(() => watching.watch(listener)),
    close: () => (closed ??= closeNow()),
  };
}
