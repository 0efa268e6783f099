import { plainCell } from './cells.js';
import { expectFigures, expectCells, bookOf, sumOf } from './figures.js';
import { expectGiven, expectThat, expectWorks } from './expectation.js';
import { HOSTILE_NAMES } from './hostile-names.js';
import { numberOf, recordOf } from './records.js';
import { calling, NOW, startOf, widthsOf, type Cases, type Opened, type Stage } from './stage.js';
import type { ContractCell } from './subject.js';

/**
 * Forgetting a user: nothing says any more that there was one, and no sum changes.
 *
 * - **trace**: the user's id, anywhere in what can be read.
 */
const ID = 'canary-5f1c9a77';
const OTHERS = ['grace', 'canary-5f1c9a7', 'canary-5f1c9a777', `${ID}@example.org`];

export const forgettingCases: Cases = {
  async 'a forgotten user leaves no trace in cells, and no sum changes'(stage) {
    const { core, families } = stage;
    const opened = await stage.open();
    const cells = cellsOf(stage, opened, [ID, ...OTHERS]);
    await opened.merge(cells);
    await forget(opened, ID);
    await expectForgotten(stage, opened, ID, cells);
    for (const family of families) {
      const given = sumOf(core, await opened.read({ families: [family] }));
      const brought = cells.filter((cell) => cell.family === family);
      expectFigures(given, sumOf(core, brought), `sum of ${family} after forgetting a user`);
    }
  },

  async 'forgetting again, or somebody unknown, changes nothing'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    await expectWorks(() => forget(opened, ID), 'forgetUser() of a store that is empty');
    const cells = cellsOf(stage, opened, [ID, ...OTHERS]);
    await opened.merge(cells);
    await forget(opened, ID);
    const book = bookOf(core, await opened.read());
    for (const id of [ID, ID, 'nobody', '', '%', '_', '*', 'canary-%', 'CANARY-5F1C9A77']) {
      await expectWorks(() => forget(opened, id), `forgetUser(${JSON.stringify(id)})`);
    }
    expectCells(core, await opened.read(), book, 'cells after forgetting nobody');
  },

  async 'users with hostile ids are forgotten, each by itself'(stage) {
    const opened = await stage.open();
    const ids = HOSTILE_NAMES;
    const cells = cellsOf(stage, opened, ids.map(keyOf));
    for (let i = 0; i < cells.length; i += 100) await opened.merge(cells.slice(i, i + 100));
    for (const [i, id] of ids.entries()) {
      if (i % 2 === 1) continue;
      await forget(opened, id);
    }
    const left = new Set(
      (await opened.read({ families: ['user-model'] })).map(({ key }) => key[0]),
    );
    ids.forEach((id, i) => {
      const key = keyOf(id);
      const there = left.has(key);
      expectThat(
        there === (i % 2 === 1),
        `user ${JSON.stringify(id)}: expected ${i % 2 === 1 ? 'it to be kept' : 'no trace of it'}, ` +
          `the store ${there ? 'has' : 'does not have'} it`,
      );
    });
  },

  async 'calls of the user that come later are counted'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const cells = cellsOf(stage, opened, [ID, 'grace']);
    await opened.merge(cells);
    await forget(opened, ID);
    const later = cellsOf(stage, opened, [ID]);
    await opened.merge(later);
    const mine = ({ key }: ContractCell) => key[0] === ID;
    const given = (await opened.read()).filter(mine);
    const what = 'cells of a user that came after it was forgotten';
    expectCells(core, given, bookOf(core, later.filter(mine)), what);
  },
};

export const forgettingBatchCases: Cases = {
  async 'a batch that is brought again does not bring the user back'(stage) {
    const opened = await stage.open();
    const cells = cellsOf(stage, opened, [ID, ...OTHERS]);
    await opened.merge(cells, 'batch');
    await forget(opened, ID);
    await opened.merge(cells, 'batch');
    await expectForgotten(stage, opened, ID, cells);
  },
};

export const forgettingCallCases: Cases = {
  async 'a forgotten user leaves no trace in calls, and those of others stay'(stage) {
    const opened = await stage.open({ maxCalls: 100 });
    const { addCalls, calls } = calling(opened.store);
    const ids = [ID, ...OTHERS, null];
    await addCalls([...Array(36).keys()].map((i) => recordOf(i, { userId: ids[i % 6]! })));
    await forget(opened, ID);
    await forget(opened, ID);
    const given = (await calls({ limit: 200 })).calls;
    const traces = given.filter(({ userId }) => userId === ID).map(({ id }) => id);
    expectGiven(traces, [], 'calls of a user who was forgotten');
    expectGiven((await calls({ user: ID })).calls, [], 'calls filtered by that user');
    const others = given.map(numberOf).filter((i) => i % 6 !== 0);
    const expected = [...Array(36).keys()].filter((i) => i % 6 !== 0).toReversed();
    expectGiven(others, expected, 'calls of all others');
  },
};

async function forget({ store }: Opened, userId: string): Promise<void> {
  expectThat(store.forgetUser !== undefined, 'expected a method forgetUser');
  await store.forgetUser(userId);
}

/** Cells of users with these keys, of one feature and model, in every family and two buckets. */
function cellsOf({ core }: Stage, { store }: Opened, keys: readonly string[]): ContractCell[] {
  return widthsOf(store).flatMap((bucketMs) =>
    [NOW, NOW - bucketMs].flatMap((time) => {
      const bucket = { bucketMs, at: startOf(time, bucketMs) };
      return keys.flatMap((user, i) => [
        plainCell(core, { ...bucket, family: 'total', key: ['', ''] }, { nanoUsd: i + 1 }),
        plainCell(
          core,
          { ...bucket, family: 'feature-model', key: ['f', 'm'] },
          { nanoUsd: i + 1 },
        ),
        plainCell(core, { ...bucket, family: 'user-model', key: [user, 'm'] }, { nanoUsd: i + 1 }),
        plainCell(
          core,
          { ...bucket, family: 'user-feature', key: [user, 'f'] },
          { nanoUsd: i + 1 },
        ),
      ]);
    }),
  );
}

/** No cell has the name any more, and cells of others are what they were. */
async function expectForgotten(
  { core }: Stage,
  opened: Opened,
  id: string,
  cells: readonly ContractCell[],
): Promise<void> {
  const given = await opened.read();
  const traces = given.filter(({ key }) => key.includes(id));
  expectGiven(
    traces.map(({ family, key }) => [family, ...key]),
    [],
    `cells with the name ${JSON.stringify(id)}, which was forgotten`,
  );
  const named = new Set([...OTHERS, 'f', '']);
  const others = ({ key }: ContractCell) => named.has(key[0]);
  const book = bookOf(core, cells.filter(others));
  expectCells(core, given.filter(others), book, 'cells of others after forgetting a user');
}

function keyOf(id: string): string {
  return /^\\*\((other|unattributed)\)$/.test(id) ? `\\${id}` : id;
}
