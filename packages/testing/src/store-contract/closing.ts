import { plainCell } from './cells.js';
import { expectThat, expectWorks, failureOf, show } from './expectation.js';
import { bookOf, expectCells } from './figures.js';
import { accountOf, budgetsOf, memberOf, pageOf, posting } from './member.js';
import { NOW, readFrom, startOf, widthsOf } from './stage.js';
import type { Cases, Opened, Stage } from './stage.js';
import type { ContractCell } from './subject.js';

/** Closing: once or twice, idle or busy, it ends well, and what was promised is kept. */

export const closingCases: Cases = {
  async 'closing twice is closing once'(stage) {
    const opened = await stage.open();
    await opened.merge([cellNumber(stage, opened, 0)]);
    await expectWorks(() => opened.store.close?.(), 'close()');
    await expectWorks(() => opened.store.close?.(), 'close() for the second time');
  },

  async 'closing a store that nothing was done with works, at once and twice'(stage) {
    const opened = await stage.open();
    const { store } = opened;
    await expectWorks(
      () => Promise.all([store.close?.(), store.close?.()]),
      'close() called twice at once',
    );
  },

  async 'closing while busy keeps what was promised, and nothing that was refused'(stage) {
    const { core, subject, families } = stage;
    const opened = await stage.open();
    const cells = [...Array(24).keys()].map((i) => cellNumber(stage, opened, i));
    const merging = cells.map((cell) => failureOf(() => opened.merge([cell])));
    const reading = failureOf(() => opened.read());
    await expectWorks(
      () => Promise.all([opened.store.close?.(), opened.store.close?.()]),
      'close() while 24 merges and a reading are under way',
    );
    const failures = await Promise.all(merging);
    await reading;
    if (!subject.durable && !subject.shared) return;
    const promised = cells.filter((_, i) => failures[i] === null);
    const view = await opened.reopen();
    const given = await readFrom(view, families);
    const what = `${promised.length} of 24 merges succeeded, and then the store was closed`;
    expectCells(core, given, bookOf(core, promised), what);
  },

  async 'after closing, nothing is promised any more'(stage) {
    const { core, subject, families } = stage;
    const opened = await stage.open();
    const [first, second] = [cellNumber(stage, opened, 0), cellNumber(stage, opened, 1)];
    await opened.merge([first]);
    await opened.store.close?.();
    const failure = await failureOf(() => opened.merge([second]));
    if (!subject.durable && !subject.shared) {
      if (failure !== null) return;
      const book = bookOf(core, [first, second]);
      expectCells(core, await opened.read(), book, 'a merge after close() that succeeded');
      return;
    }
    const view = await opened.reopen();
    const book = bookOf(core, failure === null ? [first, second] : [first]);
    const outcome = failure === null ? 'succeeded' : `was refused (${show(failure)})`;
    const what = `a merge after close(), which ${outcome}`;
    expectCells(core, await readFrom(view, families), book, what);
  },
};

export const closedBudgetCases: Cases = {
  async 'after closing, budgets are neither told nor changed'(stage) {
    const { store } = await stage.open();
    const ada = memberOf(store);
    const said = { accounts: [accountOf()], postings: [posting(1)] };
    await ada.say(said);
    await store.close?.();
    const budgets = budgetsOf(store);
    const attempts = {
      exchange: () => ada.say(said),
      accounts: () => pageOf(store),
      adjustments: () => budgets.adjustments(1),
      forgetUser: () => budgets.forgetUser('ada'),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      const failure = await failureOf(attempt);
      expectThat(failure !== null, `${name}() after close(): expected a rejection, it succeeded`);
    }
  },
};

function cellNumber({ core }: Stage, { store }: Opened, i: number): ContractCell {
  const [bucketMs] = widthsOf(store) as [number];
  const address = { family: 'user-model', bucketMs, at: startOf(NOW, bucketMs) } as const;
  return plainCell(core, { ...address, key: [`user-${i}`, 'm'] }, { nanoUsd: i + 1 });
}
