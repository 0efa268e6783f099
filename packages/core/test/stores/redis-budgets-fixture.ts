/**
 * Members to play, and what budgets must have, in memory, by the plainest means.
 *
 * - **reference**: every answer of the server is compared with that of this one. The server's clock cannot
 *   be moved, so leases are good for an hour, or for no time at all: then they are overdue at once.
 */
import { applyExchange, type SharedAccount } from '../../src/exchange.js';
import type {
  AccountAddress,
  AccountsPage,
  AccountsQuery,
  Exchange,
  ExchangeAnswer,
  Posting,
} from '../../src/stores/budget-store.js';

export const HOUR = 3_600_000;
export const FROM = Date.UTC(2026, 10, 24);
export const TO = FROM + 24 * HOUR;

export function accountOf(
  scope: string | null = null,
  rest: Partial<AccountAddress> = {},
): AccountAddress {
  return { budget: 'team', scope, personal: false, from: FROM, to: TO, ...rest };
}

export function exchangeOf(member: string, number: number, rest: Partial<Exchange> = {}): Exchange {
  const nothing = { accounts: [], postings: [], adjustments: [], gifts: [], takings: [] };
  return { member, number, ttlMs: HOUR, ...nothing, ...rest };
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

export const WHOLE: AccountsQuery = { budget: 'team', from: FROM, limit: 1_000 };

type Kept = Omit<SharedAccount, 'leased'> & { readonly address: AccountAddress };

interface Told {
  readonly number: number;
  expired: boolean;
  readonly answer: ExchangeAnswer;
}

/** Budgets without a server. It keeps everything for ever. */
export function referenceBudgets() {
  const accounts = new Map<string, Kept>();
  const leases = new Map<string, Map<string, number>>();
  const members = new Map<string, Told>();

  function expire(but?: string): void {
    for (const [member, { expired }] of members) {
      if (member === but || !expired) continue;
      for (const [address, amount] of leases.get(member) ?? []) {
        accounts.get(address)!.held -= amount;
      }
      leases.delete(member);
    }
  }

  function exchange(said: Exchange): ExchangeAnswer {
    const { member, number, ttlMs } = said;
    const expired = ttlMs === 0;
    const told = members.get(member);
    if (told) told.expired = expired;
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
    members.set(member, { number, expired, answer });
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

  return { exchange, page };
}
