// The Postgres store beside a bare `unnest` insert of the same rows, a day's reading, and exchanges of
// budgets, over a private server that is started from Debian's binaries.
// Usage: npm run build && node bench/postgres.mjs
//
// All is by the clock, the best of several runs in turn: the work is the server's as much as ours.
import pg from 'pg';
import { createCell, SUM } from '../packages/core/dist/esm/cell.js';
import { createHealth } from '../packages/core/dist/esm/health.js';
import { createLedger } from '../packages/core/dist/esm/ledger.js';
import { createSnapshot } from '../packages/core/dist/esm/snapshot.js';
import { postgresStore } from '../packages/core/dist/esm/stores/postgres.js';
import { columnsOf } from '../packages/core/dist/esm/stores/postgres/rows.js';
import { cellNumber, cpuSince, row } from './figures.mjs';
import { startPostgres } from './servers.mjs';

const ROWS = 40_000;
const IN_A_BATCH = 1_000;
const RUNS = 5;
const MINUTE = 60_000;
const QUARTER = 900_000;
const NOW = Math.floor(1_780_000_000_000 / QUARTER) * QUARTER;

const server = await startPostgres();
const pool = new pg.Pool({ host: server.folder, user: 'postgres', database: 'postgres', max: 4 });
try {
  console.log(process.version, (await pool.query('SHOW server_version')).rows[0].server_version);
  console.table([...(await ingest()), ...(await dayOfUsers()), ...(await exchanges())]);
} finally {
  await pool.end();
  await server.stop();
}

/** Batches of a minute each, as the ledger brings them. */
function batches() {
  return Array.from({ length: ROWS / IN_A_BATCH }, (_, i) =>
    Array.from({ length: IN_A_BATCH }, (_, k) =>
      cellNumber(i * IN_A_BATCH + k, MINUTE, NOW - i * MINUTE),
    ),
  );
}

async function ingest() {
  const all = batches();
  const times = { bare: [], fresh: [], again: [] };
  for (let run = 0; run < RUNS; run += 1) {
    const store = postgresStore({ pool, schema: `ingest_${run}`, minuteRetentionMs: 86_400_000 });
    await store.merge([cellNumber(0, MINUTE, NOW - 900 * MINUTE)], NOW);
    await pool.query(`CREATE TABLE bare_${run} (LIKE ingest_${run}.cells_minute INCLUDING ALL)`);
    const bare = async () => {
      times.bare.push(await timed(() => inTurn(all, (cells) => bareInsert(run, cells))));
    };
    const merge = (name) => inTurn(all, (cells, i) => store.merge(cells, NOW, `${name}-${i}`));
    if (run % 2 === 0) await bare();
    times.fresh.push(await timed(() => merge('fresh')));
    if (run % 2 === 1) await bare();
    times.again.push(await timed(() => merge('again')));
    await store.close();
  }
  const [bare, fresh, again] = Object.values(times).map((each) => Math.min(...each));
  const second = Math.min(...times.bare.filter((each) => each !== bare));
  return [
    row('bare unnest insert', ROWS / (bare / 1e3), 'rows/s', ''),
    row('bare insert, against the next best', bare / second, '×', '≈ 1'),
    row('merge, new cells', ROWS / (fresh / 1e3), 'rows/s', ''),
    row('merge, new cells, against bare', bare / fresh, '×', '≥ 0.7'),
    row('merge, into cells, against bare', bare / again, '×', ''),
  ];
}

/** The same rows into a table of the same columns and key, and nothing else. */
async function bareInsert(run, cells) {
  const types = [
    ...['timestamptz', 'text', 'text', 'text'],
    ...Array.from({ length: 12 }, () => 'bigint'),
    ...['numeric', 'numeric', 'json'],
  ];
  const lists = types.map((type, i) => `$${i + 1}::${type}[]`).join();
  await pool.query(`INSERT INTO bare_${run} SELECT * FROM unnest(${lists})`, columnsOf(cells));
}

