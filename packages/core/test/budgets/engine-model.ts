/**
 * What budgets decide and how their accounts stand, once more and naively: periods by arithmetic on
 * offsets, money in integers of any size, and a plan made anew for every question.
 *
 * - **bounded budgets**: with `hold` `worst-case` or `none`; what estimates learn is not in here.
 * - **extra**: money on an account that no hold had reserved: only that may pass its limit.
 */
import { OTHER } from '../../src/cell.js';
import type { BudgetReason, BudgetVerdict } from '../../src/budget.js';
import { budgetsOf, type Budget, type BudgetOptions } from '../../src/budgets/options.js';
import { maxOutputOf } from '../../src/models.js';
import { prices } from '../../src/prices.js';
import type { CallContext } from '../../src/record.js';
import { requestSizeOf } from '../../src/request-size.js';
import { worstCaseOf } from '../../src/worst-case.js';

export interface ModelAccount {
  readonly key: string;
  readonly budget: Budget;
  readonly from: number;
  readonly scope: string | null;
  readonly limit: number;
  spent: bigint;
  held: bigint;
  uncertain: bigint;
  overrun: bigint;
  unpriced: bigint;
  refused: number;
  extra: bigint;
}

export interface ModelPart {
  readonly account: ModelAccount;
  readonly enforced: boolean;
  readonly perAttempt: bigint;
  readonly refused: BudgetReason | null;
  open: bigint;
}

export interface ModelCall {
  readonly at: number;
  readonly model: string;
  readonly context: CallContext;
  readonly bodies: readonly object[];
  readonly batch: boolean;
  readonly ceiling: number | null;
}

export interface Expected {
  readonly verdict: BudgetVerdict;
  readonly reason: BudgetReason | null;
  readonly budget: string | null;
  readonly model: string | null;
  readonly maxTokens: number | null;
  readonly parts: readonly ModelPart[];
  readonly wouldBlock: readonly string[];
}

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** Zones that never move their clocks, as far as 2026 is concerned. */
export const OFFSETS: Readonly<Record<string, number>> = {
  UTC: 0,
  'Asia/Kolkata': 5.5 * HOUR,
  'America/Phoenix': -7 * HOUR,
};

export function modelOf(options: readonly BudgetOptions[]) {
  const budgets = budgetsOf('test', options);
  const accounts = new Map<string, ModelAccount>();
  const current = new Map<Budget, { from: number; to: number }>();
  let calls = 0;

  function periodOf(budget: Budget, at: number): { from: number; to: number } {
    if (budget.per === 'call') return { from: -Infinity, to: Infinity };
    const known = current.get(budget);
    if (known && at < known.to) return known;
    const period = tileOf(budget, at);
    current.set(budget, period);
    return period;
  }

  function accountOf(budget: Budget, scope: string | null, at: number): ModelAccount {
    const { from } = periodOf(budget, at);
    const key = `${budget.name} ${String(scope)} ${budget.per === 'call' ? (calls += 1) : from}`;
    const limit =
      typeof budget.limit === 'number'
        ? budget.limit
        : Math.floor(budget.limit(scope) * 1e9 + 1e-3);
    const known = accounts.get(key);
    if (known) return known;
    const account = {
      ...{ key, budget, from, scope, limit },
      ...{ spent: 0n, held: 0n, uncertain: 0n, overrun: 0n, unpriced: 0n, extra: 0n, refused: 0 },
    };
    // A call is its own period: nobody comes back to it.
    if (budget.per !== 'call') accounts.set(key, account);
    return account;
  }

  function partsOf(call: ModelCall, model: string, maxTokens: number | null): ModelPart[] {
    const own = { ...call.context, model: call.model };
    return budgets
      .filter(({ match }) => match === null || match(own))
      .map((budget) => {
        const scope = scopeOf(budget, { ...call.context, model });
        const { amount, refused } = amountOf(budget, call, model, maxTokens);
        return {
          account: accountOf(budget, scope, call.at),
          enforced: budget.action !== 'warn' && !budget.shadow,
          ...{ perAttempt: BigInt(amount), open: BigInt(amount), refused },
        };
      });
  }

  function decide(call: ModelCall): Expected | null {
    const parts = partsOf(call, call.model, null);
    if (parts.length === 0) return null;
    const wouldBlock = parts
      .filter(({ account: { budget } }) => budget.shadow && budget.action !== 'warn')
      .filter((part) => part.refused !== null || !hasRoom(part, part.open))
      .map(({ account }) => account.budget.name);
    const refusing = parts.filter(refuses);
    if (refusing.length === 0) {
      const warning = parts.find(isPastThreshold);
      return {
        ...{ verdict: warning ? 'warn' : 'allow', reason: warning ? 'limit' : null, wouldBlock },
        ...{ budget: warning?.account.budget.name ?? null, model: null, maxTokens: null, parts },
      };
    }
    const isFirm = ({ account }: ModelPart) => account.budget.action === 'block';
    const deciding = refusing.find(isFirm) ?? refusing[0]!;
    const reason = deciding.refused ?? 'limit';
    const by = { reason, budget: deciding.account.budget.name, wouldBlock };
    const blocked = { ...by, verdict: 'block', model: null, maxTokens: null, parts } as const;
    if (call.batch || refusing.some(isFirm)) return blocked;
    const sent = cheaper(call, deciding.account.budget);
    if (!sent) return blocked;
    return {
      ...by,
      verdict: sent.model === call.model ? 'clamp' : 'downgrade',
      model: sent.model === call.model ? null : sent.model,
      maxTokens: sent.maxTokens,
      parts: partsOf(call, sent.model, sent.maxTokens),
    };
  }

  function cheaper(call: ModelCall, { models, minTokens }: Budget) {
    const { maxTokens: wanted, thinkingTokens } = requestSizeOf(call.bodies[0]);
    const least = Math.max(minTokens, thinkingTokens + 1);
    const fitsAs = (model: string, maxTokens: number | null) =>
      !partsOf(call, model, maxTokens).some(refuses);
    for (const model of models) {
      const most = maxOutputOf(model) ?? Infinity;
      const maxTokens = wanted !== null && wanted > most ? most : null;
      if (maxTokens !== null && maxTokens < least) continue;
      if (fitsAs(model, maxTokens)) return { model, maxTokens };
    }
    const model = models.at(-1) ?? call.model;
    // Another max_tokens is of no help where that is not what is refused.
    if (partsOf(call, model, null).some((part) => part.enforced && part.refused !== null))
      return null;
    let [low, high] = [
      least - 1,
      Math.min(wanted ?? Infinity, (maxOutputOf(model) ?? 1_000_000) + 1),
    ];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (fitsAs(model, middle)) low = middle;
      else high = middle;
    }
    return low >= least ? { model, maxTokens: low } : null;
  }

  return { budgets, accounts, accountOf, periodOf, decide };
}

