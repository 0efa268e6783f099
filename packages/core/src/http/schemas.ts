import { ERROR_KINDS, OUTCOMES, type CostClass } from '../record.js';
import { DIMENSIONS } from '../snapshot.js';
import { ALERT_SCHEMAS } from './alert-schemas.js';
import { BUDGET_SCHEMAS } from './budget-schemas.js';
import {
  count,
  counts,
  flag,
  iso,
  list,
  ms,
  nanoUsd,
  nullable,
  number,
  object,
  oneOf,
  ref,
  text,
  type JsonSchema,
} from './shape.js';
import { USAGE_SCHEMAS } from './usage-schemas.js';

/** The JSON schemas of what the routes answer, for `/openapi.json`. A test holds them to the types. */

const COST_CLASSES = [
  'uncachedInput',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'output',
  'webSearch',
] as const satisfies readonly CostClass[];

const totals = {
  calls: count,
  cost: ref('Spend'),
  tokens: ref('Tokens'),
  outcomes: object(Object.fromEntries(OUTCOMES.map((outcome) => [outcome, count]))),
  errors: object(Object.fromEntries(ERROR_KINDS.map((kind) => [kind, count])), ERROR_KINDS),
  errorRate: nullable({ type: 'number', minimum: 0, maximum: 1 }),
  attempts: count,
  retries: count,
  latency: nullable(
    object({
      callMs: nullable(ref('Quantiles')),
      lastAttemptMs: nullable(ref('Quantiles')),
      ttftMs: nullable(ref('Quantiles')),
    }),
  ),
  tokensPerCall: nullable(
    object({ input: nullable(ref('Quantiles')), output: nullable(ref('Quantiles')) }),
  ),
  feedback: nullable(ref('Feedback')),
};

const rateLimitWindow = object({
  limit: nullable(number),
  remaining: nullable(number),
  reset: nullable(iso),
});

