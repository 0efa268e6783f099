/**
 * The billing rules, with the numbers worked out by hand. A row is
 *
 *     rule: model [day] what the API reports
 *       what it reports of an iteration, if there are any
 *     = the cost lines, quantity × nano-dollars for one = their sum
 *
 * `≈`: a quantity was assumed. The day is 2026-11-23 (UTC) unless it is told. `writes`: cache writes
 * in all, where they differ from the sum of `5m` and `1h`. 1,000 nano-dollars a token are 1 USD per
 * 1,000,000 tokens.
 */
import { costOf, priceCall } from '../src/pricing.js';
import { prices } from '../src/prices.js';
import type { CostClass, Usage } from '../src/record.js';

const RULES = {
  tokens: `
input and output have their own rates: claude-opus-5-5 in 1000 out 500
= in 1000 × 4000 + out 500 × 20000 = 14000000
cached tokens are billed beside the input: claude-opus-5-5 in 100 read 100 5m 100 1h 100 out 100
= in 100 × 4000 + read 100 × 200 + 5m 100 × 5000 + 1h 100 × 8000 + out 100 × 20000 = 3720000
thinking is a part of the output, not added to it: claude-opus-5-5 out 500 thinking 400
= out 500 × 20000 = 10000000
nothing costs nothing: claude-opus-5-5 in 0 out 0
=  = 0
half a nano-dollar is rounded up: claude-haiku-5-5 5m 3 us
= 5m 3 × 137.5 = 413
less than half is rounded down: claude-haiku-5-5 5m 3 us batch
= 5m 3 × 68.75 = 206
each line is rounded, not the sum: claude-haiku-5-5 read 1 5m 1 us batch
= read 1 × 5.5 + 5m 1 × 68.75 = 75
cache writes of unknown lifetime are for 5 minutes: claude-opus-5-5 writes 100
= 5m 100 × 5000 ≈ 500000
what exceeds the split has its lifetime, if it has but one: claude-opus-5-5 1h 10 writes 45
= 1h 45 × 8000 ≈ 360000
what exceeds a split of both is for 5 minutes: claude-opus-5-5 5m 10 1h 20 writes 45
= 5m 25 × 5000 + 1h 20 × 8000 ≈ 285000
a split beyond the total counts: claude-opus-5-5 5m 10 1h 20 writes 0
= 5m 10 × 5000 + 1h 20 × 8000 = 210000`,

  multipliers: `
fast mode doubles every class: claude-opus-5-5 fast in 100 read 100 5m 100 1h 100 out 100
= in 100 × 8000 + read 100 × 400 + 5m 100 × 10000 + 1h 100 × 16000 + out 100 × 40000 = 7440000
US inference adds a tenth to every class: claude-opus-5-5 us in 100 read 100 5m 100 1h 100 out 100
= in 100 × 4400 + read 100 × 220 + 5m 100 × 5500 + 1h 100 × 8800 + out 100 × 22000 = 4092000
fast mode and US inference multiply: claude-opus-5-5 fast us in 100 read 100 5m 100 1h 100 out 100
= in 100 × 8800 + read 100 × 440 + 5m 100 × 11000 + 1h 100 × 17600 + out 100 × 44000 = 8184000
a batch halves every class: claude-opus-5-5 batch in 100 read 100 5m 100 1h 100 out 100
= in 100 × 2000 + read 100 × 100 + 5m 100 × 2500 + 1h 100 × 4000 + out 100 × 10000 = 1860000
a batch and US inference multiply: claude-opus-5-5 batch us read 100
= read 100 × 110 = 11000
standard speed and tier, worldwide, change nothing: claude-opus-5-5 slow standard global in 1
= in 1 × 4000 = 4000
a batch is never fast: claude-opus-5-5 fast batch in 1
= in 1 × 2000 ≈ 2000
fast mode was six times the price: claude-opus-4-7 2026-07-23 fast in 1
= in 1 × 30000 = 30000
models before 4.6 know no US inference: claude-haiku-4-5 us in 1
= in 1 × 1000 = 1000
a web search costs a cent, a fetch nothing: claude-opus-5-5 in 1 search 3 fetch 7
= in 1 × 4000 + search 3 × 10000000 = 30004000
no multiplier applies to a search: claude-opus-5-5 fast us in 1 search 1
= in 1 × 8800 + search 1 × 10000000 = 10008800
not even the batch's: claude-opus-5-5 batch out 1 search 1
= out 1 × 10000 + search 1 × 10000000 = 10010000`,

  'prompt sizes': `
at 100,000 tokens: claude-haiku-5-5 in 100000 out 10
= in 100000 × 100 + out 10 × 500 = 10005000
above 100,000 tokens the whole request, output included: claude-haiku-5-5 in 100001 out 10
= in 100001 × 500 + out 10 × 2500 = 50025500
output does not count into the size: claude-haiku-5-5 in 1 out 100000
= in 1 × 100 + out 100000 × 500 = 50000100
cached tokens at the limit: claude-haiku-5-5 in 1 read 49999 5m 30000 1h 20000 out 10
= in 1 × 100 + read 49999 × 10 + 5m 30000 × 125 + 1h 20000 × 200 + out 10 × 500 = 8255090
cached tokens count into the size: claude-haiku-5-5 in 1 read 50000 5m 30000 1h 20000 out 10
= in 1 × 500 + read 50000 × 50 + 5m 30000 × 625 + 1h 20000 × 1000 + out 10 × 2500 = 41275500
a tier and a batch multiply: claude-haiku-5-5 batch in 100001 out 10
= in 100001 × 250 + out 10 × 1250 = 25012750
at 200,000 tokens: claude-opus-4-6 2026-03-12 in 200000 out 10
= in 200000 × 5000 + out 10 × 25000 = 1000250000
above 200,000 tokens: claude-opus-4-6 2026-03-12 in 200001 out 10
= in 200001 × 10000 + out 10 × 37500 = 2000385000
the day that tier was given up: claude-opus-4-6 2026-03-13 in 200001 out 10
= in 200001 × 5000 + out 10 × 25000 = 1000255000
each iteration has its own size: claude-haiku-5-5
  message in 100001 out 1
  message in 100000 out 1
= in 100001 × 500 + out 1 × 2500 + in 100000 × 100 + out 1 × 500 = 60003500`,

  'cache reads and days': `
a read is 0.1 × the input: claude-opus-5 read 10
= read 10 × 500 = 5000
0.1: claude-sonnet-5 read 10
= read 10 × 200 = 2000
0.05: claude-opus-5-5 read 10
= read 10 × 200 = 2000
0.025: claude-fable-5-1 read 10
= read 10 × 250 = 2500
0.025: claude-fable-5-2 read 10
= read 10 × 200 = 2000
0.1 on the day before the cut: claude-sonnet-5-5 2026-10-06 read 10
= read 10 × 200 = 2000
0.05 on the day of the cut: claude-sonnet-5-5 2026-10-07 read 10
= read 10 × 100 = 1000
0.12, and a write of 1.2: claude-3-haiku-20240307 2026-04-19 read 10 5m 10 1h 10
= read 10 × 30 + 5m 10 × 300 + 1h 10 × 500 = 8300`,

  iterations: `
a compaction stands in the iterations alone: claude-opus-4-6 in 682 out 1320
  compaction in 60385 out 592
  message in 682 out 1320
= in 61067 × 5000 + out 1912 × 25000 = 353135000
in fast mode and the US, too: claude-opus-5-5 fast us in 23000 out 1000
  compaction in 180000 out 3500
  message in 23000 out 1000
= in 203000 × 8800 + out 4500 × 44000 = 1984400000
an advisor has a model of its own: claude-sonnet-4-6 in 2414 out 3200
  message in 1051 out 35
  advisor_message claude-opus-4-7 in 2728 out 874
  message in 1363 out 3165
= in 2414 × 3000 + out 3200 × 15000 + claude-opus-4-7 in 2728 × 5000
 + claude-opus-4-7 out 874 × 25000 = 90732000
an advisor without fast mode is not fast: claude-opus-5-5 fast out 1
  message out 1
  advisor_message claude-sonnet-5 out 1
= out 1 × 40000 + claude-sonnet-5 out 1 × 10000 ≈ 50000
what was declined before a fallback is not charged: claude-fable-5 in 412 out 264
  message claude-fable-5 in 408 out 0
  fallback_message claude-opus-4-8 in 412 out 264
= claude-opus-4-8 in 412 × 5000 + claude-opus-4-8 out 264 × 25000 = 8660000
what had written before a fallback is charged: claude-fable-5 in 420 out 250
  message claude-fable-5 in 408 out 12
  fallback_message claude-opus-4-8 in 420 out 250
= in 408 × 10000 + out 12 × 50000 + claude-opus-4-8 in 420 × 5000
 + claude-opus-4-8 out 250 × 25000 = 13030000
a turn without output is charged where nothing fell back: claude-opus-5-5
  message in 10 out 0
= in 10 × 4000 = 40000
searches are counted once, for the call: claude-opus-5-5 search 2
  message in 1
= in 1 × 4000 + search 2 × 10000000 = 20004000`,

  'no price': `
the Priority Tier is paid by contract: claude-opus-5-5 priority in 1
unpriced: priority_tier
an unknown model: claude-opus-9 in 1
unpriced: unknown_model
a name that begins like a known one: claude-sonnet-5-5-next in 1
unpriced: unknown_model
an advisor's unknown model: claude-opus-5-5 in 1
  message in 1
  advisor_message claude-opus-9 in 1
unpriced: unknown_model
the day before the first price: claude-sonnet-5-5 2026-09-27 in 1
unpriced: no_price_for_date
the day a model was retired: claude-3-haiku-20240307 2026-04-20 in 1
unpriced: no_price_for_date
the day fast mode was taken away: claude-opus-4-7 2026-07-24 fast in 1
unpriced: no_price_for_date
a fast answer of a model without fast mode: claude-sonnet-5 fast in 1
unpriced: no_price_for_date`,
};

