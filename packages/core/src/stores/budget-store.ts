/**
 * Where the money of budgets lives that several processes share. A store does not know calls; it
 * knows members, and what each has taken.
 *
 * - **member**: one process, under a name that no other has.
 * - **account**: the money of one budget, scope and period.
 * - **lease**: what a member has reserved on an account. Its calls hold out of it, in the process, and
 *   what they cost is posted out of it. It expires when its member has not been heard of for too
 *   long; a posting that comes later is posted all the same, as overrun.
 * - **exchange**: one message of a member: what it has spent, gives back and wants. All of it happens,
 *   or nothing. Members number theirs, and one that comes again is answered as it was the first time.
 *
 * Money is in integer nano-dollars. `spent + held <= limit`, always, but for what is posted as overrun
 * or without a lease. What an exchange does is `applyExchange()` in exchange.ts, in every store.
 */
export interface BudgetStore {
  readonly name: string;
  /** Renews the leases of the member, expires those of others that are overdue, and does what it says. */
  exchange(exchange: Exchange): ExchangeAnswer | Promise<ExchangeAnswer>;
  /** Accounts of a budget in the period that begins at `from`: those with most money first. */
  accounts(query: AccountsQuery): AccountsPage | Promise<AccountsPage>;
  /** Corrections by hand, the last first. */
  adjustments(limit: number): readonly StoredAdjustment[] | Promise<readonly StoredAdjustment[]>;
  /** Removes the accounts of a user, with every lease on them. */
  forgetUser(userId: string): unknown;
  close?(): void | Promise<void>;
}

export interface AccountAddress {
  readonly budget: string;
  /** `null`: the budget is of all. At most a few hundred characters, any characters. */
  readonly scope: string | null;
  /** The scope is the name of a user. */
  readonly personal: boolean;
  /** The period, milliseconds since the epoch: `from <= at < to`. Kept for a week after it, at least. */
  readonly from: number;
  readonly to: number;
}

export interface Exchange {
  readonly member: string;
  /** 1 for the first one, and one more for each; the same one comes again until it is answered. */
  readonly number: number;
  /** The leases of the member expire when it has not been heard of for so long, by the store's clock. */
  readonly ttlMs: number;
  /** What the rest speaks of, by place; none twice. */
  readonly accounts: readonly AccountAddress[];
  /** Done in this order: postings, adjustments, gifts, takings. */
  readonly postings: readonly Posting[];
  readonly adjustments: readonly Correction[];
  readonly gifts: readonly Gift[];
  readonly takings: readonly (readonly Want[])[];
}

/** What calls have cost that have ended since the exchange before, on one account. */
export interface Posting {
  readonly account: number;
  readonly nanoUsd: number;
  /** Part of `nanoUsd` that comes out of the lease. */
  readonly leased: number;
  /** Parts of `nanoUsd`, as in balance.ts. */
  readonly uncertain: number;
  readonly overrun: number;
  /** Calls whose cost is not known. */
  readonly unpriced: number;
  /** Calls that were refused. */
  readonly refused: number;
}

export interface Correction {
  readonly account: number;
  /** Below 0 gives back; spending never becomes negative. */
  readonly nanoUsd: number;
  readonly at: number;
  /** At most 500 characters. */
  readonly reason: string;
}

/** Part of a lease that the member does not need any more. */
export interface Gift {
  readonly account: number;
  readonly amount: number;
}

/** All wants of a taking are met, or none is. */
export interface Want {
  readonly account: number;
  /** Of the budget, as this member knows it; more is never spent and held together. */
  readonly limit: number;
  readonly need: number;
  /** Taken on top of it, as far as there is plenty. */
  readonly wish: number;
}

export interface ExchangeAnswer {
  /** As they are afterwards, in the order of the exchange. */
  readonly accounts: readonly AccountAnswer[];
  /** What was really added to `spent`, for each adjustment. */
  readonly adjusted: readonly number[];
  /** For each taking: the place of the first want without room, or -1 when it was taken. */
  readonly refused: readonly number[];
}

export interface AccountAnswer extends AccountBalance {
  /** What this member has on it. */
  readonly leased: number;
  /** Before this exchange, so that what it has passed is told by its member, and by no other. */
  readonly spentBefore: number;
  readonly refusedBefore: number;
}

export interface AccountBalance {
  readonly spent: number;
  /** All leases on it, together. */
  readonly held: number;
  readonly uncertain: number;
  readonly overrun: number;
  readonly unpriced: number;
  readonly refused: number;
}

export interface AccountsQuery {
  readonly budget: string;
  readonly from: number;
  /** At most so many, by `spent + held`. */
  readonly limit: number;
}

export interface AccountsPage {
  readonly accounts: readonly (AccountBalance & { readonly scope: string | null })[];
  /** How many there are. */
  readonly count: number;
}

export interface StoredAdjustment {
  readonly at: number;
  readonly budget: string;
  readonly scope: string | null;
  /** What was really added. */
  readonly nanoUsd: number;
  readonly reason: string;
}

/**
 * What processes tell each other besides: who does what only one of them should do, and small texts.
 */
export interface SharedNotes {
  /**
   * `true`: `holder` has the name now, and nobody else gets it for `forMs`, by the store's clock. To
   * claim it again renews it; with 0 it is let go.
   */
  claim(name: string, holder: string, forMs: number): boolean | Promise<boolean>;
  /** The text under a name; `null` when there is none. */
  note(name: string): string | null | Promise<string | null>;
  /** At most 1 MB. `null` removes it. Of more than 1,000, those may go that were put longest ago. */
  putNote(name: string, text: string | null): void | Promise<void>;
}
