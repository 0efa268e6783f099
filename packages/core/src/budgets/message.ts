import type { Correction, Exchange, Want } from '../stores/budget-store.js';
import type { Account } from './accounts.js';
import type { Share } from './share.js';

/**
 * One exchange with the store of budgets, and who waits for its answer.
 *
 * - **asked**: what waits for an exchange to go with.
 */
export type SharedAccount = Account & { readonly share: Share };

export interface ShareWant {
  readonly account: SharedAccount;
  readonly limit: number;
  readonly need: number;
}

/** What is taken all together, or not at all. */
export interface Taking {
  readonly wants: readonly ShareWant[];
  resolve(taken: Taken): void;
}

export interface Correcting {
  readonly account: SharedAccount;
  readonly correction: Omit<Correction, 'account'>;
  resolve(added: Corrected): void;
}

/** Accounts that somebody wants to hear of. */
export interface Looking {
  readonly accounts: readonly SharedAccount[];
  resolve(heard: boolean): void;
}

export type Taken = 'taken' | 'refused' | 'unavailable';
export type Corrected = number | 'unavailable' | 'unsure';

export interface Asked {
  readonly takings: Taking[];
  readonly correcting: Correcting[];
  readonly looking: Looking[];
}

export interface Message extends Asked {
  readonly exchange: Exchange;
  readonly accounts: readonly SharedAccount[];
}

/** Accounts of one exchange that only post; the others go with the next one. */
const MAX_ACCOUNTS = 500;
/** A lease is for so many calls like the one that needs it. */
const LENT_CALLS = 16;
const PLENTY = 0.25;

/** So much of the limit is left that what this process does not use is in nobody's way. */
export function isPlenty({ limit, share }: SharedAccount, amount: number): boolean {
  const { known } = share;
  if (!share.lends || known === null) return false;
  return limit - known.spent - known.held >= Math.max(PLENTY * limit, amount);
}

export function nothingAsked(): Asked {
  return { takings: [], correcting: [], looking: [] };
}

/**
 * Puts into one exchange what is asked, and what waits to be posted or given back.
 *
 * @param touched Accounts of which something waits; those that go with this exchange are taken out.
 */
export function messageOf(
  from: Pick<Exchange, 'member' | 'number' | 'ttlMs'>,
  asked: Asked,
  touched: Set<SharedAccount>,
): Message {
  const accounts: SharedAccount[] = [];
  const places = new Map<SharedAccount, number>();
  const placeOf = (account: SharedAccount) => {
    let place = places.get(account);
    if (place === undefined) {
      place = accounts.push(account) - 1;
      places.set(account, place);
    }
    return place;
  };
  const takings = asked.takings.map(({ wants }) =>
    wants.map(({ account, limit, need }): Want => {
      const isFirst = !places.has(account);
      const wish = isFirst && isPlenty(account, LENT_CALLS * need) ? LENT_CALLS * need : 0;
      return { account: placeOf(account), limit, need, wish };
    }),
  );
  const adjustments = asked.correcting.map(({ account, correction }) => {
    return { ...correction, account: placeOf(account) };
  });
  for (const looking of asked.looking) looking.accounts.forEach(placeOf);
  for (const account of touched) {
    if (accounts.length >= MAX_ACCOUNTS) break;
    placeOf(account);
  }
  const postings = [];
  const gifts = [];
  for (const [place, account] of accounts.entries()) {
    touched.delete(account);
    const { posting, gift } = account.share.send();
    if (posting) postings.push({ ...posting, account: place });
    if (gift > 0) gifts.push({ account: place, amount: gift });
  }
  const addresses = accounts.map(({ share }) => share.address);
  const exchange = { ...from, accounts: addresses, postings, adjustments, gifts, takings };
  return { ...asked, exchange, accounts };
}
