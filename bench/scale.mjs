// What a process brings to a store and what stays there, for docs/scale.md: cells and bytes of a minute, bytes
// of a call, how long a flush takes, and how many exchanges a call needs with leases and without.
// Usage: npm run build && node bench/scale.mjs
import Anthropic from '@anthropic-ai/sdk';
import { createSimulator } from '@claude-metrics/testing';
import { Redis } from 'ioredis';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createMonitor, sqliteStore } from '@claude-metrics/core';
import { postgresStore } from '@claude-metrics/core/stores/postgres';
import { redisStore } from '@claude-metrics/core/stores/redis';
import { cellNumber } from './figures.mjs';
import { startPostgres, startRedis } from './servers.mjs';

const MINUTE = 60_000;
const MINUTES = 30;
const CALLS_A_MINUTE = 600;
const USERS = 200;
const FEATURES = 10;
const MODELS = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-haiku-5-5'];
const NOW = Math.floor(Date.now() / 900_000) * 900_000;
const SHARED_CALLS = 1_000;
const PROCESSES = 8;
const CELLS_A_PROCESS = 300;
const CROWD_MS = 3_000;
let talks = 0;

const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-bench-'));
const redis = await startRedis();
const postgres = await startPostgres();
const client = new Redis({ port: redis.port, host: '127.0.0.1' });
const pool = new pg.Pool({ host: postgres.folder, user: 'postgres', database: 'postgres' });
try {
  console.log(process.version);
  const sizes = [];
  for (const [name, open] of Object.entries(STORES())) {
    const without = await minutes(open(`${name}_cells`, 0));
    const all = await minutes(open(`${name}_all`, 1_000_000));
    const count = MINUTES * CALLS_A_MINUTE;
    sizes.push({
      store: name,
      'cells a minute': Math.round(without.cells / MINUTES),
      'flush, median ms': round(without.flush),
      'CPU of it, ms': round(without.cpu),
      'bytes a cell': Math.round(without.bytes / without.kept),
      'bytes a call': Math.round((all.bytes - without.bytes) / count),
    });
  }
  console.table(sizes);
  const crowds = [];
  for (const [name, open] of Object.entries(STORES())) {
    crowds.push({ store: name, ...(await crowd((id) => open(`${name}_crowd`, 0, id).store)) });
  }
  console.table(crowds);
  console.table(await leases());
} finally {
  client.disconnect();
  await pool.end();
  await redis.stop();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}

function STORES() {
  return {
    sqlite(name, maxCalls) {
      const file = join(folder, `${name}.db`);
      const size = async () => statSync(file).size;
      return { store: sqliteStore({ file, maxCalls }), size };
    },
    redis(name, maxCalls) {
      const size = async () =>
        Number(/^used_memory:(\d+)/m.exec(String(await client.info('memory')))[1]);
      return { store: redisStore({ client, prefix: name, maxCalls }), size };
    },
    postgres(name, maxCalls) {
      const size = async () => {
        // What is live: until a vacuum comes by, what it was before takes room as well.
        const { rows: tables } = await pool.query(
          `SELECT tablename FROM pg_tables WHERE schemaname = $1`,
          [name],
        );
        for (const { tablename } of tables) await pool.query(`VACUUM FULL ${name}.${tablename}`);
        const { rows } = await pool.query(
          `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 AS bytes FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND relkind = 'r'`,
          [name],
        );
        return rows[0].bytes;
      };
      return { store: postgresStore({ pool, schema: name, maxCalls }), size };
    },
  };
}

/** Minutes of one process, one flush each. */
async function minutes({ store, size }) {
  let now = NOW;
  const flushes = [];
  const cpu = [];
  let cells = 0;
  const counted = {
    ...store,
    async merge(some, ...rest) {
      if (some.length === 0) return store.merge(some, ...rest);
      const [start, begin] = [process.cpuUsage(), performance.now()];
      await store.merge(some, ...rest);
      flushes.push(performance.now() - begin);
      const { user, system } = process.cpuUsage(start);
      cpu.push((user + system) / 1e3);
      cells += some.length;
    },
  };
  const clock = { now: () => now, monotonic: () => performance.now() };
  const monitor = createMonitor({ store: counted, clock, log: false });
  const none = { from: 0, to: 0, bucketMs: MINUTE, families: ['total'] };
  await store.read(none);
  const before = await size();
  for (let minute = 0; minute < MINUTES; minute += 1) {
    for (let i = 0; i < CALLS_A_MINUTE; i += 1) {
      monitor.record({
        model: MODELS[i % MODELS.length],
        userId: `user-${(i * 7919 + minute * 31) % USERS}`,
        feature: `feature-${(i * 31) % FEATURES}`,
        messageId: `msg_${minute}_${i}`,
        requestId: `req_${minute}_${i}`,
        callMs: 900 + ((i * 37) % 3_000),
        usage: { input_tokens: 1_000 + i, output_tokens: 300 + (i % 90) },
      });
    }
    now += MINUTE;
    await monitor.snapshot({ rangeMs: MINUTE });
  }
  if (store.calls) await store.calls({ limit: 1 });
  const range = {
    from: 0,
    to: Infinity,
    families: ['total', 'feature-model', 'user-model', 'user-feature'],
  };
  let kept = 0;
  for (const { bucketMs } of store.resolutions)
    kept += (await store.read({ ...range, bucketMs })).length;
  const bytes = (await size()) - before;
  await monitor.close();
  return { cells, kept, bytes, flush: median(flushes), cpu: median(cpu) };
}

