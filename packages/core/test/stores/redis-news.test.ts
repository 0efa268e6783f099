/** What waits for a second: calls that are to be written, and news that something was merged. */
import { createCell } from '../../src/cell.js';
import {
  cleanUp,
  clientTo,
  clusterClientTo,
  freshPrefix,
  ioredisTo,
  LIBRARIES,
  storeOver,
} from './redis-fixture.js';
import { describeRedis, startCluster, startServer } from './redis-server.js';
import { callRecord, MINUTE, NOW } from '../state-fixture.js';
import type { Redis } from 'ioredis';
import type { RedisClient } from '../../src/stores/redis.js';
import type { StoreProblem } from '../../src/stores/store.js';

const CELLS = [createCell('total', MINUTE, NOW - (NOW % MINUTE), ['', ''])];
const DAY = 24 * 60 * MINUTE;

/** Waits for what comes over a connection of its own. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => void setImmediate(resolve));
}

let client: RedisClient;
let raw: Redis;
let port: number;
beforeAll(async () => {
  ({ port } = await startServer());
  raw = ioredisTo(port);
  await raw.ping();
});
afterAll(cleanUp);
afterEach(() => void jest.useRealTimers());

/** Seconds pass when the test says so; connections go on. */
function holdSeconds(): void {
  const others = ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date', 'hrtime'];
  jest.useFakeTimers({ doNotFake: [...others, 'setInterval'] as never });
}

async function subscribers(channel: string): Promise<number> {
  const [, count] = (await raw.pubsub('NUMSUB', channel)) as [string, number];
  return Number(count);
}

describeRedis.each(LIBRARIES)('watch(), with %s', (library) => {
  beforeAll(async () => {
    client = await clientTo(library, port);
  });

  it('tells what another process has merged, over one connection, until it is stopped', async () => {
    const prefix = freshPrefix();
    const problems: StoreProblem[] = [];
    const onProblem = (problem: StoreProblem) => void problems.push(problem);
    const mine = storeOver(client, { prefix, onProblem });
    const other = storeOver(client, { prefix });
    const channel = `${prefix}:merged`;
    expect(await subscribers(channel)).toBe(0);
    let told = 0;
    let toldToo = 0;
    const stop = await mine.watch(() => (told += 1));
    const stopToo = await mine.watch(() => {
      toldToo += 1;
      throw new Error('a listener that fails');
    });
    expect(await subscribers(channel)).toBe(1);
    await other.merge(CELLS, NOW);
    await until(() => told > 0 && toldToo > 0);
    const error = expect.objectContaining({ message: 'a listener that fails' }) as Error;
    expect(problems).toEqual([{ kind: 'fault', name: 'redis.watch', error }]);
    await stopToo();
    expect(await subscribers(channel)).toBe(1);
    await stop();
    await stop();
    await until(async () => (await subscribers(channel)) === 0);
  });

  it('ends with the store', async () => {
    const prefix = freshPrefix();
    const store = storeOver(client, { prefix });
    await store.watch(() => undefined);
    await store.close();
    await until(async () => (await subscribers(`${prefix}:merged`)) === 0);
    await expect(store.watch(() => undefined)).rejects.toMatchObject({ reason: 'closed' });
  });
});

describeRedis('watch()', () => {
  it('is told once a second at most, and of the last merge all the same', async () => {
    const prefix = freshPrefix();
    const store = storeOver(raw, { prefix });
    const channel = `${prefix}:merged`;
    const listening = ioredisTo(port);
    const messages: string[] = [];
    listening.on('message', (_, text: string) => void messages.push(text));
    await listening.subscribe(channel);
    let told = 0;
    const stop = await store.watch(() => (told += 1));
    holdSeconds();
    /** What was published before is there when this is. */
    const marked = async (mark: string) => {
      await raw.publish(channel, mark);
      await until(() => messages.includes(mark));
      return messages.filter((text) => text === '').length;
    };
    for (let i = 0; i < 5; i += 1) await store.merge(CELLS, NOW, `batch-${i}`);
    expect(await marked('first')).toBe(1);
    await until(() => told > 0);
    jest.advanceTimersByTime(999);
    expect(await marked('second')).toBe(1);
    expect(told).toBe(1);
    jest.advanceTimersByTime(1);
    expect(await marked('third')).toBe(2);
    await until(() => told > 1);
    jest.advanceTimersByTime(5_000);
    expect(await marked('fourth')).toBe(2);
    jest.useRealTimers();
    await stop();
  });

  it('works over a cluster, whichever node a merge has spoken to', async () => {
    for (const library of LIBRARIES) {
      const cluster = await clusterClientTo(library, await startCluster());
      const prefix = freshPrefix();
      let told = 0;
      const stop = await storeOver(cluster, { prefix }).watch(() => (told += 1));
      await storeOver(cluster, { prefix }).merge(CELLS, NOW);
      await until(() => told > 0);
      expect(told).toBe(1);
      await stop();
    }
  });

  it('says why it cannot', async () => {
    const server = await startServer();
    const alone = ioredisTo(server.port, { maxRetriesPerRequest: 0, retryStrategy: () => null });
    await alone.ping();
    await server.stop();
    await expect(storeOver(alone, { timeoutMs: 300 }).watch(() => undefined)).rejects.toThrow(
      /could not watch: /,
    );
  });
});

