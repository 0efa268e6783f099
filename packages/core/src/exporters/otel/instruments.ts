import { SCOPE, SCOPE_VERSION } from './api.js';
import type { OtelCounter, OtelHistogram, OtelMeter, OtelMetrics } from './api.js';

/**
 * The instruments that calls are counted with, of whatever meter there is at the moment. Names and
 * buckets beginning with `gen_ai.` are those of the semantic conventions; the others are ours.
 */
export interface Instruments {
  readonly duration: OtelHistogram;
  readonly timeToFirstChunk: OtelHistogram;
  /** All input, cached or not; what was read from and written to the cache is part of it. */
  readonly input: OtelCounter;
  readonly cacheRead: OtelCounter;
  readonly cacheWrite: OtelCounter;
  /** All output; reasoning is part of it. */
  readonly output: OtelCounter;
  readonly reasoning: OtelCounter;
  readonly cost: OtelCounter;
  readonly nanoCost: OtelCounter;
  readonly unpriced: OtelCounter;
  /** What tokens were before they had counters. */
  readonly tokenUsage: OtelHistogram | null;
}

const SECONDS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const TOKENS = [
  1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
  67_108_864,
];

/**
 * Asks for the meter at every call, so that a provider may be registered after us: until then the
 * API's meter is one that does nothing.
 */
export function instrumentsOf(metrics: OtelMetrics, withTokenUsage: boolean): () => Instruments {
  let meter: OtelMeter | undefined;
  let instruments: Instruments | undefined;
  return () => {
    const current = metrics.getMeter(SCOPE, SCOPE_VERSION);
    if (instruments === undefined || meter !== current) {
      instruments = create(current, withTokenUsage);
      meter = current;
    }
    return instruments;
  };
}

function create(meter: OtelMeter, withTokenUsage: boolean): Instruments {
  const seconds = (name: string, description: string) =>
    meter.createHistogram(`gen_ai.client.operation.${name}`, {
      ...{ description, unit: 's', advice: { explicitBucketBoundaries: SECONDS } },
    });
  const tokens = (name: string, description: string) =>
    meter.createCounter(`gen_ai.client.inference.usage.${name}`, { description, unit: '{token}' });
  const ours = (name: string, unit: string, description: string) =>
    meter.createCounter(`claude_metrics.${name}`, { description, unit });
  return {
    duration: seconds('duration', 'Whole calls, with their retries and the pauses between them.'),
    timeToFirstChunk: seconds(
      'time_to_first_chunk',
      'From the start of a call to the first delta of its stream.',
    ),
    input: tokens('input_tokens', 'Billed input tokens, cached ones included.'),
    cacheRead: tokens('cache_read.input_tokens', 'Input tokens that were read from the cache.'),
    cacheWrite: tokens('cache_write.input_tokens', 'Input tokens that were written to the cache.'),
    output: tokens('output_tokens', 'Billed output tokens, thinking included.'),
    reasoning: tokens('reasoning.output_tokens', 'Output tokens that were thinking.'),
    cost: ours('cost', '{USD}', 'What priced calls cost.'),
    nanoCost: ours(
      'cost_nano_usd',
      '{nano_USD}',
      'The same in billionths of a dollar: whole numbers, whose sum is exact.',
    ),
    unpriced: ours('unpriced_calls', '{call}', 'Calls whose cost is not known, by reason.'),
    tokenUsage: withTokenUsage
      ? meter.createHistogram('gen_ai.client.token.usage', {
          description: 'Input and output tokens of a call.',
          unit: '{token}',
          advice: { explicitBucketBoundaries: TOKENS },
        })
      : null,
  };
}
