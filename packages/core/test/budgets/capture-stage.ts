/**
 * A monitor with budgets, a client of the real SDK, and the server they talk to; time stands still
 * until a test lets it pass.
 *
 * The prices are round: with `DEAR` 1,000 tokens of output cost 5 cents, with `CHEAP` one cent, and
 * input costs nothing, so that a call holds exactly what its `max_tokens` say.
 */
import {
  createSimulator,
  type Answer,
  type Responder,
  type Simulator,
} from '@claude-metrics/testing';
import type { BudgetEvent, BudgetReport, BudgetScopeReport } from '../../src/budget.js';
import type { HealthReport } from '../../src/health.js';
import { createMonitor, type Monitor } from '../../src/monitor.js';
import type { MonitorOptions } from '../../src/monitor-options.js';
import type { ModelPrice, PriceTable } from '../../src/prices.js';
import type { CallRecord } from '../../src/record.js';
import { WAYS, type Way } from '../capture/run.js';
import type { Client, ClientOptions, Sdk } from '../capture/sdk.js';

export const NOON = Date.UTC(2026, 10, 23, 12);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DEAR = 'claude-dear';
export const CHEAP = 'claude-cheap';
export const UNPRICED = 'claude-unpriced';

/** USD of one thousand tokens of output. */
const PER_THOUSAND = { [DEAR]: 0.05, [CHEAP]: 0.01 };

export const PRICES: PriceTable = {
  version: 'round',
  batchFactor: 0.5,
  webSearchUsd: 0.01,
  sources: {},
  models: Object.fromEntries(
    Object.entries(PER_THOUSAND).map(([model, usd]) => [model, priceOf(usd * 1_000)]),
  ),
};

