/** The file itself: what is read of older ones, what is refused, and what is moved aside. */
import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { moneyAt, SUM } from '../../src/cell.js';
import { sqliteStore } from '../../src/stores/sqlite.js';
import { transaction } from '../../src/stores/sqlite/connection.js';
import { migrate, VERSION, versionOf } from '../../src/stores/sqlite/schema.js';
import { callRecord, exactOfCalls, exactOfCells, MINUTE, NOW } from '../state-fixture.js';
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
  spoil,
  storeAt,
  whileLocked,
} from './sqlite-fixture.js';
import { AT, writeVersion1 } from './sqlite-version-1.js';
import type { StoreProblem } from '../../src/stores/store.js';

afterAll(cleanUp);

const users = (count: number) =>
  Array.from({ length: count }, (_, i) => callRecord({ userId: `user-${i}` }));

describe.each(drivers)('over %s', (driver) => {
  /** A closed file with some cells. */
  async function usedFile(count = 300): Promise<string> {
    const file = freshFile();
    const store = storeAt(file, { driver });
    await store.merge(await cellsFor(users(count)), NOW);
    await store.close();
    return file;
  }

  describe('a new file', () => {
    it('is for its owner only, and is set up for writing while others read', () => {
      const file = freshFile();
      storeAt(file, { driver });
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const settings = inside(driver, file, (db) => ({
        version: versionOf(db),
        ...db.get<object>('SELECT * FROM pragma_journal_mode, pragma_auto_vacuum'),
      }));
      expect(settings).toMatchObject({ version: VERSION, journal_mode: 'wal', auto_vacuum: 2 });
    });

    it('may be begun by several at once', () => {
      const file = freshFile();
      writeFileSync(file, '');
      expect([1, 2, 3].map(() => storeAt(file, { driver }).file)).toEqual([file, file, file]);
    });
  });

  describe('a file of version 1', () => {
    it('is read to the last digit, what was staged included', async () => {
      const file = freshFile();
      inside(driver, file, writeVersion1);
      const store = storeAt(file, { driver });
      const range = { from: AT, to: AT + 1, bucketMs: MINUTE } as const;
      const [feature] = await store.read({ ...range, families: ['feature-model'] });
      expect(feature).toMatchObject({ key: ['summarise', 'claude-sonnet-5-5'] });
      // What has come since is zero in it.
      expect(feature!.sums.slice(10)).toEqual([13, 14, 15, 16, 17, 18, 0, 0]);
      expect(moneyAt(feature!.sums, SUM.nanoUsd)).toBe(2e15 + 5);
      expect(exactOfCells([feature!])).toMatchObject({
        'outcome error': 2n,
        'error overloaded': 1n,
        'error timeout': 1n,
        'feedback reject': 9n,
        'webSearch nanoUsd': 4_999_999_999_999_999n,
      });
      expect(feature!.lines).toEqual([
        line('claude-sonnet-5-5', 'uncachedInput', null, 'us', 'standard'),
        line('claude-sonnet-5-5', 'output', null, 'us', 'standard'),
        line('claude-haiku-5-5', 'webSearch', 'fast', null, null),
      ]);
      expect(feature!.sketches?.callMs).toMatchObject({ count: 3, zeros: 1, max: 900 });
      expect(feature!.sketches?.callMs.keys).toEqual([66_096, 66_100]);
      expect(feature!.sketches?.lastAttemptMs.ignored).toBe(2);
      const inUsers = await store.read({ ...range, families: ['user-model'] });
      expect(inUsers.map(({ key }) => key[0]).sort()).toEqual(['late', '\ud800\0']);
      const { calls, dropped } = await store.calls({ user: '(unattributed)' });
      expect(calls).toEqual([{ id: 'call-7', userId: null }]);
      expect(dropped).toBe(6);
    });

    it('is added to', async () => {
      const file = freshFile();
      inside(driver, file, writeVersion1);
      const store = storeAt(file, { driver });
      const before = await allCells(store);
      await store.merge(before, NOW);
      await store.merge([], NOW + MINUTE);
      const twice = exactOfCells([...before, ...before]);
      expect(exactOfCells(await allCells(store))).toEqual(twice);
    });
  });

  it('is migrated in order, all the way or not at all', () => {
    const file = freshFile();
    inside(driver, file, (db) => {
      const steps = ['CREATE TABLE a (x)', 'ALTER TABLE a RENAME TO b', 'INSERT INTO b VALUES (1)'];
      transaction(db, () => migrate(db, steps.slice(0, 1)));
      expect(versionOf(db)).toBe(1);
      const broken = [...steps, 'INSERT INTO nowhere VALUES (1)'];
      expect(() => transaction(db, () => migrate(db, broken))).toThrow('nowhere');
      expect(versionOf(db)).toBe(1);
      expect(db.all('SELECT * FROM a')).toEqual([]);
      transaction(db, () => migrate(db, steps));
      expect(versionOf(db)).toBe(3);
      expect(db.all<{ x: number }>('SELECT x FROM b').map(({ x }) => x)).toEqual([1]);
    });
  });

  describe('a file that is refused stays as it is', () => {
    it.each<[string, string, string, (file: string) => void]>([
      [
        'of text',
        'foreign',
        'it is no SQLite database',
        (file) => writeFileSync(file, 'a text\n'.repeat(99)),
      ],
      [
        'of another program',
        'foreign',
        'it is the database of another program',
        (file) => inside(driver, file, (db) => db.exec('CREATE TABLE theirs (x)')),
      ],
      [
        'of a newer version',
        'newer',
        'Update @claude-metrics/core',
        (file) =>
          inside(driver, file, (db) => (writeVersion1(db), db.exec('PRAGMA user_version = 99'))),
      ],
    ])('%s', async (_, reason, text, write) => {
      const file = freshFile();
      write(file);
      const before = readFileSync(file);
      const error = await errorOf(() => sqliteStore({ file, driver }));
      expect(error).toMatchObject({ name: 'SqliteStoreError', reason, file });
      expect(error.message).toContain(text);
      expect(error.message).toContain(file);
      expect(readFileSync(file).equals(before)).toBe(true);
      expect(asideOf(file)).toEqual([]);
    });

    it('and so does a folder, or nothing in a folder that is not there', async () => {
      const folder = freshFile();
      mkdirSync(folder);
      const inFolder = await errorOf(() => sqliteStore({ file: folder, driver }));
      expect(inFolder).toMatchObject({ reason: 'missing', file: folder });
      const file = join(freshFile(), 'metrics.sqlite');
      const error = await errorOf(() => sqliteStore({ file, driver }));
      expect(error.message).toBe(
        `[claude-metrics] sqliteStore: the folder of ${file} does not exist. ` +
          `Create ${dirname(file)}, or choose another path.`,
      );
    });
  });

  describe('a damaged file', () => {
    it.each<[string, (file: string) => void]>([
      ['with pages of nonsense', spoil],
      ['that lost its end', (file) => truncateSync(file, 3 * 4_096 + 17)],
      ['of zeros', (file) => writeFileSync(file, Buffer.alloc(40_000))],
    ])('%s is moved aside and kept, and a new one is begun', async (_, damage) => {
      const file = await usedFile();
      damage(file);
      const before = readFileSync(file);
      const problems: StoreProblem[] = [];
      const store = storeAt(file, { driver, onProblem: undefined });
      store.onProblem((problem) => problems.push(problem));
      const [aside, ...more] = asideOf(file);
      expect(more).toEqual([]);
      expect(readFileSync(join(dirname(file), aside!)).equals(before)).toBe(true);
      expect(problems).toEqual([
        { kind: 'notice', name: 'sqlite.moved', text: expect.stringContaining(aside!) },
      ]);
      await store.merge(await cellsFor(users(2)), NOW);
      const total = await store.read({ from: 0, to: NOW, bucketMs: MINUTE, families: ['total'] });
      expect(exactOfCells(total)).toEqual(exactOfCalls(users(2)));
    });

    it("leaves no log behind, which would be taken for the new one's", async () => {
      const file = await usedFile();
      spoil(file);
      writeFileSync(`${file}-wal`, 'the log');
      const store = storeAt(file, { driver });
      expect(asideOf(file)).toHaveLength(1);
      expect(readFileSync(`${file}-wal`, 'latin1')).not.toContain('the log');
      expect(await allCells(store)).toEqual([]);
    });

    it('that is found out while it is open fails once, for all who have it open', async () => {
      const file = await usedFile(3_000);
      const store = storeAt(file, { driver });
      const other = storeAt(file, { driver });
      spoil(file);
      expect(await errorOf(() => allCells(store))).toMatchObject({ reason: 'corrupt', file });
      const cells = await cellsFor(users(200));
      await store.merge(cells, NOW, 'a');
      expect(contentOf(await allCells(store))).toEqual(contentOf(cells));
      // The other one still has the damaged file open. It goes on with the new one, and leaves it.
      await other.merge(cells, NOW, 'b');
      const twice = exactOfCells([...cells, ...cells]);
      expect(exactOfCells(await allCells(other))).toEqual(twice);
      expect(exactOfCells(await allCells(store))).toEqual(twice);
      expect(asideOf(file)).toHaveLength(1);
    });
  });

  it('a file that somebody removes is begun anew', async () => {
    const store = storeAt(freshFile(), { driver });
    const cells = await cellsFor(users(3));
    await store.merge(cells, NOW);
    for (const suffix of ['', '-wal', '-shm']) rmSync(store.file + suffix, { force: true });
    await store.merge(cells, NOW);
    expect(contentOf(await allCells(store))).toEqual(contentOf(cells));
    expect(statSync(store.file).size).toBeGreaterThan(0);
  });

  describe('a file that another process locks', () => {
    it('is waited for, and then the error says so; the batch can be brought again', async () => {
      const store = storeAt(freshFile(), { driver, lockTimeoutMs: 20 });
      const cells = await cellsFor(users(300));
      await whileLocked(driver, store.file, async () => {
        const error = await errorOf(() => store.merge(cells, NOW, 'batch'));
        expect(error).toMatchObject({ name: 'SqliteStoreError', reason: 'busy' });
        expect(error.message).toContain('stayed locked by another process');
        expect(error.cause).toMatchObject({ message: 'database is locked' });
        expect(await allCells(store)).toEqual([]);
      });
      await store.merge(cells, NOW, 'batch');
      expect(contentOf(await allCells(store))).toEqual(contentOf(cells));
    });

    it('is written to when the lock goes, within the time that was given', async () => {
      const store = storeAt(freshFile(), { driver, lockTimeoutMs: 60_000 });
      const cells = await cellsFor(users(3));
      let merged!: Promise<void>;
      await whileLocked(driver, store.file, async () => {
        merged = store.merge(cells, NOW);
      });
      await merged;
      expect(contentOf(await allCells(store))).toEqual(contentOf(cells));
    });
  });
});

function line(
  model: string,
  part: string,
  speed: string | null,
  geo: string | null,
  tier: string | null,
) {
  return { model, class: part, speed, geo, tier };
}