export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Tokens: object({
    uncachedInput: count,
    cacheRead: count,
    cacheWrite5m: count,
    cacheWrite1h: count,
    output: count,
    thinking: { ...count, description: 'part of output' },
  }),
  Quantiles: object({ count, p50: number, p95: number, p99: number }),
  Spend: object({
    usd: number,
    nanoUsd,
    complete: { ...flag, description: 'false: some calls have no price; the sum is "at least"' },
    estimatedNanoUsd: nanoUsd,
    byClass: object(
      Object.fromEntries(
        COST_CLASSES.map((name) => [name, object({ quantity: number, usd: number, nanoUsd })]),
      ),
    ),
  }),
  Totals: object(totals),
  Group: object({ key: text, ...totals }),
  SeriesPoint: object({
    at: iso,
    key: nullable(text),
    calls: count,
    failures: count,
    usd: number,
    nanoUsd,
    callMsP95: nullable(ms),
  }),
  Coverage: object({
    calls: count,
    unattributedUser: count,
    unattributedFeature: count,
    estimated: count,
    unpriced: counts,
    unpricedModels: list(text),
    unobserved: count,
    overflowed: count,
    priceVersion: text,
  }),
  Source: object({
    shared: { ...flag, description: 'everybody who has the store open counts into it' },
    worker: nullable(
      object({
        kind: oneOf(['cluster', 'pm2']),
        index: { ...count, description: 'from 1; 0 is the primary of node:cluster' },
        count: nullable(count),
      }),
    ),
    text: { ...nullable(text), description: 'what these figures leave out; null: nothing' },
  }),
  Health: object({
    ok: flag,
    faults: { type: 'object', additionalProperties: object({ count, lastMessage: text }) },
    dropped: counts,
    notices: list(text),
  }),
  Snapshot: object({
    schema: { const: 'claude-metrics/snapshot@1' },
    at: iso,
    from: iso,
    to: iso,
    bucketMs: { ...ms, type: 'integer' },
    filters: object({ model: text, feature: text, user: text }, ['model', 'feature', 'user']),
    source: ref('Source'),
    totals: ref('Totals'),
    byModel: list(ref('Group')),
    byFeature: list(ref('Group')),
    byUser: list(ref('Group')),
    notKept: list({ type: 'string', enum: DIMENSIONS }),
    series: list(ref('SeriesPoint')),
    usage: ref('Usage'),
    coverage: ref('Coverage'),
    budgets: list(ref('Budget')),
    alerts: object({ firing: list(ref('Alert')), pending: count, silenced: count }),
    health: ref('Health'),
  }),
  Cost: object({
    usd: number,
    nanoUsd,
    lines: list(
      object({
        class: { type: 'string', enum: COST_CLASSES },
        model: text,
        quantity: number,
        nanoUsdPerUnit: number,
        nanoUsd,
      }),
    ),
    priceVersion: text,
  }),
  Attempt: object({
    status: nullable({ type: 'integer' }),
    requestId: nullable(text),
    durationMs: ms,
    waitMs: ms,
    errorKind: nullable({ type: 'string', enum: ERROR_KINDS }),
    mayHaveBilled: flag,
  }),
  RateLimit: object(
    {
      requests: rateLimitWindow,
      tokens: rateLimitWindow,
      inputTokens: rateLimitWindow,
      outputTokens: rateLimitWindow,
    },
    ['requests', 'tokens', 'inputTokens', 'outputTokens'],
  ),
  CallRecord: object({
    id: text,
    parentId: nullable(text),
    requestId: nullable(text),
    messageId: nullable(text),
    at: { type: 'number', description: 'milliseconds since the epoch' },
    operation: {
      type: 'string',
      enum: ['messages', 'count_tokens', 'batches', 'batch_results', 'other'],
    },
    provider: text,
    model: text,
    servedModel: nullable(text),
    userId: nullable(text),
    feature: nullable(text),
    sessionId: nullable(text),
    tags: { type: 'object', additionalProperties: text },
    stream: flag,
    usage: nullable({ type: 'object', description: 'exactly as the API sent it' }),
    tokens: ref('Tokens'),
    cost: nullable(ref('Cost')),
    priceStatus: { type: 'string', enum: ['priced', 'estimated', 'free', 'unpriced'] },
    unpricedReason: nullable({
      type: 'string',
      enum: ['unknown_model', 'no_usage', 'priority_tier', 'no_price_for_date'],
    }),
    estimated: flag,
    marks: object({
      headersMs: nullable(ms),
      firstEventMs: nullable(ms),
      firstThinkingMs: nullable(ms),
      firstTextMs: nullable(ms),
    }),
    ttftMs: nullable(ms),
    callMs: ms,
    lastAttemptMs: ms,
    outcome: { type: 'string', enum: OUTCOMES },
    error: nullable(
      object({ kind: { type: 'string', enum: ERROR_KINDS }, type: text, message: text }),
    ),
    status: nullable({ type: 'integer' }),
    stopReason: nullable(text),
    traceId: nullable(text),
    spanId: nullable(text),
    attempts: list(ref('Attempt')),
    serviceTier: nullable(text),
    speed: nullable(text),
    inferenceGeo: nullable(text),
    rateLimit: nullable(ref('RateLimit')),
    budget: nullable(ref('CallBudget')),
  }),
  CallsPage: object({
    calls: list(ref('CallRecord')),
    next: { ...nullable(text), description: 'give it as `before` for the next page' },
    kept: count,
    capacity: count,
    dropped: count,
  }),
  ...ALERT_SCHEMAS,
  ...BUDGET_SCHEMAS,
  ...USAGE_SCHEMAS,
  Problem: object(
    {
      type: text,
      title: text,
      status: { type: 'integer' },
      detail: text,
      errors: list(object({ parameter: text, value: text, allowed: text })),
    },
    ['errors'],
  ),
};
