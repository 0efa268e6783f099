import { checkOptions, rule } from '../options.js';
import { SCOPE, SCOPE_VERSION, type OtelLogs, type OtelMetrics } from './otel/api.js';
import { createCallAttributes, endOf } from './otel/attributes.js';
import { evaluationOf } from './otel/evaluation.js';
import { instrumentsOf, type Instruments } from './otel/instruments.js';
import { createEnrichment, type Enrich } from './otel/span-attributes.js';
import { userHash } from './otel/user-hash.js';
import { inputTokens, type CallRecord, type GivenFeedback, type Sink } from '../record.js';
import type { OtelAttributes } from './otel/api.js';

/**
 * Calls for OpenTelemetry: metrics by the conventions for generative AI, and what the SDK's own spans
 * do not know. Docs: `docs/opentelemetry.md`.
 */
export interface OtelOptions {
  /** `metrics` of `@opentelemetry/api`, or a `MeterProvider` of your own. */
  readonly metrics: OtelMetrics;
  /** `logs` of `@opentelemetry/api-logs`, or a `LoggerProvider`: it gets feedback, as events. */
  readonly logs?: OtelLogs | undefined;
  /** Also the histogram `gen_ai.client.token.usage`, as conventions up to 1.41 have it. */
  readonly tokenUsage?: boolean | undefined;
  /** Features that are told apart; beyond it they count as `(other)`. Default 100. */
  readonly maxFeatures?: number | undefined;
  /**
   * Secret of at least 16 characters that users are hashed with; `false` leaves users out. Default: a
   * hash without a secret, which hides no id that can be guessed.
   */
  readonly userHashKey?: string | false | undefined;
}

export interface OtelExporter extends Sink {
  readonly name: 'otel';
  record(call: CallRecord): void;
  readonly span: Enrich;
  feedback(given: GivenFeedback): void;
}

export type {
  OtelAttributes,
  OtelCounter,
  OtelEvent,
  OtelHistogram,
  OtelInstrumentOptions,
  OtelLogger,
  OtelLogs,
  OtelMeter,
  OtelMetrics,
} from './otel/api.js';

const MIN_KEY = 16;

const rules = {
  metrics: rule.methods('getMeter'),
  logs: rule.methods('getLogger'),
  tokenUsage: rule.boolean,
  maxFeatures: rule.integer(1, 1_000),
  userHashKey: {
    allowed: `a secret of at least ${MIN_KEY} characters, or false`,
    // Not shown in the message that says so: it is a secret.
    ok: (value: unknown) => value === false || typeof value === 'string',
  },
};

/**
 * A sink that counts calls with an OpenTelemetry meter, and adds cost, user and feature to the spans
 * that the SDK makes. It makes no span of its own, and does nothing where there is no provider.
 *
 * @throws TypeError for an option that does not exist or cannot be right.
 *
 * @example
 * import { metrics } from '@opentelemetry/api';
 * const monitor = createMonitor({ sinks: [otelExporter({ metrics })] });
 */
export function otelExporter(options: OtelOptions): OtelExporter {
  checkOptions('otelExporter', options ?? {}, rules);
  if (options?.metrics === undefined) checkOptions('otelExporter', { metrics: null }, rules);
  const { metrics, logs, tokenUsage = false, maxFeatures = 100, userHashKey } = options;
  if (typeof userHashKey === 'string' && userHashKey.length < MIN_KEY) {
    throw new TypeError(
      `[claude-metrics] otelExporter: options.userHashKey must be ${rules.userHashKey.allowed}, ` +
        `got ${userHashKey.length} characters.`,
    );
  }
  const hashOf = (userId: string): string | null =>
    userHashKey === false ? null : userHash(userId, userHashKey);
  const instruments = instrumentsOf(metrics, tokenUsage);
  const attributes = createCallAttributes(maxFeatures);
  return {
    name: 'otel',
    record(call) {
      const to = instruments();
      const of = attributes.of(call);
      measureTime(to, call, of);
      // Nothing else is an inference, or has tokens.
      if (call.operation === 'messages' || call.operation === 'batch_results') {
        countTokens(to, call, of);
      }
      countCost(to, call, of);
    },
    span: createEnrichment(hashOf),
    feedback(given) {
      const hash = given.userId === null ? null : hashOf(given.userId);
      logs?.getLogger(SCOPE, SCOPE_VERSION).emit(evaluationOf(given, hash));
    },
  };
}

function measureTime(to: Instruments, call: CallRecord, of: OtelAttributes): void {
  to.duration.record(call.callMs / 1_000, { ...of, ...endOf(call) });
  if (call.ttftMs !== null) to.timeToFirstChunk.record(call.ttftMs / 1_000, of);
}

function countTokens(to: Instruments, { tokens }: CallRecord, of: OtelAttributes): void {
  // The API does not tell which tokens are of an image.
  const counted = { ...of, 'gen_ai.token.modality': 'unknown' };
  const input = inputTokens(tokens);
  const cacheWrite = tokens.cacheWrite5m + tokens.cacheWrite1h;
  to.input.add(input, counted);
  to.output.add(tokens.output, counted);
  if (tokens.cacheRead > 0) to.cacheRead.add(tokens.cacheRead, counted);
  if (cacheWrite > 0) to.cacheWrite.add(cacheWrite, counted);
  if (tokens.thinking > 0) to.reasoning.add(tokens.thinking, counted);
  to.tokenUsage?.record(input, { ...of, 'gen_ai.token.type': 'input' });
  to.tokenUsage?.record(tokens.output, { ...of, 'gen_ai.token.type': 'output' });
}

function countCost(
  to: Instruments,
  { cost, unpricedReason }: CallRecord,
  of: OtelAttributes,
): void {
  if (unpricedReason !== null) {
    to.unpriced.add(1, { ...of, 'claude_metrics.unpriced_reason': unpricedReason });
  }
  if (cost === null) return;
  to.cost.add(cost.usd, of);
  to.nanoCost.add(cost.nanoUsd, of);
}
