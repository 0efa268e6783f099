import { createRequire } from 'node:module';
import { join } from 'node:path';
import { connectionOf, type Connection, type NativeDatabase } from './connection.js';
import { messageOf } from './failure.js';

/**
 * Which library opens the file. None is a dependency: the first that the application has is taken.
 *
 * - **driver**: a library that can open a SQLite file.
 */
export const DRIVER_NAMES = ['node:sqlite', 'libsql', 'better-sqlite3'] as const;
export type DriverName = (typeof DRIVER_NAMES)[number];

/** A name, or the library itself: what `require()` gives for it. */
export type SqliteDriver =
  | DriverName
  | (new (file: string) => object)
  | { readonly DatabaseSync: new (file: string) => object };

export interface Driver {
  readonly name: string;
  open(file: string): Connection;
}

type Constructor = new (file: string) => object;
type Load = (name: string) => unknown;

/** N-API 10 came with Node 22.14 and 23.6; on an older Node better-sqlite3 13 ends the process. */
const NAPI_10 = 10;

/**
 * @throws Error when there is no driver, with what was tried and how to install one.
 */
export function findDriver(wanted: SqliteDriver | undefined): Driver {
  if (wanted !== undefined && typeof wanted !== 'string') return driverOf('handed in', wanted);
  const names = wanted === undefined ? DRIVER_NAMES : [wanted];
  const load = createRequire(join(process.cwd(), 'package.json')) as Load;
  const tried: string[] = [];
  for (const name of names) {
    try {
      if (name === 'better-sqlite3') refuseCrash(load);
      return driverOf(name, name === 'node:sqlite' ? builtin() : load(name));
    } catch (error) {
      tried.push(`${name}: ${reasonOf(name, error)}`);
    }
  }
  throw new Error(
    `[claude-metrics] sqliteStore: no driver could be loaded (${tried.join('; ')}). ` +
      'Install one with `npm install libsql`, run Node 24 or later, which has node:sqlite ' +
      'built in, or pass a driver in `driver`.',
  );
}

function driverOf(name: string, library: unknown): Driver {
  const Database =
    typeof library === 'function'
      ? (library as Constructor)
      : (library as { readonly DatabaseSync: Constructor }).DatabaseSync;
  return { name, open: (file) => connectionOf(new Database(file) as NativeDatabase) };
}

function builtin(): unknown {
  const library = process.getBuiltinModule?.('node:sqlite');
  if (library) return library;
  throw new Error(`not in Node ${process.versions.node}`);
}

/** The version is looked at before anything is loaded: afterwards is too late. */
function refuseCrash(load: Load): void {
  const { version } = load('better-sqlite3/package.json') as { version: string };
  const reason = refusalOf(version, process.versions);
  if (reason !== null) throw new Error(reason);
}

/** Why this version of better-sqlite3 is not loaded; `null` when it can be. */
export function refusalOf(
  version: string,
  { node, napi }: { readonly node: string; readonly napi?: string | undefined },
): string | null {
  const major = Number.parseInt(version, 10);
  if (major < 12) return `${version} is installed, and 12 or later is needed`;
  if (major === 12 || Number(napi) >= NAPI_10) return null;
  return `${version} is installed, which crashes Node ${node}; install better-sqlite3@12`;
}

function reasonOf(name: string, error: unknown): string {
  const text = messageOf(error).split('\n')[0] ?? '';
  return text.startsWith(`Cannot find module '${name}`) ? 'not installed' : text;
}
