import { createBudgets } from '../../src/budgets/budgets.js';
import { budgetsOf, type BudgetOptions } from '../../src/budgets/options.js';
import { createCallPricing } from '../../src/call-pricing.js';
import { createCapture } from '../../src/capture.js';
import { currentCeiling, readContext, withContext } from '../../src/context.js';
import { createHealth } from '../../src/health.js';
import { prices } from '../../src/prices.js';
import type { BudgetReport } from '../../src/budget.js';
import type { CallRecord } from '../../src/record.js';
import type { Client, Sdk } from '../capture/sdk.js';
import { nanoOf, type Attempted } from './capture-bill.js';
import {
  createRandom,
  FEATURES,
  MODELS,
  plansOf,
  type CallPlan,
  type Random,
} from './capture-plans.js';
import { shortenPauses, turns } from './capture-stage.js';
import { createWire, type Fetch, type Seen } from './capture-wire.js';

/**
 * A random schedule: many calls at once through the real SDK, capture and budgets, with everything
 * that can become of a call mixed in. Time is that of fake timers, a millisecond a turn, so that a
 * seed always makes the same schedule.
 */
export interface Played {
  /** Moments at which more was spent and held than a limit, in words. */
  readonly violations: readonly string[];
  /** Decisions and settles after which that was looked at. */
  readonly looks: number;
  readonly attempts: readonly Attempted[];
  readonly records: readonly CallRecord[];
  readonly reports: readonly BudgetReport[];
  readonly faults: object;
  readonly dropped: object;
  /** Calls that are still under way, by capture. */
  readonly pending: number;
}

const NOON = Date.UTC(2026, 10, 23, 12);
const DAY_MS = 86_400_000;
const IDLE_MS = 600_000;

export async function playSchedule(
  Anthropic: Sdk,
  seed: number,
  calls: number,
  users = 50,
): Promise<Played> {
  const random = createRandom(seed);
  const plans = plansOf(random, calls, users);
  // Some of them cross the end of an hour, or of a day.
  let now = random.pick([NOON, NOON, NOON + DAY_MS / 2]) - random.whole(0, 300);
  let passed = 0;
  const clock = { now: () => now, monotonic: () => passed };

  const health = createHealth();
  const violations: string[] = [];
  let looks = 0;
  const budgets = createBudgets({
    budgets: budgetsOf('schedule', limitsOf(random, calls, users)),
    ...{ ...clock, health, prices: () => prices, ceiling: currentCeiling },
    onEvent() {},
  });
  await budgets.ready;
  const look = (): void => {
    looks += 1;
    for (const { name, scopes } of budgets.reports(1)) {
      for (const { scope, spentUsd, heldUsd, limitUsd } of scopes) {
        if (nanoOf(spentUsd) + nanoOf(heldUsd) <= nanoOf(limitUsd)) continue;
        violations.push(`${name} of ${scope}: ${spentUsd} + ${heldUsd} > ${limitUsd}`);
      }
    }
  };
  const records: CallRecord[] = [];
  const capture = createCapture({
    ...{ clock, health, pricing: createCallPricing(() => prices, health), idleMs: IDLE_MS },
    deliver: (record) => void records.push(record),
    readContext: () => readContext(health.guard),
    gate: watched(budgets, look),
  });

  const attempts: Attempted[] = [];
  const began = new Map<CallPlan, number>();
  const see = (seen: Seen): void => {
    const plan = planOf(plans, seen.request.headers);
    const { userId, feature } = plan;
    attempts.push({ seen, userId, feature, at: began.get(plan)! });
  };
  const wire = createWire(({ headers, retryCount }) => {
    const attempt = planOf(plans, headers).attempts[retryCount];
    if (attempt?.kind === 'timeout') return { ending: 'hang', beforeHeaders: true };
    return attempt?.kind === 'answer' ? attempt.answer : {};
  }, see);
  const send = troubled(wire.fetch, plans);
  const client = new Anthropic({
    apiKey: 'sk-ant-test',
    baseURL: 'http://127.0.0.1',
    logLevel: 'off',
    fetch: ((url, init) => {
      const plan = planOf(plans, headersOf(init));
      if (!began.has(plan)) began.set(plan, now);
      return send(url, init);
    }) as Fetch as never,
  });
  shortenPauses(client);
  client.middleware = [capture.middleware(client)];

  const kept: unknown[] = [];
  let underWay = plans.length;
  const start = (plan: CallPlan, i: number): void => {
    const { userId, feature } = plan;
    const end = () => void (underWay -= 1);
    withContext({ userId, feature }, () => play(client, plan, i, kept)).then(end, end);
  };
  for (let turn = 0; underWay > 0; turn += 1) {
    plans.forEach((plan, i) => {
      if (plan.startTurn === turn) start(plan, i);
    });
    await turns(1);
    jest.advanceTimersByTime(1);
    now += 1;
    passed += 1;
  }
  await turns(3);
  // The sweep that first sees an idle stream only takes a note.
  for (let i = 0; i < 3; i += 1) {
    passed += IDLE_MS;
    capture.sweep();
  }
  look();
  const { faults, dropped } = health.report();
  const { pending } = capture;
  capture.close();
  expect(kept.length).toBeLessThanOrEqual(plans.length);
  return {
    ...{ violations, looks, attempts, records, faults, dropped, pending },
    reports: budgets.reports(100_000),
  };
}

