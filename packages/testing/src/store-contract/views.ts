import { addressesIn, anyCell } from './cells.js';
import { batchesOf } from './batches.js';
import { descending, down, numbers, numbersOf } from './calls.js';
import { expectGiven } from './expectation.js';
import { bookOf, expectCells } from './figures.js';
import {
  accountOf,
  adjusting,
  answered,
  budgetsOf,
  memberOf,
  pageOf,
  posting,
  send,
  wanting,
} from './member.js';
import { numberOf } from './records.js';
import { calling, mergeInto, NOW, readFrom, type Cases, type Stage } from './stage.js';
import type { ContractCell } from './subject.js';

/** The same data by several views: one after the other if it is durable, at once if it is shared. */

export const durableCases: Cases = {
  async 'after closing and opening again every cell is there, to be added to'(stage) {
    const { core, random, families } = stage;
    const opened = await stage.open();
    const cells = addressesIn(stage, opened).map((each) => anyCell(core, random, each));
    for (const group of random.grouped(cells, 9)) await opened.merge(group);
    await opened.store.close?.();
    const second = await opened.reopen();
    const what = 'cells after closing and opening again';
    expectCells(core, await readFrom(second, families), bookOf(core, cells), what);
    await mergeInto(second, cells, NOW);
    await second.close?.();
    const third = await opened.reopen();
    const twice = bookOf(core, cells, cells);
    expectCells(core, await readFrom(third, families), twice, `${what} twice, merged in between`);
  },

  async 'after opening again a batch that is there adds nothing'(stage) {
    const { core, families } = stage;
    const opened = await stage.open();
    const batches = batchesOf(stage, opened, 6);
    for (const [name, cells] of batches.slice(0, 4)) await opened.merge(cells, name);
    await opened.store.close?.();
    const view = await opened.reopen();
    for (const [name, cells] of batches) await mergeInto(view, cells, NOW, name);
    const book = bookOf(core, ...batches.map(([, cells]) => cells));
    expectCells(core, await readFrom(view, families), book, 'batches brought again after opening');
  },
};

export const durableCallCases: Cases = {
  async 'after opening again calls are there, and new ones come before them'(stage) {
    const opened = await stage.open({ maxCalls: 100 });
    await calling(opened.store).addCalls(numbers(0, 14));
    await opened.store.close?.();
    const { addCalls, calls } = calling(await opened.reopen());
    const page = await calls({});
    expectGiven(numbersOf(page), down(14, 14), 'calls after closing and opening again');
    expectGiven(page.kept, 14, 'kept after closing and opening again');
    await addCalls(numbers(14, 16));
    expectGiven(numbersOf(await calls({ limit: 4 })), down(16, 4), 'the same, and two more');
  },
};

export const durableBudgetCases: Cases = {
  async 'money, leases and answers are there after closing and opening again'(stage) {
    const opened = await stage.open();
    const accounts = [accountOf(), accountOf('all', 'chat', { personal: true })];
    const ada = memberOf(opened.store, 'ada');
    const exchange = ada.next({
      accounts,
      postings: [posting(30, { uncertain: 1, overrun: 2, unpriced: 3, refused: 4 })],
      adjustments: [adjusting(-5, 'refund')],
      takings: [[wanting(40, 100, { account: 1 })], [wanting(99, 100)]],
    });
    const answer = await send(opened.store, exchange);
    const page = await pageOf(opened.store);
    const listed = await budgetsOf(opened.store).adjustments(9);
    await opened.store.close?.();
    const view = await opened.reopen();
    expectGiven(await pageOf(view), page, 'accounts after opening again');
    expectGiven(await budgetsOf(view).adjustments(9), listed, 'adjustments after opening again');
    expectGiven(await send(view, exchange), answer, 'the same exchange after opening again');
    const postings = [posting(15, { account: 1, leased: 15 })];
    const next = await send(view, ada.next({ accounts, postings }));
    const [first] = answer.accounts;
    const expected = [
      { ...first, spentBefore: 25, refusedBefore: 4 },
      answered({ spent: 15, held: 25, leased: 25 }),
    ];
    expectGiven(next.accounts, expected, 'the next exchange after opening again');
  },
};

