import type { BudgetPeriod, BudgetReason, BudgetVerdict } from '../budget.js';
import {
  count,
  flag,
  iso,
  list,
  nanoUsd,
  nullable,
  number,
  object,
  oneOf,
  ref,
  text,
  type JsonSchema,
} from './shape.js';

/** The JSON schemas of budgets. */

const PERIODS = ['call', 'hour', 'day', 'week', 'month'] as const satisfies readonly BudgetPeriod[];
const VERDICTS = [
  'allow',
  'warn',
  'clamp',
  'downgrade',
  'block',
] as const satisfies readonly BudgetVerdict[];
const REASONS = [
  'limit',
  'paused',
  'unpriced',
  'unbounded',
  'unavailable',
] as const satisfies readonly BudgetReason[];

const usd = { ...number, description: 'USD' };

export const BUDGET_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  CallBudget: object({
    verdict: oneOf(VERDICTS),
    reason: nullable(oneOf(REASONS)),
    budget: { ...nullable(text), description: 'the one that decided' },
    heldNanoUsd: nanoUsd,
    sentModel: { ...nullable(text), description: 'instead of the one asked for' },
    sentMaxTokens: { ...nullable(count), description: 'instead of what was asked for' },
    wouldBlock: { ...list(text), description: 'budgets in shadow mode' },
  }),
  BudgetScope: object({
    scope: { ...nullable(text), description: 'null: everything' },
    spentUsd: usd,
    heldUsd: { ...usd, description: 'USD reserved for calls under way' },
    limitUsd: { ...nullable(usd), description: 'null: no limit' },
    used: { ...nullable(number), description: 'spent ÷ limit' },
    uncertainUsd: { ...usd, description: 'part of spentUsd that may not be on the bill' },
    overrunUsd: { ...usd, description: 'spent beyond what was held' },
    refusedCalls: { ...count, description: 'calls of this period for which there was no room' },
    unpricedCalls: count,
  }),
  Budget: object({
    name: text,
    per: oneOf(PERIODS),
    of: { anyOf: [oneOf(['all', 'user', 'feature', 'model']), object({ tag: text })] },
    action: oneOf(['warn', 'block', 'downgrade']),
    shadow: { ...flag, description: 'counts what it would do, and does nothing' },
    timeZone: text,
    from: nullable(iso),
    to: nullable(iso),
    scopes: {
      ...list(ref('BudgetScope')),
      description: 'nearest to their limit first, at most 20',
    },
    scopeCount: count,
    calls: object(Object.fromEntries(VERDICTS.map((verdict) => [verdict, count]))),
    wouldBlock: count,
  }),
};
