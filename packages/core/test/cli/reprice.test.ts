/** Another table, another model: against each call priced on its own, before it was counted. */
import fc from 'fast-check';
import { createMonitor, costOf, memoryStore, prices } from '../../src/index.js';
import { repriceSpan } from '../../src/cli/reprice.js';
import { insteadOf } from '../../src/cli/whatif.js';
import type { PriceTable } from '../../src/prices.js';
import type { Usage } from '../../src/record.js';
import type { Store } from '../../src/stores/store.js';
import { AT, LATER } from './cli-fixture.js';

const DAY_MS = 86_400_000;
const SPAN = { from: AT - DAY_MS, to: AT + 2 * DAY_MS };
const MODELS = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-opus-4-8', 'claude-haiku-4-5'];

interface Made {
  readonly model: string;
  readonly at: number;
  readonly usage: Usage;
}

const tokens = fc.integer({ min: 0, max: 40_000 });
const call: fc.Arbitrary<Made> = fc
  .record({
    model: fc.constantFrom(...MODELS),
    minutes: fc.integer({ min: 0, max: 1_000 }),
    input: tokens,
    output: tokens,
    read: tokens,
    short: tokens,
    long: tokens,
    tier: fc.constantFrom('standard', 'batch'),
    geo: fc.constantFrom('us', 'global'),
    searches: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ model, minutes, input, output, read, short, long, tier, geo, searches }) => ({
    model,
    at: AT + minutes * 60_000,
    usage: {
      input_tokens: input,
      output_tokens: output,
      cache_read_input_tokens: read,
      cache_creation_input_tokens: short + long,
      cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
      server_tool_use: { web_search_requests: searches },
      service_tier: tier,
      inference_geo: geo,
    },
  }));

/** Every price 7 % up, but for web searches: prices that no model has. */
const NEWER: PriceTable = {
  ...prices,
  version: 'newer',
  models: Object.fromEntries(
    Object.entries(prices.models).map(([id, price]) => {
      const up = (usd: number) => Math.round(usd * 1.07 * 1e6) / 1e6;
      const periods = price.periods.map((each) => ({
        ...each,
        input: up(each.input),
        output: up(each.output),
        cacheRead: up(each.cacheRead),
        cacheWrite5m: up(each.cacheWrite5m),
        cacheWrite1h: up(each.cacheWrite1h),
        tiers: each.tiers.map((tier) => ({
          ...tier,
          input: up(tier.input),
          output: up(tier.output),
        })),
      }));
      return [id, { ...price, periods }];
    }),
  ),
};

async function storeOf(calls: readonly Made[], table?: PriceTable): Promise<Store> {
  const store = memoryStore();
  const clock = { now: () => AT + DAY_MS, monotonic: () => 0 };
  const monitor = createMonitor({ store, log: false, clock, prices: table, onNotice() {} });
  for (const each of calls) monitor.record({ ...each, userId: 'ada', feature: 'summarise' });
  await monitor.snapshot();
  await monitor.close();
  return store;
}

function oracle(calls: readonly Made[], table: PriceTable, model?: string): bigint {
  return calls.reduce((sum, each) => {
    const at = new Date(model === undefined ? each.at : LATER);
    const cost = costOf(each.usage, model ?? each.model, { at, prices: table });
    return sum + BigInt(cost?.nanoUsd ?? 0);
  }, 0n);
}

const sum = (amounts: readonly bigint[]) => amounts.reduce((all, each) => all + each, 0n);
/** Half a nano-dollar for each line of each call: each was rounded on its own. */
const near = (a: bigint, b: bigint, calls: number) =>
  (a > b ? a - b : b - a) * 2n <= BigInt(calls * 6);

it('costs at a newer table what each call would have cost, to half a nano-dollar a line', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 30 }), async (calls) => {
      const rows = await repriceSpan(await storeOf(calls), SPAN, NEWER);
      const now = sum(rows.map((row) => row.now));
      expect(near(now, oracle(calls, NEWER), calls.length)).toBe(true);
      expect(sum(rows.map((row) => row.recorded))).toBe(oracle(calls, prices));
      expect(sum(rows.map((row) => row.atMost))).toBe(now);
    }),
    { numRuns: 40 },
  );
});

it('leaves every nano-dollar where the table is the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 30 }), async (calls) => {
      const rows = await repriceSpan(await storeOf(calls), SPAN, prices);
      for (const row of rows) expect(row.now).toBe(row.recorded);
    }),
    { numRuns: 25 },
  );
});

it('costs from another model what each call would have cost from it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 20 }), async (calls) => {
      const asked = { model: 'claude-sonnet-5-5', table: prices, at: LATER };
      const rows = await insteadOf(await storeOf(calls), SPAN, asked);
      const instead = sum(rows.map((row) => row.instead));
      expect(near(instead, oracle(calls, prices, 'claude-sonnet-5-5'), calls.length)).toBe(true);
      expect(sum(rows.map((row) => row.cost))).toBe(oracle(calls, prices));
    }),
    { numRuns: 25 },
  );
});

const HAIKU = 'claude-haiku-5-5';
const SHORT: Made = { model: HAIKU, at: AT, usage: { input_tokens: 50_000, output_tokens: 1_000 } };
const LONG: Made = { model: HAIKU, at: AT, usage: { input_tokens: 150_000, output_tokens: 500 } };

it('tells long prompts from short ones by the money that was recorded', async () => {
  const calls = [SHORT, LONG, SHORT];
  const [row] = await repriceSpan(await storeOf(calls), SPAN, NEWER);
  expect(row?.now).toBe(oracle(calls, NEWER));
  expect(row?.atMost).toBe(row?.now);
});

it('gives a least and a most where nothing tells how long prompts were', async () => {
  const calls = [
    { ...LONG, model: 'claude-opus-5-5' },
    { ...SHORT, model: 'claude-opus-5-5' },
  ];
  const [row] = await insteadOf(await storeOf(calls), SPAN, {
    model: HAIKU,
    table: prices,
    at: LATER,
  });
  const exact = oracle(calls, prices, HAIKU);
  expect(row?.instead).toBeLessThan(exact);
  expect(row?.atMost).toBeGreaterThan(exact);
  const [short] = await insteadOf(await storeOf([{ ...SHORT, model: 'claude-opus-5-5' }]), SPAN, {
    ...{ model: HAIKU, table: prices, at: LATER },
  });
  expect(short?.instead).toBe(oracle([SHORT], prices, HAIKU));
  expect(short?.atMost).toBe(short?.instead);
});

it('prices what had no price, and leaves the Priority Tier to its contract', async () => {
  const late = { model: 'claude-new-1', at: AT, usage: { input_tokens: 10, output_tokens: 4 } };
  const priority = {
    ...late,
    model: 'claude-opus-5-5',
    usage: { ...late.usage, service_tier: 'priority' },
  };
  const opus = prices.models['claude-opus-5-5'];
  if (!opus) throw new Error('opus');
  const table = { ...prices, models: { ...prices.models, 'claude-new-1': opus } };
  const rows = await repriceSpan(await storeOf([late, priority]), SPAN, table);
  const byModel = Object.fromEntries(rows.map((row) => [row.model, row]));
  expect(byModel['claude-new-1']).toMatchObject({
    recorded: 0n,
    now: 120_000n,
    loose: 14n,
    unpriced: 0n,
  });
  expect(byModel['claude-opus-5-5']).toMatchObject({ now: 0n, loose: 14n, unpriced: 14n });
});
