/** A store in a schema of its own, with what it told of; the server's clock can be set in it. */
import { createCell, SUM } from '../../src/cell.js';
import { postgresStore, type PostgresStoreOptions } from '../../src/stores/postgres.js';
import type { Pool } from 'pg';
import type { PostgresServer } from './postgres-server.js';
import type { Cell, Family, Store, StoreProblem } from '../../src/stores/store.js';

export const MINUTE = 60_000;
export const QUARTER = 900_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;
export const NOW = Date.UTC(2026, 10, 24, 14, 0, 30);
export const FAMILIES: readonly Family[] = ['total', 'feature-model', 'user-model', 'user-feature'];

let schemas = 0;
export const freshSchema = () => `test_${(schemas += 1)}`;

export function storeOn(server: PostgresServer, options: Partial<PostgresStoreOptions> = {}) {
  const schema = options.schema ?? freshSchema();
  const pool = (options.pool as Pool | undefined) ?? server.pool();
  const problems: StoreProblem[] = [];
  const onProblem = (problem: StoreProblem) => void problems.push(problem);
  const store = postgresStore({ pool, schema, onProblem, ...options });
  /** `$schema` is that of the store. */
  const ask = async (text: string, values: unknown[] = []) => {
    const { rows } = await pool.query(text.replaceAll('$schema', schema), values);
    return rows as Record<string, unknown>[];
  };
  return { schema, pool, store, problems, ask };
}

/** Sets the clock that the schema's leases, claims and retention go by. */
export async function setPresent(pool: Pool, schema: string, at: number): Promise<void> {
  await pool.query(
    `CREATE OR REPLACE FUNCTION ${schema}.present() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS $$ SELECT to_timestamp(${at / 1_000}) $$`,
  );
}

export function cellOf(
  family: Family,
  key: readonly [string, string],
  { at = NOW, bucketMs = QUARTER, calls = 1, nanoUsd = 0 } = {},
): Cell {
  const start = Math.floor(at / bucketMs) * bucketMs;
  const cell = createCell(family, bucketMs, start, key);
  cell.sums[SUM.calls] = calls;
  cell.sums[SUM.nanoUsd] = nanoUsd;
  return cell;
}

export function readAll(
  store: Store,
  bucketMs = QUARTER,
  families = FAMILIES,
): Promise<readonly Cell[]> {
  return Promise.resolve(store.read({ from: 0, to: Infinity, bucketMs, families }));
}

export async function callsIn(store: Store): Promise<number> {
  const cells = await readAll(store);
  return cells.reduce((sum, { sums }) => sum + sums[SUM.calls]!, 0);
}

export const failsAs = (reason: string, words: RegExp) =>
  expect.objectContaining({
    name: 'PostgresStoreError',
    reason,
    message: expect.stringMatching(
      new RegExp(`^\\[claude-metrics\\] postgresStore: .*(${words.source})`, words.flags),
    ) as string,
  }) as Error;
