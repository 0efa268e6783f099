import { explain, failureOf } from './failure.js';
import { migrate } from './migrating.js';
import { transact } from './transaction.js';
import type { PostgresPool } from './pool.js';
import type { TransactionOptions, Work } from './transaction.js';

/** The schema of one store, brought up to date before its first use; errors come in words. */
export interface Database {
  /** Quoted, to be written into statements. */
  readonly s: string;
  readonly schema: string;
  /** @param what Completes "could not …". @throws PostgresStoreError */
  transact<T>(
    what: string,
    options: Omit<TransactionOptions, 'timeoutMs'>,
    work: Work<T>,
  ): Promise<T>;
  /** Higher whenever something was missing that had been there: what is known has to be found anew. */
  readonly losses: number;
}

export function createDatabase(pool: PostgresPool, schema: string, timeoutMs: number): Database {
  let ready: Promise<void> | null = null;
  let losses = 0;

  async function makeReady(): Promise<void> {
    ready ??= migrate(pool, schema, timeoutMs);
    try {
      await ready;
    } catch (error) {
      ready = null;
      throw error;
    }
  }

  return {
    s: `"${schema}"`,
    schema,
    get losses() {
      return losses;
    },
    async transact(what, options, work) {
      try {
        await makeReady();
        return await transact(pool, { ...options, timeoutMs }, work);
      } catch (error) {
        if (failureOf(error) === 'missing') {
          ready = null;
          losses += 1;
        }
        throw explain(what, error);
      }
    },
  };
}
