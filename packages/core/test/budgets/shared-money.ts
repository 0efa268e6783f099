/** Money of budgets in memory, shared by the engines of a test, on a clock to set and with faults. */
import { emptyBalance } from '../../src/balance.js';
import { applyExchange, letGo, type SharedAccount } from '../../src/exchange.js';
import type {
  AccountAddress,
  BudgetStore,
  Exchange,
  ExchangeAnswer,
  StoredAdjustment,
} from '../../src/stores/budget-store.js';

interface Member {
  number: number;
  answer: ExchangeAnswer | null;
  expiresAt: number;
  readonly leases: Map<string, number>;
}

type Money = Omit<SharedAccount, 'leased'> & { readonly address: AccountAddress };

/** `before` and `after`: fails, and has done nothing or all of it. `hang`: has done all of it. */
export type Fault = 'before' | 'after' | 'hang' | 'late' | null;

export interface SharedMoney extends BudgetStore {
  /** Milliseconds; the store's own. */
  now: number;
  /** What befalls an exchange. */
  fault: (exchange: Exchange) => Fault;
  /** How many turns of the event loop a message is on its way, there and back. */
  distance: () => number;
  readonly exchanges: Exchange[];
  readonly money: ReadonlyMap<string, Money>;
  /** Runs after each exchange. */
  check: () => void;
}

const keyOf = ({ budget, scope, from }: AccountAddress) => JSON.stringify([budget, scope, from]);

async function travel(turns: number): Promise<void> {
  for (let i = 0; i < turns; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

export function sharedMoney(): SharedMoney {
  const money = new Map<string, Money>();
  const members = new Map<string, Member>();
  const adjustments: StoredAdjustment[] = [];

  function expire(now: number): void {
    for (const member of members.values()) {
      if (member.expiresAt > now) continue;
      for (const [key, leased] of member.leases) {
        const account = { ...money.get(key)!, leased };
        letGo(account);
        money.get(key)!.held = account.held;
      }
      member.leases.clear();
    }
  }

  function apply(exchange: Exchange): ExchangeAnswer {
    const fresh = { number: 0, answer: null, expiresAt: Infinity, leases: new Map() };
    const member = members.get(exchange.member) ?? fresh;
    members.set(exchange.member, member);
    expire(store.now);
    member.expiresAt = store.now + exchange.ttlMs;
    if (exchange.number <= member.number) return member.answer!;
    const keys = exchange.accounts.map(keyOf);
    const accounts = exchange.accounts.map((address, i) => {
      const known = money.get(keys[i]!) ?? { ...emptyBalance(), refused: 0, address };
      return { ...known, leased: member.leases.get(keys[i]!) ?? 0 };
    });
    const answer = applyExchange(exchange, accounts);
    accounts.forEach(({ leased, ...account }, i) => {
      money.set(keys[i]!, account);
      if (leased > 0) member.leases.set(keys[i]!, leased);
      else member.leases.delete(keys[i]!);
    });
    exchange.adjustments.forEach(({ account, at, reason }, i) => {
      const { budget, scope } = exchange.accounts[account]!;
      adjustments.unshift({ at, budget, scope, nanoUsd: answer.adjusted[i]!, reason });
    });
    member.number = exchange.number;
    member.answer = structuredClone(answer);
    return answer;
  }

  const store: SharedMoney = {
    name: 'memory',
    now: 0,
    fault: () => null,
    distance: () => 0,
    exchanges: [],
    money,
    check: () => undefined,
    async exchange(exchange) {
      const sent = structuredClone(exchange);
      store.exchanges.push(sent);
      const fault = store.fault(sent);
      await travel(store.distance());
      if (fault === 'before') throw new Error('the store is down');
      if (fault === 'late') {
        // It is done when its member has given up waiting, and perhaps has brought it again.
        setTimeout(() => {
          apply(sent);
          store.check();
        }, 20);
        return new Promise(() => undefined);
      }
      const answer = structuredClone(apply(sent));
      store.check();
      await travel(store.distance());
      if (fault === 'after') throw new Error('the connection was lost');
      return fault === 'hang' ? new Promise(() => undefined) : answer;
    },
    accounts({ budget, from, limit }) {
      expire(store.now);
      const all = [...money.values()]
        .filter(({ address }) => address.budget === budget && address.from === from)
        .map(({ address: { scope }, ...balance }) => ({ scope, ...balance }))
        .sort((a, b) => b.spent + b.held - a.spent - a.held);
      return { accounts: all.slice(0, limit), count: all.length };
    },
    adjustments: (limit) => adjustments.slice(0, limit),
    forgetUser: () => undefined,
  };
  return store;
}
