import { expectGiven, expectThat } from './expectation.js';
import { hostileRecords, numberOf, recordOf } from './records.js';
import { calling, type Cases, type Opened, type Stage } from './stage.js';
import type { ContractCallsPage, ContractCallsQuery, ContractRecord } from './subject.js';

/**
 * Recent calls: the last to finish first, page by page, as many as were asked for. Calls are added as
 * they finish, and may wait in the store until they are asked for.
 */

/** Pages that no case has as many of. */
const TOO_MANY_PAGES = 200;

export const callCases: Cases = {
  async 'gives the call that finished last first, whenever it started'(stage) {
    const opened = await openCalls(stage, 100);
    const { capacity, ...page } = await opened.page();
    const empty = { calls: [], next: null, kept: 0, dropped: 0 };
    expectGiven(page, empty, 'the page of a store without calls');
    expectThat(capacity >= 100, `capacity: expected 100 at least, the store gave ${capacity}`);
    await opened.add(numbers(0, 3));
    await opened.add(numbers(3, 4));
    await opened.add([]);
    await opened.add(numbers(4, 8));
    expectGiven(numbersOf(await opened.page()), [7, 6, 5, 4, 3, 2, 1, 0], 'calls in their order');
  },

  async 'gives records that are equal to those it got, and frozen'(stage) {
    const opened = await openCalls(stage, 100);
    const records = [...hostileRecords(), recordOf(1_000)];
    for (const record of records) await opened.add([record]);
    const { calls } = await opened.page({ limit: 200 });
    const expected = records.toReversed();
    expectGiven(calls.map(numberOf), expected.map(numberOf), 'calls with hostile names');
    calls.forEach((call, i) => {
      expectGiven(call, expected[i], `record ${call.id}`);
      expectThat(Object.isFrozen(call), `record ${call.id}: expected it to be frozen, it is not`);
    });
  },

  async 'gives pages of 50, or of as many as asked for, and null after the last'(stage) {
    const opened = await openCalls(stage, 1_000);
    await opened.add(numbers(0, 120));
    for (const [limit, sizes] of [
      [undefined, [50, 50, 20]],
      [1, Array(120).fill(1)],
      [60, [60, 60]],
      [119, [119, 1]],
      [120, [120]],
      [200, [120]],
    ] as const) {
      const pages = await pagesOf(opened, { limit });
      const what = `with limit ${limit}, pages of 120 calls`;
      expectGiven(
        pages.map(({ length }) => length),
        sizes,
        `sizes, ${what}`,
      );
      expectGiven(pages.flat(), down(120, 120), what);
    }
  },

  async 'shows each call once while new ones arrive between the pages'(stage) {
    const opened = await openCalls(stage, 1_000);
    let count = 30;
    await opened.add(numbers(0, count));
    const arrive = () => opened.add(numbers(count, (count += 7)));
    const pages = await pagesOf(opened, { limit: 8 }, arrive);
    expectGiven(pages.flat(), down(30, 30), 'pages of 8, with 7 new calls before each');
    const [first = []] = await pagesOf(opened, { limit: 8 });
    expectGiven(first, down(count, 8), 'the first page after that');
  },

  async 'adds calls that come at once, each once'(stage) {
    const opened = await openCalls(stage, 1_000);
    const batches = [...Array(25).keys()].map((i) => numbers(4 * i, 4 * i + 4));
    await Promise.all(batches.map((batch) => opened.add(batch)));
    const given = numbersOf(await opened.page({ limit: 200 }));
    expectGiven(given.toSorted(descending), down(100, 100), '100 calls added in 25 groups at once');
    const pages = await pagesOf(opened, { limit: 7 });
    expectGiven(pages.flat(), given, 'the same, in pages of 7');
  },
};

export const boundedCallCases: Cases = {
  async 'keeps as many calls as it was told, the last ones, and counts the others'(stage) {
    const opened = await openCalls(stage, 20);
    for (const [from, to] of [
      [0, 12],
      [12, 25],
      [25, 90],
      [90, 97],
    ] as const) {
      await opened.add(numbers(from, to));
      const { calls, next, ...counts } = await opened.page();
      const kept = Math.min(to, 20);
      expectGiven(counts, { kept, capacity: 20, dropped: to - kept }, `counts after ${to} calls`);
      expectGiven(calls.map(numberOf), down(to, kept), `what is kept of ${to} calls`);
      expectGiven(next, null, `next of the only page of ${to} calls`);
    }
  },

  async 'ends when what would follow had to make room'(stage) {
    const opened = await openCalls(stage, 20);
    let count = 20;
    await opened.add(numbers(0, count));
    const arrive = () => opened.add(numbers(count, (count += 8)));
    const pages = await pagesOf(opened, { limit: 6 }, arrive);
    // Room for 20: before the second page 8 of 20 had to go, before the third 16.
    expectGiven(pages.flat(), down(20, 12), 'pages of 6 of 20 calls, with 8 new ones before each');
  },
};

/** An opened store and its calls. */
export interface OpenedCalls extends Opened {
  add(calls: readonly ContractRecord[]): Promise<void>;
  page(query?: ContractCallsQuery): Promise<ContractCallsPage>;
}

export async function openCalls(stage: Stage, maxCalls: number): Promise<OpenedCalls> {
  const opened = await stage.open({ maxCalls });
  const { addCalls, calls } = calling(opened.store);
  return {
    ...opened,
    add: async (some) => addCalls(some),
    page: async (query = {}) => calls(query),
  };
}

/** Numbers of the calls of all pages, with `between` before each but the first. */
export async function pagesOf(
  { page }: OpenedCalls,
  query: ContractCallsQuery,
  between: () => unknown = () => undefined,
): Promise<number[][]> {
  const pages: number[][] = [];
  let before: string | undefined;
  do {
    if (before !== undefined) await between();
    const { calls, next } = await page({ ...query, before });
    expectThat(
      next === null || typeof next === 'string',
      `next of a page: expected a string or null, the store gave ${typeof next}`,
    );
    pages.push(calls.map(numberOf));
    before = next ?? undefined;
    expectThat(
      pages.length < TOO_MANY_PAGES,
      'pages: expected an end, the store always has a next',
    );
  } while (before !== undefined);
  return pages;
}

/** Records with these numbers, from the first up to the second. */
export function numbers(from: number, to: number, of: (i: number) => object = () => ({})) {
  return Array.from({ length: to - from }, (_, i) => recordOf(from + i, of(from + i)));
}

export function numbersOf({ calls }: ContractCallsPage): number[] {
  return calls.map(numberOf);
}

/** `count` numbers below `end`, the largest first. */
export function down(end: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => end - 1 - i);
}

export function descending(a: number, b: number): number {
  return b - a;
}
