/**
 * Budgets' state machine and, beside it, the naive one: every change is an entry of a journal in
 * integers of any size, and a balance is nothing but the sum of its entries. With what must hold of
 * both at any time.
 *
 * - **extra**: money on a balance that no hold had reserved: only that may pass its limit.
 */
import type { Balance, Hold, HoldState } from '../../src/balance.js';

export const FIELDS = ['spent', 'held', 'uncertain', 'overrun', 'unpriced'] as const;
export type Field = (typeof FIELDS)[number];

export interface Entry {
  readonly balance: number;
  readonly field: Field;
  readonly nano: bigint;
}

export interface ModelHold {
  state: HoldState;
  /** Index of its balance, and what is reserved there. */
  readonly parts: { readonly balance: number; open: bigint }[];
}

export interface World {
  /** Only written down when asked for: a million sequences need no words. */
  readonly said: string[] | undefined;
  balances: Balance[];
  holds: Hold[];
  readonly limits: readonly number[];
  journal: Entry[];
  readonly model: ModelHold[];
  readonly extra: bigint[];
  /** What the journal sums up to. */
  readonly sums: Record<Field, bigint>[];
}

export const BALANCES = 3;
export function copyOf({ balances, holds, limits }: World): Pick<World, 'balances' | 'holds'> {
  const text = JSON.stringify({
    balances,
    holds: holds.map(({ state, parts }) => ({
      state,
      parts: parts.map(({ balance, amount }) => ({ index: balances.indexOf(balance), amount })),
    })),
  });
  const read = JSON.parse(text) as {
    balances: Balance[];
    holds: { state: HoldState; parts: { index: number; amount: number }[] }[];
  };
  return {
    balances: read.balances,
    holds: read.holds.map(({ state, parts }) => ({
      state,
      parts: parts.map(({ index, amount }) => ({
        balance: read.balances[index]!,
        limit: limits[index]!,
        amount,
      })),
    })),
  };
}

export function check(world: World): void {
  const { balances, holds, model, limits, extra } = world;
  for (let i = 0; i < BALANCES; i += 1) {
    const balance = balances[i]!;
    const sums = world.sums[i]!;
    for (const field of FIELDS) {
      if (BigInt(balance[field]) === sums[field]) continue;
      fail(`I5: ${field} of ${i} is ${sums[field]}, got ${balance[field]}`);
    }
    let open = 0;
    for (const { parts, state } of holds) {
      for (const part of parts) {
        if (part.balance !== balance) continue;
        claim(part.amount >= 0 && (state === 'held' || part.amount === 0), 'I3: parts');
        open += part.amount;
      }
    }
    if (balance.held !== open || open < 0) fail(`I2: ${balance.held} held, ${open} open`);
    const own = sums.spent + sums.held - extra[i]!;
    const within = limits[i] === Infinity || own <= BigInt(limits[i]!);
    if (!within) fail(`I1: ${own} spent and held of ${limits[i]}`);
  }
  for (let i = 0; i < holds.length; i += 1) {
    if (holds[i]!.state !== model[i]!.state) fail(`I3: hold ${i} is ${model[i]!.state}`);
  }
}

export function hasRoom({ limits, sums }: World, balance: number, amount: bigint): boolean {
  const limit = limits[balance]!;
  if (limit === Infinity) return true;
  const { spent, held } = sums[balance]!;
  return spent + held + amount <= BigInt(limit);
}

/** I5: what is written sums up to what there is. */
export function checkJournal({ journal, balances }: World): void {
  for (let i = 0; i < BALANCES; i += 1) {
    const sums = fold(journal, i);
    for (const field of FIELDS) {
      if (BigInt(balances[i]![field]) !== sums[field]) fail(`I5: journal of ${field}, ${i}`);
    }
  }
}

export function fold(journal: readonly Entry[], balance: number): Record<Field, bigint> {
  const sums = { spent: 0n, held: 0n, uncertain: 0n, overrun: 0n, unpriced: 0n };
  for (const entry of journal) {
    if (entry.balance === balance) sums[entry.field] += entry.nano;
  }
  return sums;
}

export function enter({ journal, sums }: World, balance: number, field: Field, nano: bigint): void {
  if (nano === 0n) return;
  journal.push({ balance, field, nano });
  sums[balance]![field] += nano;
}

export function claim(holds: boolean, what: string): void {
  if (!holds) fail(what);
}

export function fail(what: string): never {
  throw new Error(what);
}
