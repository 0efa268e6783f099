import { costOf, priceCall, type PricedCall } from '../src/pricing.js';
import { prices, type PriceTable } from '../src/prices.js';
import type { Usage } from '../src/record.js';

const opus = 'claude-opus-5-5';
const at = new Date('2026-11-23T12:00:00Z');
const usage: Usage = { input_tokens: 1_000, output_tokens: 500 };
const call: PricedCall = {
  usage,
  model: opus,
  servedModel: null,
  at: at.getTime(),
  prices,
  operation: 'messages',
  outcome: 'ok',
  status: 200,
  stopReason: 'end_turn',
  hasOutput: true,
};
const refusal = { outcome: 'refused', stopReason: 'refusal', hasOutput: false } as const;
const lost = { outcome: 'error', status: null, usage: null, hasOutput: false } as const;

describe('costOf', () => {
  it('gives the lines, their sum, and the prices that were used; frozen', () => {
    const cost = costOf(usage, opus, { at });
    expect(cost).toEqual({
      usd: 0.014,
      nanoUsd: 14_000_000,
      lines: [
        {
          class: 'uncachedInput',
          model: opus,
          quantity: 1_000,
          nanoUsdPerUnit: 4_000,
          nanoUsd: 4_000_000,
        },
        {
          class: 'output',
          model: opus,
          quantity: 500,
          nanoUsdPerUnit: 20_000,
          nanoUsd: 10_000_000,
        },
      ],
      priceVersion: prices.version,
    });
    for (const part of [cost, cost?.lines, ...cost!.lines])
      expect(Object.isFrozen(part)).toBe(true);
  });

  it('takes the prices of now, unless it is told when', () => {
    const now = jest.spyOn(Date, 'now');
    const read = { cache_read_input_tokens: 10 };
    now.mockReturnValue(Date.parse('2026-10-06T23:59:59Z'));
    expect(costOf(read, 'claude-sonnet-5-5')?.nanoUsd).toBe(2_000);
    now.mockReturnValue(Date.parse('2026-10-07T00:00:00Z'));
    expect(costOf(read, 'claude-sonnet-5-5')?.nanoUsd).toBe(1_000);
    now.mockRestore();
  });

  it('has no price for a day that is none, nor without usage', () => {
    expect(costOf(usage, opus, { at: new Date(NaN) })).toBeNull();
    for (const nothing of [null, undefined, 7, 'x']) {
      expect(costOf(nothing as unknown as Usage, opus)).toBeNull();
    }
  });

  it('takes a table of prices, and says which one it was', () => {
    const own: PriceTable = { ...prices, version: 'own', batchFactor: 0.25 };
    const cost = costOf({ ...usage, service_tier: 'batch' }, opus, { at, prices: own });
    expect(cost).toMatchObject({ nanoUsd: 3_500_000, priceVersion: 'own' });
  });

  it('refuses a table that cannot be right', () => {
    const broken = { ...prices, webSearchUsd: -1 };
    expect(() => costOf(usage, opus, { prices: broken })).toThrow('webSearchUsd must be');
  });

  it.each(['constructor', '__proto__', 'toString', ''])('knows no model %j', (model) => {
    expect(costOf(usage, model, { at })).toBeNull();
  });
});

