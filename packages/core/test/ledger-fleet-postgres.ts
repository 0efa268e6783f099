/** A Postgres that a fleet is tried over, with the faults that can befall it. */
import { join } from 'node:path';
import { postgresStore } from '../src/stores/postgres.js';
import { openDoor } from './ledger-fleet-door.js';
import { stopTime } from './ledger-fleet-plan.js';
import type { FleetStore } from './ledger-fleet-stores.js';
import { startServer } from './stores/postgres-server.js';

const CUTS = 12;
const ANSWERS_LOST = 16;

export async function startPostgres(): Promise<FleetStore> {
  // What it has acknowledged survives a crash.
  const server = await startServer({ settings: { fsync: 'on', synchronous_commit: 'on' } });
  const door = await openDoor(join(server.folder, '.s.PGSQL.5432'));
  const counts = { stops: 0, restarts: 0 };
  return {
    plan: { kind: 'postgres', port: door.port },
    faults: [
      {
        name: 'connections are dropped',
        async run({ brought }) {
          for (let i = 0; i < CUTS; i += 1) {
            await brought();
            door.cut();
          }
        },
      },
      {
        name: 'the server is stopped',
        async run({ failed }) {
          server.pause();
          counts.stops += 1;
          await Promise.all([stopTime(), failed()]);
          server.resume();
        },
      },
      {
        name: 'answers are lost',
        async run({ brought }) {
          door.lose(/COMMIT/, ANSWERS_LOST);
          await brought();
        },
      },
      {
        name: 'the server is killed and started again',
        async run({ failed }) {
          await server.crash();
          await failed();
          await server.start();
          counts.restarts += 1;
        },
      },
    ],
    open: () => postgresStore({ pool: server.pool() }),
    counts: () => ({ ...counts, ...door.counts }),
    async stop() {
      await door.close();
      await server.stop();
    },
  };
}
