import { ERROR_KINDS, FEEDBACK_ACTIONS, OUTCOMES, type UnpricedReason } from './record.js';

/**
 * The numbers of a cell by what they count. Stores write `sums` by place and `rare` by name, so places are
 * only ever added at the end, and names never change.
 *
 * - **slot**: index of a number in `sums` or `rare`.
 * - **carry**: money is kept as `carry × 10¹⁵ + rest` nano-dollars, so that a sum stays exact beyond
 *   2⁵³ nano-dollars ($9,007,199).
 */
export const SUM = {
  calls: 0,
  nanoUsd: 1,
  nanoUsdCarry: 2,
  estimatedNanoUsd: 3,
  estimatedNanoUsdCarry: 4,
  attempts: 5,
  retries: 6,
  estimated: 7,
  unattributedUser: 8,
  unattributedFeature: 9,
  uncachedInput: 10,
  cacheRead: 11,
  cacheWrite5m: 12,
  cacheWrite1h: 13,
  output: 14,
  thinking: 15,
  /** Calls that named a session, and their tokens. */
  sessionCalls: 16,
  sessionTokens: 17,
} as const;

export const UNPRICED_REASONS = [
  'unknown_model',
  'no_usage',
  'priority_tier',
  'no_price_for_date',
] as const satisfies readonly UnpricedReason[];

const UNPRICED = OUTCOMES.length + ERROR_KINDS.length;
const FEEDBACK = UNPRICED + UNPRICED_REASONS.length;
const TAKEN_BACK = FEEDBACK + FEEDBACK_ACTIONS.length;

/**
 * Slots of `rare`: outcomes (`ok` is what remains of the calls), errors by kind, unpriced calls, what
 * people did with the answers, and what of that they took back. Cells only ever add, so what counts is
 * the difference of the last two.
 */
export const RARE = {
  outcome: 0,
  error: OUTCOMES.length,
  unpriced: UNPRICED,
  feedback: FEEDBACK,
  takenBack: TAKEN_BACK,
  length: TAKEN_BACK + FEEDBACK_ACTIONS.length,
} as const;

/** By slot; what is before the colon is the kind. */
export const RARE_NAMES: readonly string[] = [
  ...OUTCOMES.map((name) => `outcome:${name}`),
  ...ERROR_KINDS.map((name) => `error:${name}`),
  ...UNPRICED_REASONS.map((name) => `unpriced:${name}`),
  ...FEEDBACK_ACTIONS.map((name) => `feedback:${name}`),
  ...FEEDBACK_ACTIONS.map((name) => `taken-back:${name}`),
];
