/** What holds of the cost of any usage; and the rules once more, as an oracle in integers. */
import fc from 'fast-check';
import { costOf, priceCall } from '../src/pricing.js';
import { prices } from '../src/prices.js';
import type { Cost, Usage } from '../src/record.js';

const at = new Date('2026-11-23T12:00:00Z');
const opus = 'claude-opus-5-5';
const answered = {
  servedModel: null,
  at: at.getTime(),
  prices,
  operation: 'messages',
  outcome: 'ok',
  status: 200,
  stopReason: 'end_turn',
  hasOutput: true,
} as const;

/** Nano-dollars a token: input, cache read, writes for 5 minutes and an hour, output. */
const rates = {
  [opus]: [4_000, 200, 5_000, 8_000, 20_000],
  'claude-sonnet-5-5': [2_000, 100, 2_500, 4_000, 10_000],
  'claude-haiku-5-5': [100, 10, 125, 200, 500],
  'claude-haiku-4-5': [1_000, 100, 1_250, 2_000, 5_000],
} as const;
type Name = keyof typeof rates;

interface Turn {
  readonly model: Name;
  readonly counts: readonly number[];
}

interface Bill {
  readonly turns: readonly Turn[];
  readonly fast: boolean;
  readonly us: boolean;
  readonly batch: boolean;
  readonly searches: number;
}

const count = fc.oneof(fc.nat(10), fc.nat(150_000), fc.nat(1_000_000_000));
const bills: fc.Arbitrary<Bill> = fc.record({
  turns: fc.array(
    fc.record({
      model: fc.constantFrom(...(Object.keys(rates) as Name[])),
      counts: fc.array(count, { minLength: 5, maxLength: 5 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  fast: fc.boolean(),
  us: fc.boolean(),
  batch: fc.boolean(),
  searches: fc.nat(20),
});

/** As the API would send it: one turn at the top level, more of them as advisors' iterations. */
function costOfBill({ turns, fast, us, batch, searches }: Bill): Cost | null {
  const sent = turns.map(({ model, counts: [input, read, short = 0, long = 0, output] }, i) => ({
    type: i === 0 ? 'message' : 'advisor_message',
    model,
    input_tokens: input!,
    cache_read_input_tokens: read!,
    cache_creation_input_tokens: short + long,
    cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
    output_tokens: output!,
  }));
  const { model, ...top } = sent[0]!;
  return costOf(
    {
      ...top,
      iterations: sent.length > 1 ? sent : null,
      speed: fast && model === opus ? 'fast' : 'standard',
      inference_geo: us ? 'us' : 'global',
      service_tier: batch ? 'batch' : 'standard',
      server_tool_use: { web_search_requests: searches },
    },
    model,
    { at },
  );
}

/** The rules once more, in integers: a rate is `n / 20` nano-dollars. */
function exactly({ turns, fast, us, batch, searches }: Bill): bigint {
  const lines = new Map<string, { quantity: bigint; n: bigint }>();
  const quick = fast && !batch && turns[0]?.model === opus;
  for (const { model, counts } of turns) {
    const size = counts.slice(0, 4).reduce((sum, tokens) => sum + tokens, 0);
    const tier = model === 'claude-haiku-5-5' && size > 100_000 ? 5 : 1;
    const american = us && model !== 'claude-haiku-4-5';
    const times = tier * (quick && model === opus ? 2 : 1) * (american ? 11 : 10) * (batch ? 1 : 2);
    counts.forEach((tokens, i) => {
      const n = BigInt(rates[model][i]! * times);
      const line = lines.get(`${model} ${i} ${n}`) ?? { quantity: 0n, n };
      line.quantity += BigInt(tokens);
      lines.set(`${model} ${i} ${n}`, line);
    });
  }
  const sums = [...lines.values()].map(({ quantity, n }) => (2n * quantity * n + 20n) / 40n);
  return sums.reduce((total, sum) => total + sum, BigInt(searches) * 10_000_000n);
}

it('the cost is exact to the nano-dollar, and the sum of its lines', () => {
  const property = fc.property(bills, (bill) => {
    const cost = costOfBill(bill);
    expect(cost?.nanoUsd).toBe(Number(exactly(bill)));
    expect(cost?.usd).toBe(cost!.nanoUsd / 1e9);
    expect(cost?.lines.reduce((sum, line) => sum + line.nanoUsd, 0)).toBe(cost?.nanoUsd);
  });
  fc.assert(property, { numRuns: 500 });
});

it('more of anything never costs less', () => {
  const property = fc.property(bills, fc.nat(4), fc.nat(6), count, (bill, turn, each, more) => {
    const turns: readonly Turn[] = bill.turns.map(({ model, counts }, t) => ({
      model,
      counts: counts.map((tokens, i) =>
        t === turn % bill.turns.length && i === each ? tokens + more : tokens,
      ),
    }));
    const searches = bill.searches + (each > 4 ? more % 100 : 0);
    const cost = costOfBill({ ...bill, turns, searches });
    expect(cost!.nanoUsd).toBeGreaterThanOrEqual(costOfBill(bill)!.nanoUsd);
  });
  fc.assert(property, { numRuns: 500 });
});

/** What `usage` is made of, so that nonsense stands where numbers and objects are expected. */
const names = `input_tokens output_tokens cache_read_input_tokens cache_creation_input_tokens type
  cache_creation ephemeral_1h_input_tokens ephemeral_5m_input_tokens server_tool_use status model
  web_search_requests output_tokens_details thinking_tokens service_tier speed inference_geo
  iterations fallback_credit`.split(/\s+/);

it('nothing throws, and no cost is negative or no number, whatever was sent', () => {
  const junk = fc.oneof(
    fc.jsonValue(),
    fc.anything({ withBigInt: true, withSparseArray: true }),
    fc.double(),
    fc.maxSafeInteger(),
  );
  const object = (value: fc.Arbitrary<unknown>) => fc.dictionary(fc.constantFrom(...names), value);
  const deep = object(fc.oneof(junk, object(junk), fc.array(object(junk))));
  const property = fc.property(fc.oneof(junk, deep), fc.string(), (sent, name) => {
    for (const model of [opus, name]) {
      const priced = priceCall({ ...answered, usage: sent as Usage, model });
      const cost = costOf(sent as Usage, model, { at });
      const numbers = [cost?.nanoUsd, priced.cost?.nanoUsd, ...Object.values(priced.tokens)];
      const wrong = numbers.filter((n) => n !== undefined && !(Number.isSafeInteger(n) && n >= 0));
      expect(wrong).toEqual([]);
    }
  });
  fc.assert(property, { numRuns: 500 });
});
