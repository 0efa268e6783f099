/**
 * What the simulator has answered, counted by the simulator itself: nothing of ours is asked.
 *
 * - **bill**: sums of the answers by process, user and model, priced by rates alone.
 * - **process, user**: as requests say, in the header `x-process` and in `metadata.user_id`.
 */
import type { Answer, SimulatedRequest } from '@claude-metrics/testing';
import { prices } from '../src/prices.js';
import { drawFrom } from './budgets/draw.js';
import type { Exact } from './state-fixture.js';

export interface Bill {
  respond(request: SimulatedRequest): Answer;
  /** Sums of the answers that `chosen` says yes to, as cells would have them. */
  exact(chosen: (key: BillKey) => boolean): Exact;
  /** Calls of one process, or of all. */
  calls(process?: string): number;
  keys(): readonly BillKey[];
}

export interface BillKey {
  readonly process: string;
  readonly user: string;
  readonly model: string;
}

interface Entry extends BillKey {
  readonly sums: Map<string, number>;
}

/** Of hundred requests so many are refused: they are calls, and cost nothing. */
const REFUSED = 2;

/** @param onRequest Told of every request, with how many the process has made. */
export function createBill(
  seed: number,
  onRequest: (process: string, calls: number) => void,
): Bill {
  const entries = new Map<string, Entry>();
  const perProcess = new Map<string, number>();
  const chance = drawFrom(seed);

  function entryOf(key: BillKey): Entry {
    const name = JSON.stringify([key.process, key.user, key.model]);
    let entry = entries.get(name);
    if (entry === undefined) entries.set(name, (entry = { ...key, sums: new Map() }));
    return entry;
  }

  function respond({ headers, body }: SimulatedRequest): Answer {
    const process = headers['x-process'] ?? '';
    const { model, metadata } = body as { model: string; metadata: { user_id: string } };
    const calls = (perProcess.get(process) ?? 0) + 1;
    perProcess.set(process, calls);
    const { sums } = entryOf({ process, user: metadata.user_id, model });
    const add = (name: string, value: number) => void sums.set(name, (sums.get(name) ?? 0) + value);
    add('calls', 1);
    add('attempts', 1);
    onRequest(process, calls);
    if (chance(100) < REFUSED) {
      add('outcome error', 1);
      add('error invalid_request', 1);
      return { status: 400, error: { type: 'invalid_request_error', message: 'no' } };
    }
    const tokens = {
      uncachedInput: 1 + chance(5_000),
      cacheRead: chance(3) * chance(20_000),
      cacheWrite5m: chance(2) * chance(3_000),
      cacheWrite1h: chance(2) * chance(3_000),
      output: 1 + chance(1_000),
    };
    for (const [part, count] of Object.entries(tokens)) {
      const nanoUsd = count * rateOf(model, part as keyof typeof tokens);
      add(part, count);
      add(`${part} quantity`, count);
      add(`${part} nanoUsd`, nanoUsd);
      add('nanoUsd', nanoUsd);
    }
    return {
      usage: {
        input_tokens: tokens.uncachedInput,
        cache_read_input_tokens: tokens.cacheRead,
        cache_creation_input_tokens: tokens.cacheWrite5m + tokens.cacheWrite1h,
        cache_creation: {
          ephemeral_5m_input_tokens: tokens.cacheWrite5m,
          ephemeral_1h_input_tokens: tokens.cacheWrite1h,
        },
        output_tokens: tokens.output,
      },
    };
  }

  return {
    respond,
    exact(chosen) {
      const sums = new Map<string, bigint>();
      for (const { sums: some, ...key } of entries.values()) {
        if (!chosen(key)) continue;
        for (const [name, value] of some) sums.set(name, (sums.get(name) ?? 0n) + BigInt(value));
      }
      return Object.fromEntries([...sums].filter(([, value]) => value !== 0n));
    },
    calls: (process) =>
      [...perProcess].reduce(
        (sum, [name, calls]) => sum + (process === undefined || name === process ? calls : 0),
        0,
      ),
    keys: () => [...entries.values()].map(({ process, user, model }) => ({ process, user, model })),
  };
}

const RATES = { uncachedInput: 'input' } as const;

/** Nano-dollars of a token, by the price that holds now. */
function rateOf(model: string, part: keyof typeof RATES | 'cacheRead' | 'output' | CacheWrite) {
  const period = prices.models[model]?.periods.find(({ to }) => to === null);
  if (period === undefined) throw new Error(`no price of ${model}`);
  return Math.round(period[part === 'uncachedInput' ? RATES[part] : part] * 1_000);
}
type CacheWrite = 'cacheWrite5m' | 'cacheWrite1h';
