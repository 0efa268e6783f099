import { noAnswer, type Call } from './call.js';
import type { Clock } from './clock.js';
import { label, withContext } from './context.js';
import type { ContextInput } from './scope.js';
import { describeError } from './errors.js';
import { show } from './options.js';
import { OUTCOMES, type CallContext, type Operation, type Outcome, type Usage } from './record.js';

/** What is known of a call made some other way (another transport, an import). */
export interface CallInput extends ContextInput {
  readonly model: string;
  /** As the API sent it. */
  readonly usage?: Usage | null | undefined;
  readonly servedModel?: string | null | undefined;
  /** Start of the call; default now. */
  readonly at?: Date | number | undefined;
  /** Default `ok`. */
  readonly outcome?: Outcome | undefined;
  readonly error?: unknown;
  readonly status?: number | null | undefined;
  readonly stopReason?: string | null | undefined;
  readonly requestId?: string | null | undefined;
  readonly messageId?: string | null | undefined;
  readonly operation?: Operation | undefined;
  readonly provider?: string | undefined;
  readonly stream?: boolean | undefined;
  /** Milliseconds. */
  readonly callMs?: number | undefined;
  readonly ttftMs?: number | null | undefined;
}

let imported = 0;

/**
 * The call as capture would have seen it.
 *
 * @throws TypeError without a model, or with a usage, an outcome, a time or a duration that cannot be.
 */
export function importCall(
  input: CallInput,
  clock: Clock,
  readContext: () => CallContext,
): { call: Call; outcome: Outcome } {
  const model = label(input.model);
  if (typeof input.model !== 'string' || model === null) fail('model', 'a model id', input.model);
  const usage = input.usage ?? null;
  // Without what it is: it may be an answer's text.
  if (typeof usage !== 'object') fail('usage', 'an object, as the API sends it', typeof usage);
  const outcome = input.outcome ?? 'ok';
  if (!OUTCOMES.includes(outcome)) fail('outcome', `one of ${OUTCOMES.join(', ')}`, outcome);
  const at = input.at === undefined ? clock.now() : Number(input.at);
  if (!Number.isFinite(at)) fail('at', 'a Date or milliseconds since the epoch', input.at);
  const callMs = input.callMs ?? 0;
  if (!(callMs >= 0)) fail('callMs', 'a number of milliseconds', callMs);
  const startedAt = 0;
  const status = input.status ?? (outcome === 'ok' || outcome === 'refused' ? 200 : null);
  const error = input.error === undefined ? null : describeError(input.error);
  const { userId, feature, sessionId, tags } = input;
  const call: Call = {
    id: `import-${clock.now().toString(36)}-${(imported += 1).toString(36)}`,
    parentId: null,
    at,
    startedAt,
    operation: input.operation ?? 'messages',
    provider: label(input.provider) ?? 'anthropic',
    model: model as string,
    stream: input.stream ?? false,
    context: withContext({ userId, feature, sessionId, tags }, readContext),
    span: null,
    signal: undefined,
    request: null,
    attempts: [
      {
        status,
        requestId: label(input.requestId),
        durationMs: callMs,
        waitMs: 0,
        errorKind: error?.kind ?? null,
        mayHaveBilled: status === null,
      },
    ],
    phase: 'ended',
    attemptStartedAt: startedAt,
    attemptEndedAt: callMs,
    deadline: 0,
    outcome,
    endedAt: callMs,
    reads: 0,
    headersAt: null,
    headers: null,
    error,
    scan: null,
    buffer: null,
    ticket: null,
    budget: null,
    batchId: null,
    answer: {
      ...noAnswer(),
      messageId: input.messageId ?? null,
      model: input.servedModel ?? null,
      usage,
      stopReason: input.stopReason ?? null,
      hasOutput: (usage?.output_tokens ?? 0) > 0,
      outputKnown: true,
      firstDeltaAt: input.ttftMs ?? null,
    },
  };
  return { call, outcome };
}

function fail(name: string, allowed: string, value: unknown): never {
  throw new TypeError(
    `[claude-metrics] monitor.record: ${name} must be ${allowed}, got ${show(value)}.`,
  );
}