/** Many small processes, which all add to the same minute and take from the same account. */
async function crowd(open) {
  const stores = Array.from({ length: PROCESSES }, (_, id) => open(id));
  let [merges, exchanges] = [0, 0];
  let until = 0;
  await Promise.all(stores.map((store) => store.notes.note('ready')));
  const merging = async (store, id) => {
    for (let i = 0; performance.now() < until; i += 1) {
      const cells = Array.from({ length: CELLS_A_PROCESS }, (_, k) => {
        return cellNumber((id * 37 + i * 11 + k) % 2_000, k % 2 === 0 ? MINUTE : 15 * MINUTE, NOW);
      });
      await store.merge(cells, NOW, `${id}-${i}`);
      merges += 1;
    }
  };
  const exchanging = async (store, id) => {
    const accounts = [{ budget: 'all', scope: null, personal: false, from: NOW, to: NOW + 864e5 }];
    for (let number = 1; performance.now() < until; number += 1) {
      const posted = { nanoUsd: 5, leased: number === 1 ? 0 : 5, uncertain: 0, overrun: 0 };
      await store.budgets.exchange({
        ...{ member: `m${id}`, number, ttlMs: 60_000, accounts, adjustments: [], gifts: [] },
        postings: [{ account: 0, ...posted, unpriced: 0, refused: 0 }],
        takings: [[{ account: 0, limit: 1e15, need: 5, wish: 0 }]],
      });
      exchanges += 1;
    }
  };
  for (const work of [merging, exchanging]) {
    until = performance.now() + CROWD_MS;
    await Promise.all(stores.map(work));
  }
  for (const store of stores) await store.close();
  const seconds = CROWD_MS / 1e3;
  return {
    [`merges of ${CELLS_A_PROCESS} cells, /s`]: Math.round(merges / seconds),
    'exchanges on one account, /s': Math.round(exchanges / seconds),
  };
}

/** Exchanges with the store for each thousand calls of the real SDK, far from the limit and near it. */
async function leases() {
  const usage = { input_tokens: 10, output_tokens: 300 };
  const simulator = await createSimulator({ respond: () => ({ usage }) });
  const rows = [];
  for (const [where, usd] of Object.entries({
    'far from the limit': 1e6,
    'up to the limit': 0.1,
  })) {
    for (const atOnce of [1, 16]) {
      for (const onStoreDown of ['lease', 'closed']) {
        const told = await talk(simulator.url, { usd, per: 'day', onStoreDown }, atOnce);
        rows.push({ where, 'calls at once': atOnce, onStoreDown, ...told });
      }
    }
  }
  await simulator.close();
  return rows;
}

async function talk(url, budget, atOnce) {
  const store = redisStore({ client, prefix: `talk-${(talks += 1)}` });
  let exchanges = 0;
  const budgets = {
    ...store.budgets,
    exchange(said) {
      exchanges += 1;
      return store.budgets.exchange(said);
    },
  };
  const monitor = createMonitor({
    ...{ store: { cells: store, budgets }, budgets: [budget], log: false, onNotice() {} },
  });
  const sdk = monitor.observe(new Anthropic({ apiKey: 'k', baseURL: url, maxRetries: 0 }));
  const messages = [{ role: 'user', content: 'Hi' }];
  const ask = { model: 'claude-haiku-5-5', max_tokens: 300, messages };
  let [made, answered] = [0, 0];
  const lane = async () => {
    while (made < SHARED_CALLS) {
      made += 1;
      await sdk.messages.create(ask).then(
        () => (answered += 1),
        () => undefined,
      );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  await monitor.close();
  const perThousand = Math.round((exchanges / SHARED_CALLS) * 1_000);
  return { calls: SHARED_CALLS, answered, 'exchanges for 1,000 calls': perThousand };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function round(value) {
  return Number(value.toPrecision(2));
}
