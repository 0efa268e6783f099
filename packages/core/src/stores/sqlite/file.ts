import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { transaction, type Connection } from './connection.js';
import { explain, failureOf, SqliteStoreError } from './failure.js';
import { APPLICATION_ID, migrate, VERSION, versionOf } from './schema.js';
import type { Driver } from './driver.js';

/**
 * The file itself: opening it, looking whether it is whole, and moving it aside when it is not.
 *
 * - **aside**: a damaged file is renamed, never deleted, and a new one takes its place.
 */
export interface OpenFile {
  /** The absolute path. */
  readonly file: string;
  db(): Connection;
  /** A second connection, which reads while the first one writes. */
  reader(): Connection;
  /** Moves the damaged file aside and begins a new one. */
  replace(cause: unknown): void;
  close(): void;
}

export interface FileOptions {
  readonly driver: Driver;
  readonly file: string;
  readonly lockTimeoutMs: number;
  /** Told when a damaged file was moved. */
  readonly onMoved: (text: string) => void;
}

/** Files up to here are read through when they are opened; half a second at worst. */
const MAX_CHECKED_BYTES = 64 * 1024 * 1024;
/** How long a step may hold up this process while another one writes: longer waits are turns. */
const BUSY_MS = 4;
const HEADER = 'SQLite format 3\0';
const PRAGMAS = `
  PRAGMA synchronous = NORMAL;
  PRAGMA foreign_keys = OFF;
  PRAGMA secure_delete = FAST;
  PRAGMA journal_size_limit = 16777216;`;

