import { createHash } from 'node:crypto';
import { PostgresStoreError } from './failure.js';
import { MIGRATIONS, type Migration } from './schema.js';
import { transact, type Run } from './transaction.js';
import type { PostgresPool } from './pool.js';

/**
 * Brings the schema to the version this code knows: once, whoever comes first, and not at all when
 * it is there.
 */
const LOCKS = { migrate: 1, partitions: 2, cells: 3 } as const;

/** Waits for its turn, until the transaction is over. A schema has locks of its own. */
export function lockStatement(schema: string, name: keyof typeof LOCKS): string {
  const hash = createHash('sha256').update(`claude-metrics/${schema}`).digest().readInt32BE(0);
  return `SELECT pg_advisory_xact_lock(${hash}, ${LOCKS[name]});`;
}

/** @throws PostgresStoreError for a schema that a newer version of us has made; it is not touched. */
export async function migrate(
  pool: PostgresPool,
  schema: string,
  timeoutMs: number,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  const known = migrations.length;
  const found = await transact(pool, { timeoutMs }, async (run) => {
    const version = await versionOf(run, schema);
    if (version === null) await checkEncoding(run);
    return version;
  });
  if (found !== null) checkVersion(schema, found, known);
  if (found === known) return;
  const first = lockStatement(schema, 'migrate');
  await transact(pool, { timeoutMs, first }, async (run) => {
    const version = (await versionOf(run, schema)) ?? (await createSchema(run, schema));
    checkVersion(schema, version, known);
    for (const [i, step] of migrations.entries()) {
      if (i < version) continue;
      await run(step(`"${schema}"`));
      await run(`INSERT INTO "${schema}".migrations (version) VALUES ($1::integer)`, [i + 1]);
    }
  });
}

function checkVersion(schema: string, found: number, known: number): void {
  if (found <= known) return;
  throw new PostgresStoreError(
    'newer',
    `schema "${schema}" is of version ${found}, and this @claude-metrics/core knows up to ` +
      `${known}. Nothing was touched; update the package, or give this process another schema.`,
  );
}

/** `null` while there is no schema of ours. */
async function versionOf(run: Run, schema: string): Promise<number | null> {
  if (!(await isTable(run, schema, 'migrations'))) return null;
  const { rows } = await run(
    `SELECT coalesce(max(version), 0)::text AS version FROM "${schema}".migrations`,
  );
  return Number(rows[0]?.['version']);
}

/** Asks the catalogue: `to_regclass` may remember from before a lock was waited for that there was none. */
export async function isTable(run: Run, schema: string, name: string): Promise<boolean> {
  const { rowCount } = await run(
    `SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, name],
  );
  return rowCount > 0;
}

/** Not with `IF NOT EXISTS`: that asks for the right to create, also where the schema is there. */
async function createSchema(run: Run, schema: string): Promise<0> {
  const { rowCount } = await run('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
  if (rowCount === 0) await run(`CREATE SCHEMA "${schema}"`);
  await run(`CREATE TABLE "${schema}".migrations (
    version integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`);
  return 0;
}

async function checkEncoding(run: Run): Promise<void> {
  const { rows } = await run(`SELECT current_setting('server_encoding') AS encoding`);
  const encoding = rows[0]?.['encoding'];
  if (encoding === 'UTF8') return;
  throw new PostgresStoreError(
    'other',
    `the database is encoded in ${String(encoding)}, which cannot hold every name; use a database ` +
      'with encoding UTF8.',
  );
}
