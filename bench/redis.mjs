// The Redis store on a server of its own: a decision beside rate-limiter-flexible's, with the same client;
// reading a day of 100,000 users; merging.
// Usage: npm run build && node bench/redis.mjs [ioredis | node-redis]
//
// Both sides of a ratio take turns in one run, and A/A is the same side twice: what it is away from 1 is
// noise. Memory is what the server says it has more of.
import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { createClient } from 'redis';
import { redisStore } from '../packages/core/dist/esm/stores/redis.js';
import { cellNumber, cpuSince, row } from './figures.mjs';
import { startRedis } from './servers.mjs';

const ROUNDS = 41;
const IN_A_ROUND = 200;
const ROWS = 100_000;
const IN_A_BATCH = 4_000;
const MINUTE = 60_000;
const QUARTER = 900_000;
const HOUR = 3_600_000;
const NOW = Math.floor(1_780_000_000_000 / QUARTER) * QUARTER;

const library = process.argv[2] ?? 'ioredis';
const server = await startRedis();
const { port } = server;
let client;
try {
  client = await connected();
  console.log(process.version, library);
  console.table([...(await decisions()), ...(await merges()), ...(await dayOfUsers())]);
} finally {
  await client?.quit();
  await server.stop();
}

/** One after the other, as a call that waits for its budget does. */
async function decisions() {
  const limiter = new RateLimiterRedis({
    ...{ storeClient: client, points: 1e9, duration: 86_400 },
    useRedisPackage: library === 'node-redis',
  });
  const { budgets } = redisStore({ client, prefix: 'decisions' });
  const consume = () => limiter.consume('user-1', 5);
  const once = (count) => {
    const accounts = Array.from({ length: count }, (_, i) => {
      const scope = i === 0 ? null : 'user-1';
      return { budget: `b${i}`, scope, personal: i > 0, from: NOW, to: NOW + 24 * HOUR };
    });
    const member = `member-${count}`;
    let number = 0;
    // What the call before has cost is posted, and the next one asks.
    return () => {
      number += 1;
      const leased = number === 1 ? 0 : 5;
      return budgets.exchange({
        ...{ member, number, ttlMs: 30_000, accounts, adjustments: [], gifts: [] },
        postings: accounts.map((_, account) => {
          return { account, nanoUsd: 5, leased, uncertain: 0, overrun: 0, unpriced: 0, refused: 0 };
        }),
        takings: [accounts.map((_, account) => ({ account, limit: 1e15, need: 5, wish: 0 }))],
      });
    };
  };
  const sides = { 'A/A': consume, 'one budget': once(1), 'two budgets': once(2) };
  const ratios = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  const bare = [];
  for (const work of [consume, ...Object.values(sides)]) await timed(work);
  for (let i = 0; i < ROUNDS; i += 1) {
    for (const [name, work] of Object.entries(sides)) {
      // Whoever is second has it easier now and then: they change places.
      const pair = i % 2 === 0 ? [consume, work] : [work, consume];
      const [first, second] = [await timed(pair[0]), await timed(pair[1])];
      const [a, b] = i % 2 === 0 ? [first, second] : [second, first];
      bare.push(a);
      ratios[name].push(b / a);
    }
  }
  return [
    row('consume() of rate-limiter-flexible', median(bare) * 1e3, 'µs', ''),
    ...Object.entries(ratios).map(([name, runs]) =>
      row(
        `exchange against consume(), ${name}`,
        median(runs),
        '×',
        name === 'A/A' ? '1' : '≤ 1.25',
      ),
    ),
  ];
}

/** Milliseconds for one. */
async function timed(work) {
  const start = performance.now();
  for (let i = 0; i < IN_A_ROUND; i += 1) await work();
  return (performance.now() - start) / IN_A_ROUND;
}