export function hasRoom({ account }: ModelPart, more: bigint): boolean {
  const { limit, spent, held } = account;
  return limit === Infinity || spent + held + more <= BigInt(limit);
}

function refuses(part: ModelPart): boolean {
  return part.enforced && (part.refused !== null || !hasRoom(part, part.open));
}

function isPastThreshold(part: ModelPart): boolean {
  const { budget, spent, limit } = part.account;
  const [first = 1] = budget.warnAt;
  return Number(spent) >= first * limit || !hasRoom(part, part.open);
}

function amountOf(budget: Budget, call: ModelCall, model: string, maxTokens: number | null) {
  const { hold, unpriced, unbounded } = budget;
  const ceiling = call.ceiling ?? budget.ceiling;
  const sizes = call.bodies.map((body) => requestSizeOf(body));
  const options = { batch: call.batch, ...(maxTokens !== null && { outputTokens: maxTokens }) };
  const worsts = sizes.map(
    (size) => worstCaseOf(size, model, call.at, prices, options)?.nanoUsd ?? NaN,
  );
  const worst = worsts.reduce((sum, one) => sum + one, 0);
  const known = !Number.isNaN(worst);
  const ask = (amount: number, refused: BudgetReason | null = null) => ({
    amount: Math.max(amount, 1),
    refused,
  });
  const deny = unpriced === 'block' ? 'unpriced' : null;
  if (hold === 'none') return ask(1, known || ceiling !== null ? null : deny);
  if (known && sizes.every((size) => size.unbounded.length === 0)) return ask(worst);
  if (ceiling !== null) return ask(ceiling);
  return known ? ask(worst, unbounded === 'block' ? 'unbounded' : null) : ask(1, deny);
}

export function scopeOf({ of }: Budget, call: CallContext & { model: string }): string | null {
  if (of === 'all') return null;
  const name =
    typeof of === 'object'
      ? call.tags[of.tag]
      : { user: call.userId, feature: call.feature, model: call.model }[of];
  if (name === undefined || name === null) return '(unattributed)';
  return name === OTHER ? `\\${OTHER}` : name;
}

function tileOf({ per, timeZone, weekStart }: Budget, at: number): { from: number; to: number } {
  const offset = OFFSETS[timeZone]!;
  const local = at + offset;
  const day = Math.floor(local / DAY);
  const between = (from: number, to: number) => ({ from: from - offset, to: to - offset });
  if (per === 'hour') {
    const hour = Math.floor(local / HOUR);
    return between(hour * HOUR, (hour + 1) * HOUR);
  }
  if (per === 'day') return between(day * DAY, (day + 1) * DAY);
  if (per === 'week') {
    // The first day of the epoch was a Thursday.
    const start = day - ((day + 3 - (weekStart - 1) + 7) % 7);
    return between(start * DAY, (start + 7) * DAY);
  }
  const date = new Date(local);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return between(Date.UTC(year, month), Date.UTC(year, month + 1));
}