export const sharedCases: Cases = {
  async 'what one view adds the others read'(stage) {
    const { core, random, families } = stage;
    const opened = await stage.open();
    const views = [opened.store, await opened.reopen(), await opened.reopen()];
    const cells = addressesIn(stage, opened).map((each) => anyCell(core, random, each));
    const merged: ContractCell[] = [];
    for (const group of random.grouped(random.shuffled(cells), 12)) {
      await mergeInto(random.pick(views), group, NOW);
      merged.push(...group);
      for (const [i, view] of views.entries()) {
        const what = `view ${i + 1} of 3, any of which was merged into`;
        expectCells(core, await readFrom(view, families), bookOf(core, merged), what);
      }
    }
  },

  async 'two views merging 200 batches each at once: exact'(stage) {
    const { core, families } = stage;
    const opened = await stage.open();
    const views = [opened.store, await opened.reopen()];
    const batches = batchesOf(stage, opened, 400);
    await Promise.all(
      views.map(async (view, i) => {
        for (const [name, cells] of batches.slice(200 * i, 200 * i + 200)) {
          await mergeInto(view, cells, NOW, name);
        }
      }),
    );
    const book = bookOf(core, ...batches.map(([, cells]) => cells));
    for (const view of views) {
      expectCells(core, await readFrom(view, families), book, '400 batches by two views at once');
    }
  },

  async 'a batch that two views bring counts once, at once or one after the other'(stage) {
    const { core, families } = stage;
    const opened = await stage.open();
    const views = [opened.store, await opened.reopen()];
    const batches = batchesOf(stage, opened, 20);
    for (const [name, cells] of batches) {
      await Promise.all(views.map((view) => mergeInto(view, cells, NOW, name)));
    }
    for (const [name, cells] of batches) await mergeInto(views[1]!, cells, NOW, name);
    const book = bookOf(core, ...batches.map(([, cells]) => cells));
    expectCells(core, await readFrom(views[0]!, families), book, '20 batches by both views');
  },

  async 'closing one view leaves the others open'(stage) {
    const { core, random, families } = stage;
    const opened = await stage.open();
    const view = await opened.reopen();
    const cells = addressesIn(stage, opened).map((each) => anyCell(core, random, each));
    await opened.merge(cells);
    await opened.store.close?.();
    await mergeInto(view, cells, NOW);
    const book = bookOf(core, cells, cells);
    expectCells(core, await readFrom(view, families), book, 'a view, after another was closed');
  },
};

export const sharedCallCases: Cases = {
  async 'calls of all views are in one list, each once'(stage) {
    const given = await listOfTwoViews(stage, 1_000);
    expectGiven(given.toSorted(descending), down(100, 100), 'calls of two views');
    for (const parity of [0, 1]) {
      const some = given.filter((each) => each % 2 === parity);
      expectGiven(some, some.toSorted(descending), `calls of view ${parity + 1}, the last first`);
    }
  },
};

export const sharedBoundCases: Cases = {
  async 'calls of all views have one bound'(stage) {
    const given = await listOfTwoViews(stage, 60);
    expectGiven(new Set(given).size, 60, 'different calls kept of 100 that two views added');
  },
};

/** Two views add 50 calls each, the one the odd ones. What waits in a view is there once it is asked. */
async function listOfTwoViews(stage: Stage, maxCalls: number): Promise<number[]> {
  const opened = await stage.open({ maxCalls });
  const views = [calling(opened.store), calling(await opened.reopen())];
  await Promise.all(
    views.map(async ({ addCalls, calls }, i) => {
      for (const record of numbers(0, 100).filter((each) => numberOf(each) % 2 === i)) {
        await addCalls([record]);
      }
      await calls({});
    }),
  );
  const first = await views[0]!.calls({ limit: 200 });
  const second = await views[1]!.calls({ limit: 200 });
  expectGiven(numbersOf(second), numbersOf(first), 'calls of the second view, beside the first');
  return numbersOf(first);
}