async function merges() {
  const store = redisStore({ client, prefix: 'merges' });
  const rows = [];
  for (const title of ['new cells', 'into cells']) {
    let [cpu, ms] = [0, 0];
    const longest = [];
    for (let i = 0; i < ROWS / IN_A_BATCH; i += 1) {
      const at = NOW - i * MINUTE;
      const cells = Array.from({ length: IN_A_BATCH }, (_, k) => {
        return cellNumber(i * IN_A_BATCH + k, MINUTE, at);
      });
      let merging = true;
      let most = 0;
      let last = process.cpuUsage();
      const turn = () => {
        most = Math.max(most, cpuSince(last) / 1e3);
        last = process.cpuUsage();
        if (merging) setImmediate(turn);
      };
      const [start, begin] = [process.cpuUsage(), performance.now()];
      const merged = store.merge(cells, at + 30_000, `${title}-${i}`);
      turn();
      await merged;
      merging = false;
      ms += performance.now() - begin;
      cpu += cpuSince(start);
      longest.push(most);
    }
    longest.sort((a, b) => a - b);
    rows.push(row(`merge, ${title}`, cpu / ROWS, 'µs CPU/row', ''));
    rows.push(row(`merge, ${title}, rows`, Math.round((ROWS / ms) * 1e3), '/s', ''));
    rows.push(row(`merge, ${title}, longest turn, median`, longest[longest.length >> 1], 'ms', ''));
  }
  await store.close();
  return rows;
}

/** 96 quarter-hours with a thousand users of their own each. */
async function dayOfUsers() {
  const store = redisStore({ client, prefix: 'day' });
  const from = NOW - 95 * QUARTER;
  const before = await memory();
  for (let i = 0; i < 96; i += 1) {
    const at = from + i * QUARTER;
    const cells = Array.from({ length: 1_042 }, (_, k) => cellNumber(i * 1_042 + k, QUARTER, at));
    await store.merge(cells, at);
  }
  await store.merge([], NOW + 2 * QUARTER);
  await store.merge([], NOW + 2 * QUARTER);
  await store.merge([], NOW + 2 * QUARTER);
  const bytes = (await memory()) - before;
  const query = { from, to: NOW + QUARTER, bucketMs: QUARTER, families: ['user-model'] };
  let count = 0;
  let [ms, cpu] = [Infinity, Infinity];
  for (let i = 0; i < 5; i += 1) {
    const [start, begin] = [process.cpuUsage(), performance.now()];
    ({ length: count } = await store.read(query));
    ms = Math.min(ms, performance.now() - begin);
    cpu = Math.min(cpu, cpuSince(start) / 1e3);
  }
  await store.close();
  const { budgets } = redisStore({ client, prefix: 'accounts' });
  const beforeAccounts = await memory();
  for (let number = 1; number <= 50; number += 1) {
    const accounts = Array.from({ length: 200 }, (_, i) => {
      const scope = `user-${number}-${i}`;
      return { budget: 'day', scope, personal: true, from: NOW, to: NOW + 24 * HOUR };
    });
    await budgets.exchange({
      ...{ member: 'ada', number, ttlMs: HOUR, accounts, postings: [], adjustments: [], gifts: [] },
      takings: [accounts.map((_, account) => ({ account, limit: 1e12, need: 5e6, wish: 0 }))],
    });
  }
  const accountBytes = ((await memory()) - beforeAccounts) / 10_000;
  return [
    row(`reading a day of ${count} users`, ms, 'ms', '≤ 200'),
    row('the same, CPU of this process', cpu, 'ms', ''),
    row('memory for one cell', bytes / count, 'bytes', ''),
    row('memory for one account with a lease', accountBytes, 'bytes', ''),
  ];
}

async function memory() {
  const info = String(await client.info('memory'));
  return Number(/^used_memory:(\d+)/m.exec(info)[1]);
}

async function connected() {
  if (library === 'ioredis') return new Redis({ port, host: '127.0.0.1' });
  const made = createClient({ socket: { port, host: '127.0.0.1' } });
  await made.connect();
  return made;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
