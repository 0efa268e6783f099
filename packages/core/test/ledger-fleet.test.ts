/**
 * Eight real processes with the real SDK over one store, while it is stopped, restarted, locked and cut
 * off, and while two of them are killed: what is in it afterwards is what the simulator has answered.
 *
 * - **lived**: came to its own end. All of its calls are in the store, each once.
 * - **killed**: what its ledger had heard to be in the store is there; at most what it had brought is.
 */
import { SUM } from '../src/cell.js';
import { createMonitor } from '../src/index.js';
import type { Cell } from '../src/stores/store.js';
import { runFleet, type Fleet, type Life } from './ledger-fleet.js';
import { CALLS, CALLS_PER_MINUTE, ENDS, FIELDS, PROCESSES, START } from './ledger-fleet-plan.js';
import { startPostgres } from './ledger-fleet-postgres.js';
import { startRedis, startSqlite, type FleetStore } from './ledger-fleet-stores.js';
import { EVERY } from './ledger-fixture.js';
import { exactOfCells, MINUTE, QUARTER, type Exact } from './state-fixture.js';
import { describePostgres } from './stores/postgres-server.js';
import { describeRedis, stopAll } from './stores/redis-server.js';

type Describe = (name: string, body: () => void) => void;
const STORES: readonly (readonly [string, Describe, () => Promise<FleetStore>])[] = [
  ['a SQLite file', describe, startSqlite],
  ['a Redis server', describeRedis, startRedis],
  ['a Postgres server', describePostgres, startPostgres],
];
/** A call that comes and is not answered takes its time, and so does a machine that is busy. */
const LONG = 120_000 + CALLS * 40;
const WIDTHS = [MINUTE, QUARTER] as const;

afterAll(stopAll);

