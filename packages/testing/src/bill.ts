import type { SimulatedUsage } from './answer.js';

/**
 * The bill of the simulated organization: what its Admin API reports as used and as charged. The two
 * are given apart, because they can disagree with each other, and with what anybody has counted.
 */
export interface Bill {
  readonly usage?: readonly BilledUsage[] | undefined;
  readonly costs?: readonly BilledCost[] | undefined;
}

/** Tokens that the usage report counts. */
export interface BilledUsage {
  readonly at: Date | number;
  readonly model: string;
  /** As in a message: `input_tokens`, `cache_creation`, … */
  readonly usage: SimulatedUsage;
  /** `null` (default): the Console. */
  readonly apiKeyId?: string | null | undefined;
  /** `null` (default): the default workspace. */
  readonly workspaceId?: string | null | undefined;
  /** Default that of `usage`, or `standard`. */
  readonly serviceTier?: string | undefined;
  /** Default that of `usage`, or `standard`. */
  readonly speed?: string | undefined;
  /** Default that of `usage`, or `global`. */
  readonly inferenceGeo?: string | undefined;
  /** Default by the size of the prompt. */
  readonly contextWindow?: string | undefined;
}

/** One item of the cost report. */
export interface BilledCost {
  readonly at: Date | number;
  /** Decimal, as the API writes it: `123.45` is $1.2345. */
  readonly cents: string;
  /** `tokens` (default), `web_search`, `code_execution`, `session_usage`. */
  readonly costType?: string | undefined;
  readonly model?: string | null | undefined;
  readonly tokenType?: string | null | undefined;
  readonly serviceTier?: string | null | undefined;
  readonly inferenceGeo?: string | null | undefined;
  readonly contextWindow?: string | null | undefined;
  readonly workspaceId?: string | null | undefined;
  readonly description?: string | undefined;
}
