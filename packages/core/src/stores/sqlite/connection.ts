/**
 * One small shape over the three libraries that can open a SQLite file.
 *
 * - **connection**: an open file; prepared statements are kept by their text.
 * - **step**: what one transaction does. It is short: the event loop waits for it.
 */
export type Value = string | number | null;

export interface Statement {
  /** Rows changed. */
  run(...values: readonly Value[]): number;
  get(...values: readonly Value[]): unknown;
  all(...values: readonly Value[]): unknown[];
}

export interface Connection {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  run(sql: string, ...values: readonly Value[]): number;
  get<R>(sql: string, ...values: readonly Value[]): R | undefined;
  all<R>(sql: string, ...values: readonly Value[]): R[];
  close(): void;
}

/** What all three have in common, as far as it is used here. */
export interface NativeDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): NativeStatement;
  close(): unknown;
}

interface NativeStatement {
  run(...values: readonly Value[]): { readonly changes: number | bigint };
  get(...values: readonly Value[]): unknown;
  all(...values: readonly Value[]): unknown[];
}

export function connectionOf(native: NativeDatabase): Connection {
  const statements = new Map<string, Statement>();

  function prepare(sql: string): Statement {
    let statement = statements.get(sql);
    if (statement === undefined) {
      const prepared = native.prepare(sql);
      statement = {
        run: (...values) => Number(prepared.run(...values).changes),
        get: (...values) => prepared.get(...values),
        all: (...values) => prepared.all(...values),
      };
      statements.set(sql, statement);
    }
    return statement;
  }

  return {
    exec: (sql) => void native.exec(sql),
    prepare,
    run: (sql, ...values) => prepare(sql).run(...values),
    get: <R>(sql: string, ...values: readonly Value[]) =>
      prepare(sql).get(...values) as R | undefined,
    all: <R>(sql: string, ...values: readonly Value[]) => prepare(sql).all(...values) as R[],
    close() {
      statements.clear();
      native.close();
    },
  };
}

/** Of the row that was inserted last. */
export function lastId(db: Connection): number {
  return db.get<{ id: number }>('SELECT last_insert_rowid() AS id')!.id;
}

/** All of a step, or nothing. The lock is taken first: what a step reads does not change under it. */
export function transaction<T>(db: Connection, step: (db: Connection) => T): T {
  db.run('BEGIN IMMEDIATE');
  try {
    const result = step(db);
    db.run('COMMIT');
    return result;
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

export function rollBack(db: Connection): void {
  try {
    db.exec('ROLLBACK');
  } catch {
    // A full disk, for one, has ended the transaction already.
  }
}
