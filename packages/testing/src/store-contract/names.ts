import { anyCell, plainCell, type Key } from './cells.js';
import { expectGiven } from './expectation.js';
import { bookOf, expectCells } from './figures.js';
import { HOSTILE_NAMES, LOOKALIKES, PAIRS } from './hostile-names.js';
import { NOW, startOf, widthsOf, type Cases, type Stage } from './stage.js';

/** A name is a name, whatever is in it: nothing is interpreted, cut, folded or mixed up. */

export const nameCases: Cases = {
  async 'hostile names are ordinary keys'(stage) {
    const before = Object.getOwnPropertyNames(Object.prototype);
    const keys = HOSTILE_NAMES.flatMap((name): Key[] => [
      [name, 'second'],
      ['first', name],
      [name, name],
    ]);
    await keepsApart(stage, keys, 'hostile names');
    expectGiven(Object.getOwnPropertyNames(Object.prototype), before, 'Object.prototype');
  },

  async 'names that look alike stay apart'(stage) {
    await keepsApart(
      stage,
      LOOKALIKES.map((name): Key => [name, 'second']),
      'names that look alike',
    );
    await keepsApart(
      stage,
      LOOKALIKES.map((name): Key => [`${name}${name}`, name]),
      'second names that look alike',
    );
  },

  async 'two names that would be one when joined stay apart'(stage) {
    await keepsApart(stage, PAIRS, 'names that join to the same text');
  },
};

/** More second names of one name than this, in one bucket, core's bounds may merge. */
const MAX_SECOND = 24;

async function keepsApart(stage: Stage, keys: readonly Key[], what: string): Promise<void> {
  const { core, random, families } = stage;
  const opened = await stage.open();
  const bucketMs = Math.max(...widthsOf(opened.store));
  const addresses = keys.flatMap((key, i) => {
    const at = startOf(NOW, bucketMs) - Math.floor(i / MAX_SECOND) * bucketMs;
    return namedFamilies(families).map((family) => ({ family, bucketMs, at, key }));
  });
  const cells = addresses.map((each) => anyCell(core, random, each));
  const again = addresses.map((each) => plainCell(core, each));
  for (const some of random.grouped(random.shuffled(cells), 60)) await opened.merge(some);
  await opened.merge(random.shuffled(again));
  expectCells(core, await opened.read(), bookOf(core, cells, again), what);
}

export function namedFamilies(families: readonly string[]): readonly string[] {
  return families.filter((family) => family !== 'total');
}
