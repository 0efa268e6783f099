import { keyOf } from '../../core/src/cell.js';
import { emptyBalance } from '../../core/src/balance.js';
import { applyExchange, letGo, type SharedAccount } from '../../core/src/exchange.js';
import type {
  AccountAddress,
  AccountBalance,
  BudgetStore,
  Exchange,
  ExchangeAnswer,
  SharedNotes,
  StoredAdjustment,
} from '../../core/src/stores/budget-store.js';

/** Budgets and notes of the smallest store there is, and what they are made of, to make it wrong. */
export interface Kept extends AccountBalance {
  readonly address: AccountAddress;
  readonly leases: Map<string, number>;
}

export interface MemberState {
  last: number;
  answer: ExchangeAnswer;
  expiresAt: number;
}

/** What all views share. */
export interface Money {
  now: number;
  readonly accounts: Map<string, Kept>;
  readonly members: Map<string, MemberState>;
  /** The first one first. */
  adjustments: StoredAdjustment[];
  readonly claims: Map<string, { readonly holder: string; readonly until: number }>;
  readonly notes: Map<string, string>;
}

/** Each can be replaced by something wrong. */
export interface MoneyParts {
  addressOf(account: AccountAddress): unknown;
  /** What an exchange does, to copies. */
  apply(exchange: Exchange, accounts: SharedAccount[]): ExchangeAnswer;
  isAgain(exchange: Exchange, member: MemberState): boolean;
  expiryOf(exchange: Exchange, now: number, member: MemberState): number;
  isOverdue(member: MemberState, now: number): boolean;
  /** Everything that the member holds. */
  expire(money: Money, member: string): void;
  /** What is kept of an account after an exchange. */
  keep(kept: Kept, changed: AccountBalance): void;
  isListed(account: AccountBalance): boolean;
  /** The scope is forgotten with the user. */
  isOf(address: AccountAddress, userId: string): boolean;
  /** @throws for what cannot be done whole. */
  check(exchange: Exchange): void;
}

export type Act = <T>(what: () => T) => Promise<T>;

export const rightMoney: MoneyParts = {
  addressOf: ({ budget, scope, from }) => [budget, scope, from],
  apply: applyExchange,
  isAgain: ({ number }, { last }) => number <= last,
  expiryOf: ({ ttlMs }, now) => now + ttlMs,
  isOverdue: ({ expiresAt }, now) => expiresAt <= now,
  expire({ accounts }, member) {
    for (const account of accounts.values()) {
      const shared = sharedOf(account, member);
      letGo(shared);
      change(account, member, shared);
    }
  },
  keep: (kept, changed) => void Object.assign(kept, changed),
  isListed: ({ spent, held, unpriced, refused }) => spent + held + unpriced + refused > 0,
  isOf: ({ personal, scope }, userId) => personal && scope === keyOf(userId),
  check({ accounts, postings, adjustments, gifts, takings }) {
    const items: readonly { readonly account: number }[] = [
      ...[...postings, ...adjustments, ...gifts, ...takings.flat()],
    ];
    for (const item of items) {
      const numbers = Object.values(item).filter((value) => typeof value !== 'string');
      if (accounts[item.account] === undefined || !numbers.every(Number.isSafeInteger)) {
        throw new TypeError('an exchange that makes no sense');
      }
    }
    if (postings.some((posting) => Object.keys(posting).length < 7))
      throw new TypeError('no posting');
  },
};

export function createMoney(): Money {
  return {
    // In the period of every account, and a day before the end of one that is about to end.
    now: Math.max(Date.UTC(2026, 10, 24, 14), Date.now()),
    accounts: new Map(),
    members: new Map(),
    adjustments: [],
    claims: new Map(),
    notes: new Map(),
  };
}

export function mapBudgets(money: Money, parts: MoneyParts, act: Act): BudgetStore {
  function expireOverdue(): void {
    for (const [name, member] of money.members) {
      if (parts.isOverdue(member, money.now)) parts.expire(money, name);
    }
  }

  function accountAt(address: AccountAddress): Kept {
    const key = JSON.stringify(parts.addressOf(address));
    const kept = money.accounts.get(key) ?? { ...EMPTY, address, leases: new Map() };
    money.accounts.set(key, kept);
    return kept;
  }

  return {
    name: 'map',
    exchange: (exchange) =>
      act(() => {
        const { member: name, number } = exchange;
        parts.check(exchange);
        const member = money.members.get(name) ?? { last: 0, answer: NONE, expiresAt: 0 };
        money.members.set(name, member);
        member.expiresAt = parts.expiryOf(exchange, money.now, member);
        expireOverdue();
        if (parts.isAgain(exchange, member)) return structuredClone(member.answer);
        const accounts = exchange.accounts.map(accountAt);
        const shared = accounts.map((account) => sharedOf(account, name));
        const answer = parts.apply(exchange, shared);
        shared.forEach((account, i) => change(accounts[i]!, name, account, parts.keep));
        exchange.adjustments.forEach(({ account, at, reason }, i) => {
          const { budget, scope } = exchange.accounts[account]!;
          money.adjustments.push({ at, budget, scope, nanoUsd: answer.adjusted[i]!, reason });
        });
        Object.assign(member, { last: number, answer: structuredClone(answer) });
        return answer;
      }),
    accounts: ({ budget, from, limit }) =>
      act(() => {
        expireOverdue();
        const found = [...money.accounts.values()]
          .filter(({ address }) => address.budget === budget && address.from === from)
          .filter(parts.isListed)
          .sort((a, b) => b.spent + b.held - a.spent - a.held)
          .map(({ address, leases: _leases, ...balance }) => ({
            ...balance,
            scope: address.scope,
          }));
        return { accounts: found.slice(0, limit), count: found.length };
      }),
    adjustments: (limit) => act(() => money.adjustments.toReversed().slice(0, limit)),
    forgetUser: (userId) =>
      act(() => {
        for (const [key, { address }] of money.accounts) {
          if (!parts.isOf(address, userId)) continue;
          money.accounts.delete(key);
          money.adjustments = money.adjustments.filter(({ budget, scope }) => {
            return budget !== address.budget || scope !== address.scope;
          });
        }
      }),
  };
}

export function mapNotes(money: Money, act: Act): SharedNotes {
  const { claims, notes } = money;
  return {
    claim: (name, holder, forMs) =>
      act(() => {
        const claimed = claims.get(name);
        if (claimed && claimed.until > money.now && claimed.holder !== holder) return false;
        claims.set(name, { holder, until: money.now + forMs });
        return true;
      }),
    note: (name) => act(() => notes.get(name) ?? null),
    putNote: (name, text) =>
      act(() => void (text === null ? notes.delete(name) : notes.set(name, text))),
  };
}

const EMPTY = { ...emptyBalance(), refused: 0 };
const NONE: ExchangeAnswer = { accounts: [], adjusted: [], refused: [] };

export function sharedOf(kept: Kept, member: string): SharedAccount {
  const { address: _address, leases, ...balance } = kept;
  return { ...balance, leased: leases.get(member) ?? 0 };
}

function change(
  kept: Kept,
  member: string,
  { leased, ...balance }: SharedAccount,
  keep = rightMoney.keep,
): void {
  keep(kept, balance);
  kept.leases.set(member, leased);
}
