/** The Redis store, over both clients and over a cluster, does what every store must do. */
import { storeContract } from '@claude-metrics/testing';
import { createCell, FAMILIES, RARE, SUM } from '../../src/cell.js';
import { applyExchange } from '../../src/exchange.js';
import { recordValue } from '../../src/sketch.js';
import { redisStore } from '../../src/stores/redis.js';
import {
  cleanUp,
  clientTo,
  clusterClientTo,
  freshPrefix,
  LIBRARIES,
  storeOver,
} from './redis-fixture.js';
import { describeRedis, startCluster, startServer } from './redis-server.js';
import type { RedisClient } from '../../src/stores/redis.js';

afterAll(cleanUp);

const core = { applyExchange, createCell, FAMILIES, RARE, recordValue, SUM };

let client: RedisClient;

const { cases, missing } = storeContract({
  core,
  durable: true,
  shared: true,
  async open({ maxCalls, retention } = {}) {
    const prefix = freshPrefix();
    const open = () => storeOver(client, { prefix, maxCalls, historyRetentionMs: retention });
    const store = open();
    return { store, reopen: async () => open(), close: () => store.close() };
  },
});

describeRedis.each(LIBRARIES)('over one server, with %s', (library) => {
  beforeAll(async () => {
    client = await clientTo(library, (await startServer()).port);
  });

  it.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });

  it('leaves out no case', () => {
    expect(missing).toEqual([]);
    expect(redisStore({ client }).shared).toBe(true);
  });
});

describeRedis.each(LIBRARIES)('over a cluster of three nodes, with %s', (library) => {
  beforeAll(async () => {
    client = await clusterClientTo(library, await startCluster());
  });

  it.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
