import { plainCell, type Key } from './cells.js';
import { expectThat } from './expectation.js';
import { addressOf, expectCells, expectFigures, bookOf, sumOf } from './figures.js';
import { MINUTE, NOW, startOf, widthsOf, type Cases, type Stage } from './stage.js';
import type { ContractCell } from './subject.js';

/**
 * A bucket keeps a bounded number of names, whoever makes them up: the heaviest ones, and the sums of
 * all.
 *
 * - **heavy**: one name in a hundred costs so much more that no bound may take it.
 */
const MAX_NAMES = 2_000;
const IN_A_MERGE = 500;
const HEAVY_NANO_USD = 1_000_000_000;
const LIGHT_NANO_USD = 10;

export const boundCases: Cases = {
  '10,000 users in one bucket: bounded, the heaviest by name, and the sums exact': (stage) =>
    staysBounded(stage, 'users', 10_000, ['user-model', 'user-feature'], (i) => [
      `user-${i}`,
      'same',
    ]),

  '3,000 features in one bucket: bounded, the heaviest by name, and the sums exact': (stage) =>
    staysBounded(stage, 'features', 3_000, ['feature-model'], (i) => [`feature-${i}`, 'same']),

  '3,000 models of one user and feature: bounded, and the sums exact': (stage) =>
    staysBounded(stage, 'models', 3_000, ['user-model', 'feature-model'], (i) => [
      'same',
      `model-${i}`,
    ]),

  async 'up to 200 names in a bucket are all kept apart'(stage) {
    const { core } = stage;
    const opened = await stage.open();
    const cells = ['user-model', 'user-feature', 'feature-model'].flatMap((family) =>
      [...Array(200).keys()].map((i) =>
        plainCell(core, { ...bucketOf(opened.store), family, key: [`name-${i}`, 'same'] }),
      ),
    );
    for (let i = 0; i < cells.length; i += 60) await opened.merge(cells.slice(i, i + 60));
    expectCells(core, await opened.read(), bookOf(core, cells), '200 names of each family');
  },
};

async function staysBounded(
  stage: Stage,
  what: string,
  count: number,
  families: readonly string[],
  keyOf: (i: number) => Key,
): Promise<void> {
  const { core, subject, clock } = stage;
  const { maxNames = MAX_NAMES } = subject;
  const opened = await stage.open();
  const bucket = bucketOf(opened.store);
  const cells = [...Array(count).keys()].flatMap((i) =>
    families.map((family) =>
      plainCell(core, { ...bucket, family, key: keyOf(i) }, { nanoUsd: weightOf(i) }),
    ),
  );
  for (let i = 0; i < cells.length; i += families.length * IN_A_MERGE) {
    const some = cells.slice(i, i + families.length * IN_A_MERGE);
    const total = { ...bucket, family: 'total', key: ['', ''] } as const;
    await opened.merge([...some, plainCell(core, total, { calls: some.length })], `${what}-${i}`);
  }
  // A store may tidy up a bucket once it is over.
  clock.now = NOW + 2 * bucket.bucketMs + 2 * MINUTE;
  const later = startOf(clock.now, bucket.bucketMs);
  await opened.merge([plainCell(core, { ...bucket, family: 'total', at: later, key: ['', ''] })]);
  const { at, bucketMs } = bucket;
  for (const family of families) {
    const given = await opened.read({ families: [family], bucketMs, from: at, to: at + 1 });
    const names = new Set(given.flatMap(({ key }) => key).filter(isName)).size;
    const where = `${count} ${what} in ${family}`;
    expectThat(
      names <= maxNames,
      `${where}: expected ${maxNames} names at most, the store gave ${names}`,
    );
    const brought = cells.filter((cell) => cell.family === family);
    expectFigures(sumOf(core, given), sumOf(core, brought), `the sum of ${where}`);
    if (what === 'models') continue;
    const heavy = brought.filter((_, i) => isHeavy(i));
    const wanted = new Set(heavy.map(addressOf));
    const kept = given.filter((cell) => wanted.has(addressOf(cell)));
    expectCells(core, kept, bookOf(core, heavy), `the heaviest of ${where}`);
  }
  const totals = await opened.read({ families: ['total'], bucketMs, from: at, to: at + 1 });
  const calls = totals.reduce((sum, { sums }) => sum + sums[core.SUM['calls']!]!, 0);
  const all = cells.length;
  expectThat(calls === all, `the total of ${what}: expected ${all} calls, the store gave ${calls}`);
}

/** And not what the names beyond the bound are merged into, or the other half of the keys. */
function isName(name: string): boolean {
  return name !== '(other)' && name !== 'same';
}

function isHeavy(i: number): boolean {
  return i % 100 === 37;
}

function weightOf(i: number): number {
  return isHeavy(i) ? HEAVY_NANO_USD + i : LIGHT_NANO_USD;
}

function bucketOf(store: Parameters<typeof widthsOf>[0]): Pick<ContractCell, 'bucketMs' | 'at'> {
  const bucketMs = Math.max(...widthsOf(store));
  return { bucketMs, at: startOf(NOW, bucketMs) };
}
