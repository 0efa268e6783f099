/** A Postgres that a fleet is tried over, with the faults that can befall it. */
import { join } from 'node:path';
import { postgresStore } from '../src/stores/postgres.js';
import { openDoor } from './ledger-fleet-door.js';
import { serverFaults } from './ledger-fleet-faults.js';
import type { FleetStore } from './ledger-fleet-stores.js';
import { startServer } from './stores/postgres-server.js';

export async function startPostgres(): Promise<FleetStore> {
  // What it has acknowledged survives a crash.
  const server = await startServer({ settings: { fsync: 'on', synchronous_commit: 'on' } });
  const door = await openDoor(join(server.folder, '.s.PGSQL.5432'));
  const control = { ...server, kill: server.crash };
  return {
    plan: { kind: 'postgres', port: door.port },
    ...serverFaults(control, door, /COMMIT/),
    open: () => postgresStore({ pool: server.pool() }),
    async stop() {
      await door.close();
      await server.stop();
    },
  };
}