/** 96 quarter-hours with a thousand users of their own each. */
async function dayOfUsers() {
  const store = postgresStore({ pool, schema: 'day' });
  const from = NOW - 95 * QUARTER;
  for (let i = 0; i < 96; i += 1) {
    const at = from + i * QUARTER;
    const cells = Array.from({ length: 1_042 }, (_, k) => cellNumber(i * 1_042 + k, QUARTER, at));
    const total = createCell('total', QUARTER, at, ['', '']);
    total.sums[SUM.calls] = 1_042;
    await store.merge([...cells, total], NOW);
  }
  const query = { from, to: NOW + QUARTER, bucketMs: QUARTER, families: ['total', 'user-model'] };
  const health = createHealth();
  const ledger = createLedger({ now: () => NOW + QUARTER, health, store });
  const extras = {
    ...{ now: NOW + QUARTER - 1, health: health.report(), unobserved: 0, unpricedModels: [] },
    ...{ priceVersion: '', budgets: [], alerts: { firing: [], pending: 0, silenced: 0 } },
  };
  const [reads, cpu, snapshots] = [[], [], []];
  let count = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const start = process.cpuUsage();
    reads.push(await timed(async () => (count = (await store.read(query)).length)));
    cpu.push(cpuSince(start) / 1e3);
    const range = { from, to: NOW + QUARTER };
    snapshots.push(await timed(() => createSnapshot(ledger, range, extras)));
  }
  const { rows } = await pool.query(
    `SELECT sum(pg_total_relation_size(oid))::text AS bytes FROM pg_class
      WHERE relnamespace = 'day'::regnamespace AND relkind = 'r' AND relname LIKE 'cells%'`,
  );
  await store.close();
  return [
    row('cells of a day', count, '', ''),
    row('a cell, with its index', Number(rows[0].bytes) / count, 'bytes', ''),
    row('reading them', Math.min(...reads), 'ms', '≤ 200'),
    row('processor time of it, beside the server', Math.min(...cpu), 'ms', ''),
    row('snapshot of the day', Math.min(...snapshots), 'ms', ''),
  ];
}

/** Each posts to every account, and takes from it, as a busy process does. */
async function exchanges() {
  const rows = [];
  for (const count of [1, 10, 100]) {
    const store = postgresStore({ pool, schema: `budgets_${count}` });
    const accounts = Array.from({ length: count }, (_, i) => {
      return { budget: 'users', scope: `user-${i}`, personal: true, from: NOW, to: 4e12 };
    });
    const postings = accounts.map((_, account) => {
      return { account, nanoUsd: 5, leased: 5, uncertain: 0, overrun: 0, unpriced: 0, refused: 0 };
    });
    const takings = accounts.map((_, account) => [{ account, limit: 1e12, need: 5, wish: 5 }]);
    const said = { ttlMs: 30_000, accounts, postings, takings, adjustments: [], gifts: [] };
    let number = 0;
    const times = [];
    for (let i = 0; i < 300; i += 1) {
      number += 1;
      const exchange = { ...said, member: 'bench', number };
      times.push(await timed(() => store.budgets.exchange(exchange)));
    }
    times.sort((a, b) => a - b);
    const what = `exchange of ${count} account${count === 1 ? '' : 's'}`;
    rows.push(row(`${what}, median`, times[150], 'ms', ''));
    rows.push(row(`${what}, p95`, times[285], 'ms', ''));
    await store.close();
  }
  const bare = [];
  for (let i = 0; i < 300; i += 1) bare.push(await timed(() => pool.query('SELECT 1')));
  rows.push(row('a round trip, median', bare.sort((a, b) => a - b)[150], 'ms', ''));
  return rows;
}

async function inTurn(items, work) {
  for (const [i, item] of items.entries()) await work(item, i);
}

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
