/** What time does to budgets in Redis: the server's clock cannot be moved, but what it is compared with can. */
import { exchangeOf, HOUR, takingOf, TO, WHOLE } from './budgets-fixture.js';
import { cleanUp, freshPrefix, ioredisTo, storeOver } from './redis-fixture.js';
import { describeRedis, startServer } from './redis-server.js';
import type { Redis } from 'ioredis';

afterAll(cleanUp);

const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

describeRedis('the server', () => {
  let raw: Redis;
  const budgetsOver = (prefix: string) => storeOver(raw, { prefix }).budgets;
  beforeAll(async () => {
    raw = ioredisTo((await startServer()).port);
  });

  it('removes accounts a week after their end and after they were last touched', async () => {
    const prefix = freshPrefix();
    const budgets = budgetsOver(prefix);
    const key = (name: string) => `${prefix}:{${prefix}:budgets}:${name}`;
    await budgets.exchange(takingOf('ada', 1, 10));
    const [name, over] = await raw.zrange(key('ends'), '0', '0', 'WITHSCORES');
    const [seconds] = await raw.time();
    expect(Number(over)).toBeGreaterThanOrEqual(Math.max(TO, Number(seconds) * 1e3 - HOUR) + WEEK);
    // As if the time had come: once while it was touched lately, once when it was not.
    const passed = async () => {
      await raw.zadd(key('ends'), 1, name!);
      await raw.hset(key('state'), 'k', '1');
      await budgets.exchange(exchangeOf('bob', (await raw.incr(`${prefix}:number`)) + 1));
    };
    await passed();
    expect((await budgets.accounts(WHOLE)).count).toBe(1);
    const account = (await raw.hget(key('state'), `a${name}`))!.split(',');
    account[6] = '1';
    await raw.hset(key('state'), `a${name}`, account.join(','));
    await passed();
    expect((await budgets.accounts(WHOLE)).count).toBe(0);
    expect(await raw.zcard(key('index'))).toBe(0);
    const [after] = (await budgets.exchange(takingOf('ada', 2, 1))).accounts;
    expect(after).toMatchObject({ leased: 1, held: 1 });
  });

  it('forgets members a day after they were last heard of, and keeps all keys for a time', async () => {
    const prefix = freshPrefix();
    const budgets = budgetsOver(prefix);
    const key = (name: string) => `${prefix}:{${prefix}:budgets}:${name}`;
    const adjustments = [{ account: 0, nanoUsd: 5, at: 1, reason: '' }];
    await budgets.exchange({ ...takingOf('ada', 7, 10), adjustments, ttlMs: 0 });
    for (const name of ['state', 'index', 'due', 'ends', 'adjustments']) {
      expect(await raw.pttl(key(name))).toBeGreaterThan(WEEK - HOUR);
    }
    await budgets.accounts(WHOLE);
    const due = Number(await raw.zscore(key('due'), '"ada"'));
    const member = (await raw.hget(key('state'), 'm"ada"'))!.split(' ');
    expect(due - Number(member[2])).toBe(DAY);
    await raw.hset(key('state'), 'm"ada"', [member[0], '1', '1', ...member.slice(3)].join(' '));
    await raw.hset(key('state'), 'k', '1');
    await raw.zadd(key('due'), 1, '"ada"');
    await budgets.accounts(WHOLE);
    expect(await raw.hget(key('state'), 'm"ada"')).toBeNull();
    expect(await raw.zcard(key('due'))).toBe(0);
  });
});
