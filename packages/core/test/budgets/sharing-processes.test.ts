/**
 * One limit, eight real processes with the real SDK, two of them killed, while the store is cut off,
 * stopped, restarted and locked. What the simulator was asked for is the bill.
 */
import { EventEmitter, once } from 'node:events';
import { rmSync } from 'node:fs';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import { emptyFolder } from '../../../../scripts/empty-folder.cjs';
import { startPostgres } from '../ledger-fleet-postgres.js';
import { startRedis, startSqlite, type FleetStore } from '../ledger-fleet-stores.js';
import { describePostgres } from '../stores/postgres-server.js';
import { describeRedis, stopAll } from '../stores/redis-server.js';
import { spends } from './capture-stage.js';
import { AT, bundleApp, startProcess, type SharingProcess } from './sharing-fleet.js';
import type { Wave } from './sharing-plan.js';

const PROCESSES = 8;
/** While a fault goes on, and at the end, when all want more than is left. */
const [FEW, MANY] = [5, 200];
const LIMIT = 10_000_000_000;
/** What a call costs, in nano-dollars; it holds two and a half times as much. */
const COST = 20_000_000;
const DAY = 86_400_000;

const STORES: readonly (readonly [string, typeof describe, () => Promise<FleetStore>])[] = [
  ['a SQLite file', describe, startSqlite],
  ['Redis', describeRedis, startRedis],
  ['Postgres', describePostgres as typeof describe, startPostgres],
];

let simulator: Simulator;
let folder: string;
let program: string;

beforeAll(async () => {
  folder = emptyFolder();
  program = bundleApp(folder);
  simulator = await createSimulator({ respond: spends(400) });
});
afterAll(async () => {
  await stopAll();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

function sumOf(waves: readonly Wave[], what: 'ok' | 'limit' | 'unavailable' | 'failures'): number {
  return waves.reduce((sum, wave) => sum + wave[what], 0);
}

const billed = () => simulator.requests.length * COST;

/** Lets all faults befall the store while the processes work; gives what they told. */
async function live(store: FleetStore, onStoreDown: 'closed' | 'lease' | 'open') {
  const opened = store.open();
  const query = { budget: 'all-day', from: Math.floor(AT / DAY) * DAY, limit: 9 };
  // There is no account before the first exchange, and a locked store takes none.
  const money = async () => {
    const [account] = (await opened.budgets!.accounts(query)).accounts;
    return { spent: 0, held: 0, overrun: 0, ...account };
  };
  const budget = { usd: LIMIT / 1e9, per: 'day', onStoreDown } as const;
  const start = (_: unknown, i: number) =>
    startProcess(program, { name: `p${i + 1}`, url: simulator.url, store: store.plan, budget });
  const processes = Array.from({ length: PROCESSES }, start);
  const alive = new Set(processes);
  const waves = new Map<SharingProcess, Wave[]>(processes.map((each) => [each, []]));
  const news = new EventEmitter().setMaxListeners(0);

  async function waveOf(process: SharingProcess, calls: number): Promise<Wave | null> {
    const wave = await process.wave(calls);
    if (wave === null) {
      alive.delete(process);
      return null;
    }
    waves.get(process)!.push(wave);
    news.emit('wave');
    if (wave.failures > 0) news.emit('failed');
    return wave;
  }

  /** Until the store has an answer for all. */
  async function wantMore(process: SharingProcess): Promise<void> {
    for (let wave; (wave = await waveOf(process, MANY)) !== null && wave.unavailable > 0;);
  }

  const spentOf: number[] = [];
  try {
    await Promise.all(processes.map(({ ready }) => ready));
    for (const [i, fault] of store.faults.entries()) {
      let over = false;
      const brought = async () => void (await once(news, 'wave'));
      const failed = async () => void (await once(news, 'failed'));
      const troubled = fault.run({ brought, failed }).finally(() => (over = true));
      const doomed = i < 2 ? processes[4 * i + 3]! : null;
      if (doomed) void brought().then(doomed.kill);
      const work = async (process: SharingProcess) => {
        do await waveOf(process, FEW);
        while (!over && alive.has(process));
      };
      await Promise.all([troubled, ...[...alive].map(work)]);
      const { spent, held } = await money();
      spentOf.push(spent + held);
    }
    await Promise.all([...alive].map(wantMore));
    const codes = await Promise.all([...alive].map((process) => process.end()));
    const { spent, held, overrun } = await money();
    const lived = [...alive].flatMap((process) => waves.get(process)!);
    return { waves: [...waves.values()].flat(), lived, codes, spent, held, overrun, spentOf };
  } finally {
    for (const { kill } of processes) kill();
    await opened.close?.();
  }
}

describe.each(STORES)('over %s', (_name, describeStore, start) => {
  describeStore('a limit', () => {
    let store: FleetStore;
    beforeEach(async () => {
      simulator.reset();
      store = await start();
    });
    afterEach(() => store.stop());

    it.each(['closed', 'lease'] as const)(
      'holds against the bill itself, with onStoreDown %s',
      async (onStoreDown) => {
        const { waves, lived, codes, spent, held, overrun, spentOf } = await live(
          store,
          onStoreDown,
        );
        expect(codes).toEqual(Array.from({ length: PROCESSES - 2 }, () => 0));
        expect(waves.flatMap(({ other }) => other)).toEqual([]);
        expect(sumOf(waves, 'failures')).toBeGreaterThan(0);
        expect(sumOf(waves, 'limit')).toBeGreaterThan(0);
        for (const each of spentOf) expect(each).toBeLessThanOrEqual(LIMIT);
        expect(spent + held).toBeLessThanOrEqual(LIMIT);
        expect(overrun).toBe(0);
        expect(billed()).toBeLessThanOrEqual(LIMIT);
        // What the killed had leased cannot be used by anybody yet.
        expect(billed()).toBeGreaterThan(LIMIT * 0.3);
        expect(spent).toBeLessThanOrEqual(billed());
        expect(spent).toBeGreaterThanOrEqual(sumOf(lived, 'ok') * COST);
        for (const [what, count] of Object.entries(store.counts())) {
          expect([what, count > 0]).toEqual([what, true]);
        }
      },
      120_000,
    );

    it('is passed with onStoreDown open by no more than what each process saw left', async () => {
      const { waves, lived, spent } = await live(store, 'open');
      expect(waves.flatMap(({ other }) => other)).toEqual([]);
      expect(sumOf(waves, 'unavailable')).toBe(0);
      expect(spent).toBeLessThanOrEqual(billed());
      expect(spent).toBeGreaterThanOrEqual(sumOf(lived, 'ok') * COST);
      expect(billed()).toBeLessThanOrEqual((1 + PROCESSES) * LIMIT);
      if (process.env['SHARING_REPORT']) {
        console.log(`${store.plan.kind}: $${billed() / 1e9} of $${LIMIT / 1e9} with open`);
      }
    }, 120_000);
  });
});
