/** Stores pass what every store of the ledger must do. */
import { storeContract } from '@claude-metrics/testing';
import { createCell, FAMILIES, RARE, SUM } from '../../src/cell.js';
import { recordValue } from '../../src/sketch.js';
import { memoryStore } from '../../src/stores/memory.js';

const core = { createCell, FAMILIES, RARE, recordValue, SUM };

describe('the memory store', () => {
  const { cases, missing } = storeContract({
    core,
    durable: false,
    shared: false,
    lacks: ['close', 'budgets', 'notes'],
    async open({ maxCalls, retention } = {}) {
      const store = memoryStore({ maxCalls, historyRetentionMs: retention });
      return { store, close: async () => {} };
    },
  });

  it.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });

  it('has no cases about what it cannot', () => {
    expect(missing).toEqual([...['close', 'budgets', 'notes', 'batches', 'durable', 'shared']]);
  });
});
