/**
 * An application of the fleet, a process of its own: it makes its calls with the real SDK, and tells
 * its parent what happens, line by line.
 *
 * It reads lines, too: a number of calls to go on to, or `end`.
 */
import { createInterface } from 'node:readline';
import { Anthropic } from '@anthropic-ai/sdk';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { createMonitor } from '../src/index.js';
import { postgresStore } from '../src/stores/postgres.js';
import { redisStore } from '../src/stores/redis.js';
import { sqliteStore } from '../src/stores/sqlite.js';
import type { Store } from '../src/stores/store.js';
import {
  CALLS_PER_MINUTE,
  MINUTE,
  MODELS,
  PARALLEL,
  START,
  sumsOf,
  TIMEOUT_MS,
  USERS,
  type AppPlan,
  type StorePlan,
  type Told,
} from './ledger-fleet-plan.js';

const plan = JSON.parse(process.argv[2]!) as AppPlan;
/** A pipe is written to before this returns: what was told is told, also when the process is killed. */
const tell = (told: Told) => void process.stdout.write(`${JSON.stringify(told)}\n`);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
/** A store that has come back answers with the first, unless the machine is very busy. */
const MOST_TRIES = 100;
const pause = () => new Promise<null>((resolve) => setTimeout(resolve, 20, null));

const count = { made: 0, ok: 0, refused: 0, doubled: 0, unheard: 0 };
const other: string[] = [];
let minute = 0;
let merging: Promise<unknown> = Promise.resolve();
let failing = false;

const clock = { now: () => START + minute * MINUTE, monotonic: () => performance.now() };

function storeOf(of: StorePlan): { store: Store; close(): unknown } {
  if (of.kind === 'sqlite') {
    const store = sqliteStore({ file: of.file, lockTimeoutMs: TIMEOUT_MS });
    return { store, close: () => undefined };
  }
  if (of.kind === 'postgres') {
    const address = { host: '127.0.0.1', port: of.port, user: 'postgres', database: 'postgres' };
    const pool = new Pool({ ...address, max: 4 });
    pool.on('error', () => undefined);
    return { store: postgresStore({ pool, timeoutMs: TIMEOUT_MS }), close: () => pool.end() };
  }
  const client = new Redis(of.port, '127.0.0.1');
  client.on('error', () => undefined);
  const store = redisStore({ client, timeoutMs: TIMEOUT_MS });
  return { store, close: () => client.disconnect() };
}

/** Tells of every batch, brings some of them twice, and keeps some answers from the ledger. */
function troubled(inner: Store): Store {
  const seen = new Set<string>();
  async function bring(...[cells, now, batch = '']: Parameters<Store['merge']>): Promise<void> {
    tell({ brings: batch, sums: sumsOf(cells) });
    const isFirst = !seen.has(batch);
    seen.add(batch);
    await inner.merge(cells, now, batch);
    if (isFirst && seen.size % 5 === 2) {
      count.doubled += 1;
      await inner.merge(cells, now, batch);
    }
    if (isFirst && seen.size % 7 === 4) {
      count.unheard += 1;
      throw new Error('the answer was lost');
    }
  }
  return {
    ...inner,
    async merge(cells, now, batch) {
      const brought = bring(cells, now, batch);
      merging = brought.catch(() => undefined);
      try {
        await brought;
        failing = false;
        tell({ has: batch! });
      } catch (error) {
        failing = true;
        tell({ failed: batch!, why: String(error) });
        throw error;
      }
    },
  };
}

const { store, close } = storeOf(plan.store);
const monitor = createMonitor({
  ...{ store: troubled(store), clock, log: false },
  onNotice: () => undefined,
  onError: () => undefined,
});
const sdk = monitor.observe(
  new Anthropic({
    ...{ apiKey: 'k', baseURL: plan.url, maxRetries: 0 },
    defaultHeaders: { 'x-process': plan.name },
  }),
);

async function call(number: number): Promise<void> {
  const userId = `user-${number % USERS}`;
  const request = {
    model: MODELS[number % MODELS.length]!,
    max_tokens: 100,
    messages: [{ role: 'user' as const, content: `Question ${number}` }],
    metadata: { user_id: userId },
  };
  try {
    await monitor.withContext({ userId, feature: plan.name }, async () => {
      if (number % 8 !== 0) return void (await sdk.messages.create(request));
      for await (const _ of await sdk.messages.create({ ...request, stream: true }));
    });
    count.ok += 1;
  } catch (error) {
    if ((error as { status?: number }).status === 400) count.refused += 1;
    else other.push(String(error));
  }
}

/** A minute lasts longer than a flush, as real ones do. */
async function liveMinute(until: number): Promise<void> {
  const end = Math.min(until, (minute + 1) * CALLS_PER_MINUTE);
  const lane = async () => {
    while (count.made < end) await call((count.made += 1));
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
  for (let last: Promise<unknown> | null = null; last !== merging; await turn()) {
    last = merging;
    await last;
  }
  tell({ answered: count.ok + count.refused });
  if (count.made === (minute + 1) * CALLS_PER_MINUTE) minute += 1;
}

async function look(): Promise<void> {
  const seen = await monitor.snapshot().then(
    ({ totals }) => totals.calls,
    () => null,
  );
  tell({ seen });
}

/** Somebody looks at the page of the first process now and then; whatever happens, it comes to an end. */
async function goOn(until: number): Promise<void> {
  const looks: Promise<void>[] = [];
  for (let i = 0; count.made < until; i += 1) {
    if (plan.name === 'p1' && i % 3 === 1) looks.push(look());
    await liveMinute(until);
  }
  await Promise.all(looks);
  tell({ reached: count.made });
}

async function end(): Promise<void> {
  let snapshot = null;
  for (let i = 0; i < MOST_TRIES && (failing || snapshot === null); i += 1) {
    snapshot = await monitor.snapshot().catch(pause);
  }
  if (failing || snapshot === null) other.push('the store went on failing');
  const { ok, refused, doubled, unheard } = count;
  const { faults, dropped } = snapshot?.health ?? monitor.health();
  tell({ end: { ok, refused, other, faults, dropped, doubled, unheard } });
  await monitor.close();
  await close();
}

async function main(): Promise<void> {
  tell({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'end') return end();
    await goOn(Number(line));
  }
}

void main().then(() => process.stdin.destroy());
