/**
 * Shared budgets and notes, as core says what they are, as far as the cases use them.
 *
 * - **member**: one process, under a name that no other has.
 * - **account**: the money of one budget, scope and period.
 * - **exchange**: what a member has spent, gives back and wants; all of it happens, or nothing.
 */

/** `BudgetStore` of core. */
export interface ContractBudgets {
  exchange(exchange: ContractExchange): ContractAnswer | Promise<ContractAnswer>;
  accounts(query: ContractAccountsQuery): ContractAccountsPage | Promise<ContractAccountsPage>;
  adjustments(
    limit: number,
  ): readonly ContractAdjustment[] | Promise<readonly ContractAdjustment[]>;
  /** `userId` as the application gave it, not as a key. */
  forgetUser(userId: string): unknown;
}

/** `SharedNotes` of core. */
export interface ContractNotes {
  claim(name: string, holder: string, forMs: number): boolean | Promise<boolean>;
  note(name: string): string | null | Promise<string | null>;
  putNote(name: string, text: string | null): void | Promise<void>;
}

export interface ContractAccount {
  readonly budget: string;
  readonly scope: string | null;
  readonly personal: boolean;
  readonly from: number;
  readonly to: number;
}

export interface ContractExchange {
  readonly member: string;
  readonly number: number;
  readonly ttlMs: number;
  readonly accounts: readonly ContractAccount[];
  /** Done in this order: postings, adjustments, gifts, takings. */
  readonly postings: readonly ContractPosting[];
  readonly adjustments: readonly {
    readonly account: number;
    readonly nanoUsd: number;
    readonly at: number;
    readonly reason: string;
  }[];
  readonly gifts: readonly { readonly account: number; readonly amount: number }[];
  readonly takings: readonly (readonly ContractWant[])[];
}

export interface ContractPosting {
  readonly account: number;
  readonly nanoUsd: number;
  readonly leased: number;
  readonly uncertain: number;
  readonly overrun: number;
  readonly unpriced: number;
  readonly refused: number;
}

export interface ContractWant {
  readonly account: number;
  readonly limit: number;
  readonly need: number;
  readonly wish: number;
}

export interface ContractAnswer {
  readonly accounts: readonly ContractAccountAnswer[];
  readonly adjusted: readonly number[];
  readonly refused: readonly number[];
}

export interface ContractBalance {
  spent: number;
  held: number;
  uncertain: number;
  overrun: number;
  unpriced: number;
  refused: number;
}

/** What `applyExchange()` of core changes. */
export interface ContractSharedAccount extends ContractBalance {
  leased: number;
}

export interface ContractAccountAnswer extends Readonly<ContractSharedAccount> {
  readonly spentBefore: number;
  readonly refusedBefore: number;
}

export interface ContractAccountsQuery {
  readonly budget: string;
  readonly from: number;
  readonly limit: number;
}

export interface ContractAccountsPage {
  readonly accounts: readonly (Readonly<ContractBalance> & { readonly scope: string | null })[];
  readonly count: number;
}

export interface ContractAdjustment {
  readonly at: number;
  readonly budget: string;
  readonly scope: string | null;
  readonly nanoUsd: number;
  readonly reason: string;
}