describe.each(STORES)('over %s', (name, describeStore, start) => {
  describeStore('a fleet', () => {
    let store: FleetStore;
    let fleet: Fleet;
    let cells: readonly Cell[];
    let lived: readonly Life[];
    let killed: readonly Life[];

    beforeAll(async () => {
      const begun = performance.now();
      store = await start();
      fleet = await runFleet(store);
      const opened = store.open();
      const range = { from: 0, to: Infinity, families: EVERY };
      const read = WIDTHS.map(async (bucketMs) => opened.read({ ...range, bucketMs }));
      cells = (await Promise.all(read)).flat();
      await opened.close?.();
      lived = fleet.lives.filter(({ end }) => end !== null);
      killed = fleet.lives.filter(({ end }) => end === null);
      if (process.env['FLEET_CALLS'] !== undefined) report((performance.now() - begun) / 1_000);
    }, LONG);
    afterAll(() => store.stop());

    /** Sums of cells of a family that are of these names, as far as they are given. */
    function inStore(
      bucketMs: number,
      family: Cell['family'],
      first?: string,
      second?: string,
    ): Exact {
      return exactOfCells(
        cells.filter(
          (cell) =>
            cell.bucketMs === bucketMs &&
            cell.family === family &&
            (first === undefined || cell.key[0] === first) &&
            (second === undefined || cell.key[1] === second),
        ),
      );
    }

    const callsOf = (life: Life) =>
      Number(inStore(MINUTE, 'feature-model', life.name)['calls'] ?? 0n);
    const lossOf = (life: Life) => fleet.bill.calls(life.name) - callsOf(life);
    const acknowledgedOf = (life: Life, also = false) =>
      [...life.brought]
        .filter(([batch]) => also || life.had.has(batch))
        .map(([, { sums }]) => sums);

    function report(seconds: number): void {
      const reasons = new Set(fleet.lives.flatMap((life) => [...life.reasons.keys()]));
      const repeated = fleet.lives
        .flatMap(({ brought }) => [...brought.values()])
        .reduce((sum, { times }) => sum + times - 1, 0);
      const sum = (of: (life: Life) => number) => lived.reduce((all, life) => all + of(life), 0);
      console.log(
        [
          `${name}: ${PROCESSES} × ${CALLS} calls in ${seconds.toFixed(0)} s;`,
          ...killed.map(
            (life) => `${life.name} killed after ${fleet.bill.calls(life.name)} calls,`,
          ),
          ...killed.map((life) => `${lossOf(life)} of them lost by ${life.name};`),
          `merges failed ${sum(({ failures }) => failures)}, batches brought again ${repeated},`,
          `brought twice by the test ${sum(({ end }) => end!.doubled)},`,
          `answers kept from the ledger ${sum(({ end }) => end!.unheard)};`,
          `looks ${fleet.looks.length}, failed ${fleet.looksFailed};`,
          JSON.stringify(store.counts()),
          ...reasons,
        ].join(' '),
      );
    }

    it('lived but for two processes, and was answered all it asked', async () => {
      expect(killed).toHaveLength(2);
      expect(lived).toHaveLength(PROCESSES - 2);
      for (const { name: process, end, exit } of lived) {
        expect(await exit).toEqual([0, null]);
        expect(end!.other).toEqual([]);
        expect(end!.ok + end!.refused).toBe(CALLS);
        expect(fleet.bill.calls(process)).toBe(CALLS);
      }
      for (const life of killed) expect(await life.exit).toEqual([null, 'SIGKILL']);
    });

    it('has every call of the lived in the store once, by model and by user', () => {
      for (const bucketMs of WIDTHS) {
        for (const { name: process } of lived) {
          const whole = fleet.bill.exact((key) => key.process === process);
          expect(whole['calls']).toBe(BigInt(CALLS));
          expect(inStore(bucketMs, 'feature-model', process)).toEqual(whole);
          expect(inStore(bucketMs, 'user-feature', undefined, process)).toEqual(whole);
          const keys = fleet.bill.keys().filter((key) => key.process === process);
          for (const model of new Set(keys.map((key) => key.model))) {
            expect(inStore(bucketMs, 'feature-model', process, model)).toEqual(
              fleet.bill.exact((key) => key.process === process && key.model === model),
            );
          }
          for (const user of new Set(keys.map((key) => key.user))) {
            expect(inStore(bucketMs, 'user-feature', user, process)).toEqual(
              fleet.bill.exact((key) => key.process === process && key.user === user),
            );
          }
        }
      }
    });

    it('has of the killed what they had heard to be there, and lost one flush interval', () => {
      for (const life of killed) {
        const made = fleet.bill.exact((key) => key.process === life.name);
        for (const bucketMs of WIDTHS) {
          const found = inStore(bucketMs, 'feature-model', life.name);
          expect(inStore(bucketMs, 'user-feature', undefined, life.name)).toEqual(found);
          for (const field of FIELDS) {
            const [least, most] = [false, true].map((also) =>
              acknowledgedOf(life, also).reduce((sum, sums) => sum + sums[field], 0),
            );
            const told = { field, least, most, found: Number(found[field] ?? 0n) };
            expect({ ...told, ok: told.found >= least! && told.found <= most! }).toEqual({
              ...{ ...told, ok: true },
            });
            expect(BigInt(most!)).toBeLessThanOrEqual(made[field]!);
          }
        }
        // The minute that is being brought, the one that goes on, and those in which the store failed.
        const minutes = 2 + life.failuresInARow;
        const lost = lossOf(life);
        const told = { process: life.name, lost, minutes };
        expect({ ...told, ok: lost >= 0 && lost <= minutes * CALLS_PER_MINUTE }).toEqual({
          ...{ ...told, ok: true },
        });
      }
    });

    it('agrees with itself, by total, by feature, by user and by model', () => {
      for (const bucketMs of WIDTHS) {
        const total = inStore(bucketMs, 'total');
        for (const family of EVERY) expect(inStore(bucketMs, family)).toEqual(total);
        const keys = fleet.bill.keys();
        for (const user of new Set(keys.map((key) => key.user))) {
          expect(inStore(bucketMs, 'user-model', user)).toEqual(
            inStore(bucketMs, 'user-feature', user),
          );
        }
        for (const model of new Set(keys.map((key) => key.model))) {
          expect(inStore(bucketMs, 'user-model', undefined, model)).toEqual(
            inStore(bucketMs, 'feature-model', undefined, model),
          );
        }
      }
      const calls = cells.reduce((sum, { sums }) => sum + sums[SUM.calls]!, 0);
      const counted = fleet.bill.calls() - killed.reduce((sum, life) => sum + lossOf(life), 0);
      expect(calls).toBe(WIDTHS.length * EVERY.length * counted);
    });

    it('is seen whole by a monitor that comes later', async () => {
      const clock = { now: () => START + 100 * MINUTE, monotonic: () => performance.now() };
      const monitor = createMonitor({ store: store.open(), clock, log: false });
      const { totals, byFeature } = await monitor.snapshot();
      await monitor.close();
      expect(Object.fromEntries(byFeature.map(({ key, calls }) => [key, calls]))).toEqual(
        Object.fromEntries(fleet.lives.map((life) => [life.name, callsOf(life)])),
      );
      expect(totals.calls).toBe(fleet.lives.reduce((sum, life) => sum + callsOf(life), 0));
    });

    it('never showed anybody more calls than there were', () => {
      expect(fleet.looks.length).toBeGreaterThan(ENDS.length);
      for (const { seen, most } of fleet.looks) expect(seen).toBeLessThanOrEqual(most);
    });

    it('tells of every merge that failed, and dropped nothing', () => {
      for (const { end, failures } of lived) {
        expect(end!.dropped).toEqual({});
        expect(end!.faults['ledger.flush']?.count).toBe(failures);
        const others = Object.keys(end!.faults).filter(
          (step) => !/^(redis|sqlite|postgres|budgets|alerts)\./.test(step),
        );
        expect(others).toEqual(['ledger.flush']);
      }
    });

    it('was troubled as it was meant to be', () => {
      for (const [what, count] of Object.entries(store.counts())) {
        expect([what, count > 0]).toEqual([what, true]);
      }
      for (const { end, brought, had } of lived) {
        expect(end!.doubled).toBeGreaterThan(0);
        expect(end!.unheard).toBeGreaterThan(0);
        expect([...brought.values()].some(({ times }) => times > 1)).toBe(true);
        expect(had.size).toBe(brought.size);
      }
    });
  });
});
