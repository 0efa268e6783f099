import { moneyAt, RARE, SUM } from '../cell.js';
import { FEEDBACK_ACTIONS, OUTCOMES, type FeedbackAction } from '../record.js';
import type { Cell } from '../stores/store.js';

/**
 * What people did with answers, and what an answer cost that was of use.
 *
 * - **opinion**: what one person did last with one answer. `accept`, `reject`, `edit` and `retry` are
 *   opinions; whoever changes it has one all the same.
 * - **accepted**: by default `accept` alone in the acceptance rate, as it is commonly computed; and
 *   `accept` and `edit` where it is about money, because an answer that was edited was used.
 */
export interface Feedback extends Readonly<Record<FeedbackAction, number>> {
  /** Accepted ÷ (accepted + rejected), 0..1; `null` without either. */
  readonly acceptanceRate: number | null;
  /** Rejected ÷ (accepted + rejected): what is left of the acceptance rate. */
  readonly rejectionRate: number | null;
  /** Edits ÷ all opinions. */
  readonly editRate: number | null;
  /** Retries ÷ all opinions. */
  readonly retryRate: number | null;
  /**
   * Cost of all calls ÷ accepted answers. Answers that nobody has said anything about cost, too, so this
   * is the most that an accepted answer has cost. `null` when none was accepted.
   */
  readonly costPerAccepted: Amount | null;
  /** The same, if those who said nothing had thought like those who did: cost per answer ÷ share accepted. */
  readonly costPerAcceptedAlike: Amount | null;
}

export interface Amount {
  readonly usd: number;
  /** Rounded to whole nano-dollars. */
  readonly nanoUsd: number;
}

/** Which actions mean what. */
export interface FeedbackRules {
  /** Of the acceptance rate. Default `['accept']`. */
  readonly accepted?: readonly FeedbackAction[] | undefined;
  /** Of the acceptance rate. Default `['reject']`. */
  readonly rejected?: readonly FeedbackAction[] | undefined;
  /** Of the cost of an accepted answer. Default `['accept', 'edit']`. */
  readonly acceptedForCost?: readonly FeedbackAction[] | undefined;
}

const NANO = 1e9;

/**
 * `null` where nobody has an opinion.
 *
 * @example
 * feedbackOf(cell)?.acceptanceRate; // 0.8
 */
export function feedbackOf(cell: Cell, rules: FeedbackRules = {}): Feedback | null {
  const { accepted = ['accept'], rejected = ['reject'] } = rules;
  const { acceptedForCost = ['accept', 'edit'] } = rules;
  const counts = opinionsOf(cell);
  const sumOf = (actions: readonly FeedbackAction[]) =>
    actions.reduce((sum, action) => sum + counts[action], 0);
  const all = sumOf(FEEDBACK_ACTIONS);
  if (all === 0) return null;
  const judged = sumOf(accepted) + sumOf(rejected);
  const useful = sumOf(acceptedForCost);
  const nanoUsd = moneyAt(cell.sums, SUM.nanoUsd);
  const answers = answersOf(cell);
  return {
    ...counts,
    acceptanceRate: share(sumOf(accepted), judged),
    rejectionRate: share(sumOf(rejected), judged),
    editRate: share(counts.edit, all),
    retryRate: share(counts.retry, all),
    costPerAccepted: useful === 0 ? null : amountOf(nanoUsd / useful),
    costPerAcceptedAlike:
      useful === 0 || answers === 0 ? null : amountOf((nanoUsd / answers) * (all / useful)),
  };
}

/**
 * Opinions by action. One that was taken back elsewhere (the cap may have merged the name that it was
 * given under) never makes less than none.
 */
export function opinionsOf({ rare }: Cell): Record<FeedbackAction, number> {
  const counts = { accept: 0, reject: 0, edit: 0, retry: 0 };
  if (rare === null) return counts;
  FEEDBACK_ACTIONS.forEach((action, i) => {
    counts[action] = Math.max(rare[RARE.feedback + i]! - rare[RARE.takenBack + i]!, 0);
  });
  return counts;
}

/** Calls that gave an answer: outcome `ok`. */
function answersOf({ sums, rare }: Cell): number {
  const others = OUTCOMES.reduce((sum, _, i) => sum + (rare?.[RARE.outcome + i] ?? 0), 0);
  return sums[SUM.calls]! - others;
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function amountOf(nanoUsd: number): Amount {
  const whole = Math.round(nanoUsd);
  return { usd: whole / NANO, nanoUsd: whole };
}
