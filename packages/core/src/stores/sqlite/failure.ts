/**
 * What SQLite says went wrong, in words for people. The libraries agree on its codes, but each has
 * them in another place.
 */
export type Failure =
  'busy' | 'full' | 'readonly' | 'corrupt' | 'foreign' | 'newer' | 'missing' | 'io' | 'other';

/** An operation of the store that failed. `cause` is the library's own error. */
export class SqliteStoreError extends Error {
  override readonly name = 'SqliteStoreError';
  readonly reason: Failure;
  readonly file: string;

  constructor(reason: Failure, file: string, text: string, cause?: unknown) {
    super(`[claude-metrics] sqliteStore: ${text}`, cause === undefined ? {} : { cause });
    this.reason = reason;
    this.file = file;
  }
}

const BY_NUMBER: Readonly<Record<number, Failure>> = {
  5: 'busy',
  6: 'busy',
  8: 'readonly',
  10: 'io',
  11: 'corrupt',
  13: 'full',
  14: 'missing',
  26: 'corrupt',
};
const BY_NAME: Readonly<Record<string, Failure>> = {
  BUSY: 'busy',
  LOCKED: 'busy',
  READONLY: 'readonly',
  IOERR: 'io',
  CORRUPT: 'corrupt',
  FULL: 'full',
  CANTOPEN: 'missing',
  NOTADB: 'corrupt',
  EACCES: 'readonly',
  EPERM: 'readonly',
  EROFS: 'readonly',
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EISDIR: 'missing',
  ENOSPC: 'full',
  EDQUOT: 'full',
};

export function failureOf(error: unknown): Failure {
  if (error instanceof SqliteStoreError) return error.reason;
  if (typeof error !== 'object' || error === null) return 'other';
  // node:sqlite has errcode, libsql rawCode; the low byte is the code without its details.
  const { errcode, rawCode, code, message } = error as Record<string, unknown>;
  const number = typeof errcode === 'number' ? errcode : rawCode;
  if (typeof number === 'number') return BY_NUMBER[number & 0xff] ?? 'other';
  const name = /^(?:SQLITE_)?([A-Z]+)/.exec(typeof code === 'string' ? code : '')?.[1];
  if (name !== undefined) return BY_NAME[name] ?? 'other';
  return /unable to open|cannot open/i.test(String(message)) ? 'missing' : 'other';
}

/** The error that the store gives for an error of the library. */
export function explain(error: unknown, file: string): SqliteStoreError {
  if (error instanceof SqliteStoreError) return error;
  const reason = failureOf(error);
  return new SqliteStoreError(reason, file, textOf(reason, file, error), error);
}

function textOf(reason: Failure, file: string, error: unknown): string {
  switch (reason) {
    case 'busy':
      return (
        `${file} stayed locked by another process. Look for a process that keeps a transaction ` +
        'open in it (a shell, a backup), or give lockTimeoutMs more time.'
      );
    case 'full':
      return (
        `there is no room left to write to ${file}: the disk or its quota is full. Free some, or ` +
        'lower historyRetentionMs or maxBytes. What could not be written is brought again.'
      );
    case 'readonly':
      return (
        `${file} cannot be written by this process. Give its user the right to write to the file ` +
        'and to its folder: SQLite keeps two more files beside it.'
      );
    case 'corrupt':
      return `${file} is damaged.`;
    case 'missing':
      return (
        `${file} cannot be opened. Its folder has to exist, and the path has to be that of a ` +
        'file; create the folder, or choose another path.'
      );
    case 'io':
      return `the disk failed while ${file} was read or written: ${messageOf(error)}.`;
    default:
      return `${file}: ${messageOf(error)}.`;
  }
}

export function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : String(error);
}
