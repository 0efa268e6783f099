/** The Redis store: its options, its keys, and how blocks of cells are packed. */
import { createClient, RESP_TYPES } from 'redis';
import { createCell, SUM } from '../../src/cell.js';
import { redisStore } from '../../src/stores/redis.js';
import { contentOf } from './redis-content.js';
import { accountOf, exchangeOf, takingOf } from './budgets-fixture.js';
import { cleanUp, freshPrefix, ioredisTo, storeOver } from './redis-fixture.js';
import { atEnd, describeRedis, startServer, type RedisServer } from './redis-server.js';
import { callRecord, exactOfCells, MINUTE, NOW, QUARTER } from '../state-fixture.js';
import type { Redis } from 'ioredis';
import type { Cell, StoreProblem } from '../../src/stores/store.js';
import type { RedisStore } from '../../src/stores/redis.js';

afterAll(cleanUp);

const AT = NOW - (NOW % QUARTER);
const DAY = 24 * 60 * MINUTE;

/** What a minute of so many users is brought as. */
function cellsOf(users: number, turn = 0, at = AT): Cell[] {
  const cells: Cell[] = [];
  for (const [family, key] of [
    ...Array.from({ length: users }, (_, i) => ['user-model', [`user-${i}`, 'm']] as const),
    ...Array.from({ length: users }, (_, i) => ['user-feature', [`user-${i}`, 'f']] as const),
    ['feature-model', ['f', 'm']] as const,
    ['total', ['', '']] as const,
  ]) {
    const cell = createCell(family, QUARTER, at, key);
    cell.sums[SUM.calls] = 1;
    cell.sums[SUM.nanoUsd] = 1_000 + turn;
    cells.push(cell);
  }
  return cells;
}

const families = ['total', 'feature-model', 'user-model', 'user-feature'] as const;
const readAll = (store: RedisStore) =>
  store.read({ from: 0, to: Infinity, bucketMs: QUARTER, families });

describe('redisStore()', () => {
  const client = { call: () => 0, duplicate: () => 0, subscribe: () => 0, disconnect: () => 0 };

  it.each([
    [undefined, /options.client must be a client or cluster of ioredis or of node-redis/],
    [{}, /options.client must be a client/],
    [{ client: {} }, /options.client must be a client .*got an object/],
    [{ client, prefix: '' }, /options.prefix must be 1 to 64 printable characters/],
    [{ client, prefix: 'a{b}' }, /options.prefix must be 1 to 64 printable/],
    [{ client, maxCalls: -1 }, /options.maxCalls must be an integer from 0/],
    [{ client, timeoutMs: 1 }, /options.timeoutMs must be an integer from 10/],
    [{ client, url: 'redis://' }, /there is no option "url"/],
  ])('refuses %j', (options, words) => {
    expect(() => redisStore(options as never)).toThrow(TypeError);
    expect(() => redisStore(options as never)).toThrow(words);
  });
});

