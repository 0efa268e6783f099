// The SQLite store beside a bare loop of prepared statements with the same driver, a day's reading, and
// exchanges of budgets. The first ratio is the loop against itself: what this machine makes of equals.
// Usage: node bench/sqlite.mjs [node:sqlite | libsql | better-sqlite3]
//
// CPU of the main thread is what counts: SQLite works in it. The longest turn is the longest time for
// which a merge kept the event loop from others.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteStore } from '../packages/core/dist/esm/stores/sqlite.js';
import { findDriver } from '../packages/core/dist/esm/stores/sqlite/driver.js';
import { cellNumber, cpuSince, row } from './figures.mjs';

const ROWS = 100_000;
const IN_A_BATCH = 4_000;
const IN_A_SMALL_BATCH = 400;
const MINUTE = 60_000;
const QUARTER = 900_000;
const NOW = Math.floor(1_780_000_000_000 / QUARTER) * QUARTER;

const require = createRequire(join(process.cwd(), 'package.json'));
let files = 0;
const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-bench-'));
const name = findDriver(process.argv[2]).name;
const library = name === 'node:sqlite' ? process.getBuiltinModule(name) : require(name);

try {
  const rows = [];
  const bare = await best(bareLoop);
  const same = await best(bareLoop);
  rows.push(row('bare loop, 500 rows a transaction', bare.cpu, 'µs/row', ''));
  rows.push(row('bare loop, against the loop', bare.cpu / same.cpu, '×', '≈ 1'));
  const fresh = [];
  const added = [];
  const longest = [];
  const short = [];
  for (let run = 0; run < 3; run += 1) {
    const store = sqliteStore({ file: join(folder, `store-${run}.sqlite`), driver: library });
    fresh.push(await merging(store, `fresh-${run}`, longest));
    added.push(await merging(store, `again-${run}`, longest));
    await merging(store, `small-${run}`, short, IN_A_SMALL_BATCH, 100 * IN_A_SMALL_BATCH);
    await store.close();
  }
  const merges = { 'merge, new cells': fresh, 'merge, into cells': added };
  for (const [title, runs] of Object.entries(merges)) {
    const { cpu, perSecond } = runs.reduce((a, b) => (a.cpu < b.cpu ? a : b));
    rows.push(row(title, cpu, 'µs/row', '≤ 3'));
    rows.push(row(`${title}, rows`, perSecond, '/s', '≥ 100000'));
    rows.push(row(`${title}, against the loop`, bare.cpu / cpu, '×', '≥ 0.5'));
  }
  rows.push(...turns(`longest turn of ${IN_A_BATCH} cells`, longest, ''));
  rows.push(...turns(`longest turn of ${IN_A_SMALL_BATCH} cells`, short, '≤ 1'));
  rows.push(...(await dayOfUsers()));
  for (const accounts of [1, 10, 100]) rows.push(await exchanges(accounts));
  console.log(process.version, name);
  console.table(rows);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function bareLoop() {
  const Database = library.DatabaseSync ?? library;
  const db = new Database(join(folder, `bare-${(files += 1)}.sqlite`));
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = NORMAL');
  db.exec(`CREATE TABLE cells (bucket INTEGER NOT NULL, key1 TEXT NOT NULL, key2 TEXT NOT NULL,
    data TEXT NOT NULL, PRIMARY KEY (bucket, key1, key2)) STRICT, WITHOUT ROWID`);
  const put = db.prepare('INSERT INTO cells VALUES (?, ?, ?, ?)');
  const values = Array.from({ length: ROWS }, (_, i) => {
    const { key, sums, amounts } = cellNumber(i, MINUTE, NOW);
    const data = JSON.stringify([sums, 0, [[0, null, 'us', 'standard', 0, 1, 4]], amounts]);
    return [Math.floor(i / IN_A_BATCH), JSON.stringify(key[0]), JSON.stringify(key[1]), data];
  });
  const start = process.cpuUsage();
  for (let i = 0; i < ROWS; i += 500) {
    db.exec('BEGIN IMMEDIATE');
    for (let j = i; j < i + 500; j += 1) put.run(...values[j]);
    db.exec('COMMIT');
  }
  const cpu = cpuSince(start) / ROWS;
  db.close();
  return { cpu };
}

/** Batches of a minute each, as the ledger brings them; time of the clock and of the processor. */
async function merging(store, title, longest, size = IN_A_BATCH, count = ROWS) {
  let cpu = 0;
  let ms = 0;
  for (let i = 0; i < count / size; i += 1) {
    const at = NOW - i * MINUTE;
    const cells = Array.from({ length: size }, (_, k) => {
      return cellNumber(i * size + k, MINUTE, at);
    });
    let last = process.cpuUsage();
    let most = 0;
    let merging = true;
    const turn = () => {
      most = Math.max(most, cpuSince(last) / 1e3);
      last = process.cpuUsage();
      if (merging) setImmediate(turn);
    };
    const start = process.cpuUsage();
    const begin = performance.now();
    const merged = store.merge(cells, NOW, `${title}-${i}`);
    turn();
    await merged;
    merging = false;
    ms += performance.now() - begin;
    cpu += cpuSince(start);
    longest.push(most);
  }
  return { cpu: cpu / count, perSecond: Math.round((count / ms) * 1e3) };
}

/** 96 quarter-hours with a thousand users of their own each. */
async function dayOfUsers() {
  const store = sqliteStore({ file: join(folder, 'day.sqlite'), driver: library });
  const from = NOW - 95 * QUARTER;
  for (let i = 0; i < 96; i += 1) {
    const cells = Array.from({ length: 1_042 }, (_, k) =>
      cellNumber(i * 1_042 + k, QUARTER, from + i * QUARTER),
    );
    await store.merge(cells, NOW);
  }
  const query = { from, to: NOW + QUARTER, bucketMs: QUARTER, families: ['user-model'] };
  const { cpu, count } = await best(async () => {
    const start = process.cpuUsage();
    const { length } = await store.read(query);
    return { cpu: cpuSince(start) / 1e3, count: length };
  });
  await store.close();
  return [row(`reading a day of ${count} users`, cpu, 'ms', '≤ 200')];
}

/** Each posts to every account, and takes from it, as a busy process does. */
async function exchanges(count) {
  const store = sqliteStore({ file: join(folder, `budgets-${count}.sqlite`), driver: library });
  const accounts = Array.from({ length: count }, (_, i) => {
    return { budget: 'users', scope: `user-${i}`, personal: true, from: NOW, to: NOW + QUARTER };
  });
  const postings = accounts.map((_, account) => {
    return { account, nanoUsd: 5, leased: 5, uncertain: 0, overrun: 0, unpriced: 0, refused: 0 };
  });
  const takings = accounts.map((_, account) => [{ account, limit: 1e12, need: 5, wish: 5 }]);
  const said = { member: 'bench', ttlMs: 30_000, accounts, postings, takings };
  let number = 0;
  const runs = Math.ceil(3_000 / count);
  const { cpu, us } = await best(async () => {
    const start = process.cpuUsage();
    const begin = performance.now();
    for (let i = 0; i < runs; i += 1) {
      number += 1;
      await store.budgets.exchange({ ...said, number, adjustments: [], gifts: [] });
    }
    const passed = (performance.now() - begin) * 1e3;
    return { cpu: cpuSince(start) / runs, us: passed / runs };
  });
  await store.close();
  const what = `exchange of ${count} account${count === 1 ? '' : 's'} (${us.toFixed(0)} µs by the clock)`;
  return row(what, cpu, 'µs', count === 1 ? '≤ 150' : '');
}

function turns(title, all, must) {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.floor(sorted.length * part)];
  return [row(`${title}, median`, at(0.5), 'ms', must), row(`${title}, p95`, at(0.95), 'ms', '')];
}

/** The best of three: the machine's other work only ever adds. */
async function best(run) {
  const runs = [];
  for (let i = 0; i < 3; i += 1) runs.push(await run());
  return runs.reduce((a, b) => (a.cpu < b.cpu ? a : b));
}
