/** Money of budgets in memory, shared by the engines of a test, on a clock to set and with faults. */
import type {
  BudgetStore,
  Exchange,
  ExchangeAnswer,
  StoredAdjustment,
} from '../../src/stores/budget-store.js';
import { referenceBudgets } from '../stores/budgets-fixture.js';

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
  readonly money: ReturnType<typeof referenceBudgets>['accounts'];
  /** Runs after each exchange. */
  check: () => void;
}

async function travel(turns: number): Promise<void> {
  for (let i = 0; i < turns; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

export function sharedMoney(): SharedMoney {
  const reference = referenceBudgets(() => store.now);
  const adjustments: StoredAdjustment[] = [];
  const last = new Map<string, number>();

  function apply(exchange: Exchange): ExchangeAnswer {
    const { member, number, accounts } = exchange;
    const answer = reference.exchange(exchange);
    if (number <= (last.get(member) ?? 0)) return answer;
    last.set(member, number);
    exchange.adjustments.forEach(({ account, at, reason }, i) => {
      const { budget, scope } = accounts[account]!;
      adjustments.unshift({ at, budget, scope, nanoUsd: answer.adjusted[i]!, reason });
    });
    return answer;
  }

  const store: SharedMoney = {
    name: 'memory',
    now: 0,
    fault: () => null,
    distance: () => 0,
    exchanges: [],
    money: reference.accounts,
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
    accounts: reference.page,
    adjustments: (limit) => adjustments.slice(0, limit),
    forgetUser: () => undefined,
  };
  return store;
}