describe('a call', () => {
  it.each<[string, Partial<PricedCall>, string, number | null, string | null]>([
    ['that was answered', {}, 'priced', 14_000_000, null],
    ['that was cut', { outcome: 'aborted', outputEstimated: true }, 'estimated', 14_000_000, null],
    ['that failed in its stream', { outcome: 'error' }, 'priced', 14_000_000, null],
    ['that was refused after output', { ...refusal, hasOutput: true }, 'priced', 14_000_000, null],
    ['that was refused at once', refusal, 'free', 0, null],
    ['that was refused at once, untold', { ...refusal, usage: null }, 'free', 0, null],
    ['that got a 400', { outcome: 'error', status: 400, usage: null }, 'free', 0, null],
    ['that got a 529', { outcome: 'error', status: 529 }, 'free', 0, null],
    ['that timed out', { ...lost, mayHaveBilled: true }, 'unpriced', null, 'no_usage'],
    ['that was lost, who knows where', lost, 'unpriced', null, 'no_usage'],
    ['that was never sent', { ...lost, mayHaveBilled: false }, 'free', 0, null],
    ['that a budget blocked', { outcome: 'blocked', status: null, usage: null }, 'free', 0, null],
    ['whose answer told no usage', { usage: null }, 'unpriced', null, 'no_usage'],
    ['whose usage has no counts', { usage: { service_tier: null } }, 'unpriced', null, 'no_usage'],
    ['that counted tokens', { operation: 'count_tokens' }, 'free', 0, null],
    ['that created a batch', { operation: 'batches', usage: null }, 'free', 0, null],
    ['of another endpoint', { operation: 'other', usage: null }, 'free', 0, null],
    ['of another endpoint with usage', { operation: 'other' }, 'priced', 14_000_000, null],
    [
      'of a batch, whose tier says so',
      { operation: 'batch_results', usage: { ...usage, service_tier: 'batch' } },
      'priced',
      7_000_000,
      null,
    ],
    [
      'of a batch, which does not say so',
      { operation: 'batch_results', status: null },
      'priced',
      7_000_000,
      null,
    ],
    [
      'of a batch, expired',
      { operation: 'batch_results', outcome: 'error', usage: null, status: null },
      'free',
      0,
      null,
    ],
    [
      'of a batch, canceled',
      { operation: 'batch_results', outcome: 'cancelled', usage: null, status: null },
      'free',
      0,
      null,
    ],
    [
      'of a batch, without usage',
      { operation: 'batch_results', usage: null },
      'unpriced',
      null,
      'no_usage',
    ],
    [
      'in the Priority Tier',
      { usage: { ...usage, service_tier: 'priority' } },
      'unpriced',
      null,
      'priority_tier',
    ],
    ['before its model had a price', { at: 0 }, 'unpriced', null, 'no_price_for_date'],
    ['of an unknown model', { model: 'claude-opus-9' }, 'unpriced', null, 'unknown_model'],
    ['answered by another model', { servedModel: 'claude-haiku-5-5' }, 'priced', 350_000, null],
    ['answered by an unknown model', { servedModel: 'x' }, 'unpriced', null, 'unknown_model'],
    ['answered by who does not say', { servedModel: '' }, 'priced', 14_000_000, null],
  ])('%s: %j', (_, change, priceStatus, nanoUsd, unpricedReason) => {
    const priced = priceCall({ ...call, ...change });
    expect(priced).toMatchObject({ priceStatus, unpricedReason });
    expect(priced.cost?.nanoUsd ?? null).toBe(nanoUsd);
    expect(priced.estimated).toBe(priceStatus === 'estimated');
    expect(priced.tokens.output).toBe(
      priceStatus === 'free' || unpricedReason === 'no_usage' ? 0 : 500,
    );
  });

  it('refused at once pays what a compaction and an advisor did before', () => {
    const iterations = [
      { type: 'compaction', input_tokens: 1_000 },
      { type: 'message', input_tokens: 70, output_tokens: 1 },
    ];
    const priced = priceCall({ ...call, ...refusal, usage: { ...usage, iterations } });
    expect(priced).toMatchObject({ priceStatus: 'estimated', tokens: { uncachedInput: 1_000 } });
    expect(priced.cost?.nanoUsd).toBe(4_000_000);
  });

  it('that was cut pays its cache writes for as long as it asked', () => {
    const cut = { usage: { cache_creation_input_tokens: 10 }, cacheTtl: '1h' } as const;
    expect(priceCall({ ...call, ...cut }).cost?.nanoUsd).toBe(80_000);
  });

  it('names the model that has no price, in at most 128 characters', () => {
    const named = (model: string) => priceCall({ ...call, model }).unknownModel;
    expect(named(opus)).toBeNull();
    expect(named('x'.repeat(500))).toBe('x'.repeat(128));
    const iterations = [{ type: 'advisor_message', model: 'claude-opus-9', output_tokens: 500 }];
    expect(priceCall({ ...call, usage: { iterations } }).unknownModel).toBe('claude-opus-9');
  });
});