const WORDS: Record<CostClass, string> = {
  uncachedInput: 'in',
  cacheRead: 'read',
  cacheWrite5m: '5m',
  cacheWrite1h: '1h',
  output: 'out',
  webSearch: 'search',
};

interface Rule {
  readonly rule: string;
  readonly model: string;
  readonly day: string;
  readonly usage: Usage;
  readonly expected: string;
}

const ROW = /(.+): (\S+)( \d{4}\S+)?(.*)\n((?: .*\n)*)(=.*|unpriced.*)/g;

function rulesOf(text: string): Rule[] {
  const rows = [...text.replaceAll('\n +', ' +').matchAll(ROW)];
  if (rows.length !== text.match(/^(=|unpriced)/gm)?.length) throw new Error('a row is misspelt');
  return rows.map(
    ([, rule = '', model = '', day = ' 2026-11-23', words = '', turns, expected = '']) => {
      const iterations = turns ? turns.trim().split('\n').map(usageOf) : null;
      return { rule, model, day: day.trim(), usage: { ...usageOf(words), iterations }, expected };
    },
  );
}

function usageOf(text: string): Usage {
  const words = text.trim().split(/\s+/);
  const has = (word: string) => words.includes(word);
  const number = (word: string) => (has(word) ? Number(words[words.indexOf(word) + 1]) : undefined);
  const short = number('5m') ?? 0;
  const long = number('1h') ?? 0;
  const usage = {
    type: words.find((word) => /^(message|compaction|\w+_message)$/.test(word)),
    model: words.find((word) => word.startsWith('claude-')),
    input_tokens: number('in'),
    output_tokens: number('out'),
    output_tokens_details: { thinking_tokens: number('thinking') },
    cache_read_input_tokens: number('read'),
    cache_creation_input_tokens: number('writes') ?? short + long,
    cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
    server_tool_use: { web_search_requests: number('search'), web_fetch_requests: number('fetch') },
    speed: has('fast') ? 'fast' : has('slow') ? 'standard' : undefined,
    inference_geo: ['us', 'global'].find(has),
    service_tier: ['batch', 'standard', 'priority'].find(has),
  };
  return JSON.parse(JSON.stringify(usage)) as Usage;
}

describe.each(Object.entries(RULES))('%s:', (_, text) => {
  it.each(rulesOf(text))('$rule ($model $day)', ({ model, day, usage, expected }) => {
    const at = new Date(`${day}T23:59:59.999Z`);
    const { cost, priceStatus, unpricedReason } = priceCall({
      usage,
      model,
      servedModel: null,
      at: at.getTime(),
      prices,
      operation: 'messages',
      outcome: 'ok',
      status: 200,
      stopReason: 'end_turn',
      hasOutput: true,
    });
    const lines = cost?.lines.map((line) => {
      const whose = line.model === model ? '' : `${line.model} `;
      return `${whose}${WORDS[line.class]} ${line.quantity} × ${line.nanoUsdPerUnit}`;
    });
    const sum = `${priceStatus === 'estimated' ? '≈' : '='} ${cost?.nanoUsd}`;
    const got = cost ? `= ${lines?.join(' + ')} ${sum}` : `${priceStatus}: ${unpricedReason}`;
    expect(got).toBe(expected);
    expect(costOf(usage, model, { at })).toEqual(cost);
  });
});