describeRedis('the Redis store', () => {
  let server: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    server = await startServer();
    client = ioredisTo(server.port);
  });

  it('gives every key a time to live, all below its prefix', async () => {
    await client.flushall();
    const store = storeOver(client, { prefix: 'mine', historyRetentionMs: 2 * DAY });
    await store.merge(cellsOf(3), NOW, 'one');
    await store.merge(cellsOf(3, 0, AT - QUARTER), NOW, 'two');
    store.addCalls([callRecord()]);
    await store.calls({});
    const accounts = [accountOf('ada', { personal: true })];
    const adjustments = [{ account: 0, nanoUsd: 1, at: 1, reason: '' }];
    await store.budgets.exchange({ ...takingOf('ada', 1, 1), adjustments });
    await store.budgets.exchange(exchangeOf('ada', 2, { accounts }));
    await store.notes.claim('a', 'b', 1e6);
    await store.notes.putNote('a', 'b');
    const keys = await client.keys('*');
    expect(keys.length).toBeGreaterThan(15);
    expect(keys.filter((key) => !key.startsWith('mine:'))).toEqual([]);
    const ttls = await Promise.all(keys.map(async (key) => [key, await client.pttl(key)] as const));
    expect(ttls.filter(([, ttl]) => ttl <= 0)).toEqual([]);
    const cells = ttls.filter(([key]) => key.endsWith('user-model'));
    expect(cells).toHaveLength(2);
    for (const [, ttl] of cells) expect(ttl).toBeLessThanOrEqual(2 * DAY + QUARTER + 10 * MINUTE);
  });

  it('packs deltas when there are many, and what is over to the last one', async () => {
    const prefix = freshPrefix();
    const store = storeOver(client, { prefix });
    const lengths = async () =>
      Promise.all(
        families.map((family) => client.lrange(`${prefix}:{${QUARTER}:${AT}}:${family}`, 0, -1)),
      );
    const brought: Cell[] = [];
    for (let i = 0; i < 150; i += 1) {
      const cells = cellsOf(40, i);
      brought.push(...cells);
      await store.merge(cells, NOW, `batch-${i}`);
    }
    expect(exactOfCells(await readAll(store))).toEqual(exactOfCells(brought));
    for (const blocks of await lengths()) expect(blocks.length).toBeLessThan(150);
    const before = contentOf(await readAll(store));
    await store.merge([], AT + QUARTER + MINUTE);
    const blocks = await lengths();
    expect(blocks.map(({ length }) => length)).toEqual([1, 1, 1, 1]);
    expect(blocks.flat().every((block) => block.startsWith('w'))).toBe(true);
    expect(contentOf(await readAll(store))).toEqual(before);
    // And it is still to be added to.
    await store.merge(cellsOf(40), NOW, 'late');
    expect(exactOfCells(await readAll(store))).toEqual(exactOfCells([...brought, ...cellsOf(40)]));
  });

  it('loses nothing while several views merge, pack and forget at once', async () => {
    const prefix = freshPrefix();
    const views = [1, 2, 3].map(() => storeOver(client, { prefix }));
    const brought: Cell[] = [];
    await Promise.all(
      views.map(async (view, v) => {
        for (let i = 0; i < 40; i += 1) {
          const cells = cellsOf(60, i);
          brought.push(...cells);
          await view.merge(cells, NOW, `view-${v}-${i}`);
          if (i % 10 === 5) await view.merge([], AT + QUARTER + MINUTE);
          if (i % 20 === 7) await view.forgetUser(`user-${v}`);
        }
      }),
    );
    const nobody = ({ key, family }: Cell) =>
      family.startsWith('user') && /^user-[012]$/.test(key[0]);
    const given = await readAll(views[0]!);
    expect(
      exactOfCells(given.filter((cell) => !nobody(cell) && cell.key[0] !== '(erased)')),
    ).toEqual(exactOfCells(brought.filter((cell) => !nobody(cell))));
    expect(exactOfCells(given)).toEqual(exactOfCells(brought));
  });

  it('leaves no byte of a forgotten user on the server', async () => {
    await client.flushall();
    const store = storeOver(client);
    const id = 'canary-7d1f';
    const cell = createCell('user-model', QUARTER, AT, [id, 'm']);
    await store.merge([cell, ...cellsOf(2)], NOW, 'one');
    store.addCalls([callRecord({ userId: id, tags: { who: id }, sessionId: id })]);
    await store.calls({});
    const accounts = [accountOf(id, { personal: true })];
    const adjustments = [{ account: 0, nanoUsd: 1, at: 1, reason: 'r' }];
    await store.budgets.exchange({ ...takingOf('ada', 1, 1), accounts, adjustments });
    expect(await everything()).toContain(id);
    expect(await store.forgetUser(id)).toEqual({ cells: 1, calls: 1 });
    await store.budgets.forgetUser(id);
    expect(await everything()).not.toContain(id);
  });

  async function everything(): Promise<string> {
    const texts: string[] = [];
    for (const key of await client.keys('*')) {
      texts.push(key);
      const type = await client.type(key);
      if (type === 'list') texts.push(...(await client.lrange(key, 0, -1)));
      if (type === 'hash') texts.push(JSON.stringify(await client.hgetall(key)));
      if (type === 'zset') texts.push(...(await client.zrange(key, '0', '-1')));
      if (type === 'string') texts.push((await client.get(key))!);
    }
    return texts.join('\n');
  }

  it('says so when a newer version has written, and when a key is not its own', async () => {
    const prefix = freshPrefix();
    const store = storeOver(client, { prefix });
    await store.merge(cellsOf(1), NOW);
    const key = `${prefix}:{${QUARTER}:${AT}}:total`;
    await client.lpush(key, 'w[2,[],[],[]]');
    await expect(readAll(store)).rejects.toThrow(
      'cells of format 2 were written by a newer version',
    );
    await client.set(key, 'mine');
    await expect(readAll(store)).rejects.toMatchObject({
      reason: 'foreign',
      message: expect.stringContaining('choose another prefix') as string,
    });
  });

  it('works below the keyPrefix of an ioredis client, and with answers as buffers', async () => {
    const withPrefix = ioredisTo(server.port, { keyPrefix: 'app:' });
    const node = createClient({ socket: { port: server.port, host: '127.0.0.1' }, RESP: 3 });
    await node.connect();
    atEnd(() => node.destroy());
    const buffers = node.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    for (const each of [withPrefix, buffers]) {
      const prefix = freshPrefix();
      const store = storeOver(each, { prefix });
      await store.merge(cellsOf(2), NOW, 'one');
      await store.merge(cellsOf(2), NOW, 'one');
      expect(exactOfCells(await readAll(store))).toEqual(exactOfCells(cellsOf(2)));
      store.addCalls([callRecord({ userId: '\u{1f600}' })]);
      expect((await store.calls({ user: '\u{1f600}' })).calls).toHaveLength(1);
      await store.budgets.exchange(takingOf('ada', 1, 7));
      const page = await store.budgets.accounts({
        budget: 'team',
        from: accountOf().from,
        limit: 1,
      });
      expect(page).toMatchObject({ count: 1, accounts: [{ held: 7 }] });
      const keys = await client.keys(`*${prefix}:*`);
      expect(new Set(keys.map((key) => key.startsWith('app:')))).toEqual(
        new Set([each === withPrefix]),
      );
    }
  });

  it('is not told of a problem when all is well, and closes with its own error', async () => {
    const problems: StoreProblem[] = [];
    const store = storeOver(client, { onProblem: (problem) => void problems.push(problem) });
    await store.merge(cellsOf(1), NOW);
    await store.close();
    store.addCalls([callRecord()]);
    expect(problems).toEqual([{ kind: 'drop', name: 'redis.calls', count: 1 }]);
    const closed = { name: 'RedisStoreError', reason: 'closed' };
    await expect(store.read({ from: 0, to: 1, bucketMs: QUARTER, families })).rejects.toMatchObject(
      closed,
    );
    await expect(store.budgets.exchange(takingOf('ada', 1, 1))).rejects.toMatchObject(closed);
    expect(await client.ping()).toBe('PONG');
  });
});
