import { FEEDBACK_ACTIONS } from '../record.js';
import {
  count,
  flag,
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

/** The JSON schemas of usage: see docs/usage.md. */

const share = { type: 'number', minimum: 0, maximum: 1 };
const amount = object({ usd: number, nanoUsd });
const uniques = {
  count,
  kind: oneOf(['exact', 'estimate', 'at_least']),
  error: { ...nullable(number), description: 'standard error, as a share; null: not known' },
};
const periods = list(object({ period: text, complete: flag, ...uniques }));
const figures = { calls: count, usd: number, nanoUsd };

export const USAGE_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Feedback: object({
    ...Object.fromEntries(FEEDBACK_ACTIONS.map((action) => [action, count])),
    acceptanceRate: nullable(share),
    rejectionRate: nullable(share),
    editRate: nullable(share),
    retryRate: nullable(share),
    costPerAccepted: nullable(amount),
    costPerAcceptedAlike: nullable(amount),
  }),
  Usage: object({
    timeZone: text,
    users: nullable(
      object({
        ...uniques,
        callsPerUser: nullable(number),
        perDay: periods,
        perWeek: periods,
        perMonth: periods,
      }),
    ),
    sessions: nullable(
      object({
        ...uniques,
        calls: count,
        tokens: count,
        callsPerSession: nullable(number),
        tokensPerSession: nullable(number),
      }),
    ),
    hours: object({
      calls: { ...list(list(count)), description: 'by weekday, Monday first, and hour' },
      peak: nullable(
        object({
          weekday: { type: 'integer', minimum: 1, maximum: 7, description: 'Monday is 1' },
          hour: { type: 'integer', minimum: 0, maximum: 23 },
          calls: count,
        }),
      ),
    }),
    topFeatures: list(ref('Ranked')),
    topUsers: list(ref('Ranked')),
    topPairs: list(object({ user: text, feature: text, ...figures })),
  }),
  Ranked: object({ key: text, ...figures }),
  FeedbackAnswer: object({ counted: { const: true } }),
};
