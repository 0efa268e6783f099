import { HOSTILE_NAMES } from './hostile-names.js';
import type { ContractRecord } from './subject.js';

/**
 * Records of calls to bring, complete and frozen as core's are.
 *
 * - **number**: the order in which calls end, and are added; they start in another one.
 */

const FIRST_END = Date.UTC(2026, 10, 24, 13);

const TOKENS = {
  uncachedInput: 2_500,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  output: 500,
  thinking: 20,
};
const LINE = {
  class: 'output',
  model: 'claude-sonnet-5-5',
  quantity: 500,
  nanoUsdPerUnit: 15_000.5,
  nanoUsd: 7_500_250,
};

/** The record of an answered call. */
export function recordOf(number: number, overrides: object = {}): ContractRecord {
  const callMs = 1_000 * (number % 7) + 900;
  return deepFreeze({
    id: `call-${number}`,
    parentId: null,
    requestId: `req_${number}`,
    messageId: `msg_${number}`,
    at: FIRST_END + 100 * number - callMs,
    operation: 'messages',
    provider: 'anthropic',
    model: 'claude-sonnet-5-5',
    servedModel: 'claude-sonnet-5-5',
    userId: 'ada',
    feature: 'summarise',
    sessionId: null,
    tags: {},
    stream: true,
    usage: { input_tokens: 2_500, output_tokens: 500, cache_creation: null },
    tokens: TOKENS,
    cost: { usd: 0.007_500_25, nanoUsd: 7_500_250, lines: [LINE], priceVersion: '2026-11-23' },
    priceStatus: 'priced',
    unpricedReason: null,
    estimated: false,
    marks: { headersMs: 100.25, firstEventMs: 110, firstThinkingMs: null, firstTextMs: 200.5 },
    ttftMs: 200.5,
    callMs: callMs + 0.125,
    lastAttemptMs: callMs + 0.125,
    outcome: 'ok',
    error: null,
    status: 200,
    stopReason: 'end_turn',
    traceId: null,
    spanId: null,
    attempts: [
      {
        status: 200,
        requestId: `req_${number}`,
        durationMs: callMs,
        waitMs: 0,
        errorKind: null,
        mayHaveBilled: false,
      },
    ],
    serviceTier: 'standard',
    speed: null,
    inferenceGeo: null,
    rateLimit: null,
    budget: null,
    ...overrides,
  });
}

/** One for each hostile name, which is everywhere in it, and fields that only the API knows. */
export function hostileRecords(): readonly ContractRecord[] {
  return HOSTILE_NAMES.map((name, i) =>
    recordOf(i, {
      ...{ userId: name, feature: name, sessionId: name, model: name, servedModel: null },
      tags: JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(name)},"__proto__":"tag"}`),
      usage: { input_tokens: 9_007_199_254_740_991, new_field: { deep: [1e-7, 1e21, null, name] } },
      cost: null,
      priceStatus: 'unpriced',
      unpricedReason: 'unknown_model',
      outcome: 'error',
      error: { kind: 'unknown', type: name, message: name },
      attempts: [],
      status: null,
    }),
  );
}

/** The number that a record was made with. */
export function numberOf({ id }: ContractRecord): number {
  return Number(id.slice('call-'.length));
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value) as unknown[]) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
