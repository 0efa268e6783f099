/** Options, drivers that are not there, and disks that do not take what is written. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sqliteStore, type SqliteStoreOptions } from '../../src/stores/sqlite.js';
import { findDriver, refusalOf } from '../../src/stores/sqlite/driver.js';
import { failureOf, explain } from '../../src/stores/sqlite/failure.js';
import { createProblems } from '../../src/stores/problems.js';
import { callRecord, NOW } from '../state-fixture.js';
import {
  allCells,
  cellsFor,
  cleanUp,
  contentOf,
  drivers,
  freshFile,
  libraryOf,
  sourceOf,
  storeAt,
  withPragma,
} from './sqlite-fixture.js';
import type { SqliteDriver } from '../../src/stores/sqlite/driver.js';
import type { StoreProblem } from '../../src/stores/store.js';

afterAll(cleanUp);

const users = (count: number) =>
  Array.from({ length: count }, (_, i) => callRecord({ userId: `user-${i}` }));

describe('options', () => {
  it.each<[string, unknown, string]>([
    ['no options', undefined, 'options.file must be the path of a file'],
    ['no file', {}, 'options.file must be the path of a file'],
    ['an empty path', { file: '' }, 'options.file must be the path of a file'],
    ['memory', { file: ':memory:' }, 'there is memoryStore()), got ":memory:"'],
    ['a typing error', { file: 'x', maxCals: 1 }, 'there is no option "maxCals"'],
    [
      'too many calls',
      { file: 'x', maxCalls: 1e9 },
      'maxCalls must be an integer from 0 to 1000000',
    ],
    ['minutes for a minute', { file: 'x', minuteRetentionMs: 60_000 }, 'from 300000 to 604800000'],
    [
      'half a history',
      { file: 'x', historyRetentionMs: 0.5 },
      'historyRetentionMs must be an integer',
    ],
    ['a tiny file', { file: 'x', maxBytes: 1_000 }, 'maxBytes must be an integer from 4000000'],
    [
      'an unknown driver',
      { file: 'x', driver: 'sqlite3' },
      'driver must be "node:sqlite", or "libsql"',
    ],
    [
      'a driver that is none',
      { file: 'x', driver: {} },
      'or the module node:sqlite, got an object',
    ],
    ['no listener', { file: 'x', onProblem: 'log' }, 'onProblem must be a function, got "log"'],
  ])('%s: a TypeError that says what is allowed', (_, options, text) => {
    expect(() => sqliteStore(options as SqliteStoreOptions)).toThrow(TypeError);
    expect(() => sqliteStore(options as SqliteStoreOptions)).toThrow(text);
  });
});

describe('the driver', () => {
  it.each(drivers)('%s can be handed in', async (name) => {
    const store = storeAt(freshFile(), { driver: libraryOf(name) as SqliteDriver });
    const cells = await cellsFor(users(2));
    await store.merge(cells, NOW);
    expect(store.driver).toBe('handed in');
    expect(contentOf(await allCells(store))).toEqual(contentOf(cells));
  });

  it('is the first that is there, as the application sees it', () => {
    expect(findDriver(undefined).name).toBe(drivers[0]);
  });

  it('that is not installed is told with the command that installs one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-nothing-'));
    const cwd = jest.spyOn(process, 'cwd').mockReturnValue(folder);
    try {
      expect(() => findDriver('libsql')).toThrow(
        '[claude-metrics] sqliteStore: no driver could be loaded (libsql: not installed). ' +
          'Install one with `npm install libsql`, run Node 24 or later, which has node:sqlite ' +
          'built in, or pass a driver in `driver`.',
      );
    } finally {
      cwd.mockRestore();
      rmSync(folder, { recursive: true });
    }
  });

  it('is not loaded in a version that would end the process', () => {
    const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-crash-'));
    const library = join(folder, 'node_modules/better-sqlite3');
    mkdirSync(library, { recursive: true });
    writeFileSync(join(library, 'package.json'), '{ "version": "11.10.0", "main": "index.js" }');
    writeFileSync(join(library, 'index.js'), 'throw new Error("it was loaded");');
    const cwd = jest.spyOn(process, 'cwd').mockReturnValue(folder);
    try {
      expect(() => findDriver('better-sqlite3')).toThrow(
        'better-sqlite3: 11.10.0 is installed, and 12 or later is needed',
      );
    } finally {
      cwd.mockRestore();
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['12.11.1', '20.20.2', '9', null],
    ['12.0.0', '24.21.0', '10', null],
    ['13.2.0', '24.21.0', '10', null],
    [
      '13.2.0',
      '20.20.2',
      '9',
      '13.2.0 is installed, which crashes Node 20.20.2; install better-sqlite3@12',
    ],
    [
      '14.0.0',
      '22.12.0',
      '9',
      '14.0.0 is installed, which crashes Node 22.12.0; install better-sqlite3@12',
    ],
    ['11.10.0', '20.20.2', '9', '11.10.0 is installed, and 12 or later is needed'],
  ])('better-sqlite3 %s on Node %s with N-API %s: %p', (version, node, napi, reason) => {
    expect(refusalOf(version, { node, napi })).toBe(reason);
  });
});

describe.each(drivers)('over %s', (name) => {
  it('a full disk refuses a batch as a whole, and takes it when there is room again', async () => {
    const file = freshFile();
    const small = storeAt(file, { driver: withPragma(name, 'max_page_count = 60') });
    const first = await cellsFor(users(20));
    const large = await cellsFor(users(2_000));
    await small.merge(first, NOW, 'first');
    const error = await small.merge(large, NOW, 'large').then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: 'SqliteStoreError', reason: 'full', file });
    expect((error as Error).message).toContain(`there is no room left to write to ${file}`);
    expect(contentOf(await allCells(small))).toEqual(contentOf(first));
    await small.close();
    const store = storeAt(file, { driver: name });
    await store.merge(large, NOW, 'large');
    await store.merge(first, NOW, 'first');
    const expected = storeAt(freshFile(), { driver: name });
    for (const cells of [first, large]) await expected.merge(cells, NOW);
    expect(contentOf(await allCells(store))).toEqual(contentOf(await allCells(expected)));
  });

  it('a batch that counts is not refused because the disk is full afterwards', async () => {
    const problems: StoreProblem[] = [];
    const store = storeAt(freshFile(), {
      driver: withPragma(name, 'max_page_count = 130'),
      onProblem: (problem) => problems.push(problem),
    });
    // Staged it fits; a second time, as cells, it does not.
    const cells = await cellsFor(users(500));
    await store.merge(cells, NOW, 'batch');
    expect(problems).toMatchObject([
      { kind: 'fault', name: 'sqlite.fold', error: { reason: 'full' } },
      { kind: 'fault', name: 'sqlite.tidy', error: { reason: 'full' } },
    ]);
    expect(contentOf(await allCells(store))).toEqual(contentOf(cells));
  });

  it('a file that became read-only is told as such', async () => {
    const file = freshFile();
    await storeAt(file, { driver: name }).close();
    const store = storeAt(file, { driver: withPragma(name, 'query_only = ON') });
    const error = await store.merge(await cellsFor(users(1)), NOW).then(
      () => null,
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ reason: 'readonly', file });
    expect((error as Error).message).toContain('Give its user the right to write to the file');
  });

  it('a file or folder that may not be written is told as such, when it is opened', async () => {
    const file = freshFile();
    await storeAt(file, { driver: name }).close();
    const folder = `${file}.d`;
    mkdirSync(folder, { mode: 0o555 });
    chmodSync(file, 0o444);
    // Nothing is forbidden to root, so the program becomes somebody else once it has loaded everything.
    const source = `const core = require(${JSON.stringify(sourceOf())});
      const { createRequire } = require('node:module');
      const name = ${JSON.stringify(name)};
      const driver = name === 'node:sqlite' ? process.getBuiltinModule(name)
        : createRequire(process.cwd() + '/package.json')(name);
      if (process.getuid() === 0) process.setuid(65534);
      for (const file of process.argv.slice(1)) {
        try { core.sqliteStore({ file, driver }); console.log('opened'); }
        catch (error) { console.log(error.reason, error.message); }
      }`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...['-e', source, '--'],
      ...[file, join(folder, 'new.sqlite')],
    ]);
    const [first, second] = stdout.trim().split('\n');
    const advice = 'cannot be written by this process. Give its user the right to write';
    expect(first).toContain(`readonly [claude-metrics] sqliteStore: ${file} ${advice}`);
    expect(second).toContain(
      `readonly [claude-metrics] sqliteStore: ${folder}/new.sqlite ${advice}`,
    );
  });

  it('a driver that fails in a way nobody knows is passed on with its cause', async () => {
    const store = storeAt(freshFile(), { driver: name });
    const cells = await cellsFor(users(1));
    const bad = [{ ...cells[0]!, at: 'soon' as unknown as number }];
    const error = await store.merge(bad, NOW).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: 'SqliteStoreError', reason: 'other' });
    expect((error as Error).cause).toMatchObject({ message: expect.any(String) });
    expect(await allCells(store)).toEqual([]);
  });
});

describe('errors of the libraries', () => {
  it.each<[object, string]>([
    [{ code: 'SQLITE_BUSY_SNAPSHOT' }, 'busy'],
    [{ code: 'SQLITE_READONLY_DIRECTORY' }, 'readonly'],
    [{ code: 'SQLITE_IOERR_WRITE', rawCode: 778 }, 'io'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 267 }, 'corrupt'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 1 }, 'other'],
    [
      {
        code: '',
        message: 'ConnectionFailed("Unable to open connection to local database x: 14")',
      },
      'missing',
    ],
    [{ message: 'Cannot open database because the directory does not exist' }, 'missing'],
    [{ code: 'EACCES' }, 'readonly'],
    [{ code: 'ENOSPC' }, 'full'],
    [{}, 'other'],
  ])('%p: %s', (error, reason) => {
    expect(failureOf(Object.assign(new Error(''), error))).toBe(reason);
  });

  it('are explained once', () => {
    const explained = explain(new Error('x'), 'file');
    expect(explain(explained, 'other')).toBe(explained);
    expect(failureOf(null)).toBe('other');
  });
});

describe('problems', () => {
  const drop = (count: number): StoreProblem => ({ kind: 'drop', name: 'x', count });

  it('wait for somebody who listens, the first 20 of them', () => {
    const problems = createProblems(undefined);
    for (let i = 0; i < 30; i += 1) problems.tell(drop(i));
    const heard: StoreProblem[] = [];
    problems.listen((problem) => heard.push(problem));
    expect(heard).toEqual(Array.from({ length: 20 }, (_, i) => drop(i)));
    problems.tell(drop(99));
    expect(heard).toHaveLength(21);
  });

  it('are told to everybody, whatever one of them throws', () => {
    const heard: StoreProblem[] = [];
    const problems = createProblems(() => {
      throw new Error('x');
    });
    problems.listen((problem) => heard.push(problem));
    problems.tell(drop(1));
    expect(heard).toEqual([drop(1)]);
  });
});
