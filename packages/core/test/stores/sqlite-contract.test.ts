/** The SQLite store, over every driver that is here, does what every store of the ledger must do. */
import { storeContract } from '@claude-metrics/testing';
import { createCell, FAMILIES, RARE, SUM } from '../../src/cell.js';
import { applyExchange } from '../../src/exchange.js';
import { recordValue } from '../../src/sketch.js';
import { cleanUp, drivers, freshFile, storeAt } from './sqlite-fixture.js';

afterAll(cleanUp);

const core = { applyExchange, createCell, FAMILIES, RARE, recordValue, SUM };

describe.each(drivers)('over %s', (driver) => {
  const { cases, missing } = storeContract({
    core,
    durable: true,
    shared: true,
    async open({ maxCalls, retention, now = Date.now } = {}) {
      const file = freshFile();
      const clock = { now, monotonic: now };
      const open = () => storeAt(file, { driver, maxCalls, historyRetentionMs: retention, clock });
      const store = open();
      return {
        store,
        reopen: async () => open(),
        passTime: async () => undefined, // `now` has moved already
        close: () => store.close(),
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
