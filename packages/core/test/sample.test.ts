/** One call as a cell: what of a record is counted, and where. */
import { RARE, SUM, UNPRICED_REASONS } from '../src/cell.js';
import { ERROR_KINDS, NO_TOKENS, OUTCOMES } from '../src/record.js';
import { createSampler, recordSketches } from '../src/sample.js';
import { createSketch } from '../src/sketch.js';
import {
  callRecord,
  costing,
  costOf,
  exactOfCalls,
  exactOfCells,
  failed,
} from './state-fixture.js';
import type { CallRecord, UnpricedReason } from '../src/record.js';
import type { Sketches } from '../src/stores/store.js';

function samplerOf() {
  let bad = 0;
  const sampler = createSampler(() => (bad += 1));
  return { sample: sampler.sample, bad: () => bad };
}

describe('a call', () => {
  it('is counted with all that the record says', () => {
    const { sample } = samplerOf();
    const call = callRecord({
      userId: null,
      feature: null,
      estimated: true,
      attempts: [...callRecord().attempts, ...callRecord().attempts, ...callRecord().attempts],
      tokens: {
        ...{ uncachedInput: 1, cacheRead: 2, cacheWrite5m: 3, cacheWrite1h: 4 },
        ...{ output: 5, thinking: 4 },
      },
    });
    expect(exactOfCells([sample(call)])).toEqual({
      ...{ calls: 1n, attempts: 3n, retries: 2n, estimated: 1n },
      ...{ unattributedUser: 1n, unattributedFeature: 1n },
      ...{ nanoUsd: 10_000_000n, estimatedNanoUsd: 10_000_000n },
      ...{ uncachedInput: 1n, cacheRead: 2n, cacheWrite5m: 3n, cacheWrite1h: 4n },
      ...{ output: 5n, thinking: 4n },
      ...{ 'uncachedInput quantity': 2_500n, 'uncachedInput nanoUsd': 5_000_000n },
      ...{ 'output quantity': 500n, 'output nanoUsd': 5_000_000n },
    });
  });

  it('leaves nothing behind for the next one', () => {
    const { sample } = samplerOf();
    const heavy = failed(null, { estimated: true, userId: null, cost: callRecord().cost });
    const unpriced = callRecord({
      ...{ priceStatus: 'unpriced', unpricedReason: 'no_usage', cost: null },
      ...{ outcome: 'truncated', error: { kind: 'connection', type: 'x', message: '' } },
    });
    const free = callRecord({ cost: costOf() });
    for (const call of [heavy, callRecord(), unpriced, free, callRecord(), free]) {
      expect(exactOfCells([sample(call)])).toEqual(exactOfCalls([call]));
    }
  });

  it('without an attempt has no retry', () => {
    const { sums } = samplerOf().sample(callRecord({ attempts: [] }));
    expect([sums[SUM.attempts], sums[SUM.retries]]).toEqual([0, 0]);
  });

  it('counts as estimated by its price or by its quantities', () => {
    const { sample } = samplerOf();
    const estimated = (patch: Partial<CallRecord>) => {
      const { sums } = sample(costing(70, patch));
      return [sums[SUM.estimated], sums[SUM.estimatedNanoUsd]];
    };
    expect(estimated({})).toEqual([0, 0]);
    expect(estimated({ estimated: true })).toEqual([1, 70]);
    expect(estimated({ priceStatus: 'estimated' })).toEqual([1, 70]);
  });
});

describe('endings', () => {
  it.each(OUTCOMES)('%s: one outcome, and an error only where the provider failed', (outcome) => {
    const { rare } = samplerOf().sample(callRecord({ outcome }));
    const counted = OUTCOMES.map((_, i) => rare?.[RARE.outcome + i] ?? 0);
    expect(counted).toEqual(OUTCOMES.map((each) => Number(each === outcome && each !== 'ok')));
    const errors = rare?.slice(RARE.error, RARE.unpriced).reduce((sum, count) => sum + count, 0);
    expect(errors ?? 0).toBe(outcome === 'error' || outcome === 'truncated' ? 1 : 0);
  });

  it.each(ERROR_KINDS)('an error of kind %s counts under its kind', (kind) => {
    const call = failed({ kind, type: 'some_error', message: '' });
    expect(exactOfCells([samplerOf().sample(call)])).toMatchObject({ [`error ${kind}`]: 1n });
  });

  it('an error of no kind, or of one we do not know, counts as unknown', () => {
    const { sample } = samplerOf();
    const strange = { kind: 'new_kind' as 'unknown', type: 'x', message: '' };
    for (const error of [null, strange]) {
      expect(exactOfCells([sample(failed(error))])).toMatchObject({ 'error unknown': 1n });
    }
  });
});

