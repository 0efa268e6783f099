/**
 * Records, a ledger with its clock, and exact sums: what the tests of state share.
 *
 * - **exact**: sums by name in integers of any size, taken from records or from cells without the
 *   code under test. Names that sum to zero are left out, so that two of them can be compared.
 */
import fc from 'fast-check';
import { RARE, SUM, UNPRICED_REASONS } from '../src/cell.js';
import { createHealth } from '../src/health.js';
import { createLedger } from '../src/ledger.js';
import {
  ERROR_KINDS,
  FEEDBACK_ACTIONS,
  inputTokens,
  isFailure,
  NO_TOKENS,
  OUTCOMES,
} from '../src/record.js';
import { createSnapshot, type SnapshotQuery } from '../src/snapshot.js';
import { memoryStore } from '../src/stores/memory.js';
import { sourceOf } from '../src/workers.js';
import type { Caps } from '../src/bucket.js';
import type { Attempt, CallRecord, Cost, CostClass } from '../src/record.js';
import type { Cell, Store } from '../src/stores/store.js';

export const MINUTE = 60_000;
export const QUARTER = 900_000;
export const DAY = 86_400_000;
/** The middle of a minute, at the beginning of a quarter of an hour. */
export const NOW = Date.parse('2026-11-24T14:00:30Z');

const OK_ATTEMPT: Attempt = {
  status: 200,
  requestId: 'req_1',
  durationMs: 900,
  waitMs: 0,
  errorKind: null,
  mayHaveBilled: false,
};

/** A complete record: an answered call of one cent. */
export function callRecord(overrides: Partial<CallRecord> = {}): CallRecord {
  return deepFreeze({
    id: 'call-1',
    parentId: null,
    requestId: 'req_1',
    messageId: 'msg_1',
    at: NOW,
    operation: 'messages',
    provider: 'anthropic',
    model: 'claude-sonnet-5-5',
    servedModel: 'claude-sonnet-5-5',
    userId: 'ada',
    feature: 'summarise',
    sessionId: null,
    tags: {},
    stream: true,
    usage: { input_tokens: 2_500, output_tokens: 500 },
    tokens: { ...NO_TOKENS, uncachedInput: 2_500, output: 500 },
    cost: costOf(['uncachedInput', 2_500, 5_000_000], ['output', 500, 5_000_000]),
    priceStatus: 'priced',
    unpricedReason: null,
    estimated: false,
    marks: { headersMs: 100, firstEventMs: 110, firstThinkingMs: null, firstTextMs: 200 },
    ttftMs: 200,
    callMs: 900,
    lastAttemptMs: 900,
    outcome: 'ok',
    error: null,
    status: 200,
    stopReason: 'end_turn',
    traceId: null,
    spanId: null,
    attempts: [OK_ATTEMPT],
    serviceTier: 'standard',
    speed: null,
    inferenceGeo: null,
    rateLimit: null,
    budget: null,
    ...overrides,
  });
}

type Part = readonly [CostClass, quantity: number, nanoUsd: number, model?: string | undefined];

/** A cost of some lines: class, quantity, nano-dollars, and the model if it is another one. */
export function costOf(...parts: readonly Part[]): Cost {
  const nanoUsd = parts.reduce((sum, part) => sum + part[2], 0);
  return {
    usd: nanoUsd / 1e9,
    nanoUsd,
    lines: parts.map(([part, quantity, nano, model = 'claude-sonnet-5-5']) => {
      const nanoUsdPerUnit = quantity === 0 ? 0 : nano / quantity;
      return { class: part, model, quantity, nanoUsdPerUnit, nanoUsd: nano };
    }),
    priceVersion: '2026-11-23',
  };
}

/** A call whose cost is `nanoUsd`, all of it output. */
export function costing(nanoUsd: number, overrides: Partial<CallRecord> = {}): CallRecord {
  return callRecord({ cost: costOf(['output', 500, nanoUsd, overrides.model]), ...overrides });
}

/** A call that failed for good, for nothing. */
export function failed(error: CallRecord['error'], overrides: Partial<CallRecord> = {}) {
  const nothing = { usage: null, tokens: NO_TOKENS, cost: costOf(), ttftMs: null } as const;
  return callRecord({ outcome: 'error', error, priceStatus: 'free', ...nothing, ...overrides });
}

export type Rig = ReturnType<typeof rigOf>;

/** A ledger over a store, with a clock to set. */
export function rigOf(options: { store?: Store; caps?: Caps; now?: number } = {}) {
  const { store = memoryStore(), caps, now = NOW } = options;
  const clock = { now };
  const health = createHealth();
  const ledger = createLedger({ now: () => clock.now, health, store, caps });
  return {
    clock,
    health,
    store,
    ledger,
    record(...calls: readonly CallRecord[]) {
      for (const call of calls) ledger.record(call);
    },
    snapshot: (query: SnapshotQuery = {}) =>
      createSnapshot(ledger, query, {
        now: clock.now,
        health: health.report(),
        unobserved: 0,
        unpricedModels: [],
        priceVersion: '2026-11-23',
        ...NO_BUDGETS,
      }),
  };
}

/** What a snapshot says of budgets, alerts and other processes where there are none. */
export const NO_BUDGETS = {
  source: sourceOf(false, null),
  budgets: [],
  alerts: { firing: [], pending: 0, silenced: 0 },
};

export type Exact = Readonly<Record<string, bigint>>;

