import { Buffer } from 'node:buffer';
import type { Alert, AlertsPage } from '../src/alert.js';
import type { BudgetReport, BudgetScopeReport, CallBudget } from '../src/budget.js';
import type { HttpRequest, HttpResponse, Http } from '../src/http.js';
import type { CallRecord } from '../src/record.js';
import type { Feedback, Group, Snapshot, Totals, UsageReport } from '../src/snapshot.js';

/** A snapshot and records with every field filled, for tests that look at what is made of them. */

const quantiles = (scale: number) => ({ count: 40, p50: scale, p95: scale * 3, p99: scale * 5 });

export function totalsOf(patch: Partial<Totals> = {}): Totals {
  return {
    calls: 40,
    cost: {
      usd: 1.25,
      nanoUsd: 1_250_000_001,
      complete: true,
      estimatedNanoUsd: 0,
      byClass: {
        uncachedInput: { quantity: 1000, usd: 0.25, nanoUsd: 250_000_001 },
        cacheRead: { quantity: 5000, usd: 0.25, nanoUsd: 250_000_000 },
        cacheWrite5m: { quantity: 0, usd: 0, nanoUsd: 0 },
        cacheWrite1h: { quantity: 0, usd: 0, nanoUsd: 0 },
        output: { quantity: 700, usd: 0.73, nanoUsd: 730_000_000 },
        webSearch: { quantity: 2, usd: 0.02, nanoUsd: 20_000_000 },
      },
    },
    tokens: {
      uncachedInput: 1000,
      cacheRead: 5000,
      cacheWrite5m: 0,
      cacheWrite1h: 0,
      output: 700,
      thinking: 100,
    },
    outcomes: {
      ok: 35,
      refused: 1,
      error: 2,
      cancelled: 1,
      aborted: 1,
      truncated: 0,
      blocked: 0,
      abandoned: 0,
    },
    errors: { overloaded: 2 },
    errorRate: 0.05,
    attempts: 44,
    retries: 4,
    latency: {
      callMs: quantiles(900),
      lastAttemptMs: quantiles(800),
      ttftMs: quantiles(300),
    },
    tokensPerCall: { input: quantiles(150), output: quantiles(20) },
    feedback: null,
    ...patch,
  };
}

export function groupOf(key: string, patch: Partial<Totals> = {}): Group {
  return { key, ...totalsOf(patch) };
}

export function snapshotOf(patch: Partial<Snapshot> = {}): Snapshot {
  return {
    schema: 'claude-metrics/snapshot@1',
    at: '2026-11-24T14:03:07.000Z',
    from: '2026-11-23T14:00:00.000Z',
    to: '2026-11-24T14:15:00.000Z',
    bucketMs: 900_000,
    filters: {},
    source: { shared: false, worker: null, text: null },
    totals: totalsOf(),
    byModel: [groupOf('claude-sonnet-5'), groupOf('claude-haiku-4-5')],
    byFeature: [groupOf('POST /chat/:room'), groupOf('(unattributed)')],
    byUser: [groupOf('ada', { latency: null, tokensPerCall: null }), groupOf('(other)')],
    notKept: [],
    series: [
      {
        at: '2026-11-24T10:00:00.000Z',
        key: null,
        calls: 30,
        failures: 2,
        usd: 1,
        nanoUsd: 1_000_000_000,
        callMsP95: 2000,
      },
      {
        at: '2026-11-24T14:00:00.000Z',
        key: null,
        calls: 10,
        failures: 0,
        usd: 0.25,
        nanoUsd: 250_000_001,
        callMsP95: null,
      },
    ],
    usage: usageOf(),
    coverage: {
      calls: 40,
      unattributedUser: 3,
      unattributedFeature: 0,
      estimated: 1,
      unpriced: {},
      unpricedModels: [],
      unobserved: 0,
      overflowed: 0,
      priceVersion: '2026-11-20',
    },
    budgets: [],
    alerts: { firing: [], pending: 0, silenced: 0 },
    health: { ok: true, faults: {}, dropped: {}, notices: [] },
    ...patch,
  };
}

const exactly = (count: number) => ({ count, kind: 'exact', error: 0 }) as const;

export function usageOf(patch: Partial<UsageReport> = {}): UsageReport {
  const calls = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0));
  calls[0]![10] = 30;
  calls[1]![14] = 10;
  return {
    timeZone: 'UTC',
    users: {
      ...exactly(2),
      callsPerUser: 18.5,
      perDay: [{ ...exactly(2), period: '2026-11-24', complete: false }],
      perWeek: [{ ...exactly(2), period: '2026-11-23', complete: false }],
      perMonth: [{ ...exactly(2), period: '2026-11', complete: false }],
    },
    sessions: {
      ...{ count: 4, kind: 'estimate', error: 0.046, calls: 20, tokens: 3_400 },
      ...{ callsPerSession: 5, tokensPerSession: 850 },
    },
    hours: { calls, peak: { weekday: 1, hour: 10, calls: 30 } },
    topFeatures: [{ key: 'POST /chat/:room', calls: 40, usd: 1.25, nanoUsd: 1_250_000_001 }],
    topUsers: [{ key: 'ada', calls: 37, usd: 1.25, nanoUsd: 1_250_000_001 }],
    topPairs: [
      { user: 'ada', feature: 'POST /chat/:room', calls: 37, usd: 1, nanoUsd: 1_000_000_000 },
    ],
    ...patch,
  };
}