describe('unpriced calls', () => {
  it.each(UNPRICED_REASONS)('count under their reason: %s', (unpricedReason) => {
    const call = callRecord({ cost: null, priceStatus: 'unpriced', unpricedReason });
    expect(exactOfCells([samplerOf().sample(call)])).toMatchObject({
      [`unpriced ${unpricedReason}`]: 1n,
    });
  });

  it('without a reason, or with one we do not know, count as an unknown model', () => {
    const { sample } = samplerOf();
    for (const unpricedReason of [null, 'new_reason' as UnpricedReason]) {
      const call = callRecord({ cost: null, priceStatus: 'unpriced', unpricedReason });
      expect(exactOfCells([sample(call)])).toMatchObject({ 'unpriced unknown_model': 1n });
    }
  });
});

describe('numbers that are no whole amount', () => {
  it.each([NaN, Infinity, -1, 0.5, 2 ** 53])('%p counts as 0, and is told', (bad) => {
    const { sample, bad: told } = samplerOf();
    const tokens = { ...NO_TOKENS, uncachedInput: bad, output: 7 };
    const cell = sample(callRecord({ tokens, cost: costOf(['output', bad, 10]) }));
    expect(exactOfCells([cell])).toMatchObject({ output: 7n, nanoUsd: 10n, 'output nanoUsd': 10n });
    expect(cell.sums[SUM.uncachedInput]).toBe(0);
    expect(told()).toBe(2);
  });

  it('in the cost count as 0, too', () => {
    const { sample, bad } = samplerOf();
    const cell = sample(costing(1.5));
    expect(cell.sums[SUM.nanoUsd]).toBe(0);
    expect(cell.amounts).toEqual([500, 0, 0]);
    expect(bad()).toBe(2);
  });
});

describe('cost lines', () => {
  it('of equal price are one object, so that comparing them is one comparison', () => {
    const { sample } = samplerOf();
    const [first] = sample(callRecord()).lines;
    expect(sample(callRecord({ userId: 'bob' })).lines[0]).toBe(first);
    const differing: Partial<CallRecord>[] = [
      { speed: 'fast' },
      { inferenceGeo: 'us' },
      { serviceTier: 'batch' },
    ];
    for (const patch of differing) expect(sample(callRecord(patch)).lines[0]).not.toBe(first);
    expect(sample(callRecord()).lines[0]).toBe(first);
  });

  it('are right for any number of models', () => {
    const { sample } = samplerOf();
    for (let i = 0; i < 3_000; i += 1) {
      const model = `model-${i}`;
      expect(sample(costing(i, { model })).lines).toEqual([
        { model, class: 'output', speed: null, geo: null, tier: 'standard' },
      ]);
    }
  });
});

describe('distributions', () => {
  const sketchesOf = (...calls: readonly CallRecord[]): Sketches => {
    const sketches = {
      ...{ callMs: createSketch(), lastAttemptMs: createSketch(), ttftMs: createSketch() },
      ...{ input: createSketch(), output: createSketch() },
    };
    for (const call of calls) recordSketches(sketches, call);
    return sketches;
  };

  it('hold what the call took: cached input is input, too', () => {
    const tokens = { ...NO_TOKENS, uncachedInput: 1, cacheRead: 20, cacheWrite5m: 300, output: 9 };
    const sketches = sketchesOf(
      callRecord({ tokens: { ...tokens, cacheWrite1h: 4_000 }, callMs: 900, lastAttemptMs: 400 }),
    );
    expect(sketches).toMatchObject({
      callMs: { count: 1, max: 900 },
      lastAttemptMs: { count: 1, max: 400 },
      ttftMs: { count: 1, max: 200 },
      input: { count: 1, max: 4_321 },
      output: { count: 1, max: 9 },
    });
  });

  it('of tokens know only calls with an answer: an error would read as a 0', () => {
    const { callMs, input, output } = sketchesOf(failed(null), callRecord(), failed(null));
    expect([callMs.count, input.count, output.count]).toEqual([3, 1, 1]);
    expect([input.zeros, output.zeros]).toEqual([0, 0]);
  });

  it('of the first token know only calls that had one', () => {
    const { ttftMs } = sketchesOf(callRecord({ ttftMs: null }), callRecord({ ttftMs: 0 }));
    expect([ttftMs.count, ttftMs.max]).toEqual([1, 0]);
  });
});