/** @throws SqliteStoreError when the file cannot be used. */
export function openFile(options: FileOptions): OpenFile {
  const { driver, onMoved } = options;
  const file = resolve(options.file);
  let db: Connection | null = null;
  let reader: Connection | null = null;
  let inode = 0;

  function openDatabase(): Connection {
    const found = inspect(file);
    if (found === 'none') closeSync(openSync(file, 'a', 0o600));
    inode = statSync(file).ino;
    if (found === 'damaged') throw new SqliteStoreError('corrupt', file, `${file} is damaged.`);
    const opened = driver.open(file);
    try {
      prepareFile(opened, file, options.lockTimeoutMs);
      return opened;
    } catch (error) {
      opened.close();
      throw error;
    }
  }

  function openOrReplace(): Connection {
    try {
      return openDatabase();
    } catch (error) {
      if (failureOf(error) !== 'corrupt') throw error;
      moveAside(error);
      return openDatabase();
    }
  }

  /** Another process may have been quicker: then the file in its place is the new one. */
  function moveAside(cause: unknown): void {
    if (!existsSync(file) || statSync(file).ino !== inode) return;
    const to = nameAside(file);
    // The log goes first: beside a new file, it would be taken for that one's.
    for (const suffix of ['-wal', '-shm', '']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, to + suffix);
    }
    onMoved(
      `${file} was damaged (${explain(cause, file).message}) and is now ${to}; a new file was ` +
        'begun. Figures from before are in the old one, and budgets begin at zero: `sqlite3 FILE .recover` reads what can be read.',
    );
  }

  function closeAll(): void {
    for (const connection of [reader, db]) {
      try {
        connection?.close();
      } catch {
        // A connection to a damaged file cannot always be closed.
      }
    }
    reader = null;
    db = null;
  }

  try {
    db = openOrReplace();
  } catch (error) {
    throw explain(error, file);
  }
  /** Whoever moves or removes the file, another process or a person: we go on with what is there. */
  function followPath(): Connection {
    if (statSync(file, { throwIfNoEntry: false })?.ino !== inode) closeAll();
    db ??= openOrReplace();
    return db;
  }

  return {
    file,
    db: followPath,
    reader() {
      followPath();
      if (reader === null) {
        reader = driver.open(file);
        reader.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA query_only = ON;`);
      }
      return reader;
    },
    replace(cause) {
      closeAll();
      moveAside(cause);
    },
    close: closeAll,
  };
}

type Found = 'none' | 'sqlite' | 'damaged';

/** What lies at the path. A file that is no database is somebody's, and stays as it is. */
function inspect(file: string): Found {
  if (!existsSync(dirname(file))) {
    throw new SqliteStoreError(
      'missing',
      file,
      `the folder of ${file} does not exist. Create ${dirname(file)}, or choose another path.`,
    );
  }
  if (!existsSync(file) || statSync(file).size === 0) return 'none';
  accessSync(file, constants.R_OK | constants.W_OK);
  const start = Buffer.alloc(HEADER.length);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, start, 0, start.length, 0);
  } finally {
    closeSync(handle);
  }
  if (start.toString('latin1') === HEADER) return 'sqlite';
  // What a loss of power can leave.
  if (start.every((byte) => byte === 0)) return 'damaged';
  throw foreign(file, 'it is no SQLite database');
}

function prepareFile(db: Connection, file: string, lockTimeoutMs: number): void {
  db.exec(`PRAGMA busy_timeout = ${lockTimeoutMs}`);
  const isNew = refuseOthers(db, file) === 0;
  if (!isNew) checkWhole(db, file);
  if (isNew) db.exec('PRAGMA auto_vacuum = INCREMENTAL');
  beginLog(db, file, lockTimeoutMs);
  db.exec(PRAGMAS);
  if (versionOf(db) < VERSION) {
    transaction(db, () => {
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      migrate(db);
    });
  }
  db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
}

/** Before anything is written. Returns how many tables there are. */
function refuseOthers(db: Connection, file: string): number {
  const version = versionOf(db);
  const id = db.get<{ application_id: number }>('PRAGMA application_id')?.application_id;
  const { tables } = db.get<{ tables: number }>('SELECT count(*) AS tables FROM sqlite_schema')!;
  if (id !== APPLICATION_ID && (id !== 0 || version !== 0 || tables !== 0)) {
    throw foreign(file, 'it is the database of another program');
  }
  if (version > VERSION) {
    throw new SqliteStoreError(
      'newer',
      file,
      `${file} was written by a newer version of this package (schema ${version}; this one ` +
        `knows ${VERSION}). Update @claude-metrics/core, or choose another file.`,
    );
  }
  return tables;
}

/** Several processes that begin a file at once are told that it is busy, without being made to wait. */
function beginLog(db: Connection, file: string, lockTimeoutMs: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; ; waited += 20) {
    try {
      const mode = db.get<{ journal_mode: string }>('PRAGMA journal_mode = WAL')?.journal_mode;
      if (mode === 'wal') return;
      throw new SqliteStoreError(
        'io',
        file,
        `${file} is on a file system without what SQLite's write-ahead log needs (a network ` +
          'drive?). Put it on a local disk.',
      );
    } catch (error) {
      if (failureOf(error) !== 'busy' || waited >= lockTimeoutMs) throw error;
    }
    Atomics.wait(pause, 0, 0, 20);
  }
}

function checkWhole(db: Connection, file: string): void {
  const pages = db.get<{ page_count: number }>('PRAGMA page_count')?.page_count ?? 0;
  const size = db.get<{ page_size: number }>('PRAGMA page_size')?.page_size ?? 0;
  if (pages * size > MAX_CHECKED_BYTES) return;
  const found = db.get<{ quick_check: string }>('PRAGMA quick_check(1)')?.quick_check;
  if (found === 'ok') return;
  throw new SqliteStoreError('corrupt', file, `${file} is damaged: ${String(found)}`);
}

function foreign(file: string, what: string): SqliteStoreError {
  return new SqliteStoreError(
    'foreign',
    file,
    `${file} is not a file of this store: ${what}. It was left as it is; choose another path.`,
  );
}

function nameAside(file: string): string {
  const name = `${file}.corrupt-${new Date().toISOString().replace(/[:.]/g, '-')}`;
  for (let i = 0; ; i += 1) {
    const free = i === 0 ? name : `${name}-${i}`;
    if (!existsSync(free)) return free;
  }
}
