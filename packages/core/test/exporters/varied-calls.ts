/** Calls of every kind with the real SDK, the same in every run: for exporters that must count as the snapshot does. */
import type Anthropic from '@anthropic-ai/sdk';
import { answers, type Answer, type Simulator } from '@claude-metrics/testing';
import type { Monitor } from '../../src/monitor.js';
import { drawFrom, type Draw } from '../budgets/draw.js';

export const MODELS = [
  ...['claude-opus-5-5', 'claude-sonnet-5-5'],
  ...['claude-haiku-4-5', 'claude-none-0'],
] as const;
const AT_ONCE = 20;

export interface VariedCalls {
  readonly monitor: Monitor;
  /** That the monitor observes. */
  readonly client: Anthropic;
  readonly simulator: Simulator;
  readonly seed: number;
  readonly calls: number;
  readonly features: readonly (string | null)[];
  /** Called now and then, while calls go on. */
  readonly pause?: () => Promise<void>;
}

/** A call has the tag `breaks: 'true'` when it is a stream that is left, should it be a stream at all. */
export async function makeVariedCalls(options: VariedCalls): Promise<void> {
  const { monitor, client, simulator, calls, features, pause } = options;
  const pick = drawFrom(options.seed);
  simulator.respond(() => answerOf(pick));
  const call = async (i: number): Promise<void> => {
    const request = {
      model: MODELS[pick(MODELS.length)]!,
      max_tokens: 1_000,
      messages: [{ role: 'user' as const, content: 'Where?' }],
    };
    const breaks = i % 15 === 0;
    const feature = features[i % features.length];
    const context = { userId: `user-${i % 37}`, feature, tags: { breaks: String(breaks) } };
    await monitor.withContext(context, async () => {
      try {
        if (i % 3 !== 0) return await client.messages.create(request);
        const stream = await client.messages.create({ ...request, stream: true });
        let events = 0;
        for await (const _event of stream) {
          events += 1;
          if (breaks && events > 2) break;
        }
      } catch {
        // It is in the figures, which is what counts here.
      }
      return undefined;
    });
  };
  for (let i = 0; i < calls; i += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, j) => call(i + j)));
    if (i % (4 * AT_ONCE) === 0) await pause?.();
  }
  await simulator.idle();
}

function answerOf(pick: Draw): Answer {
  const output = 1 + pick(900);
  const usage = {
    input_tokens: pick(5_000),
    output_tokens: output,
    cache_read_input_tokens: pick(20_000),
    cache_creation_input_tokens: 70,
    cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 40 },
    output_tokens_details: { thinking_tokens: pick(output) },
  };
  const kinds: Answer[] = [
    answers.overloaded(),
    answers.rateLimited({ retryAfter: 0 }),
    answers.badRequest(),
    answers.refusal(),
    answers.serverError(),
    answers.streamError(),
    answers.truncated({ usage }),
  ];
  return kinds[pick(25)] ?? answers.text('Paris', { usage });
}
