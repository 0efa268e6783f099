import { prices } from './prices.js';

/**
 * What is known of the models themselves, as data: how much they read, how much they write, and how
 * long they stay.
 *
 * - **context window**: tokens of prompt and answer together; no request can be billed more input.
 * - **retirement**: after its day requests fail. `announced`: that day is fixed. Otherwise it is the
 *   promise "not sooner than", and may pass without anything happening.
 *
 * Sources, all Anthropic's: models overview of October 2026 (windows, outputs, days of the 5.x
 * models; 300,000 tokens of output in batches with the beta header `output-300k-2026-03-24`); the
 * pages of single models; model deprecations of August and October 2026 (all other days);
 * `DEPRECATED_MODELS` of `@anthropic-ai/sdk` 1.12 (Sonnet 4.5). The entries of Fable 5.2 and Mythos
 * 5.2 repeat those of 5.1: no page of theirs was seen.
 */
export interface ModelFacts {
  /** Tokens. The larger one, where a beta header extends it (Sonnet 4 and 4.5). */
  readonly contextWindow: number;
  /** The largest `max_tokens`. */
  readonly maxOutput: number;
  /** The same in a batch. */
  readonly maxBatchOutput: number;
  /** `null`: nothing is known. */
  readonly retirement: Retirement | null;
}

export interface Retirement {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly announced: boolean;
}

const MILLION = 1_000_000;
const EXTENDED = 300_000;

function facts(
  contextWindow: number,
  maxOutput: number,
  maxBatchOutput: number,
  retirement: Retirement | null,
): ModelFacts {
  return Object.freeze({ contextWindow, maxOutput, maxBatchOutput, retirement });
}

function on(day: string): Retirement {
  return Object.freeze({ day, announced: true });
}

function notBefore(day: string): Retirement {
  return Object.freeze({ day, announced: false });
}

const known: Readonly<Record<string, ModelFacts>> = {
  'claude-fable-5-2': facts(MILLION, 128_000, 128_000, null),
  'claude-mythos-5-2': facts(MILLION, 128_000, 128_000, null),
  'claude-haiku-5-5': facts(MILLION, 128_000, EXTENDED, notBefore('2027-10-07')),
  'claude-sonnet-5-5': facts(MILLION, 128_000, EXTENDED, notBefore('2027-09-28')),
  'claude-opus-5-5': facts(MILLION, 128_000, EXTENDED, notBefore('2027-09-22')),
  'claude-fable-5-1': facts(MILLION, 128_000, 128_000, notBefore('2027-09-01')),
  'claude-mythos-5-1': facts(MILLION, 128_000, 128_000, null),
  'claude-opus-5': facts(MILLION, 128_000, EXTENDED, notBefore('2027-07-24')),
  'claude-sonnet-5': facts(MILLION, 128_000, EXTENDED, notBefore('2027-06-30')),
  'claude-fable-5': facts(MILLION, 128_000, 128_000, notBefore('2027-06-09')),
  'claude-mythos-5': facts(MILLION, 128_000, 128_000, notBefore('2027-06-09')),
  'claude-opus-4-8': facts(MILLION, 128_000, EXTENDED, notBefore('2027-05-28')),
  'claude-opus-4-7': facts(MILLION, 128_000, EXTENDED, notBefore('2027-04-16')),
  'claude-opus-4-6': facts(MILLION, 128_000, EXTENDED, notBefore('2027-02-05')),
  'claude-sonnet-4-6': facts(MILLION, 128_000, EXTENDED, notBefore('2027-02-17')),
  'claude-haiku-4-5-20251001': facts(200_000, 64_000, 64_000, notBefore('2026-10-15')),
  'claude-opus-4-5-20251101': facts(200_000, 64_000, 64_000, notBefore('2026-11-24')),
  'claude-sonnet-4-5-20250929': facts(MILLION, 64_000, 64_000, on('2026-11-30')),
  'claude-opus-4-1-20250805': facts(200_000, 32_000, 32_000, on('2026-08-05')),
  'claude-opus-4-20250514': facts(200_000, 32_000, 32_000, on('2026-06-15')),
  'claude-sonnet-4-20250514': facts(MILLION, 64_000, 64_000, on('2026-06-15')),
  'claude-3-7-sonnet-20250219': facts(200_000, 128_000, 128_000, on('2026-02-19')),
  'claude-3-5-haiku-20241022': facts(200_000, 8_192, 8_192, on('2026-02-19')),
  'claude-3-haiku-20240307': facts(200_000, 4_096, 4_096, on('2026-04-20')),
};

/** By id and alias. */
const models = new Map<string, ModelFacts>();
for (const [id, each] of Object.entries(known)) {
  models.set(id, each);
  for (const alias of prices.models[id]?.aliases ?? []) models.set(alias, each);
}

const all = Object.values(known);
/** The largest of everything: what an unknown model might have. */
const unknown = facts(
  Math.max(...all.map((each) => each.contextWindow)),
  Math.max(...all.map((each) => each.maxOutput)),
  Math.max(...all.map((each) => each.maxBatchOutput)),
  null,
);

/**
 * The facts of a model by its id or alias; of an unknown one, the largest there are. Frozen.
 *
 * @example
 * modelFactsOf('claude-opus-5-5').contextWindow; // 1_000_000 tokens
 */
export function modelFactsOf(model: string): ModelFacts {
  return models.get(model) ?? unknown;
}

/** The largest `max_tokens` of a model, as far as it is known. */
export function maxOutputOf(model: string): number | null {
  return models.get(model)?.maxOutput ?? null;
}
