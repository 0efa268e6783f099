/** Who may ask a server: passwords, rights and TLS. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountOf, exchangeOf, takingOf, WHOLE } from './budgets-fixture.js';
import { cleanUp, ioredisTo, nodeRedisTo, storeOver } from './redis-fixture.js';
import { atEnd, describeRedis, startServer } from './redis-server.js';
import { callsIn, cellsOf, failsAs, MINUTE, NOW } from './redis-trouble.js';
import type { StoreProblem } from '../../src/stores/store.js';

afterAll(cleanUp);

describeRedis('a server that needs a password', () => {
  it('says so, without one and with a wrong one', async () => {
    const server = await startServer('--requirepass', 'secret');
    const auth = failsAs('auth', /Check username and password/);
    const without = storeOver(ioredisTo(server.port), { timeoutMs: 1_000 });
    await expect(without.merge(cellsOf(1), NOW)).rejects.toEqual(auth);
    await expect(without.budgets.exchange(takingOf('ada', 1, 1))).rejects.toEqual(auth);
    const wrong = storeOver(ioredisTo(server.port, { password: 'wrong' }), { timeoutMs: 1_000 });
    await expect(wrong.merge(cellsOf(1), NOW)).rejects.toEqual(auth);
    const right = storeOver(ioredisTo(server.port, { password: 'secret' }));
    await right.merge(cellsOf(1), NOW);
    expect(await callsIn(right)).toBe(1);
  });

  it('says so when it is asked for only later', async () => {
    const server = await startServer();
    const client = await nodeRedisTo(server.port);
    const store = storeOver(client);
    await server.cli(
      'ACL',
      'SETUSER',
      'default',
      'resetpass',
      '>secret',
      '-@all',
      '+ping',
      '+client',
    );
    await expect(store.merge(cellsOf(1), NOW)).rejects.toEqual(
      failsAs('denied', /lacks a right; docs.redis.md/),
    );
  });

  it('can be used with no more rights than docs/redis.md names', async () => {
    const server = await startServer();
    const commands = [
      ...['+evalsha', '+eval', '+time', '+info', '+publish', '+subscribe', '+get', '+set', '+del'],
      ...['+hget', '+hmget', '+hset', '+hdel', '+hincrby', '+lrange', '+rpush', '+lpush', '+ltrim'],
      ...['+llen', '+lrem', '+zadd', '+zrem', '+zscore', '+zrange', '+zrangebyscore'],
      ...['+zrangebylex', '+zremrangebyscore', '+pttl', '+pexpire', '+pexpireat', '+persist'],
    ];
    const rights = ['~claude-metrics:*', '&claude-metrics:*', ...commands];
    await server.cli('ACL', 'SETUSER', 'metrics', 'on', '>secret', ...rights);
    const client = ioredisTo(server.port, {
      ...{ username: 'metrics', password: 'secret', enableReadyCheck: false },
    });
    const problems: StoreProblem[] = [];
    const onProblem = (problem: StoreProblem) => void problems.push(problem);
    const store = storeOver(client, { prefix: 'claude-metrics', onProblem });
    const stop = await store.watch(() => undefined);
    await store.merge(cellsOf(2), NOW, 'one');
    await store.merge(cellsOf(2), NOW + 5 * MINUTE, 'two');
    expect(await callsIn(store)).toBe(4);
    await store.budgets.exchange({
      ...exchangeOf('ada', 1, { accounts: [accountOf('ada', { personal: true })] }),
      adjustments: [{ account: 0, nanoUsd: 1, at: 1, reason: '' }],
      takings: [[{ account: 0, limit: 10, need: 5, wish: 0 }]],
      ttlMs: 0,
    });
    await store.budgets.accounts(WHOLE);
    await store.budgets.adjustments(1);
    expect(await store.budgets.forgetUser('ada')).toBe(1);
    await store.budgets.exchange(
      exchangeOf('eve', 1, { accounts: [accountOf('', { to: Infinity })] }),
    );
    await store.notes.claim('a', 'b', 1_000);
    await store.notes.claim('a', 'b', 0);
    await store.notes.putNote('a', 'b');
    await store.notes.putNote('a', null);
    expect(await store.notes.note('a')).toBeNull();
    await store.calls({});
    await store.forgetUser('ada');
    await stop();
    await store.close();
    expect(problems).toEqual([]);
  });
});

describeRedis('a server that speaks TLS alone', () => {
  it('is told by what to look at', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-tls-'));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', key, '-out', cert, '-subj', '/CN=localhost'],
      ],
      { stdio: 'ignore' },
    );
    const plain = await startServer();
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
    await plain.stop();
    const server = await startServer(
      ...['--tls-port', String(plain.port), '--tls-auth-clients', 'no', ...files],
    );
    const store = storeOver(ioredisTo(plain.port), { timeoutMs: 300 });
    const hint = { message: expect.stringMatching(/TLS alone needs/) as string };
    await expect(store.merge(cellsOf(1), NOW)).rejects.toMatchObject(hint);
    const secure = storeOver(ioredisTo(plain.port, { tls: { rejectUnauthorized: false } }));
    await secure.merge(cellsOf(1), NOW);
    expect(await callsIn(secure)).toBe(1);
    await server.stop();
  });
});
