/**
 * A process that shares a budget, with the real SDK: it reads a number of calls to make at once, tells
 * what became of them, and ends when it reads `end`.
 */
import { createInterface } from 'node:readline';
import { Anthropic } from '@anthropic-ai/sdk';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import type { BudgetRefusal } from '../../src/budget-error.js';
import { createMonitor } from '../../src/index.js';
import { postgresStore } from '../../src/stores/postgres.js';
import { redisStore } from '../../src/stores/redis.js';
import { sqliteStore } from '../../src/stores/sqlite.js';
import type { Store } from '../../src/stores/store.js';
import type { StorePlan } from '../ledger-fleet-plan.js';
import type { SharingPlan, SharingTold } from './sharing-plan.js';

const plan = JSON.parse(process.argv[2]!) as SharingPlan;
const ask = plan.ask as Anthropic.MessageCreateParamsNonStreaming;
const tell = (told: SharingTold) => void process.stdout.write(`${JSON.stringify(told)}\n`);
let failures = 0;

function storeOf(of: StorePlan): { store: Store; close(): unknown } {
  const timeoutMs = Math.min(10 * plan.timeoutMs, 60_000);
  if (of.kind === 'sqlite') {
    const store = sqliteStore({ file: of.file, lockTimeoutMs: timeoutMs });
    return { store, close: () => undefined };
  }
  if (of.kind === 'redis') {
    const client = new Redis(of.port, '127.0.0.1').on('error', () => undefined);
    return { store: redisStore({ client, timeoutMs }), close: () => client.disconnect() };
  }
  const pool = new Pool({ host: '127.0.0.1', port: of.port, user: 'postgres' });
  pool.on('error', () => undefined);
  return { store: postgresStore({ pool, timeoutMs }), close: () => pool.end() };
}

const { store, close } = storeOf(plan.store);
const monitor = createMonitor({
  ...{ store, prices: plan.prices, log: false },
  ...{ onNotice: () => undefined, onError: () => undefined },
  clock: { now: () => plan.at, monotonic: () => performance.now() },
  ...{ budgets: [plan.budget], budgetTimeoutMs: plan.timeoutMs, budgetLeaseMs: plan.leaseMs },
});
const sdk = monitor.observe(
  new Anthropic({
    ...{ apiKey: 'k', baseURL: plan.url, maxRetries: 0, timeout: plan.patienceMs },
    defaultHeaders: { 'x-process': plan.name },
  }),
);

async function wave(calls: number): Promise<void> {
  const told = { ok: 0, limit: 0, unavailable: 0, failures: 0, other: [] as string[] };
  const made = Array.from({ length: calls }, () => sdk.messages.create(ask));
  for (const answer of await Promise.allSettled(made)) {
    if (answer.status === 'fulfilled') {
      told.ok += 1;
      continue;
    }
    const error = answer.reason as Partial<BudgetRefusal>;
    if (error.reason === 'limit') told.limit += 1;
    else if (error.reason === 'unavailable') told.unavailable += 1;
    else told.other.push(String(error));
  }
  const all = monitor.health().faults['budgets.store']?.count ?? 0;
  told.failures = all - failures;
  failures = all;
  tell({ wave: told });
}

async function main(): Promise<void> {
  tell({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'end') break;
    await wave(Number(line));
  }
  await monitor.close({ timeoutMs: 60_000 });
  await close();
  tell({ end: true });
}

void main().then(() => process.stdin.destroy());
