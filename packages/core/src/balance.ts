/**
 * The state machine of budgets, and the only arithmetic on their money. It is pure: no clock, no
 * storage, no ids. Every store runs this one and merely keeps what it changes.
 *
 * - **balance**: the money of one budget, scope and period, in integer nano-dollars.
 * - **hold**: what is reserved on several balances for one call. It is `held` until it ends, once, as
 *   `settled`, `voided` or `expired`; what is asked of it later changes nothing, except that a
 *   settle after expiry is still posted: the money was spent.
 * - **part**: what a hold reserves on one of its balances.
 *
 * While only holds spend money, `spent + held <= limit` of every balance, always.
 */
export interface Balance {
  spent: number;
  /** The sum of the open parts on it. */
  held: number;
  /** Part of `spent` that may not be on the bill. */
  uncertain: number;
  /** Part of `spent` that was not held: an estimate that was too low, a settle after expiry. */
  overrun: number;
  /** Calls whose cost is not known, and so not in `spent`. */
  unpriced: number;
}

export type HoldState = 'held' | 'settled' | 'voided' | 'expired';

export interface HoldPart<B extends Balance = Balance> {
  readonly balance: B;
  /** More than that is never held; `Infinity` where a limit only warns. */
  readonly limit: number;
  amount: number;
}

export interface Hold<B extends Balance = Balance> {
  state: HoldState;
  readonly parts: readonly HoldPart<B>[];
}

/** What a call has cost. */
export interface Charge {
  readonly nanoUsd: number;
  /** Part of `nanoUsd`. */
  readonly uncertain: number;
  /** `false`: it cost something that nobody knows, beyond `nanoUsd`. */
  readonly priced: boolean;
}

export function emptyBalance(): Balance {
  return { spent: 0, held: 0, uncertain: 0, overrun: 0, unpriced: 0 };
}

/** Reserves every part, or none: then the first part without room is returned, and nothing changed. */
export function take<B extends Balance>(hold: Hold<B>): HoldPart<B> | null {
  const { parts } = hold;
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i]!;
    if (!fits(part.balance, part.limit, part.amount)) return part;
  }
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i]!;
    part.amount = reserve(part.balance, part.amount);
  }
  return null;
}

export function fits(balance: Balance, limit: number, amount: number): boolean {
  return limit === Infinity || balance.spent + balance.held + amount <= limit;
}

/**
 * Adds to every part, or to none, before an attempt that follows one that may have billed. `extra`
 * has an amount for each part. A hold that has ended cannot be raised: take another one.
 */
export function raise<B extends Balance>(
  hold: Hold<B>,
  extra: readonly number[],
): HoldPart<B> | null {
  const { parts } = hold;
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i]!;
    if (!fits(part.balance, part.limit, extra[i]!)) return part;
  }
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i]!;
    part.amount += reserve(part.balance, extra[i]!);
  }
  return null;
}

/**
 * Posts a part of what the hold is for and leaves the rest held, as each result of a batch does.
 * After expiry it is posted all the same. `charges` has one for each part.
 */
export function post(hold: Hold, charges: readonly Charge[]): void {
  const { parts } = hold;
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i]!;
    const { balance } = part;
    const charge = charges[i]!;
    const covered = hold.state === 'held' ? Math.min(part.amount, charge.nanoUsd) : 0;
    part.amount -= covered;
    balance.held -= covered;
    balance.spent = sum(balance.spent, charge.nanoUsd);
    balance.uncertain = sum(balance.uncertain, charge.uncertain);
    balance.overrun = sum(balance.overrun, charge.nanoUsd - covered);
    if (!charge.priced) balance.unpriced += 1;
  }
}

/** Puts the real cost in the place of the hold. `false`: it had ended before, and nothing changed. */
export function settle(hold: Hold, charges: readonly Charge[]): boolean {
  if (hold.state !== 'held' && hold.state !== 'expired') return false;
  post(hold, charges);
  if (hold.state === 'held') release(hold);
  hold.state = 'settled';
  return true;
}

/** Nothing was spent. */
export function voidHold(hold: Hold): boolean {
  return end(hold, 'voided');
}

/** Nobody has said how it ended, for so long that nobody will. */
export function expire(hold: Hold): boolean {
  return end(hold, 'expired');
}

/** A correction by hand; spending never becomes negative. Returns what was really added. */
export function adjust(balance: Balance, nanoUsd: number): number {
  const before = balance.spent;
  balance.spent = Math.max(0, sum(balance.spent, nanoUsd));
  balance.uncertain = Math.min(balance.uncertain, balance.spent);
  balance.overrun = Math.min(balance.overrun, balance.spent);
  return balance.spent - before;
}

/** Charges that were added up elsewhere, and how much of them a lease was taken for. */
export interface LeasedCharges {
  readonly nanoUsd: number;
  readonly leased: number;
  readonly uncertain: number;
  readonly overrun: number;
  readonly unpriced: number;
}

/** Posts charges out of a lease. What it does not have any more is overrun. Returns what it had. */
export function postLeased(balance: Balance, lease: number, charges: LeasedCharges): number {
  const covered = Math.min(lease, charges.leased);
  balance.held -= covered;
  balance.spent = sum(balance.spent, charges.nanoUsd);
  balance.uncertain = sum(balance.uncertain, charges.uncertain);
  balance.overrun = sum(balance.overrun, charges.overrun + charges.leased - covered);
  balance.unpriced += charges.unpriced;
  return covered;
}

function end(hold: Hold, state: 'voided' | 'expired'): boolean {
  if (hold.state !== 'held') return false;
  release(hold);
  hold.state = state;
  return true;
}

function release({ parts }: Hold): void {
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i]!;
    part.balance.held -= part.amount;
    part.amount = 0;
  }
}

/**
 * Reserves for a part of a hold, or for a lease out of which holds are taken elsewhere. What was really
 * reserved, which it returns, is what will be released: `held` is the sum of the open parts, always.
 */
export function reserve(balance: Balance, amount: number): number {
  const before = balance.held;
  balance.held = sum(before, amount);
  return balance.held - before;
}

/** Beyond the exact integers ($9,007,199) it stays where it is: only limits without end get there. */
function sum(a: number, b: number): number {
  return Math.min(a + b, Number.MAX_SAFE_INTEGER);
}
