/**
 * Processes that are killed while they hold money of a shared budget, between the hold and the end of
 * the call. `KILLS=1000` kills as many over each store.
 */
import { rmSync } from 'node:fs';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import { emptyFolder } from '../../../../scripts/empty-folder.cjs';
import { startPostgres } from '../ledger-fleet-postgres.js';
import { startRedis, startSqlite, type FleetStore } from '../ledger-fleet-stores.js';
import { describePostgres, missing as postgresMissing } from '../stores/postgres-server.js';
import { describeRedis, missing as redisMissing, stopAll } from '../stores/redis-server.js';
import { AT, bundleApp, startProcess } from './sharing-fleet.js';

const KILLS = Number(process.env['KILLS'] ?? 12);
const AT_ONCE = 3;
const BUDGET = { usd: 100_000, per: 'day' } as const;
const DAY = 86_400_000;
const LONG = 150_000 + KILLS * 2_000;

const STORES = [
  ['a SQLite file', describe, null, startSqlite],
  ['Redis', describeRedis, redisMissing, startRedis],
  ['Postgres', describePostgres, postgresMissing, startPostgres],
] as const;

interface Outcome {
  readonly killed: number;
  /** The most that was held when somebody was killed. */
  readonly mostHeld: number;
  /** When nothing is held any more. */
  readonly left: { readonly spent: number; readonly held: number; readonly overrun: number };
}

let simulator: Simulator;
let folder: string;
const outcomes = new Map<string, Promise<Outcome>>();
/** Called when a process has sent a call. */
const sending = new Map<string, () => void>();

beforeAll(async () => {
  folder = emptyFolder();
  const program = bundleApp(folder);
  simulator = await createSimulator({
    respond({ headers }) {
      sending.get(headers['x-process'] ?? '')?.();
      return { ending: 'hang', beforeHeaders: true };
    },
  });
  // All at once, for most of the time is spent waiting: a lease outlives the calls it may be for.
  for (const [name, , missing, start] of STORES) {
    if (missing !== null) continue;
    const outcome = live(start, program);
    outcome.catch(() => undefined);
    outcomes.set(name, outcome);
  }
});
afterAll(async () => {
  await Promise.allSettled(outcomes.values());
  await stopAll();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

async function live(start: () => Promise<FleetStore>, program: string): Promise<Outcome> {
  const store = await start();
  try {
    return await killOver(store, program);
  } finally {
    await store.stop();
  }
}

async function killOver(store: FleetStore, program: string): Promise<Outcome> {
  const opened = store.open();
  const query = { budget: 'all-day', from: Math.floor(AT / DAY) * DAY, limit: 9 };
  // An account that nothing is on may be gone.
  const money = async () => {
    const [account] = (await opened.budgets!.accounts(query)).accounts;
    return { spent: 0, held: 0, overrun: 0, ...account };
  };
  const held: Promise<number>[] = [];
  let started = 0;
  const lane = async () => {
    while (started < KILLS) {
      started += 1;
      const name = `${store.plan.kind}-${started}`;
      const times = { leaseMs: 1_000, patienceMs: 4_000, timeoutMs: 5_000 };
      const plan = { name, url: simulator.url, store: store.plan, budget: BUDGET, ...times };
      const process = startProcess(program, plan);
      sending.set(name, () => {
        process.kill();
        if (sending.delete(name)) held.push(money().then((account) => account.held));
      });
      for (let wave; (wave = await process.wave(3)) !== null;) {
        // A store that is too busy holds nothing: it is asked again.
        if (wave.ok + wave.limit + wave.other.length === 0) continue;
        throw new Error(`it was not killed, and told ${JSON.stringify(wave)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const mostHeld = Math.max(...(await Promise.all(held)));
  while ((await money()).held > 0) await new Promise((resolve) => setTimeout(resolve, 200));
  const { spent, held: last, overrun } = await money();
  await opened.close?.();
  return { killed: held.length, mostHeld, left: { spent, held: last, overrun } };
}

describe.each(STORES)('over %s', (name, describeStore) => {
  describeStore('what the killed have held', () => {
    it(
      `is let go when it expires, after ${KILLS} kills`,
      async () => {
        const { killed, mostHeld, left } = await outcomes.get(name)!;
        expect(killed).toBe(KILLS);
        expect(mostHeld).toBeGreaterThan(0);
        expect(left).toEqual({ spent: 0, held: 0, overrun: 0 });
      },
      LONG,
    );
  });
});
