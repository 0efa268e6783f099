import type { Connection } from './connection.js';

/**
 * The tables, and how a file of an older version becomes one of this version.
 *
 * - `buckets`: a time bucket of one family. A `bucket_ms` below zero says that it is on its way out; at
 *   `fold_at` cells it is looked at whether it has too many names.
 * - `cells`: one row a cell. Keys are JSON string literals, so that every name survives, also
 *   one that is no valid UTF-8; `data` is described in codec.ts.
 * - `staged`: parts of batches. They count from the moment their batch is in `batches`, and become
 *   cells part by part. See batches.ts.
 * - `calls`: recent calls in the order in which they ended; `message` is the id of the answer, a literal.
 * - `clock`: the latest time that any process has brought. See time.ts.
 * - `accounts`, `members`, `leases`, `adjustments`: money of budgets. See budgets.ts. Names are JSON
 *   literals, too, and no scope is `null`. A member without `expires` holds nothing.
 * - `claims`, `notes`: what processes tell each other besides. See notes.ts.
 */

/** "ClMt": says that a SQLite file is one of ours. */
export const APPLICATION_ID = 0x436c4d74;

/** From version to version, in order; each leaves `user_version` one higher. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE buckets (
     id INTEGER PRIMARY KEY,
     bucket_ms INTEGER NOT NULL,
     at INTEGER NOT NULL,
     family TEXT NOT NULL,
     cells INTEGER NOT NULL DEFAULT 0,
     fold_at INTEGER NOT NULL,
     UNIQUE (bucket_ms, at, family)
   ) STRICT;
   CREATE INDEX buckets_full ON buckets (at) WHERE cells >= fold_at;
   CREATE INDEX buckets_gone ON buckets (id) WHERE bucket_ms < 0;
   CREATE TABLE cells (
     bucket INTEGER NOT NULL,
     key1 TEXT NOT NULL,
     key2 TEXT NOT NULL,
     data TEXT NOT NULL,
     PRIMARY KEY (bucket, key1, key2)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE batches (
     name TEXT PRIMARY KEY,
     at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE staged (
     id INTEGER PRIMARY KEY,
     batch TEXT NOT NULL,
     part INTEGER NOT NULL,
     at INTEGER NOT NULL,
     rows TEXT NOT NULL,
     UNIQUE (batch, part)
   ) STRICT;
   CREATE TABLE calls (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,
     model TEXT NOT NULL,
     feature TEXT NOT NULL,
     user TEXT NOT NULL,
     outcome TEXT NOT NULL,
     record TEXT NOT NULL
   ) STRICT;
   CREATE INDEX calls_model ON calls (model);
   CREATE INDEX calls_feature ON calls (feature);
   CREATE INDEX calls_user ON calls (user);
   CREATE INDEX calls_outcome ON calls (outcome);`,
  `CREATE TABLE clock (id INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
   INSERT INTO clock VALUES (1, 0);
   CREATE TABLE accounts (
     id INTEGER PRIMARY KEY,
     budget TEXT NOT NULL,
     start INTEGER NOT NULL,
     scope TEXT NOT NULL,
     ends INTEGER NOT NULL,
     personal INTEGER NOT NULL,
     spent INTEGER NOT NULL,
     held INTEGER NOT NULL,
     uncertain INTEGER NOT NULL,
     overrun INTEGER NOT NULL,
     unpriced INTEGER NOT NULL,
     refused INTEGER NOT NULL,
     UNIQUE (budget, start, scope)
   ) STRICT;
   CREATE INDEX accounts_end ON accounts (ends);
   CREATE INDEX accounts_personal ON accounts (scope) WHERE personal = 1;
   CREATE TABLE members (
     id INTEGER PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     number INTEGER NOT NULL,
     heard INTEGER NOT NULL,
     expires INTEGER,
     answer TEXT NOT NULL
   ) STRICT;
   CREATE INDEX members_due ON members (expires) WHERE expires IS NOT NULL;
   CREATE TABLE leases (
     account INTEGER NOT NULL,
     member INTEGER NOT NULL,
     amount INTEGER NOT NULL,
     PRIMARY KEY (account, member)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX leases_member ON leases (member);
   CREATE TABLE adjustments (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at INTEGER NOT NULL,
     budget TEXT NOT NULL,
     scope TEXT NOT NULL,
     personal INTEGER NOT NULL,
     nano_usd INTEGER NOT NULL,
     reason TEXT NOT NULL
   ) STRICT;
   CREATE INDEX adjustments_personal ON adjustments (scope) WHERE personal = 1;
   CREATE TABLE claims (
     name TEXT PRIMARY KEY,
     holder TEXT NOT NULL,
     until INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;`,
  `ALTER TABLE calls ADD COLUMN message TEXT;
   CREATE INDEX calls_message ON calls (message) WHERE message IS NOT NULL;`,
];

export const VERSION = MIGRATIONS.length;

export function versionOf(db: Connection): number {
  return db.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
}

/** Inside a transaction: brings the file to this version. */
export function migrate(db: Connection, migrations = MIGRATIONS): void {
  for (let version = versionOf(db); version < migrations.length; version += 1) {
    db.exec(migrations[version]!);
    db.exec(`PRAGMA user_version = ${version + 1}`);
  }
}
