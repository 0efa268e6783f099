/**
 * Members to play, and what budgets must have, in memory, by the plainest means.
 *
 * - **reference**: every answer of a store is compared with that of this one. Where the clock of a store
 *   cannot be moved, leases are good for an hour, or for no time at all: then they are overdue at once.
 */
import { applyExchange, type SharedAccount } from '../../src/exchange.js';
import { NOW } from '../state-fixture.js';
import type {
  AccountAddress,
  AccountsPage,
  AccountsQuery,
  Exchange,
  ExchangeAnswer,
  Posting,
} from '../../src/stores/budget-store.js';

export const HOUR = 3_600_000;
export const TTL = HOUR;
export const TO = NOW + 24 * HOUR;

export function accountOf(
  scope: string | null = null,
  rest: Partial<AccountAddress> = {},
): AccountAddress {
  return { budget: 'team', scope, personal: false, from: NOW, to: TO, ...rest };
}

export function exchangeOf(member: string, number: number, rest: Partial<Exchange> = {}): Exchange {
  const nothing = { accounts: [], postings: [], adjustments: [], gifts: [], takings: [] };
  return { member, number, ttlMs: TTL, ...nothing, ...rest };
}

/** One account, of which `need` is wanted. */
export function takingOf(member: string, number: number, need: number, limit = 1_000): Exchange {
  const takings = [[{ account: 0, limit, need, wish: 0 }]];
  return exchangeOf(member, number, { accounts: [accountOf()], takings });
}

export function postingOf(nanoUsd: number, rest: Partial<Posting> = {}): Posting {
  const nothing = { account: 0, leased: 0, uncertain: 0, overrun: 0, unpriced: 0, refused: 0 };
  return { ...nothing, nanoUsd, ...rest };
}

export const WHOLE: AccountsQuery = { budget: 'team', from: NOW, limit: 1_000 };

type Kept = Omit<SharedAccount, 'leased'> & { readonly address: AccountAddress };

interface Told {
  number: number;
  expires: number;
  answer: ExchangeAnswer;
}

/** Budgets without a store. It keeps everything for ever. */
export function referenceBudgets(now: () => number) {
  const accounts = new Map<string, Kept>();
  const leases = new Map<string, Map<string, number>>();
  const members = new Map<string, Told>();

  function expire(but?: string): void {
    for (const [member, { expires }] of members) {
      if (member === but || expires > now()) continue;
      for (const [address, amount] of leases.get(member) ?? []) {
        accounts.get(address)!.held -= amount;
      }
      leases.delete(member);
    }
  }

  function exchange(said: Exchange): ExchangeAnswer {
    const { member, number, ttlMs } = said;
    const told = members.get(member);
    if (told) told.expires = now() + ttlMs;
    expire(member);
    if (told && number <= told.number) return told.answer;
    const mine = leases.get(member) ?? new Map<string, number>();
    leases.set(member, mine);
    const keys = said.accounts.map(({ budget, scope, from }) =>
      JSON.stringify([budget, scope, from]),
    );
    const given = said.accounts.map((address, i) => {
      const blank = { spent: 0, held: 0, uncertain: 0, overrun: 0, unpriced: 0, refused: 0 };
      return { address, ...blank, ...accounts.get(keys[i]!), leased: mine.get(keys[i]!) ?? 0 };
    });
    const answer = structuredClone(applyExchange(said, given));
    given.forEach(({ leased, ...account }, i) => {
      accounts.set(keys[i]!, account);
      mine.set(keys[i]!, leased);
    });
    members.set(member, { number, expires: now() + ttlMs, answer });
    return answer;
  }

  function page({ budget, from, limit }: AccountsQuery): AccountsPage {
    expire();
    const listed = [...accounts.values()]
      .filter(({ address }) => address.budget === budget && address.from === from)
      .filter(({ spent, held, unpriced, refused }) => spent + held + unpriced + refused > 0)
      .map(({ address, ...balance }) => ({ scope: address.scope, ...balance }))
      .sort((a, b) => b.spent + b.held - a.spent - a.held);
    return { accounts: listed.slice(0, limit), count: listed.length };
  }

  return { exchange, page, accounts };
}
