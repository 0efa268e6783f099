/**
 * Clients of both libraries, and stores over them. A fault that nobody listens to fails the tests of the
 * file.
 */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { createClient, createCluster } from 'redis';
import { redisStore, type RedisStore, type RedisStoreOptions } from '../../src/stores/redis.js';
import { atEnd, stopAll, type RedisServer } from './redis-server.js';
import type { StoreProblem } from '../../src/stores/store.js';

export type Library = 'ioredis' | 'node-redis';
export const LIBRARIES: readonly Library[] = ['ioredis', 'node-redis'];

const faults: unknown[] = [];
let prefixes = 0;

/** What keys nobody else has begin with. */
export function freshPrefix(): string {
  prefixes += 1;
  return `test-${prefixes}`;
}

/** It waits for two seconds after disconnecting, if it is not told otherwise. */
const disconnectTimeout = 20;

export function ioredisTo(port: number, options: Omit<RedisOptions, 'replyMapping'> = {}): Redis {
  const client = new Redis({ port, host: '127.0.0.1', disconnectTimeout, ...options });
  client.on('error', () => undefined);
  atEnd(() => client.disconnect());
  return client;
}

export async function nodeRedisTo(port: number) {
  const client = createClient({
    socket: { port, host: '127.0.0.1', reconnectStrategy: 20 },
  });
  client.on('error', () => undefined);
  await client.connect();
  atEnd(() => client.destroy());
  return client;
}

export async function clientTo(library: Library, port: number) {
  return library === 'ioredis' ? ioredisTo(port) : nodeRedisTo(port);
}

export async function clusterClientTo(library: Library, nodes: readonly RedisServer[]) {
  if (library === 'ioredis') {
    const addresses = nodes.map(({ port }) => ({ port, host: '127.0.0.1' }));
    const cluster = new Cluster(addresses, { redisOptions: { disconnectTimeout } });
    cluster.on('error', () => undefined);
    atEnd(() => cluster.disconnect());
    return cluster;
  }
  const rootNodes = nodes.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` }));
  const cluster = createCluster({ rootNodes });
  cluster.on('error', () => undefined);
  await cluster.connect();
  atEnd(() => cluster.destroy());
  return cluster;
}

export function storeOver(
  client: RedisStoreOptions['client'],
  options: Omit<RedisStoreOptions, 'client'> = {},
): RedisStore {
  const onProblem = (problem: StoreProblem) => {
    if (problem.kind === 'fault') faults.push(problem.error);
  };
  const store = redisStore({ client, onProblem, prefix: freshPrefix(), ...options });
  atEnd(() => store.close().catch(() => undefined));
  return store;
}

/** Closes what is open, and stops every server. */
export async function cleanUp(): Promise<void> {
  await stopAll();
  if (faults.length > 0) throw faults.splice(0)[0];
}
