/**
 * Files to write to, every driver that this machine has, and what a store holds in a form that can be
 * compared.
 *
 * - **content**: every cell as text, whatever the order of cells and of their lines.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { FAMILIES } from '../../src/cell.js';
import { sketchToJSON } from '../../src/sketch.js';
import { sqliteStore, type SqliteStore, type SqliteStoreOptions } from '../../src/stores/sqlite.js';
import {
  DRIVER_NAMES,
  findDriver,
  type DriverName,
  type SqliteDriver,
} from '../../src/stores/sqlite/driver.js';
import { MINUTE, QUARTER, rigOf } from '../state-fixture.js';
import type { Connection } from '../../src/stores/sqlite/connection.js';
import type { CallRecord } from '../../src/record.js';
import type { Cell, Family, Store, StoreProblem } from '../../src/stores/store.js';

export const EVERY = Object.keys(FAMILIES) as Family[];
const root = join(__dirname, '../../../..');

/** The drivers that can be loaded here; with none of them nothing would be tested. */
export const drivers: readonly DriverName[] = DRIVER_NAMES.filter((name) => {
  try {
    findDriver(name);
    return true;
  } catch {
    return false;
  }
});

/** What `require()` gives for a driver, to be handed in. */
export function libraryOf(name: DriverName): unknown {
  if (name === 'node:sqlite') return process.getBuiltinModule(name);
  return createRequire(join(root, 'package.json'))(name) as unknown;
}

/** The driver, with a pragma that every connection is given; `exec` reaches those that are open. */
export function withPragma(
  name: DriverName,
  pragma: string,
): SqliteDriver & { exec(sql: string): void } {
  const library = libraryOf(name) as { DatabaseSync?: Constructor } | Constructor;
  const Database = typeof library === 'function' ? library : library.DatabaseSync!;
  const open: { exec(sql: string): unknown }[] = [];
  return class extends Database {
    static exec(sql: string): void {
      for (const each of open) each.exec(sql);
    }
    constructor(file: string) {
      super(file);
      this.exec(`PRAGMA ${pragma}`);
      open.push(this);
    }
  };
}

type Constructor = new (file: string) => { exec(sql: string): unknown };

const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-sqlite-'));
// Also for the one program that runs as somebody else.
chmodSync(folder, 0o755);
let files = 0;
const opened: SqliteStore[] = [];
const faults: unknown[] = [];

/** A path that nothing is at. */
export function freshFile(): string {
  files += 1;
  return join(folder, `${files}.sqlite`);
}

/** A fault that nobody listens to fails the tests of the file. */
export function storeAt(file: string, options: Omit<SqliteStoreOptions, 'file'> = {}): SqliteStore {
  const onProblem = (problem: StoreProblem) => {
    if (problem.kind === 'fault') faults.push(problem.error);
  };
  const store = sqliteStore({ file, onProblem, ...options });
  opened.push(store);
  return store;
}

/** Closes what is open, and removes every file. */
export async function cleanUp(): Promise<void> {
  for (const store of opened.splice(0)) await store.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
  if (faults.length > 0) throw faults[0];
}

/** Looks into a file, or spoils it, behind the store's back. */
export function inside<T>(driver: DriverName, file: string, work: (db: Connection) => T): T {
  const db = findDriver(driver).open(file);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** Does `work` while somebody else is about to write, and never does. */
export async function whileLocked(driver: DriverName, file: string, work: () => Promise<void>) {
  const db = findDriver(driver).open(file);
  db.exec('BEGIN IMMEDIATE');
  try {
    await work();
  } finally {
    db.exec('ROLLBACK');
    db.close();
  }
}

/** Overwrites the file from its second page on, behind everybody's back. */
export function spoil(file: string): void {
  const handle = openSync(file, 'r+');
  const size = statSync(file).size;
  for (let at = 4_096; at < size; at += 4_096)
    writeSync(handle, Buffer.alloc(4_000, 0xa5), 0, 4_000, at);
  closeSync(handle);
}

/** What was moved aside, without the log and its index. */
export const asideOf = (file: string) =>
  readdirSync(dirname(file))
    .filter((name) => name.startsWith(`${basename(file)}.corrupt-`))
    .filter((name) => !/-(wal|shm)$/.test(name));

export async function errorOf(work: () => unknown): Promise<Error & { reason?: string }> {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

export async function allCells(store: Store, families = EVERY): Promise<readonly Cell[]> {
  const range = { from: 0, to: Infinity, families };
  const minutes = await store.read({ ...range, bucketMs: MINUTE });
  return [...minutes, ...(await store.read({ ...range, bucketMs: QUARTER }))];
}

export function contentOf(cells: readonly Cell[]): string[] {
  return cells
    .map(({ sketches, lines, amounts, rare, ...cell }) => {
      const parts = lines.map((line, i) => JSON.stringify([line, amounts.slice(3 * i, 3 * i + 3)]));
      const noted = rare?.some((value) => value !== 0) ? rare : null;
      const drawn = sketches && Object.values(sketches).map(sketchToJSON);
      return JSON.stringify([cell, noted, parts.sort(), drawn]);
    })
    .sort();
}

/** The cells that a ledger would bring for these calls. */
export async function cellsFor(calls: readonly CallRecord[], now?: number): Promise<Cell[]> {
  const taken: Cell[] = [];
  const store: Store = {
    name: 'taker',
    resolutions: [MINUTE, QUARTER].map((bucketMs) => ({ bucketMs, retentionMs: 1e12 })),
    merge: (cells) => void taken.push(...cells),
    read: () => [],
  };
  const rig = rigOf(now === undefined ? { store } : { store, now });
  rig.record(...calls);
  await rig.ledger.flush();
  return taken;
}

/** A module for programs of their own: the store, and `createCell` and `SUM`. */
export function sourceOf(): string {
  const bundle = join(folder, 'core.cjs');
  if (existsSync(bundle)) return bundle;
  const entry = join(folder, 'core.ts');
  const from = (module: string) => JSON.stringify(join(root, 'packages/core/src', module));
  writeFileSync(
    entry,
    `export { createCell, SUM } from ${from('cell.ts')};
     export { sqliteStore } from ${from('stores/sqlite.ts')};`,
  );
  execFileSync(join(root, 'node_modules/.bin/esbuild'), [
    entry,
    ...['--bundle', '--platform=node', '--target=node20', '--format=cjs', '--log-level=error'],
    `--outfile=${bundle}`,
  ]);
  return bundle;
}

/** Runs programs that have the module above as `core`, and their arguments as `args`. */
export function programsOf(driver: DriverName) {
  const bundle = sourceOf();
  return (source: string, ...args: string[]) => {
    const program = `const core = require(${JSON.stringify(bundle)});
      const driver = ${JSON.stringify(driver)};
      const args = process.argv.slice(1);
      (async () => { ${source} })().catch((error) => {
        console.error(error);
        process.exitCode = 1;
      });`;
    return spawn(process.execPath, ['-e', program, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  };
}
