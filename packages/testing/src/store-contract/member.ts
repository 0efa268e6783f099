import { expectThat } from './expectation.js';
import { NOW, type Opened, type Stage } from './stage.js';
import type {
  ContractAccount,
  ContractAccountAnswer,
  ContractAccountsPage,
  ContractAnswer,
  ContractBudgets,
  ContractExchange,
  ContractPosting,
  ContractStore,
  ContractWant,
} from './subject.js';

/**
 * Members to play, and words for what they say.
 *
 * - **period**: of all accounts, unless a case says otherwise: the store's clock is in it, whether it is
 *   that of the case or a real one.
 */
export interface Member {
  readonly name: string;
  /** The next exchange; what is not said is nothing. It is sent by `send()`, or not at all. */
  next(said?: Said): ContractExchange;
  /** Sends the next exchange. */
  say(said?: Said): Promise<ContractAnswer>;
}

export type Said = Partial<ContractExchange>;

export const HOUR = 3_600_000;
/** A lease or a claim to be waited for, should the store's clock be real. */
export const SHORT = 50;
export const MOST = Number.MAX_SAFE_INTEGER;
const PERIOD = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2100, 0, 1) };
const NOTHING: ContractPosting = {
  ...{ account: 0, nanoUsd: 0, leased: 0, uncertain: 0, overrun: 0, unpriced: 0, refused: 0 },
};
const UNTOUCHED: ContractAccountAnswer = {
  ...{ spent: 0, held: 0, uncertain: 0, overrun: 0, unpriced: 0, refused: 0 },
  ...{ leased: 0, spentBefore: 0, refusedBefore: 0 },
};

export function memberOf(store: ContractStore, name = 'ada'): Member {
  let number = 0;
  const next = (said: Said = {}): ContractExchange => {
    number = said.number ?? number + 1;
    return {
      ...{ member: name, ttlMs: HOUR, accounts: [] },
      ...{ postings: [], adjustments: [], gifts: [], takings: [] },
      ...said,
      number,
    };
  };
  return { name, next, say: (said) => send(store, next(said)) };
}

/** Rejects, and never throws. */
export async function send(
  store: ContractStore,
  exchange: ContractExchange,
): Promise<ContractAnswer> {
  return budgetsOf(store).exchange(exchange);
}

export function budgetsOf({ budgets }: ContractStore): ContractBudgets {
  expectThat(budgets !== undefined, 'expected that the store has budgets');
  return budgets;
}

export async function pageOf(
  store: ContractStore,
  { budget = 'all', from = PERIOD.from, limit = 1_000 } = {},
): Promise<ContractAccountsPage> {
  return budgetsOf(store).accounts({ budget, from, limit });
}

/** What is held on all accounts of a budget. */
export async function heldOf(store: ContractStore, budget = 'all'): Promise<number> {
  return (await pageOf(store, { budget })).accounts.reduce((sum, { held }) => sum + held, 0);
}

/** As many views of the same data as can be open at once. */
export async function viewsOf(
  { subject }: Stage,
  opened: Opened,
  count: number,
): Promise<ContractStore[]> {
  const views = [opened.store];
  while (views.length < count) views.push(subject.shared ? await opened.reopen() : opened.store);
  return views;
}

export function accountOf(
  budget = 'all',
  scope: string | null = null,
  rest: Partial<ContractAccount> = {},
): ContractAccount {
  return { budget, scope, personal: false, ...PERIOD, ...rest };
}

export function posting(nanoUsd: number, rest: Partial<ContractPosting> = {}): ContractPosting {
  return { ...NOTHING, nanoUsd, ...rest };
}

/** Says that it wants so much of the first account, of at most `limit`. */
export function wanting(
  need: number,
  limit: number,
  rest: Partial<ContractWant> = {},
): ContractWant {
  return { account: 0, limit, need, wish: 0, ...rest };
}

export function adjusting(nanoUsd: number, reason: string, account = 0, at = NOW) {
  return { account, nanoUsd, at, reason };
}

export function answered(rest: Partial<ContractAccountAnswer> = {}): ContractAccountAnswer {
  return { ...UNTOUCHED, ...rest };
}

/** The answer to an exchange about one account, without adjustments and takings. */
export function answerOf(
  account: Partial<ContractAccountAnswer>,
  rest: Partial<ContractAnswer> = {},
): ContractAnswer {
  return { accounts: [answered(account)], adjusted: [], refused: [], ...rest };
}