describeRedis('calls', () => {
  it('are written a second later, if nobody asks before', async () => {
    const prefix = freshPrefix();
    holdSeconds();
    storeOver(raw, { prefix }).addCalls([callRecord()]);
    const log = `${prefix}:{calls}:log`;
    await raw.ping();
    expect(await raw.exists(log)).toBe(0);
    jest.advanceTimersByTime(1_000);
    await until(async () => (await raw.exists(log)) === 1);
  });

  it('wait for a server that is away, up to 5,000 of them, and are then each there once', async () => {
    const server = await startServer();
    const problems: StoreProblem[] = [];
    const onProblem = (problem: StoreProblem) => void problems.push(problem);
    const store = storeOver(ioredisTo(server.port), { timeoutMs: 200, onProblem });
    await store.calls({});
    server.signal('SIGSTOP');
    const calls = Array.from({ length: 5_030 }, (_, i) => callRecord({ id: `call-${i}` }));
    store.addCalls(calls);
    await expect(store.calls({})).rejects.toThrow('could not write calls: no answer within 200 ms');
    server.signal('SIGCONT');
    const ids: string[] = [];
    for (let before: string | undefined; ;) {
      const page = await store.calls({ limit: 200, before });
      ids.push(...page.calls.map(({ id }) => id));
      expect(page).toMatchObject({ kept: 5_000, dropped: 30 });
      if (page.next === null) break;
      before = page.next;
    }
    const wanted = calls.slice(0, 5_000).map(({ id }) => id);
    expect(ids).toEqual(wanted.toReversed());
    expect(problems).toEqual([{ kind: 'drop', name: 'redis.calls', count: 30 }]);
  });

  it('go when they are too old by the clock of the ledger, the first ones first', async () => {
    const store = storeOver(raw, { callRetentionMs: DAY });
    store.addCalls(
      Array.from({ length: 900 }, (_, i) => callRecord({ id: `call-${i}`, at: NOW + i })),
    );
    await store.merge(CELLS, NOW);
    expect(await store.calls({ limit: 1 })).toMatchObject({ kept: 900, dropped: 0 });
    await store.merge([], NOW + DAY + 850);
    const page = await store.calls({ limit: 200 });
    expect(page).toMatchObject({ kept: 50, dropped: 850 });
    expect(page.calls.at(-1)?.id).toBe('call-850');
  });

  it('are found by a filter that few match, however many there are', async () => {
    const store = storeOver(raw);
    store.addCalls(
      Array.from({ length: 4_900 }, (_, i) =>
        callRecord({ id: `call-${i}`, userId: i % 1_200 === 7 ? 'ada' : null }),
      ),
    );
    const ids = [];
    for (let before: string | undefined; ;) {
      const page = await store.calls({ user: 'ada', limit: 2, before });
      ids.push(page.calls.map(({ id }) => id));
      if (page.next === null) break;
      before = page.next;
    }
    expect(ids).toEqual([['call-4807', 'call-3607'], ['call-2407', 'call-1207'], ['call-7']]);
  });

  it('are only counted where none are kept', async () => {
    const store = storeOver(raw, { maxCalls: 0 });
    store.addCalls([callRecord(), callRecord()]);
    expect(await store.calls({})).toEqual({
      ...{ calls: [], next: null, kept: 0, capacity: 0, dropped: 2 },
    });
  });
});
