/** Cost, latency and errors as readings of a cell. */
import { blankCell, mergeCell } from '../src/cell.js';
import { ERROR_KINDS, NO_TOKENS } from '../src/record.js';
import { createSampler, recordSketches } from '../src/sample.js';
import { spendOf, tokensOf, unpricedOf } from '../src/trackers/cost.js';
import { errorsOf, failuresOf } from '../src/trackers/errors.js';
import { latencyOf, tokensPerCallOf } from '../src/trackers/latency.js';
import { callRecord, costing, costOf, failed } from './state-fixture.js';
import type { CallRecord } from '../src/record.js';

function cellOfCalls(...calls: readonly CallRecord[]) {
  const cell = blankCell(true);
  const { sample } = createSampler(() => undefined);
  for (const call of calls) {
    mergeCell(cell, sample(call));
    if (cell.sketches) recordSketches(cell.sketches, call);
  }
  return cell;
}

const within = (exact: number) => ({
  asymmetricMatch: (found: unknown) =>
    typeof found === 'number' && Math.abs(found - exact) <= 0.01 * exact,
  toString: () => `within 1 % of ${exact}`,
});

describe('cost', () => {
  it('is told in all and by class, in dollars and in nano-dollars', () => {
    const { usd, nanoUsd, byClass, complete } = spendOf(
      cellOfCalls(
        callRecord({ cost: costOf(['uncachedInput', 100, 200_000], ['webSearch', 1, 10_000_000]) }),
        callRecord({ cost: costOf(['uncachedInput', 50, 100_001]) }),
        callRecord({ cost: costOf(['output', 7, 70_000, 'claude-haiku-4-5']) }),
        callRecord({ cost: costOf(['output', 3, 30_000]), speed: 'fast' }),
      ),
    );
    expect({ usd, nanoUsd, complete }).toEqual({
      usd: 0.010400001,
      nanoUsd: 10_400_001,
      complete: true,
    });
    expect(byClass).toEqual({
      uncachedInput: { quantity: 150, nanoUsd: 300_001, usd: 0.000300001 },
      cacheRead: { quantity: 0, nanoUsd: 0, usd: 0 },
      cacheWrite5m: { quantity: 0, nanoUsd: 0, usd: 0 },
      cacheWrite1h: { quantity: 0, nanoUsd: 0, usd: 0 },
      output: { quantity: 10, nanoUsd: 100_000, usd: 0.0001 },
      webSearch: { quantity: 1, nanoUsd: 10_000_000, usd: 0.01 },
    });
  });

  it('says how much of it is an estimate', () => {
    const cell = cellOfCalls(costing(300), costing(20, { estimated: true }));
    expect(spendOf(cell)).toMatchObject({ nanoUsd: 320, estimatedNanoUsd: 20 });
  });

  it('is "at least" as soon as one call has no price, and says why', () => {
    const unpriced = { cost: null, priceStatus: 'unpriced' } as const;
    const cell = cellOfCalls(
      costing(300),
      callRecord({ ...unpriced, unpricedReason: 'unknown_model' }),
      callRecord({ ...unpriced, unpricedReason: 'no_usage' }),
      callRecord({ ...unpriced, unpricedReason: 'no_usage' }),
    );
    expect(spendOf(cell)).toMatchObject({ nanoUsd: 300, complete: false });
    expect(unpricedOf(cell)).toEqual({ unknown_model: 1, no_usage: 2 });
    expect(unpricedOf(cellOfCalls(costing(300)))).toEqual({});
  });

  it('ignores a line of a class it does not know, but not its money in the sum', () => {
    const strange = 'toString' as 'output';
    const { nanoUsd, byClass } = spendOf(
      cellOfCalls(callRecord({ cost: costOf([strange, 1, 9]) })),
    );
    expect(nanoUsd).toBe(9);
    expect(Object.values(byClass).every((part) => part.nanoUsd === 0)).toBe(true);
  });

  it('has the tokens beside it, by class', () => {
    const tokens = { ...NO_TOKENS, uncachedInput: 10, cacheRead: 5, output: 3, thinking: 2 };
    const cell = cellOfCalls(callRecord({ tokens }), callRecord({ tokens }));
    expect(tokensOf(cell)).toEqual({
      ...NO_TOKENS,
      ...{ uncachedInput: 20, cacheRead: 10, output: 6, thinking: 4 },
    });
  });
});

describe('errors', () => {
  it('count every ending once, and failures by kind', () => {
    const error = (kind: (typeof ERROR_KINDS)[number]) => ({ kind, type: kind, message: '' });
    const cell = cellOfCalls(
      callRecord(),
      callRecord(),
      callRecord({ outcome: 'refused' }),
      callRecord({ outcome: 'cancelled' }),
      callRecord({ outcome: 'aborted', error: error('cancelled') }),
      callRecord({ outcome: 'truncated', error: error('connection') }),
      failed(error('overloaded')),
      failed(error('overloaded')),
    );
    expect(errorsOf(cell)).toEqual({
      outcomes: {
        ...{ ok: 2, refused: 1, error: 2, cancelled: 1, aborted: 1, truncated: 1 },
        ...{ blocked: 0, abandoned: 0 },
      },
      errors: { overloaded: 2, connection: 1 },
      errorRate: 3 / 8,
    });
    expect(failuresOf(cell)).toBe(3);
  });

  it('are no rate without calls, and 0 without failures', () => {
    expect(errorsOf(blankCell(false))).toMatchObject({ errorRate: null, errors: {} });
    expect(errorsOf(cellOfCalls(callRecord()))).toMatchObject({ errorRate: 0, errors: {} });
  });
});

describe('latency and tokens per call', () => {
  const calls = Array.from({ length: 100 }, (_, i) =>
    callRecord({
      callMs: 10 * (i + 1),
      lastAttemptMs: 5 * (i + 1),
      ttftMs: i < 50 ? i + 1 : null,
      tokens: { ...NO_TOKENS, cacheRead: 100 * (i + 1), output: i + 1 },
    }),
  );

  it('are told as P50, P95 and P99, each within 1 %', () => {
    const cell = cellOfCalls(...calls);
    expect(latencyOf(cell)).toEqual({
      callMs: { count: 100, p50: within(500), p95: within(950), p99: within(990) },
      lastAttemptMs: { count: 100, p50: within(250), p95: within(475), p99: within(495) },
      ttftMs: { count: 50, p50: within(25), p95: within(48), p99: within(50) },
    });
    expect(tokensPerCallOf(cell)).toEqual({
      input: { count: 100, p50: within(5_000), p95: within(9_500), p99: within(9_900) },
      output: { count: 100, p50: within(50), p95: within(95), p99: within(99) },
    });
  });

  it('are null, not 0, where nothing was measured', () => {
    expect(latencyOf(cellOfCalls(failed(null)))).toMatchObject({
      callMs: { count: 1, p50: 900 },
      ttftMs: null,
    });
    expect(tokensPerCallOf(cellOfCalls(failed(null)))).toEqual({ input: null, output: null });
  });

  it('are null where only sums are kept', () => {
    expect(latencyOf(blankCell(false))).toBeNull();
    expect(tokensPerCallOf(blankCell(false))).toBeNull();
  });
});
