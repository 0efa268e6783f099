/** What a random life of a budget engine is made of, and what must hold in it at any time. */
import type { BudgetOptions } from '../../src/budgets/options.js';
import type { HeldTicket } from '../../src/budgets/tickets.js';
import type { Admission } from '../../src/gate.js';
import type { Draw } from './draw.js';
import { bodyOf, HAIKU, NANO, OPUS, SONNET, type Engine } from './engine.js';
import {
  OFFSETS,
  type ModelAccount,
  type ModelCall,
  type ModelPart,
  type modelOf,
} from './engine-model.js';

export type Model = ReturnType<typeof modelOf>;
type Account = HeldTicket['hold']['parts'][number]['balance'];

export interface Held {
  readonly ticket: HeldTicket;
  readonly admission: Admission;
  readonly model: string;
  parts: readonly ModelPart[];
  state: 'held' | 'settled' | 'expired';
  lost: bigint;
  expiresAt: number;
  alive: boolean;
  batchId: string | null;
  results: number;
}

export interface Life {
  readonly engine: Engine;
  readonly model: Model;
  readonly held: Held[];
  /** The engine's accounts by those of the model. */
  readonly real: Map<ModelAccount, Account>;
  readonly factor: { value: number };
  readonly said: string[] | undefined;
  batches: number;
}

export const pick = <T>(draw: Draw, list: readonly T[]): T => list[draw(list.length)]!;
const ZONES = Object.keys(OFFSETS);

export function anyBudget(draw: Draw, i: number, factor: { value: number }): BudgetOptions {
  const action = pick(draw, ['block', 'block', 'warn', 'downgrade'] as const);
  const limit = pick(draw, [0.05, 0.02, 0.4, 0.011, 1, 0, Infinity]);
  const models = pick(draw, [undefined, [HAIKU], [SONNET, HAIKU], ['claude-3-haiku-20240307']]);
  return {
    name: `b${i}`,
    usd: draw(2) === 0 ? limit : (scope) => (scope === 'bob' ? limit / 2 : limit) * factor.value,
    per: pick(draw, ['day', 'hour', 'week', 'month', 'call'] as const),
    of: pick(draw, ['all', 'user', 'feature', 'model', { tag: 'team' }] as const),
    action,
    models: action === 'downgrade' ? models : undefined,
    minTokens: pick(draw, [undefined, 1, 500]),
    warnAt: pick(draw, [undefined, [], [0.25, 1]]),
    timeZone: pick(draw, ZONES),
    weekStart: pick(draw, [1, 7, 3] as const),
    hold: draw(5) === 0 ? 'none' : undefined,
    unpriced: pick(draw, [undefined, 'allow', 'block'] as const),
    unbounded: pick(draw, [undefined, 'block'] as const),
    maxCostUsd: draw(4) === 0 ? 0.015 : undefined,
    match: draw(4) === 0 ? ({ feature }) => feature === 'chat' : undefined,
    shadow: draw(5) === 0,
  };
}

export function anyCall({ engine }: Life, draw: Draw): ModelCall {
  const batch = draw(10) === 0;
  const model = pick(draw, [SONNET, SONNET, OPUS, HAIKU, 'claude-of-tomorrow']);
  const maxTokens = pick(draw, [1_000, 300, 3_000, 100_000, null]);
  const more = pick(draw, [
    ...[{}, {}, {}],
    { thinking: { type: 'enabled', budget_tokens: 2_048 } },
    { thinking: { type: 'enabled', budget_tokens: 80_000 } },
    { mcp_servers: [{ type: 'url', url: 'https://example.com' }] },
  ]);
  const body = bodyOf({ model, maxTokens, body: more });
  return {
    ...{ at: engine.clock.now, model, batch },
    bodies: batch ? Array.from({ length: 1 + draw(3) }, () => body) : [body],
    context: {
      userId: pick(draw, ['ada', 'bob', null, '(other)']),
      feature: pick(draw, ['chat', 'search', null]),
      sessionId: null,
      tags: draw(2) === 0 ? {} : { team: pick(draw, ['red', 'blue']) },
    },
    ceiling: draw(6) === 0 ? 12_000_000 : null,
  };
}

export function admissionOf(
  { at, model, batch, bodies, context }: ModelCall,
  held: () => Held | undefined,
) {
  return {
    ...{ at, model, context, threaded: false, patienceMs: 60_000 },
    operation: batch ? 'batches' : 'messages',
    body: batch ? { requests: bodies.map((params) => ({ params })) } : bodies[0],
    alive: () => held()?.alive ?? false,
  } satisfies Admission;
}

export function check({ real, held }: Life): void {
  const open = new Map<ModelAccount, bigint>();
  for (const { parts } of held) {
    for (const part of parts) open.set(part.account, (open.get(part.account) ?? 0n) + part.open);
  }
  for (const [account, balance] of real) {
    for (const field of FIELDS) {
      if (BigInt(balance[field]) === account[field]) continue;
      same(`${field} of ${account.key}`, balance[field], account[field]);
    }
    if (account.held !== (open.get(account) ?? 0n)) claim(false, `I2: ${account.key}`);
    const { budget, limit, spent, extra } = account;
    if (budget.action === 'warn' || budget.shadow || limit === Infinity) continue;
    if (spent + account.held - extra > BigInt(limit)) claim(false, `I1: ${account.key}`);
  }
}

const FIELDS = ['spent', 'held', 'uncertain', 'overrun', 'unpriced'] as const;

export function checkReports({ engine, model }: Life): void {
  for (const report of engine.budgets.reports(Infinity)) {
    const budget = model.budgets.find(({ name }) => name === report.name)!;
    if (budget.per === 'call') continue;
    const { from } = model.periodOf(budget, engine.clock.now);
    same(`period of ${budget.name}`, report.from, new Date(from).toISOString());
    const accounts = [...model.accounts.values()]
      .filter((each) => each.budget === budget && each.from === from)
      .filter(({ spent, held, unpriced, refused }) => spent + held + unpriced > 0n || refused > 0);
    same(`scopes of ${budget.name}`, report.scopeCount, accounts.length);
    for (const account of accounts) {
      const shown = report.scopes.find(({ scope }) => scope === account.scope);
      same(`refused of ${account.key}`, shown?.refusedCalls, account.refused);
      same(
        `spent of ${account.key}`,
        Math.round((shown?.spentUsd ?? -1) * NANO),
        Number(account.spent),
      );
      same(
        `held of ${account.key}`,
        Math.round((shown?.heldUsd ?? -1) * NANO),
        Number(account.held),
      );
    }
  }
}

export function same(what: string, got: unknown, expected: unknown): void {
  if (got !== expected)
    throw new Error(`${what}: expected ${String(expected)}, got ${String(got)}`);
}

export function claim(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