/** The gate, and a look at what is spent and held after all that it is asked or told. */
function watched<G extends object>(gate: G, look: () => void): G {
  return new Proxy(gate, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, target, args);
        look();
        return result;
      };
    },
  });
}

/** Limits of which one is tight, so that each kind of them gets to decide. */
export function limitsOf(random: Random, calls: number, users: number): BudgetOptions[] {
  const tight = random.whole(0, 3);
  let budget = 0;
  const part = (share: number): number => {
    const isTight = budget === tight;
    budget += 1;
    // What a call holds is a third of a cent in the middle.
    return 0.0035 * calls * share * random.between(isTight ? 0.05 : 1, isTight ? 0.7 : 3);
  };
  const last = random.pick(['claude-haiku-5-5', 'claude-sonnet-5-5']);
  return [
    { usd: part(1), per: 'day' },
    { usd: part(1 / users), per: 'hour', of: 'user' },
    {
      ...{ usd: part(1 / FEATURES.length), per: 'day', of: 'feature' },
      ...{ action: 'downgrade', models: ['claude-sonnet-5-5', last], minTokens: 64 },
    },
    { usd: part(1 / MODELS.length), per: 'week', of: 'model' },
  ];
}

export function planOf(
  plans: readonly CallPlan[],
  headers: Readonly<Record<string, string>>,
): CallPlan {
  return plans[Number(headers['x-call'])]!;
}

function headersOf({ headers }: RequestInit): Record<string, string> {
  return Object.fromEntries(headers as Headers);
}

/** What never reaches the server, and what the SDK's timeout would end. */
export function troubled(fetch: Fetch, plans: readonly CallPlan[]): Fetch {
  return async (url, init) => {
    const headers = headersOf(init);
    const attempt = planOf(plans, headers).attempts[Number(headers['x-stainless-retry-count'])];
    if (attempt?.kind === 'refuse') {
      const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      throw new TypeError('fetch failed', { cause });
    }
    if (attempt?.kind !== 'timeout') return fetch(url, init);
    const timeout = new AbortController();
    const signal = AbortSignal.any([timeout.signal, ...(init.signal ? [init.signal] : [])]);
    const sent = fetch(url, { ...init, signal });
    sent.catch(() => {});
    await turns(attempt.after);
    timeout.abort();
    return sent;
  };
}

/** Makes one call as its plan says; what goes wrong is the plan's business. */
export async function play(
  client: Client,
  { body, form, maxRetries, leaves }: CallPlan,
  i: number,
  kept: unknown[],
): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const options = { maxRetries, headers: { 'x-call': String(i) }, signal };
  if (leaves?.how === 'abort') void turns(leaves.after).then(() => controller.abort());
  if (form === 'json') {
    await client.messages.create(body as never, options);
  } else if (form === 'helper') {
    await client.messages.stream(body as never, options).finalMessage();
  } else {
    const stream = await client.messages.create({ ...body, stream: true } as never, options);
    if (leaves?.how === 'drop') return void kept.push(stream);
    let events = 0;
    for await (const _ of stream as unknown as AsyncIterable<unknown>) {
      events += 1;
      if (leaves?.how === 'break' && events > leaves.after) break;
    }
  }
}