export function feedbackOf(patch: Partial<Feedback> = {}): Feedback {
  return {
    ...{ accept: 6, reject: 2, edit: 1, retry: 1 },
    ...{ acceptanceRate: 0.75, rejectionRate: 0.25, editRate: 0.1, retryRate: 0.1 },
    costPerAccepted: { usd: 0.178571429, nanoUsd: 178_571_429 },
    costPerAcceptedAlike: { usd: 0.051020408, nanoUsd: 51_020_408 },
    ...patch,
  };
}

export function recordOf(patch: Partial<CallRecord> = {}): CallRecord {
  return {
    id: 'call-1',
    parentId: null,
    requestId: 'req_1',
    messageId: 'msg_1',
    at: Date.parse('2026-11-24T14:00:00Z'),
    operation: 'messages',
    provider: 'anthropic',
    model: 'claude-sonnet-5',
    servedModel: 'claude-sonnet-5',
    userId: 'ada',
    feature: 'summarise',
    sessionId: null,
    tags: { team: 'search' },
    stream: true,
    usage: { input_tokens: 10, output_tokens: 3 },
    tokens: {
      uncachedInput: 10,
      cacheRead: 0,
      cacheWrite5m: 0,
      cacheWrite1h: 0,
      output: 3,
      thinking: 0,
    },
    cost: {
      usd: 0.000075,
      nanoUsd: 75_000,
      priceVersion: '2026-11-20',
      lines: [
        {
          class: 'output',
          model: 'claude-sonnet-5',
          quantity: 3,
          nanoUsdPerUnit: 15_000,
          nanoUsd: 45_000,
        },
      ],
    },
    priceStatus: 'priced',
    unpricedReason: null,
    estimated: false,
    marks: { headersMs: 100, firstEventMs: 110, firstThinkingMs: null, firstTextMs: 200 },
    ttftMs: 200,
    callMs: 900,
    lastAttemptMs: 900,
    outcome: 'error',
    error: { kind: 'overloaded', type: 'overloaded_error', message: 'Overloaded' },
    status: 529,
    stopReason: null,
    traceId: null,
    spanId: null,
    attempts: [
      {
        status: 529,
        requestId: 'req_1',
        durationMs: 900,
        waitMs: 0,
        errorKind: 'overloaded',
        mayHaveBilled: false,
      },
    ],
    serviceTier: 'standard',
    speed: null,
    inferenceGeo: null,
    rateLimit: { requests: { limit: 50, remaining: 49, reset: '2026-11-24T14:01:00Z' } },
    budget: null,
    ...patch,
  };
}

export function callBudgetOf(patch: Partial<CallBudget> = {}): CallBudget {
  return {
    verdict: 'allow',
    reason: null,
    budget: null,
    heldNanoUsd: 120_000,
    sentModel: null,
    sentMaxTokens: null,
    wouldBlock: [],
    ...patch,
  };
}

export function scopeOf(patch: Partial<BudgetScopeReport> = {}): BudgetScopeReport {
  return {
    scope: 'ada',
    spentUsd: 3.5,
    heldUsd: 0.5,
    limitUsd: 5,
    used: 0.8,
    uncertainUsd: 0,
    overrunUsd: 0,
    refusedCalls: 0,
    unpricedCalls: 0,
    ...patch,
  };
}

export function budgetOf(patch: Partial<BudgetReport> = {}): BudgetReport {
  return {
    name: 'user-daily',
    per: 'day',
    of: 'user',
    action: 'block',
    shadow: false,
    timeZone: 'UTC',
    from: '2026-11-24T00:00:00.000Z',
    to: '2026-11-25T00:00:00.000Z',
    scopes: [scopeOf()],
    scopeCount: 1,
    calls: { allow: 100, warn: 0, clamp: 0, downgrade: 0, block: 0 },
    wouldBlock: 0,
    ...patch,
  };
}

export const ALERT_ID = 'aLeRt-00_id-16ch';

export function alertOf(patch: Partial<Alert> = {}): Alert {
  return {
    id: ALERT_ID,
    rule: 'error-rate',
    severity: 'critical',
    group: { by: 'feature', key: 'POST /chat/:room' },
    state: 'firing',
    title: 'Error rate 7.2 % over 5 min (limit 5 %)',
    value: 0.072,
    limit: 0.05,
    unit: 'ratio',
    since: '2026-11-24T14:02:00.000Z',
    firedAt: '2026-11-24T14:02:30.000Z',
    resolvedAt: null,
    silencedUntil: null,
    ...patch,
  };
}

export function alertsPageOf(patch: Partial<AlertsPage> = {}): AlertsPage {
  return {
    at: '2026-11-24T14:03:07.000Z',
    firing: [],
    pending: [],
    silenced: [],
    recent: [],
    channels: [],
    failing: [],
    ...patch,
  };
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly secure?: boolean;
  readonly native?: unknown;
  /** In front of the part below the mount. */
  readonly mount?: string;
  readonly body?: string;
}

/** `ask(http, '/snapshot?range=1h')`: the part of the address below the mount. */
export function ask(http: Http, below: string, asked: Asked = {}): Promise<HttpResponse> {
  const { method = 'GET', secure = false, native = null, mount = '/claude-metrics' } = asked;
  const { body = '' } = asked;
  const headers: Readonly<Record<string, string>> = { host: 'localhost:3000', ...asked.headers };
  const [path = '', search = ''] = below.split(/\?(.*)/s);
  const request: HttpRequest = {
    method,
    path,
    query: new URLSearchParams(search),
    header: (name) => headers[name],
    url: mount + below,
    secure,
    native,
    readBody: async (limit) => (Buffer.byteLength(body) > limit ? null : body),
  };
  return http.handle(request);
}
