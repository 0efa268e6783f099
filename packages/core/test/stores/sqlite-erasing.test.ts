/** A user who is forgotten leaves no trace in the file, and no total changes. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createCell } from '../../src/cell.js';
import { callRecord, exactOfCells, NOW, MINUTE } from '../state-fixture.js';
import { allCells, cellsFor, cleanUp, drivers, freshFile, storeAt } from './sqlite-fixture.js';
import type { CallRecord } from '../../src/record.js';

afterAll(cleanUp);

const CANARY = 'canary-5d1f';
const mixed = (count: number): CallRecord[] =>
  Array.from({ length: count }, (_, i) =>
    callRecord({
      id: `call-${i}`,
      userId: i % 3 === 0 ? CANARY : `user-${i}`,
      sessionId: i % 3 === 0 ? `session of ${CANARY}` : 's',
      tags: i % 3 === 0 ? { customer: CANARY } : { plan: 'pro' },
      model: `model-${i % 4}`,
      feature: `feature-${i % 5}`,
    }),
  );

/** The file, its log and its index, as bytes. */
function bytesOf(file: string): string {
  return readdirSync(dirname(file))
    .filter((name) => name.startsWith(basename(file)))
    .map((name) => readFileSync(join(dirname(file), name), 'latin1'))
    .join('');
}

describe.each(drivers)('over %s', (driver) => {
  it('leaves no byte of the id, in no page and no log', async () => {
    const store = storeAt(freshFile(), { driver });
    const calls = mixed(600);
    for (let i = 0; i < 3; i += 1) {
      const now = NOW + i * MINUTE;
      const some = calls.map((call) => ({ ...call, at: now }));
      await store.merge(await cellsFor(some, now), now);
    }
    store.addCalls(calls);
    await store.calls({});
    expect(bytesOf(store.file)).toContain(CANARY);
    const before = exactOfCells(await allCells(store));
    const { cells, calls: forgotten } = await store.forgetUser(CANARY);
    expect(cells).toBeGreaterThan(10);
    expect(forgotten).toBe(200);
    expect(bytesOf(store.file)).not.toContain(CANARY);
    expect(exactOfCells(await allCells(store))).toEqual(before);
  });

  it('leaves none in pages that are free, where batches were staged', async () => {
    const store = storeAt(freshFile(), { driver });
    const at = NOW - (NOW % MINUTE);
    const cells = Array.from({ length: 500 }, (_, i) => {
      return createCell('user-model', MINUTE, at, [CANARY, `model-${i}`]);
    });
    await store.merge(cells, NOW);
    await store.forgetUser(CANARY);
    expect(bytesOf(store.file)).not.toContain(CANARY);
  });

  it("counts what was used under (erased), and keeps the calls as nobody's", async () => {
    const store = storeAt(freshFile(), { driver });
    const calls = mixed(30);
    await store.merge(await cellsFor(calls), NOW);
    store.addCalls(calls);
    await store.forgetUser(CANARY);
    const users = await allCells(store, ['user-model']);
    const erased = users.filter(({ key }) => key[0] === '(erased)');
    expect(exactOfCells(erased)).toEqual(exactOfCells(await mine(calls)));
    const page = await store.calls({ user: '(erased)', limit: 200 });
    expect(page.calls).toHaveLength(10);
    for (const call of page.calls) {
      expect(call).toMatchObject({ userId: '(erased)', sessionId: null, tags: {} });
    }
    expect((await store.calls({ limit: 200 })).calls).toHaveLength(30);
  });

  it('twice is once, and nobody is not found', async () => {
    const store = storeAt(freshFile(), { driver });
    await store.merge(await cellsFor(mixed(30)), NOW);
    await store.forgetUser(CANARY);
    const nothing = { cells: 0, calls: 0 };
    for (const id of [CANARY, 'nobody', '(erased)', '(unattributed)', '']) {
      expect(await store.forgetUser(id)).toEqual(nothing);
    }
  });

  it('reaches what another process had staged when it died', async () => {
    const file = freshFile();
    const dying = storeAt(file, { driver });
    const cells = await cellsFor(mixed(400));
    // All parts are staged and count; making cells of them is left to somebody else.
    const merging = dying.merge(cells, NOW, 'batch');
    const store = storeAt(file, { driver });
    await merging;
    await store.forgetUser(CANARY);
    const names = (await allCells(store)).map(({ key }) => key[0]);
    expect(names).not.toContain(CANARY);
    expect(names).toContain('(erased)');
  });
});

async function mine(calls: readonly CallRecord[]) {
  const cells = await cellsFor(calls);
  return cells.filter(({ family, key }) => family === 'user-model' && key[0] === CANARY);
}
