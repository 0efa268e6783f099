/** What the store does when the server, the network or its rights fail it: a clear error, and no half. */
import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { transact } from '../../src/stores/postgres/transaction.js';
import { callRecord } from '../state-fixture.js';
import {
  callsIn,
  cellOf,
  failsAs,
  freshSchema,
  MINUTE,
  NOW,
  readAll,
  storeOn,
} from './postgres-fixture.js';
import { describePostgres, startServer, type PostgresServer } from './postgres-server.js';
import type { Exchange } from '../../src/stores/budget-store.js';

const cells = [cellOf('user-model', ['ada', 'm']), cellOf('total', ['', ''])];
const HBA = `
local all locked scram-sha-256
hostssl all private 127.0.0.1/32 trust
host all private 127.0.0.1/32 reject`;

function spending(number: number, member = 'ada'): Exchange {
  const account = { budget: 'all', scope: null, personal: false, from: NOW, to: 4e12 };
  const posting = { account: 0, nanoUsd: 7, leased: 0, uncertain: 0, overrun: 7 };
  return {
    ...{ member, number, ttlMs: 60_000, accounts: [account], adjustments: [], gifts: [] },
    postings: [{ ...posting, unpriced: 0, refused: 0 }],
    takings: [[{ account: 0, limit: 1_000, need: 10, wish: 0 }]],
  };
}

