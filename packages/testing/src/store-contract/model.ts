import { expectThat } from './expectation.js';
import type {
  ContractAccount,
  ContractAnswer,
  ContractBalance,
  ContractExchange,
  StoreContractCore,
} from './subject.js';

/**
 * What budgets must have, in memory, by the plainest means: every answer of a store is compared with
 * that of this model. It has no clock: a case says whose leases expire.
 */
export interface BudgetModel {
  exchange(exchange: ContractExchange): ContractAnswer;
  expire(member: string): void;
  /** Accounts that are to be listed, in any order. */
  accounts(): readonly (ContractBalance & { readonly scope: string | null })[];
  /** What adjustments have really added, the first one first. */
  adjusted(): readonly number[];
}

interface Kept extends ContractBalance {
  readonly scope: string | null;
  readonly leases: Map<string, number>;
}

export function budgetModel({ applyExchange }: StoreContractCore): BudgetModel {
  expectThat(
    applyExchange !== undefined,
    'subject.core: expected applyExchange of core, as the store has budgets',
  );
  const kept = new Map<string, Kept>();
  const answers = new Map<string, readonly [number, ContractAnswer]>();
  const adjusted: number[] = [];

  function accountAt({ budget, scope, from }: ContractAccount): Kept {
    const address = JSON.stringify([budget, scope, from]);
    const empty = { spent: 0, held: 0, uncertain: 0, overrun: 0, unpriced: 0, refused: 0 };
    const account = kept.get(address) ?? { ...empty, scope, leases: new Map() };
    kept.set(address, account);
    return account;
  }

  return {
    exchange(exchange) {
      const { member, number } = exchange;
      const last = answers.get(member);
      if (last && number <= last[0]) return last[1];
      const accounts = exchange.accounts.map(accountAt);
      const mine = accounts.map(({ scope: _scope, leases, ...balance }) => {
        return { ...balance, leased: leases.get(member) ?? 0 };
      });
      const answer = structuredClone(applyExchange(exchange, mine));
      mine.forEach(({ leased, ...balance }, i) => {
        Object.assign(accounts[i]!, balance).leases.set(member, leased);
      });
      adjusted.push(...answer.adjusted);
      answers.set(member, [number, answer]);
      return answer;
    },
    expire(member) {
      for (const account of kept.values()) {
        account.held -= account.leases.get(member) ?? 0;
        account.leases.delete(member);
      }
    },
    accounts: () =>
      [...kept.values()]
        .filter(({ spent, held, unpriced, refused }) => spent + held + unpriced + refused > 0)
        .map(({ leases: _leases, ...rest }) => rest),
    adjusted: () => adjusted,
  };
}
