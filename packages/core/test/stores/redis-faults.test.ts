/** What goes wrong with servers: a clear error each time, nothing half done, and then it goes on. */
import { SUM } from '../../src/cell.js';
import { exchangeOf, accountOf, postingOf, takingOf, WHOLE } from './budgets-fixture.js';
import { cleanUp, clientTo, clusterClientTo, LIBRARIES, storeOver } from './redis-fixture.js';
import {
  describeRedis,
  startCluster,
  startServer,
  startSwitch,
  type RedisServer,
} from './redis-server.js';
import { callsIn, cellsOf, failsAs, MINUTES, NOW } from './redis-trouble.js';
import type { StoreProblem } from '../../src/stores/store.js';

afterAll(cleanUp);

const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);
beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => {
  process.off('unhandledRejection', note);
  if (unhandled.length > 0) throw unhandled[0];
});

/** Until it succeeds: clients come back in their own time. */
async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch {
      await new Promise((resolve) => void setTimeout(resolve, 10));
    }
  }
}

describeRedis.each(LIBRARIES)('with %s', (library) => {
  it('a server that was killed and comes back empty gets the next batches and exchanges', async () => {
    const server = await startServer();
    const store = storeOver(await clientTo(library, server.port), { timeoutMs: 300 });
    await store.merge(cellsOf(3), NOW, 'one');
    await store.budgets.exchange(takingOf('ada', 1, 10));
    await server.stop();
    await expect(store.merge(cellsOf(3), NOW, 'two')).rejects.toMatchObject({
      reason: expect.stringMatching(/timeout|connection/) as string,
      message: expect.stringContaining('could not merge') as string,
    });
    await expect(store.budgets.exchange(takingOf('ada', 2, 10))).rejects.toThrow(
      'could not exchange',
    );
    await expect(store.read(MINUTES)).rejects.toThrow('could not read');
    await expect(store.notes.claim('a', 'b', 1)).rejects.toThrow('could not claim');
    await server.start();
    await eventually(() => store.merge(cellsOf(3), NOW, 'two'));
    expect(await callsIn(store)).toBe(3);
    const answer = await eventually(() => store.budgets.exchange(takingOf('ada', 2, 10)));
    expect(answer.accounts).toMatchObject([{ held: 10, leased: 10 }]);
  });

  it('a server that was killed and has persistence goes on with all that it had', async () => {
    const server = await startServer('--appendonly', 'yes', '--appendfsync', 'always');
    const store = storeOver(await clientTo(library, server.port), { timeoutMs: 300 });
    await store.merge(cellsOf(3), NOW, 'one');
    const answer = await store.budgets.exchange(takingOf('ada', 1, 10));
    await server.stop();
    await expect(store.merge(cellsOf(3), NOW, 'two')).rejects.toThrow('could not merge');
    await server.start();
    await eventually(() => store.merge(cellsOf(3), NOW, 'two'));
    await store.merge(cellsOf(3), NOW, 'one');
    expect(await callsIn(store)).toBe(6);
    expect(await store.budgets.exchange(takingOf('ada', 1, 10))).toEqual(answer);
    expect((await store.budgets.accounts(WHOLE)).accounts).toMatchObject([{ held: 10 }]);
  });

  it('a server that does not answer costs the time that was given, and counts once later', async () => {
    const server = await startServer();
    const store = storeOver(await clientTo(library, server.port), { timeoutMs: 100 });
    await store.merge(cellsOf(1), NOW, 'one');
    server.signal('SIGSTOP');
    await expect(store.merge(cellsOf(3), NOW, 'two')).rejects.toEqual(
      failsAs('timeout', /no answer within 100 ms/),
    );
    await expect(store.budgets.exchange(takingOf('ada', 1, 10))).rejects.toEqual(
      failsAs('timeout', /no answer/),
    );
    server.signal('SIGCONT');
    // What was asked then is answered now, to nobody: it has to count, and only once.
    await eventually(() => store.merge(cellsOf(3), NOW, 'two'));
    await eventually(() => store.budgets.exchange(takingOf('ada', 1, 10)));
    expect(await callsIn(store)).toBe(4);
    expect((await store.budgets.accounts(WHOLE)).accounts).toMatchObject([{ held: 10 }]);
  });

  it('a server that is full refuses whole batches and exchanges, and then takes them', async () => {
    const server = await startServer('--maxmemory-policy', 'noeviction');
    const problems: StoreProblem[] = [];
    const onProblem = (problem: StoreProblem) => void problems.push(problem);
    const store = storeOver(await clientTo(library, server.port), { onProblem });
    await store.budgets.exchange(takingOf('ada', 1, 10));
    await server.cli('CONFIG', 'SET', 'maxmemory', '1mb');
    const full = failsAs('full', /OOM .*maxmemory/);
    await expect(store.merge(cellsOf(3), NOW, 'one')).rejects.toEqual(full);
    const postings = [postingOf(5, { leased: 5 })];
    const exchange = exchangeOf('ada', 2, { accounts: [accountOf()], postings });
    await expect(store.budgets.exchange(exchange)).rejects.toEqual(full);
    expect(await callsIn(store)).toBe(0);
    expect((await store.budgets.accounts(WHOLE)).accounts).toMatchObject([{ spent: 0, held: 10 }]);
    await server.cli('CONFIG', 'SET', 'maxmemory', '0');
    await store.merge(cellsOf(3), NOW, 'one');
    expect((await store.budgets.exchange(exchange)).accounts).toMatchObject([
      { spent: 5, held: 5 },
    ]);
    expect(await callsIn(store)).toBe(3);
    expect(problems).toEqual([]);
  });

  it('a server that is full when leases are overdue lets none of them go by half', async () => {
    const server = await startServer('--maxmemory-policy', 'noeviction');
    const store = storeOver(await clientTo(library, server.port));
    await store.budgets.exchange({ ...takingOf('ada', 1, 10), ttlMs: 0 });
    await server.cli('CONFIG', 'SET', 'maxmemory', '1mb');
    await expect(store.budgets.exchange(takingOf('bob', 1, 10))).rejects.toThrow('OOM');
    await expect(store.budgets.accounts(WHOLE)).rejects.toThrow('OOM');
    await server.cli('CONFIG', 'SET', 'maxmemory', '0');
    const [account] = (await store.budgets.exchange(takingOf('bob', 1, 10))).accounts;
    expect(account).toMatchObject({ held: 10, leased: 10 });
  });

  it('a server that evicts keys is worth a notice, once', async () => {
    const server = await startServer('--maxmemory-policy', 'allkeys-lru', '--maxmemory', '50mb');
    const problems: StoreProblem[] = [];
    const onProblem = (problem: StoreProblem) => void problems.push(problem);
    const store = storeOver(await clientTo(library, server.port), { onProblem });
    await store.merge(cellsOf(1), NOW);
    await store.read(MINUTES);
    await store.close();
    const text = expect.stringMatching(
      /maxmemory-policy is allkeys-lru: .*use noeviction/,
    ) as string;
    expect(problems).toEqual([{ kind: 'notice', name: 'redis.eviction', text }]);
  });

  it('a replica refuses to write, and does when it has taken over', async () => {
    const primary = await startServer('--repl-diskless-sync-delay', '0');
    const replica = await startServer('--replicaof', '127.0.0.1', String(primary.port));
    while (!(await replica.cli('INFO', 'replication')).includes('master_link_status:up'));
    const way = await startSwitch(primary.port);
    const store = storeOver(await clientTo(library, way.port), { timeoutMs: 500 });
    await store.merge(cellsOf(3), NOW, 'one');
    await store.budgets.exchange(takingOf('ada', 1, 10));
    const offset = async (server: RedisServer) =>
      /^master_repl_offset:(\d+)/m.exec(await server.cli('INFO', 'replication'))![1];
    while ((await offset(primary)) !== (await offset(replica)));
    way.leadTo(replica.port);
    const readonly = failsAs('readonly', /let the client connect to the primary/);
    let error: unknown;
    // The client may still be on its way there.
    do error = await store.merge(cellsOf(3), NOW, 'two').catch((each: unknown) => each);
    while ((error as { reason?: string } | undefined)?.reason !== 'readonly');
    expect(error).toEqual(readonly);
    await expect(store.budgets.exchange(takingOf('ada', 2, 5))).rejects.toEqual(readonly);
    await primary.stop();
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    // The scripts are not there either: they are sent again.
    await replica.cli('SCRIPT', 'FLUSH');
    await store.merge(cellsOf(3), NOW, 'two');
    await store.merge(cellsOf(3), NOW, 'one');
    expect(await callsIn(store)).toBe(6);
    const [account] = (await store.budgets.exchange(takingOf('ada', 2, 5))).accounts;
    expect(account).toMatchObject({ held: 15, leased: 15 });
  });
});

describeRedis.each(LIBRARIES)('a cluster with a node that is down, with %s', (library) => {
  it('fails whole batches, of which what was added is not added again', async () => {
    const nodes = await startCluster();
    const client = await clusterClientTo(library, nodes);
    const store = storeOver(client, { timeoutMs: 700 });
    await store.merge(cellsOf(12), NOW, 'one');
    await nodes[1]!.stop();
    await expect(store.merge(cellsOf(12), NOW, 'two')).rejects.toThrow(
      /redisStore: could not merge: .*(cluster is down|Is the server up)/,
    );
    await nodes[1]!.start();
    await eventually(() => store.merge(cellsOf(12), NOW, 'two'));
    const cells = await store.read(MINUTES);
    expect(new Set(cells.map(({ sums }) => sums[SUM.calls]))).not.toContain(3);
    // The node had no persistence: the batch before is lost there, and only there.
    await store.merge(cellsOf(12), NOW, 'one');
    expect(await callsIn(store)).toBe(24);
  });
});