export function exactOfCalls(calls: readonly CallRecord[]): Exact {
  const sums = new Map<string, bigint>();
  const add = (name: string, value: number) =>
    sums.set(name, (sums.get(name) ?? 0n) + BigInt(value));
  for (const call of calls) {
    const nanoUsd = call.cost?.nanoUsd ?? 0;
    const estimated = call.estimated || call.priceStatus === 'estimated';
    add('calls', 1);
    add('attempts', call.attempts.length);
    add('retries', Math.max(call.attempts.length - 1, 0));
    add('unattributedUser', call.userId === null ? 1 : 0);
    add('unattributedFeature', call.feature === null ? 1 : 0);
    for (const [name, value] of Object.entries(call.tokens)) add(name, Number(value));
    if (call.sessionId !== null) add('sessionCalls', 1);
    if (call.sessionId !== null)
      add('sessionTokens', inputTokens(call.tokens) + call.tokens.output);
    add('nanoUsd', nanoUsd);
    if (estimated) add('estimated', 1);
    if (estimated) add('estimatedNanoUsd', nanoUsd);
    if (call.outcome !== 'ok') add(`outcome ${call.outcome}`, 1);
    if (isFailure(call)) add(`error ${call.error?.kind ?? 'unknown'}`, 1);
    if (call.priceStatus === 'unpriced') add(`unpriced ${call.unpricedReason ?? ''}`, 1);
    for (const line of call.cost?.lines ?? []) {
      add(`${line.class} quantity`, line.quantity);
      add(`${line.class} nanoUsd`, line.nanoUsd);
    }
  }
  return withoutZeros(sums);
}

const CARRY = 10n ** 15n;

export function exactOfCells(cells: readonly Cell[]): Exact {
  const sums = new Map<string, bigint>();
  const add = (name: string, value: bigint) => sums.set(name, (sums.get(name) ?? 0n) + value);
  const rareNames = [
    ...OUTCOMES.map((outcome) => `outcome ${outcome}`),
    ...ERROR_KINDS.map((kind) => `error ${kind}`),
    ...UNPRICED_REASONS.map((reason) => `unpriced ${reason}`),
    ...FEEDBACK_ACTIONS.map((action) => `feedback ${action}`),
    ...FEEDBACK_ACTIONS.map((action) => `taken back ${action}`),
  ];
  if (rareNames.length !== RARE.length) throw new Error('the fixture does not know every slot');
  for (const cell of cells) {
    for (const [name, slot] of Object.entries(SUM)) {
      const value = BigInt(cell.sums[slot] ?? 0);
      if (name.endsWith('Carry')) add(name.slice(0, -'Carry'.length), value * CARRY);
      else add(name, value);
    }
    cell.rare?.forEach((value, slot) => add(rareNames[slot] ?? '', BigInt(value)));
    cell.lines.forEach((line, i) => {
      const [quantity = 0, rest = 0, carry = 0] = cell.amounts.slice(3 * i);
      add(`${line.class} quantity`, BigInt(quantity));
      add(`${line.class} nanoUsd`, BigInt(rest) + BigInt(carry) * CARRY);
    });
  }
  return withoutZeros(sums);
}

function withoutZeros(sums: ReadonlyMap<string, bigint>): Exact {
  return Object.fromEntries([...sums].filter(([, value]) => value !== 0n));
}

/** Names as they come, and names that would like to be something else. */
const names = (stem: string, count: number) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.nat(count - 1).map((i) => `${stem}-${i}`) },
    fc.constantFrom('(other)', '\\(other)', '(unattributed)', '__proto__', 'constructor', ''),
  );
const classes = ['uncachedInput', 'cacheRead', 'output', 'webSearch'] as const;

/**
 * Any call, `spreadMs` or less before `NOW`, of one of `users` users and `features` features. A line
 * may cost up to $4 million, so that a few calls pass 2⁵³ nano-dollars.
 */
export function anyCall(users: number, features: number, spreadMs = 0, mostNanoUsd = 4e15) {
  const tokens = fc.nat(200_000);
  const money = fc.oneof(
    fc.nat(100),
    fc.nat(50_000_000),
    fc.maxSafeNat().map((n) => n % mostNanoUsd),
  );
  return fc
    .record({
      at: fc.nat(spreadMs).map((back) => NOW - back),
      userId: fc.option(names('user', users)),
      feature: fc.option(names('feature', features)),
      sessionId: fc.option(names('session', users)),
      model: names('model', 4),
      outcome: fc.constantFrom('ok' as const, ...OUTCOMES),
      kind: fc.constantFrom(...ERROR_KINDS),
      unpricedReason: fc.option(fc.constantFrom(...UNPRICED_REASONS)),
      estimated: fc.boolean(),
      attempts: fc.array(fc.constant(OK_ATTEMPT), { maxLength: 3 }),
      callMs: fc.nat(600_000),
      input: tokens,
      output: tokens,
      parts: fc.uniqueArray(fc.tuple(fc.constantFrom(...classes), tokens, money), {
        maxLength: 2,
        selector: ([part]) => part,
      }),
    })
    .map(({ kind, input, output, parts, unpricedReason, ...call }) => {
      const used = { ...NO_TOKENS, uncachedInput: input, output };
      return callRecord({
        ...call,
        tokens: used,
        usage: { input_tokens: inputTokens(used), output_tokens: output },
        error: call.outcome === 'error' ? { kind, type: kind, message: '' } : null,
        unpricedReason,
        priceStatus: unpricedReason === null ? 'priced' : 'unpriced',
        cost:
          unpricedReason === null
            ? costOf(...parts.map((part): Part => [...part, call.model]))
            : null,
      });
    });
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  }
  return Object.freeze(value);
}
