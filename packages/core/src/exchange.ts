import { adjust, fits, reserve, postLeased } from './balance.js';
import type { Balance } from './balance.js';
import type { AccountAnswer, Exchange, ExchangeAnswer, Want } from './stores/budget-store.js';

/**
 * What an exchange does to the accounts that it speaks of. Pure: a store reads them, runs this in one
 * transaction, and keeps what it changed.
 */
export interface SharedAccount extends Balance {
  /** Calls that were refused. */
  refused: number;
  /** What the member of this exchange has on it; part of `held`. */
  leased: number;
}

/** Of what is left beside the need, a wish is given this part: others wish, too. */
const SHARE = 8;

/**
 * @param accounts In the order of the exchange; changed in place.
 */
export function applyExchange(
  exchange: Exchange,
  accounts: readonly SharedAccount[],
): ExchangeAnswer {
  const before = accounts.map(({ spent, refused }) => ({ spent, refused }));
  for (const posting of exchange.postings) {
    const account = accounts[posting.account]!;
    account.leased -= postLeased(account, account.leased, posting);
    account.refused += posting.refused;
  }
  const adjusted = exchange.adjustments.map(({ account, nanoUsd }) =>
    adjust(accounts[account]!, nanoUsd),
  );
  for (const gift of exchange.gifts) letGo(accounts[gift.account]!, gift.amount);
  const refused = exchange.takings.map((wants) => takeAll(wants, accounts));
  return {
    accounts: accounts.map((account, i) => answerOf(account, before[i]!)),
    adjusted,
    refused,
  };
}

/** Gives back as much of a lease, or what is left of it; all of it when it expires. */
export function letGo(account: SharedAccount, amount = account.leased): void {
  const given = Math.min(amount, account.leased);
  account.leased -= given;
  account.held -= given;
}

function takeAll(wants: readonly Want[], accounts: readonly SharedAccount[]): number {
  const without = wants.findIndex(({ account, limit, need }) => {
    return !fits(accounts[account]!, limit, need);
  });
  if (without !== -1) return without;
  for (const { account: place, limit, need, wish } of wants) {
    const account = accounts[place]!;
    const left = limit - account.spent - account.held - need;
    const extra = Math.max(0, Math.min(wish, Math.floor(left / SHARE)));
    account.leased += reserve(account, need + extra);
  }
  return -1;
}

function answerOf(
  { spent, held, uncertain, overrun, unpriced, refused, leased }: SharedAccount,
  before: { readonly spent: number; readonly refused: number },
): AccountAnswer {
  return {
    ...{ spent, held, uncertain, overrun, unpriced, refused, leased },
    spentBefore: before.spent,
    refusedBefore: before.refused,
  };
}
