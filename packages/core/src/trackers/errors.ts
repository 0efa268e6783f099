import { RARE, SUM } from '../cell.js';
import { ERROR_KINDS, OUTCOMES, type ErrorKind, type Outcome } from '../record.js';
import type { Cell } from '../stores/store.js';

/** How the calls of a cell ended. */
export interface Endings {
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Failed calls by kind, without an application's own aborts; only kinds that occurred. */
  readonly errors: Readonly<Partial<Record<ErrorKind, number>>>;
  /** Failed ÷ all calls, 0..1; `null` without calls. */
  readonly errorRate: number | null;
}

const ERROR = RARE.outcome + OUTCOMES.indexOf('error');
const TRUNCATED = RARE.outcome + OUTCOMES.indexOf('truncated');

export function errorsOf(cell: Cell): Endings {
  const { sums, rare } = cell;
  const calls = sums[SUM.calls]!;
  const outcomes = Object.fromEntries(
    OUTCOMES.map((outcome, i) => [outcome, rare?.[RARE.outcome + i] ?? 0]),
  ) as Record<Outcome, number>;
  outcomes.ok = calls - OUTCOMES.reduce((sum, outcome) => sum + outcomes[outcome], 0);
  const errors: Partial<Record<ErrorKind, number>> = {};
  ERROR_KINDS.forEach((kind, i) => {
    const count = rare?.[RARE.error + i] ?? 0;
    if (count > 0) errors[kind] = count;
  });
  return { outcomes, errors, errorRate: calls === 0 ? null : failuresOf(cell) / calls };
}

/** Calls that failed: `error` and `truncated`, as `isFailure()` says. */
export function failuresOf({ rare }: Cell): number {
  return rare === null ? 0 : rare[ERROR]! + rare[TRUNCATED]!;
}
