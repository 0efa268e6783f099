import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { sqliteStore } from '../stores/sqlite.js';
import { wrong, type Io } from './command.js';
import { oneLine } from './output.js';
import { loadOneOf } from './project.js';
import type { Arguments, OptionSpecs } from './arguments.js';
import type { RedisClient } from '../stores/redis.js';
import type { PostgresPool } from '../stores/postgres.js';
import type { Store } from '../stores/store.js';

/** The store that a command reads: a file, a server of Redis or of Postgres. */
export const STORE_OPTIONS: OptionSpecs = {
  store: { type: 'string', value: 'file', help: 'the SQLite file of the store' },
  redis: { type: 'string', value: 'url', help: 'the server of a Redis store; or env:NAME' },
  prefix: { type: 'string', value: 'text', help: 'the prefix of the Redis store' },
  postgres: { type: 'string', value: 'url', help: 'the database of a Postgres store; or env:NAME' },
  schema: { type: 'string', value: 'name', help: 'the schema of the Postgres store' },
};

interface Opened {
  readonly store: Store;
  close(): Promise<void>;
}

/** Which of these options was given. @throws UsageError for none, or for two. */
export function chosenOf(args: Arguments, names: readonly string[]): string {
  const given = names.filter((name) => args.text(name) !== undefined);
  const [first] = given;
  if (first !== undefined && given.length === 1) return first;
  const all = names.map((name) => `--${name}`).join(', ');
  const got = first === undefined ? 'none' : given.map((name) => `--${name}`).join(' and ');
  return wrong(args.command, `say where the figures are, with one of ${all}; got ${got}.`);
}

/** Opens the store, runs `use`, and closes what was opened. */
export async function withStore<T>(
  args: Arguments,
  io: Io,
  use: (store: Store) => Promise<T>,
): Promise<T> {
  const opened = await openStore(args, io);
  try {
    return await use(opened.store);
  } finally {
    await opened.close();
  }
}

async function openStore(args: Arguments, io: Io): Promise<Opened> {
  const kind = chosenOf(args, ['store', 'redis', 'postgres']);
  try {
    if (kind === 'redis') return await openRedis(args, io);
    if (kind === 'postgres') return await openPostgres(args, io);
  } catch (error) {
    if (error instanceof Error && error.name === 'UsageError') throw error;
    return wrong(args.command, `--${kind}: ${oneLine(reasonOf(error))}`, error);
  }
  return openFile(args, io);
}

function openFile(args: Arguments, io: Io): Opened {
  const file = resolve(io.cwd, args.text('store') ?? '');
  // The store would make the file, and answer that nothing was ever spent.
  if (!existsSync(file)) wrong(args.command, `--store: there is no file ${file}.`);
  const store = sqliteStore({ file });
  return { store, close: async () => store.close() };
}

async function openRedis(args: Arguments, io: Io): Promise<Opened> {
  const url = addressOf(args, io, 'redis', /^rediss?:\/\//);
  const { name, module } = loadOneOf(args.command, io.cwd, ['ioredis', 'redis']);
  const { redisStore } = await import('../stores/redis.js');
  const client =
    name === 'ioredis' ? await connectIoredis(module, url) : await connectNode(module, url);
  const prefix = args.text('prefix');
  const store = redisStore({ client: client as unknown as RedisClient, prefix });
  return {
    store,
    async close() {
      await store.close();
      await client.quit();
    },
  };
}

interface Quittable {
  quit(): Promise<unknown>;
}

async function connectIoredis(module: Record<string, unknown>, url: string): Promise<Quittable> {
  const Redis = (module['Redis'] ?? module['default']) as new (
    url: string,
    options: object,
  ) => Quittable & { connect(): Promise<void>; on(event: 'error', listener: () => void): void };
  // A command is not a service: what cannot be reached now is said now.
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function connectNode(module: Record<string, unknown>, url: string): Promise<Quittable> {
  const create = module['createClient'] as (options: object) => Quittable & {
    connect(): Promise<unknown>;
    on(event: 'error', listener: () => void): void;
  };
  const client = create({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function openPostgres(args: Arguments, io: Io): Promise<Opened> {
  const connectionString = addressOf(args, io, 'postgres', /^postgres(ql)?:\/\//);
  const { module } = loadOneOf(args.command, io.cwd, ['pg']);
  const { postgresStore } = await import('../stores/postgres.js');
  const Pool = module['Pool'] as new (options: object) => PostgresPool & {
    end(): Promise<void>;
    on(event: 'error', listener: () => void): void;
  };
  const pool = new Pool({ connectionString, max: 2, connectionTimeoutMillis: 10_000 });
  pool.on('error', () => {});
  const store = postgresStore({ pool, schema: args.text('schema') });
  return {
    store,
    async close() {
      await store.close();
      await pool.end();
    },
  };
}

/** `env:NAME` keeps a password out of the list of processes. It is never shown. */
function addressOf(args: Arguments, io: Io, option: string, form: RegExp): string {
  const given = args.text(option) ?? '';
  const name = /^env:(\w+)$/.exec(given)?.[1];
  const address = name === undefined ? given : (io.env[name] ?? '');
  if (form.test(address)) return address;
  const whose = name === undefined ? 'the value' : `the variable ${name}`;
  return wrong(args.command, `--${option}: ${whose} must be an address like ${option}://host/….`);
}

export function reasonOf(error: unknown): string {
  const { message, code, cause } = error as { message?: string; code?: string; cause?: unknown };
  const inner = cause === undefined ? '' : ` (${reasonOf(cause)})`;
  return `${message || code || String(error)}${inner}`;
}
