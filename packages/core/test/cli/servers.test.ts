/** Reports from real servers, through the clients that are installed in the folder of the application. */
import { createMonitor } from '../../src/index.js';
import { postgresStore } from '../../src/stores/postgres.js';
import { redisStore } from '../../src/stores/redis.js';
import { describePostgres, startServer as startPostgres } from '../stores/postgres-server.js';
import { ioredisTo } from '../stores/redis-fixture.js';
import { describeRedis, startServer as startRedis, stopAll } from '../stores/redis-server.js';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { repository } from '../sources.js';
import { ran } from './cli-fixture.js';
import type { Store } from '../../src/stores/store.js';

async function countInto(store: Store): Promise<void> {
  const monitor = createMonitor({ store, log: false, instrument: false, onNotice() {} });
  const usage = { input_tokens: 1_000, output_tokens: 500 };
  monitor.record({ model: 'claude-opus-5-5', usage, userId: 'ada', feature: 'summarise' });
  await monitor.snapshot();
  await monitor.close();
}

// Retention goes by the server's clock: the span is that of the machine.
const asked = (...source: string[]) => ['report', ...source, '--range', '1d', '--json'];
const TOTAL = { calls: 1, cost: { usd: 0.014, nanoUsd: 14_000_000 } };

describeRedis('a Redis store', () => {
  afterAll(stopAll);

  it.each([['ioredis'], ['redis']])('is read with %s', async (library) => {
    const server = await startRedis();
    const client = ioredisTo(server.port);
    const prefix = `cli-${library}`;
    await countInto(redisStore({ client, prefix }));
    await client.quit();
    const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-redis-'));
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(join(repository, 'node_modules', library), join(folder, 'node_modules', library));
    try {
      const url = `redis://127.0.0.1:${server.port}`;
      const argv = asked('--redis', 'env:URL', '--prefix', prefix);
      const { out, err } = await ran(argv, {
        env: { URL: url },
        now: Date.now() + 60_000,
        cwd: folder,
      });
      expect(err).toBe('');
      expect(JSON.parse(out)).toMatchObject({ total: TOTAL });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('that is not there is said at once', async () => {
    const { code, err } = await ran(asked('--redis', 'redis://:secret-word@127.0.0.1:1'));
    expect(code).toBe(2);
    expect(err).toMatch(/--redis: .*(ECONNREFUSED|closed)/);
    expect(err).not.toContain('secret-word');
  });
});

describePostgres('a Postgres store', () => {
  it('is read with pg', async () => {
    const server = await startPostgres();
    try {
      await countInto(postgresStore({ pool: server.pool(), schema: 'cli' }));
      const { port } = await server.door();
      const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
      const argv = asked('--postgres', url, '--schema', 'cli');
      const { out, err } = await ran(argv, { now: Date.now() + 60_000 });
      expect(err).toBe('');
      expect(JSON.parse(out)).toMatchObject({ total: TOTAL });
    } finally {
      await server.stop();
    }
  });
});
