import type { Usage, UsageIteration } from '../src/record.js';
import {
  billOf,
  hasCounts,
  promptTokens,
  tokensOf,
  type BillOptions,
  type BilledPart,
} from '../src/usage.js';

const none = {
  uncachedInput: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  output: 0,
};
const part: BilledPart = { model: null, fast: false, sideWork: false, ...none };
/** What is not what its type says. */
const wrong = (value: unknown) => value as Usage;

describe('tokens', () => {
  it('are the classes that are billed, and thinking as a part of the output', () => {
    const tokens = tokensOf({
      input_tokens: 1,
      cache_read_input_tokens: 2,
      cache_creation_input_tokens: 7,
      cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 },
      output_tokens: 5,
      output_tokens_details: { thinking_tokens: 4 },
    });
    expect(tokens).toEqual({
      uncachedInput: 1,
      cacheRead: 2,
      cacheWrite5m: 3,
      cacheWrite1h: 4,
      output: 5,
      thinking: 4,
    });
    expect(Object.isFrozen(tokens)).toBe(true);
  });

  it('never hold more thinking than output', () => {
    const usage = { output_tokens: 5, output_tokens_details: { thinking_tokens: 9 } };
    expect(tokensOf(usage)).toMatchObject({ output: 5, thinking: 5 });
  });

  it('are summed over the iterations, which say more than the top level', () => {
    const usage = {
      input_tokens: 10,
      output_tokens: 1,
      iterations: [
        { type: 'compaction', input_tokens: 90, output_tokens: 9, cache_read_input_tokens: 3 },
        { type: 'message', input_tokens: 10, output_tokens: 1 },
      ],
    };
    expect(tokensOf(usage)).toMatchObject({ uncachedInput: 100, output: 10, cacheRead: 3 });
  });

  it('stay exact integers however large the parts are', () => {
    const most = { type: 'message', output_tokens: Number.MAX_SAFE_INTEGER };
    expect(tokensOf({ iterations: [most, most] }).output).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('make up the size of a prompt, but for the output', () => {
    const sized = { ...part, uncachedInput: 1, cacheRead: 20, cacheWrite5m: 300 };
    expect(promptTokens({ ...sized, cacheWrite1h: 4_000, output: 9 })).toBe(4_321);
  });
});

describe('a count', () => {
  it.each([[null], [undefined], [0], [-0]])('of %p is 0', (value) => {
    const bill = billOf(wrong({ input_tokens: value }));
    expect(bill.assumed).toBe(false);
    expect(bill.parts[0]?.uncachedInput).toBe(0);
  });

  it.each([[-1], [1.5], [NaN], [Infinity], [2 ** 53], ['5'], [true], [{}], [[5]]])(
    'of %p counts nothing, and makes the bill an estimate',
    (value) => {
      for (const usage of [
        { input_tokens: value },
        { output_tokens: value },
        { cache_read_input_tokens: value },
        { cache_creation_input_tokens: value },
        { cache_creation: { ephemeral_5m_input_tokens: value } },
        { cache_creation: { ephemeral_1h_input_tokens: value } },
        { iterations: [{ output_tokens: value }] },
      ]) {
        expect(billOf(wrong(usage))).toMatchObject({ parts: [part], assumed: true });
      }
      const searches = billOf(wrong({ server_tool_use: { web_search_requests: value } }));
      expect(searches).toMatchObject({ webSearches: 0, assumed: true });
      const thinking = billOf(wrong({ output_tokens_details: { thinking_tokens: value } }));
      expect(thinking).toMatchObject({ thinking: 0, assumed: true });
    },
  );

  it.each([[null], ['x'], [7], [true], [[]]])('stands in an object, not in %p', (value) => {
    const usage = {
      cache_creation: value,
      output_tokens_details: value,
      server_tool_use: value,
      iterations: value,
      fallback_credit: value,
      input_tokens: 3,
    };
    expect(billOf(wrong(usage))).toEqual({
      parts: [{ ...part, uncachedInput: 3 }],
      thinking: 0,
      webSearches: 0,
      assumed: false,
    });
  });
});

describe('cache writes', () => {
  const writes = (total: number, short?: number, long?: number): Usage => ({
    cache_creation_input_tokens: total,
    cache_creation: { ephemeral_5m_input_tokens: short!, ephemeral_1h_input_tokens: long! },
  });
  const unsplit = [{ cache_creation_input_tokens: 9 }];
  it.each<[string, Usage, BillOptions, number, number, boolean]>([
    ['split in full', writes(30, 10, 20), { cacheTtl: '1h' }, 10, 20, false],
    ['split beyond their total', writes(5, 10, 20), {}, 10, 20, false],
    ['without a split', writes(9), {}, 9, 0, true],
    ['without a split, asked for an hour', writes(9), { cacheTtl: '1h' }, 0, 9, true],
    ['beyond a split of 5 minutes', writes(9, 4, 0), { cacheTtl: '1h' }, 9, 0, true],
    ['beyond a split of an hour', writes(9, 0, 4), { cacheTtl: '5m' }, 0, 9, true],
    ['beyond a split of both', writes(9, 2, 3), {}, 6, 3, true],
    ['beyond a split of both, asked for an hour', writes(9, 2, 3), { cacheTtl: '1h' }, 2, 7, true],
    [
      'of an iteration, in a call of an hour',
      { ...writes(9, 0, 9), iterations: unsplit },
      {},
      0,
      9,
      true,
    ],
  ])('%s', (_, usage, options, short, long, assumed) => {
    const bill = billOf(usage, options);
    expect(bill.parts).toEqual([{ ...part, cacheWrite5m: short, cacheWrite1h: long }]);
    expect(bill.assumed).toBe(assumed);
  });
});

describe('iterations', () => {
  const message: UsageIteration = { type: 'message', input_tokens: 1, output_tokens: 1 };
  const advisor = { type: 'advisor_message', model: 'claude-opus-5', output_tokens: 3 };
  const compaction = { type: 'compaction', input_tokens: 7 };
  const declined = { type: 'message', model: 'claude-fable-5', input_tokens: 9, output_tokens: 0 };
  const fallback = { type: 'fallback_message', model: 'claude-opus-5', output_tokens: 5 };
  const billed = (iterations: readonly unknown[], options?: BillOptions, usage: Usage = {}) =>
    billOf(wrong({ input_tokens: 50, ...usage, iterations }), options).parts;
  const a = { ...part, uncachedInput: 1, output: 1 };

  it('are the bill, each with its own model, in their order', () => {
    expect(billed([compaction, message, advisor])).toEqual([
      { ...part, sideWork: true, uncachedInput: 7 },
      a,
      { ...part, sideWork: true, model: 'claude-opus-5', output: 3 },
    ]);
  });

  it('that are none leave the bill to the top level', () => {
    expect(billed([])).toEqual([{ ...part, uncachedInput: 50 }]);
    expect(billed([null, 'x', 7])).toEqual([{ ...part, uncachedInput: 50 }]);
  });

  it('without a name of a model have that of the call', () => {
    for (const model of [null, '', 7]) expect(billed([{ ...message, model }])).toEqual([a]);
  });

  it('that were declined before the fallback are left out, those after it are not', () => {
    const served = { ...part, model: 'claude-opus-5', output: 5 };
    const last = { ...part, model: 'claude-fable-5', uncachedInput: 9 };
    expect(billed([declined, declined, fallback, declined])).toEqual([served, last]);
    expect(billed([declined])).toEqual([last]);
  });

  it('have the speed they tell, and else that of the call', () => {
    const each = [message, { ...message, speed: 'standard' }, { ...message, speed: 'fast' }];
    const speeds = (speed: string) => billed(each, {}, { speed }).map(({ fast }) => fast);
    expect(speeds('fast')).toEqual([true, false, true]);
    expect(speeds('standard')).toEqual([false, false, true]);
  });

  it('of side work are all that a refusal at once costs', () => {
    const options = { sideWorkOnly: true };
    const usage = { server_tool_use: { web_search_requests: 2 } };
    const sides = [{ type: 'compaction' }, { type: 'advisor_message' }];
    expect(billed([message, ...sides, fallback], options)).toHaveLength(2);
    expect(billOf({ ...usage, iterations: [compaction] }, options).webSearches).toBe(0);
    expect(billOf({ input_tokens: 5 }, options).parts).toEqual([]);
  });

  it('take the estimated output of a stream that was cut: the last answer, not an advisor', () => {
    const options = { outputEstimated: true };
    const outputs = (output_tokens: number) =>
      billed([message, message, advisor], options, { output_tokens }).map(({ output }) => output);
    expect(outputs(12)).toEqual([1, 11, 3]);
    expect(outputs(1)).toEqual([1, 1, 3]);
    expect(billed([advisor], options, { output_tokens: 9 })[0]?.output).toBe(3);
  });
});

it('says that a redeemed fallback credit lowers the bill by what nobody tells', () => {
  const credit = (type: string) => billOf({ fallback_credit: { status: { type } } }).assumed;
  expect(credit('redeemed')).toBe(true);
  expect(credit('not_applied')).toBe(false);
});

describe('there is something to bill by', () => {
  it.each<[Usage, boolean]>([
    [{ input_tokens: 0 }, true],
    [{ output_tokens: 1 }, true],
    [{ cache_read_input_tokens: 1 }, true],
    [{ cache_creation_input_tokens: 1 }, true],
    [{ iterations: [{}] }, true],
    [{ iterations: [] }, false],
    [wrong({ iterations: [null] }), false],
    [{ input_tokens: null, service_tier: 'standard' }, false],
    [{}, false],
  ])('in %j: %j', (usage, expected) => {
    expect(hasCounts(usage)).toBe(expected);
  });
});
