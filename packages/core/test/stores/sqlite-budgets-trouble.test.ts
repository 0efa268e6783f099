/** Budgets on a file that cannot be written, is locked, damaged, old or gone: told in words, and got over. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { callRecord, NOW } from '../state-fixture.js';
import { accountOf, exchangeOf, postingOf, takingOf, WHOLE } from './budgets-fixture.js';
import {
  allCells,
  asideOf,
  cellsFor,
  cleanUp,
  contentOf,
  drivers,
  errorOf,
  freshFile,
  inside,
  sourceOf,
  spoil,
  storeAt,
  whileLocked,
  withPragma,
} from './sqlite-fixture.js';
import { writeVersion1 } from './sqlite-version-1.js';
import type { StoreProblem } from '../../src/stores/store.js';

afterAll(cleanUp);

/** A disk of our own can be made here, be it as root or as the root of a user namespace. */
const mount = ['--map-root-user', '--mount', 'sh', '-c'];
const canMount = spawnSync('unshare', [...mount, 'mount -t tmpfs none /mnt']).status === 0;

describe.each(drivers)('over %s', (driver) => {
  it('a file of version 1 takes exchanges, and keeps what it had', async () => {
    const file = freshFile();
    inside(driver, file, writeVersion1);
    const store = storeAt(file, { driver });
    const before = contentOf(await allCells(store));
    expect(before).not.toEqual([]);
    expect(await store.budgets.exchange(takingOf('ada', 1, 5))).toMatchObject({ refused: [-1] });
    await store.notes.putNote('name', 'text');
    await store.close();
    const again = storeAt(file, { driver });
    expect(contentOf(await allCells(again))).toEqual(before);
    expect((await again.budgets.accounts(WHOLE)).accounts[0]?.held).toBe(5);
    expect(await again.notes.note('name')).toBe('text');
  });

  it('nothing is done while the file has no room, and all of it when there is some', async () => {
    const small = withPragma(driver, 'max_page_count = 40');
    const { budgets, notes, file } = storeAt(freshFile(), { driver: small });
    const accounts = Array.from({ length: 2_000 }, (_, i) => accountOf(`user-${i}`));
    const postings = accounts.map((_, account) => postingOf(1, { account }));
    const large = exchangeOf('ada', 2, { accounts, postings });
    await budgets.exchange(takingOf('ada', 1, 5));
    const error = await errorOf(() => budgets.exchange(large));
    expect(error).toMatchObject({ name: 'SqliteStoreError', reason: 'full', file });
    expect(error.message).toContain(`there is no room left to write to ${file}`);
    const text = 'x'.repeat(200_000);
    expect(await errorOf(() => notes.putNote('name', text))).toMatchObject({ reason: 'full' });
    expect(await notes.note('name')).toBeNull();
    expect(await budgets.accounts(WHOLE)).toMatchObject({ count: 1, accounts: [{ spent: 0 }] });
    small.exec('PRAGMA max_page_count = 100000');
    const { accounts: told } = await budgets.exchange(large);
    expect(told.every(({ spent, spentBefore }) => spent === 1 && spentBefore === 0)).toBe(true);
    expect((await budgets.accounts(WHOLE)).count).toBe(2_001);
  });

  const why = canMount ? '' : ' (skipped: this system does not let tests mount a disk)';
  (canMount ? describe : describe.skip)(`a disk that is really full${why}`, () => {
    it('is the same', async () => {
      const disk = freshFile();
      mkdirSync(disk);
      const source = `
        const core = require(${JSON.stringify(sourceOf())});
        const { unlinkSync, writeFileSync } = require('node:fs');
        const disk = process.argv[1];
        const [filler, file] = [disk + '/filler', disk + '/metrics.sqlite'];
        (async () => {
          const { budgets } = core.sqliteStore({ file, driver: ${JSON.stringify(driver)} });
          writeFileSync(filler, Buffer.alloc(1_000_000));
          const exchangeOf = (number) => {
            const accounts = Array.from({ length: 100 }, (_, i) => {
              const scope = 'x'.repeat(900) + number + '-' + i;
              return { budget: 'team', scope, personal: false, from: 0, to: 1e15 };
            });
            const postings = accounts.map((_, account) => {
              return { account, nanoUsd: 1, leased: 0, uncertain: 0, overrun: 0, unpriced: 0, refused: 0 };
            });
            const rest = { adjustments: [], gifts: [], takings: [] };
            return { member: 'ada', number, ttlMs: 1e6, accounts, postings, ...rest };
          };
          let number = 1;
          let error = null;
          while (error === null) {
            await budgets.exchange(exchangeOf(number)).then(() => (number += 1), (e) => (error = e));
          }
          unlinkSync(filler);
          const answer = await budgets.exchange(exchangeOf(number));
          const { count } = await budgets.accounts({ budget: 'team', from: 0, limit: 1 });
          const first = answer.accounts.every(({ spentBefore }) => spentBefore === 0);
          console.log(JSON.stringify({ reason: error.reason, first, rest: count - 100 * number }));
        })();`;
      const { stdout } = await promisify(execFile)('unshare', [
        ...mount,
        'mount -t tmpfs -o size=2m none "$1" && exec "$0" -e "$2" "$1"',
        ...[process.execPath, disk, source],
      ]);
      expect(JSON.parse(stdout)).toEqual({ reason: 'full', first: true, rest: 0 });
    });
  });

  it('a file that became read-only is told as such, and goes on when it is not', async () => {
    const file = freshFile();
    await storeAt(file, { driver }).close();
    const readOnly = withPragma(driver, 'query_only = ON');
    const { budgets, notes } = storeAt(file, { driver: readOnly });
    const exchange = takingOf('ada', 1, 5);
    const error = await errorOf(() => budgets.exchange(exchange));
    expect(error).toMatchObject({ reason: 'readonly', file });
    expect(error.message).toContain('Give its user the right to write to the file');
    expect(await errorOf(() => notes.claim('a', 'b', 1))).toMatchObject({ reason: 'readonly' });
    readOnly.exec('PRAGMA query_only = OFF');
    expect(await budgets.exchange(exchange)).toMatchObject({ accounts: [{ held: 5 }] });
  });

  it('a file that another process locks is waited for, and then told as such', async () => {
    const { budgets, notes, file } = storeAt(freshFile(), { driver, lockTimeoutMs: 20 });
    const exchange = takingOf('ada', 1, 5);
    await whileLocked(driver, file, async () => {
      const error = await errorOf(() => budgets.exchange(exchange));
      expect(error).toMatchObject({ name: 'SqliteStoreError', reason: 'busy' });
      expect(error.message).toContain('stayed locked by another process');
      expect(await errorOf(() => notes.claim('a', 'b', 1))).toMatchObject({ reason: 'busy' });
    });
    expect(await budgets.exchange(exchange)).toMatchObject({ accounts: [{ held: 5 }] });
  });

  it('is done when the lock goes, within the time that was given', async () => {
    const { budgets, file } = storeAt(freshFile(), { driver, lockTimeoutMs: 60_000 });
    let done!: Promise<unknown>;
    await whileLocked(driver, file, async () => {
      done = budgets.exchange(takingOf('ada', 1, 5));
    });
    expect(await done).toMatchObject({ accounts: [{ held: 5 }] });
  });

  it('a damaged file is moved aside, and the same exchange is done in the new one', async () => {
    const file = freshFile();
    const before = storeAt(file, { driver });
    await before.merge(await cellsFor([callRecord()]), NOW);
    await before.budgets.exchange(takingOf('ada', 1, 5));
    await before.close();
    const problems: StoreProblem[] = [];
    // What it has read it would not read again.
    const forgetful = withPragma(driver, 'cache_size = 1');
    const { budgets } = storeAt(file, {
      ...{ driver: forgetful, onProblem: (each) => problems.push(each) },
    });
    spoil(file);
    const exchange = takingOf('ada', 2, 7);
    const error = await errorOf(() => budgets.exchange(exchange));
    expect(error).toMatchObject({ name: 'SqliteStoreError', reason: 'corrupt', file });
    expect(error.message).toContain(`${file} is damaged`);
    expect(await budgets.exchange(exchange)).toMatchObject({ accounts: [{ held: 7, leased: 7 }] });
    expect(asideOf(file)).toHaveLength(1);
    expect(problems).toEqual([
      {
        ...{ kind: 'notice', name: 'sqlite.moved' },
        text: expect.stringContaining('budgets begin at zero'),
      },
    ]);
  });

  it('a file that somebody removes is begun anew', async () => {
    const { budgets, file } = storeAt(freshFile(), { driver });
    await budgets.exchange(takingOf('ada', 1, 5));
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    expect(await budgets.exchange(takingOf('ada', 2, 7))).toMatchObject({
      accounts: [{ held: 7 }],
    });
  });
});
