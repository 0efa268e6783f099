/**
 * One limit, eight real processes with the real SDK, two of them killed: over a file and over servers.
 * What the simulator was asked for is the bill.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import { emptyFolder } from '../../../../scripts/empty-folder.cjs';
import { sqliteStore } from '../../src/stores/sqlite.js';
import { createApps, type Apps } from '../apps.js';
import * as postgresServer from '../stores/postgres-server.js';
import { describeRedis, startServer, stopAll, type RedisServer } from '../stores/redis-server.js';
import { ASK, NOON, PRICES, spends } from './capture-stage.js';

const root = join(__dirname, '../../../..');
const PROCESSES = 8;
const WAVES = 5;
const CALLS = 40;
const LIMIT_USD = 10;
/** What a call holds, and what it costs, in nano-dollars. */
const COST = 20_000_000;

const PROGRAM = `
  const { createRequire } = require('node:module');
  const load = createRequire(process.cwd() + '/package.json');
  const from = (name) => require('./' + name + '.cjs');
  const core = from('core');
  const { Anthropic } = load('@anthropic-ai/sdk');
  const { url, file, port, host, onStoreDown, endless, ask, prices } = JSON.parse(process.argv[2]);
  const clock = { now: () => ${NOON} + performance.now(), monotonic: () => performance.now() };
  const client = port && new (load('ioredis').Redis)(port);
  const pool = host && new (load('pg').Pool)({ host, user: 'postgres' });
  const store = client
    ? from('redis').redisStore({ client })
    : pool
      ? from('postgres').postgresStore({ pool, timeoutMs: 60_000 })
      : core.sqliteStore({ file, clock, lockTimeoutMs: 60_000 });
  const told = { ok: 0, limit: 0, other: [] };
  const monitor = core.createMonitor({
    store, prices, clock, log: false, onNotice() {},
    onError: (...fault) => told.other.push(fault.map(String).join(' ')), budgetTimeoutMs: 60_000,
    budgets: [{ usd: ${LIMIT_USD}, per: 'day', onStoreDown }],
  });
  const sdk = monitor.observe(new Anthropic({ apiKey: 'k', baseURL: url, maxRetries: 0 }));
  (async () => {
    for (let wave = 0; endless || wave < ${WAVES}; wave += 1) {
      const calls = Array.from({ length: ${CALLS} }, () => sdk.messages.create(ask));
      for (const { status, reason } of await Promise.allSettled(calls)) {
        if (status === 'fulfilled') told.ok += 1;
        else if (reason.reason === 'limit') told.limit += 1;
        else told.other.push(String(reason));
      }
      console.log(JSON.stringify({ wave }));
    }
    await monitor.close();
    client?.disconnect();
    await pool?.end();
    console.log(JSON.stringify({ told }));
  })();`;

interface Told {
  readonly ok: number;
  readonly limit: number;
  readonly other: readonly string[];
}

let apps: Apps;
let simulator: Simulator;
let folder: string;
let program: string;

beforeAll(async () => {
  apps = createApps();
  const app = apps.create('fleet', null);
  for (const [name, source] of [
    ['core', 'index'],
    ['redis', 'stores/redis'],
    ['postgres', 'stores/postgres'],
  ] as const) {
    const entry = join(root, 'packages', 'core', 'src', `${source}.ts`);
    apps.bundle(entry, join(app, `${name}.cjs`), '--format=cjs');
  }
  program = join(app, 'program.cjs');
  writeFileSync(program, PROGRAM);
  simulator = await createSimulator({ respond: spends(400) });
});
afterAll(async () => {
  apps.remove();
  await simulator.close();
});
beforeEach(() => {
  simulator.reset();
  folder = emptyFolder();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a process told at its end; `null` when it was killed, after its first wave. */
async function run(options: object, killed: boolean): Promise<Told | null> {
  const given = { ...options, endless: killed, url: simulator.url, ask: ASK, prices: PRICES };
  const child = spawn(process.execPath, [program, JSON.stringify(given)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let told: Told | null = null;
  for await (const line of createInterface({ input: child.stdout })) {
    ({ told = null } = JSON.parse(line) as { told?: Told });
    if (killed) child.kill('SIGKILL');
  }
  await exited;
  return told;
}

async function runAll(options: object) {
  const told = await Promise.all(
    Array.from({ length: PROCESSES }, (_, i) => run(options, i % 4 === 3)),
  );
  const lived = told.filter((each) => each !== null);
  expect(lived).toHaveLength(PROCESSES - 2);
  for (const { ok, limit, other } of lived) {
    expect(other).toEqual([]);
    expect(ok + limit).toBe(WAVES * CALLS);
  }
  const bill = simulator.requests.length * COST;
  // The limit holds against the bill itself, not only against what was counted.
  expect(bill).toBeLessThanOrEqual(LIMIT_USD * 1e9);
  // What the killed had leased cannot be used by anybody yet.
  expect(bill).toBeGreaterThan(LIMIT_USD * 1e9 * 0.3);
  return { bill, lived: lived.reduce((sum, { ok }) => sum + ok * COST, 0) };
}

const query = { budget: 'all-day', from: Math.floor(NOON / 86_400_000) * 86_400_000, limit: 9 };

describe.each(['closed', 'lease'] as const)('with onStoreDown %s', (onStoreDown) => {
  it('over a file', async () => {
    const file = join(folder, 'claude-metrics.db');
    const { bill, lived } = await runAll({ file, onStoreDown });
    // Hours later: what the killed had leased has expired.
    const clock = { now: () => NOON + 3 * 3_600_000, monotonic: () => performance.now() };
    const store = sqliteStore({ file, clock });
    const [account] = (await store.budgets!.accounts(query)).accounts;
    await store.close();
    expect(account).toMatchObject({ held: 0, overrun: 0 });
    expect(account!.spent).toBeGreaterThanOrEqual(lived);
    expect(account!.spent).toBeLessThanOrEqual(bill);
  }, 120_000);
});

describeRedis('over Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(stopAll);

  it.each(['closed', 'lease'] as const)(
    'with onStoreDown %s',
    async (onStoreDown) => {
      await server.cli('FLUSHALL');
      const { bill, lived } = await runAll({ port: server.port, onStoreDown });
      expect(bill).toBeGreaterThanOrEqual(lived);
    },
    120_000,
  );
});

postgresServer.describePostgres('over Postgres', () => {
  let server: postgresServer.PostgresServer;
  beforeAll(async () => {
    server = await postgresServer.startServer();
  });
  afterAll(() => server.stop());

  it.each(['closed', 'lease'] as const)(
    'with onStoreDown %s',
    async (onStoreDown) => {
      const pool = server.pool();
      await pool.query('DROP SCHEMA IF EXISTS claude_metrics CASCADE');
      const { bill, lived } = await runAll({ host: server.folder, onStoreDown });
      const { rows } = await pool.query<{ spent: string; overrun: string }>(
        'SELECT spent_nano_usd AS spent, overrun_nano_usd AS overrun FROM claude_metrics.accounts',
      );
      expect(rows).toHaveLength(1);
      expect(rows[0]!.overrun).toBe('0');
      expect(Number(rows[0]!.spent)).toBeGreaterThanOrEqual(lived);
      expect(Number(rows[0]!.spent)).toBeLessThanOrEqual(bill);
    },
    120_000,
  );
});
