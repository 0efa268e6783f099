// Budgets alone, in process: what a call costs before it is sent and after it has ended.
//
// - request and worst case: reading the request, and its bound in money.
// - decision: whether it fits, and taking its holds on all budgets, its bound being known.
// - settle: the real cost takes the place of the holds.
// The floor is a check and an addition on one number, as a budget that overspends would do it.
import { createBudgets } from '../packages/core/dist/esm/budgets/budgets.js';
import { createAccounts } from '../packages/core/dist/esm/budgets/accounts.js';
import { decide } from '../packages/core/dist/esm/budgets/decide.js';
import { demandOf } from '../packages/core/dist/esm/budgets/demand.js';
import { createLearned } from '../packages/core/dist/esm/budgets/learned.js';
import { budgetsOf } from '../packages/core/dist/esm/budgets/options.js';
import { createPlanner } from '../packages/core/dist/esm/budgets/plan.js';
import { createHealth } from '../packages/core/dist/esm/health.js';
import { loadCalendar } from '../packages/core/dist/esm/period.js';
import { requestSizeOf } from '../packages/core/dist/esm/request-size.js';
import { worstCaseOf } from '../packages/core/dist/esm/worst-case.js';
import { voidHold } from '../packages/core/dist/esm/balance.js';
import { createMonitor, prices } from '@claude-metrics/core';

const COUNT = Number(process.argv[2]);
const NOW = Date.now();
const SENTENCE = 'Summarise what was said so far in three short sentences, please. ';
const body = {
  model: 'claude-sonnet-5-5',
  max_tokens: 1_024,
  system: SENTENCE.repeat(4),
  messages: Array.from({ length: 4 }, (_, i) => ({
    role: i % 2 ? 'assistant' : 'user',
    content: SENTENCE.repeat(3),
  })),
};
const context = { userId: 'ada', feature: 'chat', sessionId: null, tags: {} };
const admission = {
  ...{ at: NOW, operation: 'messages', model: body.model, context, body, threaded: false },
  ...{ alive: () => false, patienceMs: 60_000 },
};
const OF = ['all', 'user', 'feature', 'model'];
const monitor = createMonitor({ log: false });
const record = monitor.record({
  model: body.model,
  usage: { input_tokens: 300, output_tokens: 200 },
  ...context,
});
await monitor.close();

const rows = [
  row('check and add (floor)', floor(), ''),
  row(
    'request and worst case',
    perRun(() => worstCaseOf(requestSizeOf(body), body.model, NOW, prices)),
    '',
  ),
];
for (const count of [1, 4]) {
  rows.push(row(`decision, ${count} of ${count} budgets`, await decision(count), '≤ 1000'));
  rows.push(row(`the whole of a call, ${count} budgets`, await wholeCall(count), ''));
}
console.log(JSON.stringify(rows));

function floor() {
  let spent = 0;
  return perRun(() => {
    if (spent + 7 <= Number.MAX_SAFE_INTEGER) spent += 7;
    return spent;
  });
}

async function decision(count) {
  const health = createHealth();
  const calendar = await loadCalendar();
  const books = optionsOf(count).map((budget) => ({
    budget,
    accounts: createAccounts(budget, calendar.periods({ ...budget, per: budget.per }), health),
    calls: { allow: 0, warn: 0, clamp: 0, downgrade: 0, block: 0 },
    wouldBlock: 0,
  }));
  const planner = createPlanner(books, () => prices, createLearned(), health);
  const demand = demandOf(admission, null);
  return perRun(() => voidHold(decide(planner, demand, true).plan));
}

async function wholeCall(count) {
  const budgets = createBudgets({
    budgets: optionsOf(count),
    now: () => NOW,
    monotonic: () => 0,
    health: createHealth(),
    prices: () => prices,
    ceiling: () => null,
    onEvent: () => {},
  });
  await budgets.ready;
  return perRun(() => budgets.settle(budgets.admit(admission), record));
}

function optionsOf(count) {
  const list = OF.slice(0, count).map((of) => ({ usd: 9_000_000, per: 'day', of }));
  return budgetsOf('bench', list);
}

/** Nanoseconds, the median of seven rounds. */
function perRun(run) {
  const rounds = Array.from({ length: 7 }, () => {
    const before = process.hrtime.bigint();
    for (let i = 0; i < COUNT; i += 1) run();
    return Number(process.hrtime.bigint() - before) / COUNT;
  });
  return rounds.sort((a, b) => a - b)[3];
}

function row(quantity, ns, must) {
  return { quantity, value: Math.round(ns * 10) / 10, unit: 'ns', must };
}
