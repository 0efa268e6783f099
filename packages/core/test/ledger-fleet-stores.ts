/**
 * The stores that a fleet is tried over, each with the faults that can befall it. Another store is
 * another function here, and a line in `storeOf` of the application.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { emptyFolder } from '../../../scripts/empty-folder.cjs';
import { redisStore } from '../src/stores/redis.js';
import { sqliteStore } from '../src/stores/sqlite.js';
import { findDriver } from '../src/stores/sqlite/driver.js';
import type { Store } from '../src/stores/store.js';
import { openDoor } from './ledger-fleet-door.js';
import { serverFaults } from './ledger-fleet-faults.js';
import { stopTime, type StorePlan } from './ledger-fleet-plan.js';
import { startServer } from './stores/redis-server.js';

/** What a fault can wait for: the fleet at work. */
export interface Weather {
  /** Until some process brings a batch, or none goes on. */
  brought(): Promise<void>;
  /** Until the store has failed some process, or none goes on. */
  failed(): Promise<void>;
}

export interface Fault {
  readonly name: string;
  /** From beginning to end. */
  run(weather: Weather): Promise<void>;
}

export interface FleetStore {
  readonly plan: StorePlan;
  readonly faults: readonly Fault[];
  /** Opens it as a process that has seen nothing of all this. */
  open(): Store;
  /** What befell it, for the report; none of it may be zero. */
  counts(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

export async function startSqlite(): Promise<FleetStore> {
  const folder = emptyFolder();
  const file = join(folder, 'claude-metrics.db');
  const counts = { locks: 0, stops: 0, killedWriters: 0 };
  // There before the fleet: it does not begin with eight processes that make one file.
  await sqliteStore({ file }).close();

  /** Another program that is about to write, and does not go on until it is told to. */
  async function startWriter() {
    const { name } = findDriver(undefined);
    const source = `
      const { createRequire } = require('node:module');
      const load = createRequire(process.cwd() + '/package.json');
      const [name, file] = process.argv.slice(1);
      const library = name === 'node:sqlite' ? process.getBuiltinModule(name) : load(name);
      const db = new (library.DatabaseSync ?? library)(file);
      db.exec('PRAGMA busy_timeout = 60000; BEGIN IMMEDIATE');
      console.log('locked');
      process.stdin.once('data', () => {
        db.exec('ROLLBACK');
        db.close();
        process.exit();
      });`;
    const child = spawn(process.execPath, ['-e', source, name, file], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    return { child, exited };
  }

  return {
    plan: { kind: 'sqlite', file },
    faults: [
      {
        name: 'another process writes for a while',
        async run({ failed }) {
          const db = findDriver(undefined).open(file);
          db.exec('PRAGMA busy_timeout = 60000; BEGIN IMMEDIATE');
          counts.locks += 1;
          await failed();
          db.exec('ROLLBACK');
          db.close();
        },
      },
      {
        name: 'a process that writes is stopped',
        async run({ failed }) {
          const { child, exited } = await startWriter();
          child.kill('SIGSTOP');
          counts.stops += 1;
          await Promise.all([stopTime(), failed()]);
          child.kill('SIGCONT');
          child.stdin.write('go on\n');
          await exited;
        },
      },
      {
        name: 'a process that writes is killed',
        async run({ failed }) {
          const { child, exited } = await startWriter();
          await failed();
          child.kill('SIGKILL');
          await exited;
          counts.killedWriters += 1;
        },
      },
    ],
    open: () => sqliteStore({ file }),
    counts: () => counts,
    async stop() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What it has acknowledged survives: every command is on the disk before its answer. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

export async function startRedis(): Promise<FleetStore> {
  const server = await startServer(...DURABLE);
  const door = await openDoor(server.port);
  const clients: Redis[] = [];
  const control = {
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    kill: server.stop,
    start: server.start,
  };
  return {
    plan: { kind: 'redis', port: door.port },
    ...serverFaults(control, door, /evalsha/),
    open() {
      const client = new Redis(server.port, '127.0.0.1');
      clients.push(client);
      return redisStore({ client });
    },
    async stop() {
      for (const client of clients) client.disconnect();
      await door.close();
      await server.stop();
    },
  };
}
