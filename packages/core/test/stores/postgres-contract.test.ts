/** The Postgres store does what every store of the ledger must do. */
import { storeContract } from '@claude-metrics/testing';
import { createCell, FAMILIES, RARE, SUM } from '../../src/cell.js';
import { applyExchange } from '../../src/exchange.js';
import { recordValue } from '../../src/sketch.js';
import { postgresStore } from '../../src/stores/postgres.js';
import { freshSchema, setPresent } from './postgres-fixture.js';
import { describePostgres, startServer, type PostgresServer } from './postgres-server.js';
import type { Pool } from 'pg';
import type { StoreProblem } from '../../src/stores/store.js';

const core = { applyExchange, createCell, FAMILIES, RARE, recordValue, SUM };

describePostgres('the Postgres store', () => {
  let server: PostgresServer;
  let pool: Pool;
  const faults: unknown[] = [];

  beforeAll(async () => {
    server = await startServer();
    pool = server.pool({ max: 8 });
  });
  afterAll(async () => {
    await server.stop();
    if (faults.length > 0) throw faults[0];
  });

  const onProblem = (problem: StoreProblem) => {
    if (problem.kind === 'fault') faults.push(problem.error);
  };

  const { cases, missing } = storeContract({
    core,
    durable: true,
    shared: true,
    async open({ maxCalls, retention, now = Date.now } = {}) {
      const schema = freshSchema();
      const open = () =>
        postgresStore({ pool, schema, maxCalls, historyRetentionMs: retention, onProblem });
      const store = open();
      await store.notes.note('makes the schema');
      await setPresent(pool, schema, now());
      return {
        store,
        reopen: async () => open(),
        passTime: () => setPresent(pool, schema, now()),
        async close() {
          await store.close();
          await pool.query(`DROP SCHEMA ${schema} CASCADE`);
        },
      };
    },
  });

  it.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });

  it('leaves out no case', () => {
    expect(missing).toEqual([]);
  });
});
