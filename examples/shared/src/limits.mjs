// What the application may spend, and what people are told. Eve is on a trial: a few questions a day.
import { alert } from '@claude-metrics/core';

export const budgets = [
  { name: 'everything', usd: 25, per: 'day' },
  { name: 'trial', usd: 0.016, per: 'day', of: 'user', match: (call) => call.userId === 'eve' },
  { name: 'users', usd: 2, per: 'day', of: 'user', shadow: true },
];

export const alerts = [
  alert.errorRateAbove(0.25, { window: '15m', severity: 'critical' }),
  alert.budgetAbove(0.8),
];