describePostgres('the Postgres store in trouble', () => {
  let server: PostgresServer;
  let port = 0;

  beforeAll(async () => {
    port = await freePort();
    server = await startServer({
      hba: HBA,
      settings: { listen_addresses: '127.0.0.1', port: String(port), ssl: 'on' },
      prepare: makeCertificate,
    });
    const pool = server.pool({ port });
    await pool.query(`CREATE ROLE locked LOGIN PASSWORD 'secret';
      CREATE ROLE private LOGIN SUPERUSER; CREATE ROLE plain LOGIN;
      CREATE ROLE reader LOGIN SUPERUSER; ALTER ROLE reader SET default_transaction_read_only = on`);
  });
  afterAll(() => server.stop());

  const pool = (config = {}) => server.pool({ port, ...config });
  const storeOver = (config = {}, options = {}) => {
    return storeOn(server, { pool: pool(config), ...options });
  };
  const doorTo = async () => {
    const door = await server.door();
    return { ...door, config: { host: '127.0.0.1', port: door.port } };
  };

  it('goes on after connections were cut, before transactions and in them', async () => {
    const door = await doorTo();
    const { store } = storeOver(door.config);
    await store.merge(cells, NOW, 'first');
    door.cut();
    await store.merge(cells, NOW, 'second');
    const merging = store.merge(cells, NOW, 'third');
    door.cut();
    // Nothing was done yet on the connection that was cut, so another one is taken.
    await merging;
    door.cutAfter('INSERT 0 1');
    await expect(store.merge(cells, NOW, 'fourth')).rejects.toEqual(
      failsAs('connection', /Is the server up/),
    );
    door.cutAfter(null);
    await store.merge(cells, NOW, 'fourth');
    expect(await callsIn(store)).toBe(8);
  });

  it('counts once what was committed though the answer was lost', async () => {
    const door = await doorTo();
    const schema = freshSchema();
    const { store } = storeOver(door.config, { schema });
    const beside = storeOver({}, { schema }).store;
    const money = { budget: 'all', from: NOW, limit: 9 };
    await store.merge(cells, NOW, 'before');
    await store.calls({});
    const call = callRecord();
    door.cutAfter('COMMIT');
    await expect(store.merge(cells, NOW, 'lost')).rejects.toEqual(failsAs('connection', /./));
    await expect(store.budgets.exchange(spending(1))).rejects.toEqual(failsAs('connection', /./));
    store.addCalls([call]);
    await expect(store.calls({})).rejects.toEqual(failsAs('connection', /./));
    expect(await callsIn(beside)).toBe(4);
    expect((await beside.budgets.accounts(money)).accounts[0]).toMatchObject({
      spent: 7,
      held: 10,
    });
    expect((await beside.calls({})).calls).toHaveLength(1);
    door.cutAfter(null);
    await store.merge(cells, NOW, 'lost');
    const answer = await store.budgets.exchange(spending(1));
    expect(answer).toMatchObject({ accounts: [{ spent: 7, held: 10, leased: 10 }], refused: [-1] });
    expect((await store.calls({})).calls).toHaveLength(1);
    expect(await callsIn(beside)).toBe(4);
  });

  it('counts every batch and exchange once, however often connections are cut', async () => {
    const door = await doorTo();
    const { store } = storeOver(door.config);
    const insist = async <T>(work: () => Promise<T>, turns: number): Promise<T> => {
      // At another moment each time: between the round trips of a transaction, or before any.
      const doing = work();
      for (let turn = 0; turn < turns; turn += 1) await new Promise((next) => setImmediate(next));
      door.cut();
      return doing.catch(work);
    };
    for (let number = 1; number <= 40; number += 1) {
      await insist(() => store.merge(cells, NOW, `batch-${number}`), number);
      await insist(() => store.budgets.exchange(spending(number)), number);
    }
    // Whatever the last cut has left in the pool.
    expect(await callsIn(store).catch(() => callsIn(store))).toBe(80);
    const money = { budget: 'all', from: NOW, limit: 9 };
    const page = await store.budgets.accounts(money);
    expect(page.accounts[0]).toMatchObject({ spent: 280, held: 400 });
  });

  it('rejects while the server is down, and goes on when it is back', async () => {
    const { store } = storeOver();
    await store.merge(cells, NOW, 'before');
    await store.budgets.exchange(spending(1));
    await server.crash();
    const down = failsAs('connection', /Is the server up/);
    await store.merge(cells, NOW, 'while').catch(() => undefined);
    await expect(store.merge(cells, NOW, 'while')).rejects.toEqual(down);
    await expect(store.budgets.exchange(spending(2))).rejects.toEqual(down);
    await expect(readAll(store)).rejects.toEqual(down);
    await server.start();
    await store.merge(cells, NOW, 'while');
    expect(await callsIn(store)).toBe(4);
    expect((await store.budgets.exchange(spending(2))).accounts[0]).toMatchObject({ spent: 14 });
  });

  it('waits no longer than timeoutMs for a server that hangs', async () => {
    const { store } = storeOver({}, { timeoutMs: 500 });
    await store.merge(cells, NOW, 'before');
    server.pause();
    try {
      const late = failsAs('timeout', /no answer within 500 ms/);
      await expect(store.merge(cells, NOW, 'while')).rejects.toEqual(late);
      await expect(store.budgets.exchange(spending(1))).rejects.toEqual(late);
    } finally {
      server.resume();
    }
    // What hung may still be done; brought again, it counts once.
    await store.merge(cells, NOW, 'while');
    expect(await callsIn(store)).toBe(4);
    expect((await store.budgets.exchange(spending(1))).accounts[0]).toMatchObject({ spent: 7 });
  });

  it('does not wait for ever for a process that hangs in a transaction', async () => {
    const door = await doorTo();
    const schema = freshSchema();
    const beside = storeOver({}, { schema }).store;
    await beside.merge(cells, NOW, 'before');
    const hanging = storeOver(door.config, { schema, timeoutMs: 400 }).store;
    await readAll(hanging);
    door.holdAfter('INSERT 0 1');
    await expect(hanging.merge(cells, NOW, 'hangs')).rejects.toEqual(failsAs('timeout', /./));
    await beside.merge(cells, NOW, 'goes on');
    expect(await callsIn(beside)).toBe(4);
  });

  it('says that the password is wrong', async () => {
    const { store } = storeOver({ user: 'locked', password: 'wrong' });
    const wrong = failsAs('auth', /password authentication failed.*Check user and password/);
    await expect(store.merge(cells, NOW)).rejects.toEqual(wrong);
  });

  it('says that the server wants TLS, and works with it', async () => {
    const config = { host: '127.0.0.1', user: 'private' };
    const { store } = storeOver(config);
    await expect(store.merge(cells, NOW)).rejects.toEqual(failsAs('auth', /`ssl`.*TLS/));
    const secure = storeOver({ ...config, ssl: { rejectUnauthorized: false } });
    await secure.store.merge(cells, NOW);
    expect(await callsIn(secure.store)).toBe(2);
  });

  it('says that the server only reads, and reads from it', async () => {
    const readonly = failsAs('readonly', /let the pool connect to the primary/);
    const fresh = storeOver({ user: 'reader' });
    await expect(fresh.store.merge(cells, NOW)).rejects.toEqual(readonly);
    const { schema, store } = storeOver();
    await store.merge(cells, NOW);
    const reading = storeOver({ user: 'reader' }, { schema }).store;
    await expect(reading.merge(cells, NOW)).rejects.toEqual(readonly);
    await expect(reading.budgets.exchange(spending(1))).rejects.toEqual(readonly);
    await expect(reading.notes.putNote('a', 'b')).rejects.toEqual(readonly);
    expect(await callsIn(reading)).toBe(2);
  });

  it('says which right is missing, and works once it is there', async () => {
    const { schema, store } = storeOver({ user: 'plain' });
    const denied = failsAs('denied', /permission denied.*let it create schemas/);
    await expect(store.merge(cells, NOW, 'a')).rejects.toEqual(denied);
    await expect(store.budgets.exchange(spending(1))).rejects.toEqual(denied);
    await pool().query(`CREATE SCHEMA ${schema} AUTHORIZATION plain`);
    await store.merge(cells, NOW, 'a');
    expect(await callsIn(store)).toBe(2);
  });

  it('leaves a schema of a newer version as it is', async () => {
    const { schema, store, ask } = storeOver();
    await store.merge(cells, NOW);
    await ask('INSERT INTO $schema.migrations (version) VALUES (99)');
    const old = storeOver({}, { schema }).store;
    const newer = failsAs(
      'newer',
      /is of version 99, and this .* knows up to \d+\. Nothing was touched/,
    );
    await expect(old.merge(cells, NOW)).rejects.toEqual(newer);
    await expect(readAll(old)).rejects.toEqual(newer);
    expect(await callsIn(store)).toBe(2);
  });

  it('is set up once by many who come first at the same time', async () => {
    const schema = freshSchema();
    const stores = Array.from({ length: 6 }, () => storeOver({}, { schema }).store);
    await Promise.all(stores.map((store, i) => store.merge(cells, NOW, `batch-${i}`)));
    await Promise.all(stores.map((store, i) => store.budgets.exchange(spending(1, `m-${i}`))));
    expect(await callsIn(stores[0]!)).toBe(12);
  });

  it.each(['40001', '40P01'])('does again what the server refused with %s', async (state) => {
    let tries = 0;
    const raise = `DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '${state}'; END $$`;
    const work = (until: number) =>
      transact(pool(), { timeoutMs: 5_000 }, async (run) => {
        tries += 1;
        if (tries < until) await run(raise);
        return tries;
      });
    expect(await work(5)).toBe(5);
    tries = 0;
    await expect(work(99)).rejects.toMatchObject({ code: state });
    expect(tries).toBe(5);
  });

  it('needs one connection only, and nothing that it would have to remember', async () => {
    const { store } = storeOver({ max: 1, maxUses: 1 });
    store.addCalls([callRecord()]);
    await Promise.all([
      ...Array.from({ length: 8 }, (_, i) => store.merge(cells, NOW, `batch-${i}`)),
      ...Array.from({ length: 4 }, (_, i) => store.budgets.exchange(spending(1, `m-${i}`))),
      ...[store.calls({}), readAll(store), store.notes.claim('a', 'b', MINUTE)],
    ]);
    expect(await callsIn(store)).toBe(16);
    expect((await store.calls({})).kept).toBe(1);
  });

  it('takes up what somebody has removed', async () => {
    const { schema, store, ask } = storeOver();
    await store.merge(cells, NOW, 'a');
    await ask('DROP SCHEMA $schema CASCADE');
    await expect(store.merge(cells, NOW, 'b')).rejects.toEqual(
      failsAs('missing', /looked for again the next time/),
    );
    await store.merge(cells, NOW, 'b');
    expect(await callsIn(store)).toBe(2);
    await ask(`DROP TABLE ${schema}.cells_quarter_202611`);
    await store.merge(cells, NOW, 'c').catch(() => store.merge(cells, NOW, 'c'));
    expect(await callsIn(store)).toBe(2);
  });

  it('keeps calls that cannot be written, up to a bound, and counts those beyond', async () => {
    const { store, problems } = storeOver({ host: join(server.folder, 'nowhere') });
    const call = callRecord();
    store.addCalls(Array.from({ length: 10_003 }, () => call));
    expect(problems).toEqual([{ kind: 'drop', name: 'postgres.calls', count: 3 }]);
    await expect(store.calls({})).rejects.toEqual(failsAs('connection', /./));
    await store.close();
    expect(problems.slice(1)).toMatchObject([
      { kind: 'fault', name: 'postgres.calls' },
      { kind: 'drop', name: 'postgres.calls', count: 10_000 },
    ]);
    store.addCalls([call]);
    expect(problems.at(-1)).toEqual({ kind: 'drop', name: 'postgres.calls', count: 1 });
    await expect(store.merge(cells, NOW)).rejects.toEqual(failsAs('closed', /is closed/));
  });

  it('is told that it was handed no pool', async () => {
    const { store } = storeOn(server, {
      pool: {
        connect: (callback: (error: undefined, client: object) => void) => callback(undefined, {}),
      } as never,
    });
    await expect(store.merge(cells, NOW)).rejects.toThrow(/hand in a Pool of `pg`, not a Client/);
  });
});

async function freePort(): Promise<number> {
  const listening = createServer();
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  await new Promise((resolve) => listening.close(resolve));
  return port;
}

function makeCertificate(data: string, { uid, gid }: { uid: number; gid: number }): void {
  const [key, certificate] = [join(data, 'server.key'), join(data, 'server.crt')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', '/CN=localhost', '-days', '3650', '-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  );
  for (const file of [key, certificate]) chownSync(file, uid, gid);
}
