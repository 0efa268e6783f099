import { transaction, type Connection } from './connection.js';
import { explain, failureOf, SqliteStoreError } from './failure.js';
import type { OpenFile } from './file.js';

/**
 * How the store gets at its file: one short step after the other, so that no request waits for long.
 *
 * - **turn**: of the event loop. Long work is done in many steps, and between them others have theirs.
 */
export interface Access {
  /** One transaction, at once if no other process is in the way. @throws SqliteStoreError */
  write<T>(step: (db: Connection) => T): Promise<T>;
  /** Several readings of one and the same state. @throws SqliteStoreError */
  read<T>(work: (db: Connection) => Promise<T>): Promise<T>;
  /** Moves what is in the log into the file, as far as others who read let it. */
  emptyLog(): void;
  close(): void;
}

/** Lets everybody else have their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const FIRST_PAUSE_MS = 4;
const LONGEST_PAUSE_MS = 100;

export function createAccess(open: OpenFile, lockTimeoutMs: number): Access {
  const { file } = open;
  let reading: Promise<unknown> = Promise.resolve();

  /** A damaged file is moved aside at once; whoever was writing brings it again, to the new one. */
  function failed(error: unknown): SqliteStoreError {
    if (failureOf(error) === 'corrupt') open.replace(error);
    return explain(error, file);
  }

  async function write<T>(step: (db: Connection) => T): Promise<T> {
    let pause = FIRST_PAUSE_MS;
    for (let waited = 0; ; waited += pause, pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return transaction(open.db(), step);
      } catch (error) {
        if (failureOf(error) !== 'busy' || waited >= lockTimeoutMs) throw failed(error);
      }
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    }
  }

  async function readNow<T>(work: (db: Connection) => Promise<T>): Promise<T> {
    try {
      const db = open.reader();
      db.exec('BEGIN');
      try {
        return await work(db);
      } finally {
        db.exec('COMMIT');
      }
    } catch (error) {
      throw failed(error);
    }
  }

  return {
    write,
    read(work) {
      const answer = reading.then(() => readNow(work));
      reading = answer.catch(() => undefined);
      return answer;
    },
    emptyLog() {
      open.db().exec('PRAGMA wal_checkpoint(TRUNCATE)');
    },
    close: open.close,
  };
}
