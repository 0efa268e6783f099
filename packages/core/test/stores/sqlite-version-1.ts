/**
 * A file as the first version wrote it, down to the text of its rows. It stays as it is: every later
 * version has to read it.
 */
import type { Connection } from '../../src/stores/sqlite/connection.js';

export const AT = Date.parse('2026-11-24T14:00:00Z');

const SCHEMA = `
  CREATE TABLE buckets (
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
  CREATE TABLE batches (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
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
  CREATE INDEX calls_outcome ON calls (outcome);
  PRAGMA application_id = ${0x436c4d74};
  PRAGMA user_version = 1;`;

// calls 3, 2 billion carries and 5 nano-dollars, and so on: every slot has a value of its own.
const SUMS = '[3,5,2,7,1,4,1,2,11,12,13,14,15,16,17,18]';
const RARE = '{"outcome:error":2,"error:overloaded":1,"error:timeout":1,"feedback:reject":9}';
const RUNS = '[[0,null,"us","standard",0,4],["claude-haiku-5-5","fast",null,null,5]]';
const AMOUNTS = '[100,1,0,200,2,0,3,999999999999999,4]';
const SKETCHES = '[[3,1,0,0,900,66096,1,4,1],[0,0,2,0,0],[0,0,0,0,0],[1,1,0,0,0],[0,0,0,0,0]]';

/** One cell with sketches, one without, a part that is still staged, and a call. */
export function writeVersion1(db: Connection): void {
  db.exec(SCHEMA);
  const bucket = `INSERT INTO buckets (id, bucket_ms, at, family, cells, fold_at)
    VALUES (?, ?, ?, ?, ?, ?)`;
  db.run(bucket, 1, 60_000, AT, 'feature-model', 1, 800);
  db.run(bucket, 2, 60_000, AT, 'user-model', 1, 2_000);
  const cell = 'INSERT INTO cells VALUES (?, ?, ?, ?)';
  const model = '"claude-sonnet-5-5"';
  const data = `${SUMS},${RARE},${RUNS},${AMOUNTS}`;
  db.run(cell, 1, '"summarise"', model, `[${data},${SKETCHES}]`);
  db.run(cell, 2, '"\\ud800\\u0000"', model, `[${data}]`);
  db.run('INSERT INTO batches VALUES (?, ?)', 'batch-1', AT);
  const row = ['60000', String(AT), 'user-model', '"late"', model, `[${SUMS},0,[],[]]`];
  db.run('INSERT INTO staged VALUES (1, ?, 0, ?, ?)', 'batch-1', AT, row.join('\t'));
  db.run(
    'INSERT INTO calls VALUES (7, ?, ?, ?, ?, ?, ?)',
    ...[AT, model, '"summarise"', '"(unattributed)"', 'ok'],
    '{"id":"call-7","userId":null}',
  );
}
