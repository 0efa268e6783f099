/**
 * A command line that runs in this process, an organization that the simulator bills, and rates written
 * down by hand, so that no test compares the price table with itself.
 */
import Anthropic from '@anthropic-ai/sdk';
import {
  createSimulator,
  type BilledCost,
  type BilledUsage,
  type SimulatedUsage,
  type Simulator,
} from '@claude-metrics/testing';
import { run } from '../../src/cli/main.js';
import { createMonitor, memoryStore, type Monitor } from '../../src/index.js';
import { repository } from '../sources.js';
import type { Store } from '../../src/stores/store.js';

export const DAY = '2026-11-20';
export const AT = Date.parse(`${DAY}T10:00:00Z`);
/** Four days later: the span of a test is over. */
export const LATER = Date.parse('2026-11-24T09:00:00Z');
export const ADMIN_KEY = 'sk-ant-admin01-of-a-test';

/** USD per million: input, cache read, write 5 min, write 1 h, output. */
const RATES: Readonly<Record<string, readonly [number, number, number, number, number]>> = {
  'claude-opus-5-5': [4, 0.2, 5, 8, 20],
  'claude-sonnet-5-5': [2, 0.1, 2.5, 4, 10],
};
const TOKEN_TYPES = [
  'uncached_input_tokens',
  'cache_read_input_tokens',
  'cache_creation.ephemeral_5m_input_tokens',
  'cache_creation.ephemeral_1h_input_tokens',
  'output_tokens',
] as const;

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process. */
export async function ran(
  argv: readonly string[],
  more: { env?: Record<string, string>; now?: number; cwd?: string } = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await run(argv, {
    cwd: more.cwd ?? repository,
    env: more.env ?? {},
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    now: () => more.now ?? LATER,
    fetch,
  });
  return { code, out, err };
}

export interface Organization {
  readonly simulator: Simulator;
  readonly store: Store;
  readonly monitor: Monitor;
  /** What the simulator has served, by the key that asked. */
  readonly usage: BilledUsage[];
  /** Moves the clock of the application, and of the bill. */
  at: number;
  client(observed: boolean, key?: string): Anthropic;
  /** Writes the bill: what was served, as `change` would have it. */
  bill(change?: (line: BilledUsage) => BilledUsage | null, rate?: RateOf): void;
  close(): Promise<void>;
}

/** USD per million of a line and class; `null`: as on the list. */
export type RateOf = (line: BilledUsage, tokenType: string) => number | null;

/** An application with one observed client, whose calls the simulator bills at list prices. */
export async function organization(store: Store = memoryStore()): Promise<Organization> {
  const simulator = await createSimulator();
  const clock = { now: () => org.at, monotonic: () => performance.now() };
  const monitor = createMonitor({ store, log: false, instrument: false, clock, onNotice() {} });
  let calls = 0;
  simulator.respond(({ method, headers, body }) => {
    if (method !== 'POST') return {};
    calls += 1;
    const usage: SimulatedUsage = {
      input_tokens: 1_000 + 7 * calls,
      output_tokens: 300 + 3 * calls,
      cache_read_input_tokens: 5_000 + calls,
      cache_creation_input_tokens: 900,
      cache_creation: { ephemeral_5m_input_tokens: 600, ephemeral_1h_input_tokens: 300 },
      service_tier: 'standard',
      inference_geo: 'global',
    };
    const { model } = body as { model: string };
    const key = headers['x-api-key'] ?? headers['authorization']?.replace('Bearer ', '') ?? '';
    org.usage.push({ at: org.at, model, usage, apiKeyId: `apikey_${key}` });
    return { usage };
  });
  const org: Organization = {
    simulator,
    store,
    monitor,
    usage: [],
    at: AT,
    client(observed, key = 'app') {
      const client = new Anthropic({ apiKey: key, baseURL: simulator.url });
      return observed ? monitor.observe(client) : client;
    },
    bill(change = (line) => line, rate = () => null) {
      const usage = org.usage.map(change).filter((line) => line !== null);
      simulator.bill({ usage, costs: usage.flatMap((line) => costsOf(line, rate)) });
    },
    async close() {
      await monitor.close();
      await simulator.close();
    },
  };
  return org;
}

export async function ask(client: Anthropic, model = 'claude-opus-5-5', times = 1): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    const messages = [{ role: 'user' as const, content: 'How are you?' }];
    await client.messages.create({ model, max_tokens: 2_000, messages });
  }
}

function costsOf(line: BilledUsage, rate: RateOf): BilledCost[] {
  const { usage, model, at } = line;
  const split = usage.cache_creation;
  const quantities = [
    usage.input_tokens ?? 0,
    usage.cache_read_input_tokens ?? 0,
    split?.ephemeral_5m_input_tokens ?? 0,
    split?.ephemeral_1h_input_tokens ?? 0,
    usage.output_tokens ?? 0,
  ];
  const factor = line.serviceTier === 'batch' ? 0.5 : 1;
  return TOKEN_TYPES.map((tokenType, i) => {
    const usd = rate(line, tokenType) ?? (RATES[model]?.[i] ?? 0) * factor;
    // USD per million × tokens, in cents with seven places: whole nano-dollars.
    const nano = BigInt(Math.round(usd * 1_000_000)) * BigInt(quantities[i] ?? 0);
    const digits = (nano / 1_000n).toString().padStart(8, '0');
    return {
      at,
      model,
      tokenType,
      cents: `${digits.slice(0, -7)}.${digits.slice(-7)}`,
      serviceTier: line.serviceTier ?? 'standard',
      inferenceGeo: line.inferenceGeo ?? 'global',
    };
  });
}
