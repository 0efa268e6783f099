import type { Answer } from '@claude-metrics/testing';

/**
 * What the calls of a schedule will do, drawn from a seed: who makes them and when, what becomes of
 * each attempt, and when the caller leaves.
 */
export interface CallPlan {
  readonly userId: string;
  readonly feature: string;
  readonly form: 'json' | 'stream' | 'helper';
  readonly body: Readonly<Record<string, unknown>>;
  /** When it is made, in turns of the event loop. */
  readonly startTurn: number;
  readonly maxRetries: number;
  /** Of each attempt; later ones succeed. */
  readonly attempts: readonly AttemptPlan[];
  /** `drop`: the answer is never read. `abort`: after so many turns. `break`: after so many events. */
  readonly leaves: { readonly how: 'break' | 'abort' | 'drop'; readonly after: number } | null;
}

/** `refuse`: the connection never stood. `timeout`: after so many turns, as the SDK's would. */
export type AttemptPlan =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'timeout'; readonly after: number };

export const MODELS = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-haiku-5-5'] as const;
export const FEATURES = ['chat', 'search', 'summarise', 'translate', 'review'] as const;

export type Random = ReturnType<typeof createRandom>;

/** The same numbers for the same seed (mulberry32). */
export function createRandom(seed: number) {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const whole = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    whole,
    chance: (share: number): boolean => next() < share,
    pick: <T>(list: readonly T[]): T => list[whole(0, list.length - 1)]!,
    between: (from: number, to: number): number => from + next() * (to - from),
  };
}

export function plansOf(random: Random, calls: number, users: number): CallPlan[] {
  // All at once, or spread over as many turns as they take.
  const spread = random.pick([0, 10, 60]);
  const trouble = random.pick([0.05, 0.3, 0.6]);
  return Array.from({ length: calls }, (_, i) => {
    const form = random.pick(['json', 'json', 'stream', 'stream', 'helper'] as const);
    const attempts: AttemptPlan[] = [];
    while (attempts.length < 4 && random.chance(trouble)) attempts.push(troubleOf(random));
    attempts.push({ kind: 'answer', answer: answerOf(random) });
    return {
      userId: `user ${i % users}`,
      feature: random.pick(FEATURES),
      form,
      body: bodyOf(random),
      startTurn: random.whole(0, spread),
      maxRetries: random.whole(0, 3),
      attempts,
      leaves: random.chance(0.2) ? leavingOf(random, form) : null,
    };
  });
}

function leavingOf(random: Random, form: CallPlan['form']): CallPlan['leaves'] {
  const how = form === 'stream' ? random.pick(['break', 'abort', 'drop'] as const) : 'abort';
  return { how, after: random.whole(0, how === 'abort' ? 12 : 9) };
}

function bodyOf(random: Random): Record<string, unknown> {
  const text = 'word '.repeat(random.whole(1, 80)).trimEnd();
  const cached = { type: 'text', text: 'The rules. '.repeat(20) };
  return {
    model: random.pick(MODELS),
    max_tokens: random.whole(16, 600),
    ...(random.chance(0.3) ? { inference_geo: random.pick(['us', 'global']) } : {}),
    ...(random.chance(0.2)
      ? {
          system: [
            { ...cached, cache_control: { type: 'ephemeral', ttl: random.pick(['5m', '1h']) } },
          ],
        }
      : {}),
    messages: [{ role: 'user', content: text }],
  };
}

function answerOf(random: Random): Answer {
  const content = 'answer '.repeat(random.whole(1, 60)).trimEnd();
  const whole = { content, chunkText: random.whole(20, 200) };
  if (random.chance(0.03)) return { content: [], stopReason: 'refusal' };
  if (random.chance(0.03)) return { body: '{"id": "msg_1", "usage": ' };
  if (random.chance(0.12)) {
    const ending = random.pick(['truncated', 'reset', 'error'] as const);
    return { ...whole, ending, endAfterEvents: random.whole(0, 8) };
  }
  return whole;
}

function troubleOf(random: Random): AttemptPlan {
  const soon = { 'retry-after-ms': String(random.whole(1, 4)) };
  const kind = random.pick(['status', 'status', 'reset', 'timeout', 'refuse'] as const);
  if (kind === 'timeout') return { kind, after: random.whole(1, 8) };
  if (kind === 'refuse') return { kind };
  if (kind === 'reset') return { kind: 'answer', answer: { ending: 'reset', beforeHeaders: true } };
  const status = random.pick([408, 429, 500, 529, 529, 529, 400]);
  return { kind: 'answer', answer: { status, headers: soon } };
}