function priceOf(output: number): ModelPrice {
  const rates = { input: 0, output, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
  const period = { from: null, to: null, ...rates, tiers: [], sources: [], confidence: 'test' };
  return { aliases: [], usMultiplier: null, fast: null, periods: [period] };
}

export const ASK = {
  model: DEAR,
  max_tokens: 1_000,
  messages: [{ role: 'user' as const, content: 'What is the capital of France?' }],
};
export const STREAM = { ...ASK, stream: true } as const;

/** An answer with this many tokens of output. */
export function spends(outputTokens: number, more: Answer = {}): Answer {
  return { ...more, usage: { input_tokens: 10, output_tokens: outputTokens, ...more.usage } };
}

/** A thousand tokens, as much as `ASK` holds. */
export const WHOLE = spends(1_000);

export interface Stage {
  readonly client: Client;
  readonly monitor: Monitor;
  readonly simulator: Simulator;
  readonly records: readonly CallRecord[];
  readonly events: readonly BudgetEvent[];
  readonly notices: readonly string[];
  /** Ends the attempts that wait for headers as the SDK's own timeout would. */
  timeOut(): void;
  /** Lets this much time pass, and looks at the calls under way. Milliseconds. */
  pass(ms: number): Promise<void>;
  /** Sets the time of day; the other clock never jumps. */
  set(at: number): void;
  report(budget: string): Promise<BudgetReport>;
  /** Money of one scope of a budget; zeros where there is none yet. */
  money(budget: string, scope?: string | null): Promise<Money>;
  /** Resolves when the server has answered everything, and what follows from that has happened. */
  quiet(): Promise<void>;
  /** Of all budgets, in USD. */
  held(): Promise<number>;
  health(): HealthReport;
}

export type Money = Omit<BudgetScopeReport, 'scope' | 'limitUsd' | 'used' | 'refusedCalls'>;

export interface StageOptions extends MonitorOptions {
  readonly client?: ClientOptions;
  /** Default: `WHOLE`. */
  readonly respond?: Responder;
  /** Default `observe()`. */
  readonly way?: Way;
  /** Faults of ours that are expected; default none. */
  readonly faults?: readonly string[];
}

/** Runs a test on a stage of its own. Afterwards nothing is held, and nothing of ours went wrong. */
export async function onStage(
  Anthropic: Sdk,
  { client: clientOptions, respond = WHOLE, way = WAYS[0]!, faults = [], ...options }: StageOptions,
  act: (stage: Stage) => Promise<unknown>,
): Promise<void> {
  const simulator = await createSimulator({ respond });
  let now = NOON;
  let passed = 0;
  const records: CallRecord[] = [];
  const events: BudgetEvent[] = [];
  const notices: string[] = [];
  const monitor = createMonitor({
    log: false,
    prices: PRICES,
    onError() {},
    onNotice: (text) => void notices.push(text),
    clock: { now: () => now, monotonic: () => passed },
    ...options,
  });
  monitor.on({
    name: 'test',
    record: (call) => void records.push(call),
    budget: (event) => void events.push(event),
  });
  const waiting = new Set<AbortController>();
  const client = new Anthropic({
    apiKey: 'sk-ant-test',
    baseURL: simulator.url,
    logLevel: 'off',
    async fetch(url, init) {
      const timeout = new AbortController();
      const signals = [timeout.signal, ...(init?.signal ? [init.signal] : [])];
      waiting.add(timeout);
      try {
        return await fetchOfThisRealm(url, { ...init, signal: AbortSignal.any(signals) });
      } finally {
        waiting.delete(timeout);
      }
    },
    ...clientOptions,
  });
  shortenPauses(client);
  way.observe(monitor, client);

  const report = async (budget: string): Promise<BudgetReport> => {
    const { budgets } = await monitor.snapshot();
    return budgets.find(({ name }) => name === budget)!;
  };
  const stage: Stage = {
    ...{ client, monitor, simulator, records, events, notices, report },
    timeOut() {
      for (const timeout of waiting) timeout.abort();
    },
    async pass(ms) {
      now += ms;
      passed += ms;
      await monitor.snapshot();
    },
    set(at) {
      now = at;
    },
    async money(budget, scope = null) {
      const { scopes } = await report(budget);
      const found = scopes.find((each) => each.scope === scope);
      const { spentUsd = 0, heldUsd = 0, uncertainUsd = 0 } = found ?? {};
      const { overrunUsd = 0, unpricedCalls = 0 } = found ?? {};
      return { spentUsd, heldUsd, uncertainUsd, overrunUsd, unpricedCalls };
    },
    async quiet() {
      await simulator.idle();
      await turns(5);
    },
    async held() {
      const { budgets } = await monitor.snapshot();
      const held = budgets.flatMap(({ scopes }) => scopes.map(({ heldUsd }) => heldUsd));
      return held.reduce((sum, usd) => sum + usd, 0);
    },
    health: () => monitor.health(),
  };
  try {
    await act(stage);
    await monitor.close();
    expect(await stage.held()).toBe(0);
    expect(Object.keys(monitor.health().faults)).toEqual(faults);
  } finally {
    await monitor.close();
    await simulator.close();
  }
}

/** What the end of a body brings about comes a few turns after it. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The SDK waits half a second and more before a retry that no header speaks of. */
export function shortenPauses(client: Client): void {
  const paused = client as unknown as { calculateDefaultRetryTimeoutMillis: unknown };
  expect(paused.calculateDefaultRetryTimeoutMillis).toBeInstanceOf(Function);
  paused.calculateDefaultRetryTimeoutMillis = () => 1;
}

/** Jest runs tests in a realm of its own, where Node's DOMException is no Error; SDK 0.103 asks. */
export async function fetchOfThisRealm(...args: Parameters<typeof fetch>): Promise<Response> {
  try {
    return await fetch(...args);
  } catch (error) {
    if (error instanceof Error) throw error;
    const { name, message } = error as Error;
    throw Object.assign(new Error(message, { cause: error }), { name });
  }
}

/** What a call that must fail throws. */
export async function errorOf(run: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error('It did not fail.');
}

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const events: T[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** The pauses of the SDK between attempts, as short as they can be. */
export function soon(answer: Answer): Answer {
  return { ...answer, headers: { ...answer.headers, 'retry-after-ms': '1' } };
}
