import { plainCell } from './cells.js';
import { expectThat, expectWorks } from './expectation.js';
import { bookOf, expectCells } from './figures.js';
import { DAY, MINUTE, NOW, startOf, type Cases, type Stage } from './stage.js';
import type { ContractCell, ContractResolution } from './subject.js';

/**
 * Time is what the ledger says, and it goes on merging: buckets go when they are old, and for no
 * other reason.
 *
 * - **slack**: a store may keep buckets longer than it says, so that it can drop a month of them at
 *   once; and it may drop old ones a few at a time, with each merge.
 */
const SLACK = 40 * DAY;
const RETENTION = 3 * DAY;
const MERGES = 24;

export const timeCases: Cases = {
  async 'has widths from fine to coarse, each kept for a time'(stage) {
    const { store } = await stage.open();
    const { resolutions } = store;
    expectThat(resolutions.length > 0, 'resolutions: expected one at least, the store has none');
    resolutions.forEach(({ bucketMs, retentionMs }, i) => {
      const finer = resolutions[i - 1]?.bucketMs ?? 1;
      expectThat(
        Number.isSafeInteger(bucketMs) &&
          bucketMs > (i === 0 ? 0 : finer) &&
          bucketMs % finer === 0,
        `resolutions[${i}].bucketMs: expected a multiple of the finer ${finer}, got ${bucketMs}`,
      );
      expectThat(
        retentionMs >= bucketMs,
        `resolutions[${i}].retentionMs: expected ${bucketMs} at least, got ${retentionMs}`,
      );
    });
  },

  async 'keeps what the retention covers, and lets go of what is much older'(stage) {
    for (const [i, { bucketMs, retentionMs }] of (await resolutionsOf(stage)).entries()) {
      const opened = await stage.open({ retention: RETENTION });
      const buckets = Math.ceil(retentionMs / bucketMs);
      stage.clock.now = NOW;
      const old = series(stage, bucketMs, NOW, buckets);
      for (const some of parts(old)) await opened.merge(some);
      stage.clock.now = NOW + retentionMs + SLACK + DAY;
      const end = stage.clock.now;
      const fresh = series(stage, bucketMs, end, buckets);
      for (const some of parts(fresh)) {
        stage.clock.now = Math.min(some[some.length - 1]!.at + bucketMs, end);
        await opened.merge(some, `fresh-${i}-${some[0]!.at}`);
      }
      const given = await opened.read({ bucketMs });
      const late = given.filter(({ at }) => at < end - retentionMs - SLACK);
      const what = `buckets of ${bucketMs} ms, kept for ${retentionMs} ms`;
      expectThat(
        late.length === 0,
        `${what}: expected that those of ${SLACK} ms before that are gone, the store gave ` +
          `${late.length} of them`,
      );
      const kept = given.filter(({ at }) => at >= end - retentionMs);
      const covered = fresh.filter(({ at }) => at >= end - retentionMs);
      expectCells(stage.core, kept, bookOf(stage.core, covered), what);
    }
  },

  async 'a clock that jumps ahead, and back, loses nothing that is kept'(stage) {
    const { core, clock } = stage;
    for (const { bucketMs, retentionMs } of await resolutionsOf(stage)) {
      const jump = Math.min(DAY, Math.floor(retentionMs / 2));
      const opened = await stage.open({ retention: RETENTION });
      clock.now = NOW;
      const present = series(stage, bucketMs, NOW, 8);
      await opened.merge(present);
      clock.now = NOW + jump;
      const ahead = series(stage, bucketMs, clock.now, 1);
      await opened.merge(ahead);
      clock.now = NOW;
      const again = series(stage, bucketMs, NOW, 1);
      await opened.merge(again);
      const book = bookOf(core, present, ahead, again);
      const what = `buckets of ${bucketMs} ms after a jump of ${jump} ms ahead and back`;
      expectCells(core, await opened.read({ bucketMs }), book, what);
    }
  },

  async 'cells of the future are there when their time comes'(stage) {
    const { core, clock } = stage;
    for (const { bucketMs } of await resolutionsOf(stage)) {
      const opened = await stage.open({ retention: RETENTION });
      clock.now = NOW;
      const present = series(stage, bucketMs, NOW, 1);
      const future = series(stage, bucketMs, NOW + DAY, 1);
      await opened.merge([...future, ...present]);
      clock.now = NOW + DAY;
      await opened.merge(future);
      const [{ at }] = future as [ContractCell];
      const given = await opened.read({ bucketMs, from: at, to: at + bucketMs });
      expectCells(core, given, bookOf(core, future, future), `cells from a day ahead`);
    }
  },

  async 'a wrong future does not push out the present'(stage) {
    const { core, clock } = stage;
    for (const { bucketMs, retentionMs } of await resolutionsOf(stage)) {
      const opened = await stage.open({ retention: RETENTION });
      clock.now = NOW;
      const present = series(stage, bucketMs, NOW, 8);
      await opened.merge(present);
      const buckets = Math.ceil(retentionMs / bucketMs) + 8;
      const end = NOW + 10 * DAY + buckets * bucketMs;
      for (const some of parts(series(stage, bucketMs, end, buckets))) await opened.merge(some);
      await opened.merge(present);
      const given = await opened.read({ bucketMs, from: 0, to: NOW + 1 });
      const what = `the present beside ${buckets} buckets of a wrong future`;
      expectCells(core, given, bookOf(core, present, present), what);
    }
  },

  async 'the time of a merge is any number of milliseconds, whole or not'(stage) {
    const { core, clock } = stage;
    const { bucketMs } = (await resolutionsOf(stage))[0]!;
    const opened = await stage.open();
    const at = startOf(NOW, bucketMs);
    const one = series(stage, bucketMs, NOW, 1);
    const crowd = Array.from({ length: 2_000 }, (_, i) => {
      const address = { family: 'user-model', bucketMs, at, key: [`user-${i}`, 'm'] } as const;
      return plainCell(core, address, { nanoUsd: 1 });
    });
    for (const cells of [one, [...one, ...crowd]]) {
      clock.now += 0.375;
      const merge = () => opened.merge(cells, `fraction-${cells.length}`);
      await expectWorks(merge, 'a merge between two milliseconds');
    }
    const given = (await opened.read({ bucketMs })).filter(({ family }) => family === 'total');
    expectCells(core, given, bookOf(core, one, one), 'cells merged between two milliseconds');
  },

  async 'late cells are added to the bucket they belong to'(stage) {
    const { core, clock } = stage;
    for (const { bucketMs, retentionMs } of await resolutionsOf(stage)) {
      const opened = await stage.open({ retention: RETENTION });
      clock.now = NOW;
      const cells = series(stage, bucketMs, NOW, 3);
      await opened.merge(cells);
      for (const part of [0.1, 0.3, 0.6]) {
        clock.now = NOW + Math.floor(part * retentionMs);
        await opened.merge(series(stage, bucketMs, clock.now, 1));
        await opened.merge(cells, `late-${part}`);
      }
      const given = await opened.read({ bucketMs, from: 0, to: NOW + 1 });
      const book = bookOf(core, cells, cells, cells, cells);
      expectCells(core, given, book, `cells of ${bucketMs} ms that came late`);
    }
  },
};

async function resolutionsOf(stage: Stage): Promise<readonly ContractResolution[]> {
  return (await stage.open({ retention: RETENTION })).store.resolutions;
}

/** One cell for each of these buckets, the last of which has `end` in it. */
function series(stage: Stage, bucketMs: number, end: number, buckets: number): ContractCell[] {
  const last = startOf(end, bucketMs);
  return Array.from({ length: buckets }, (_, i) => {
    const at = last - (buckets - 1 - i) * bucketMs;
    const address = { family: 'total', bucketMs, at, key: ['', ''] } as const;
    return plainCell(stage.core, address, { nanoUsd: 10 + ((at / MINUTE) % 1_000) });
  });
}

function parts<T>(items: readonly T[]): T[][] {
  const size = Math.ceil(items.length / MERGES);
  return Array.from({ length: MERGES }, (_, i) => items.slice(i * size, (i + 1) * size)).filter(
    ({ length }) => length > 0,
  );
}
