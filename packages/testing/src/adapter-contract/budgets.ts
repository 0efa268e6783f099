import assert from 'node:assert/strict';
import { answers } from '../answers.js';
import { errorOf } from './errors.js';
import type { Cases, Stage, Watched } from './stage.js';
import type { ContractApplication, ContractResponse } from './subject.js';

/**
 * What a request gets that a budget refused: as the framework answers it when nobody handles it, and
 * with the adapter's own handler.
 *
 * - **costly**: an answer of the API that uses up every budget of these cases.
 */

/** Two hours before a day ends in UTC, when budgets per day begin again. */
const NOW = Date.UTC(2026, 10, 2, 22);
const clock = { now: () => NOW, monotonic: () => performance.now() };
const RESET = '2026-11-03T00:00:00.000Z';
const RETRY_AFTER = '7200';
const COSTLY = { usage: { output_tokens: 1_000_000 } };
const PER_USER = { usd: 1, per: 'day', of: 'user' };
const PER_FEATURE = { usd: 1, per: 'day', of: 'feature' };
const PROBLEM = {
  type: 'urn:claude-metrics:problem:budget-exceeded',
  title: 'A budget does not allow this',
  status: 429,
  detail: `The budget "user-day" is used up for this day. It resets at ${RESET}.`,
  budget: 'user-day',
  reason: 'limit',
  resetsAt: RESET,
};
/** A frame of a stack. */
const STACK = /\bat \S+ \(|\.[cm]?[jt]s:\d/;

export const budgetCases: Cases = {
  async 'a request over its user’s budget is 429 with Retry-After; others pass'(stage) {
    // Express shows the stack of any error while it is not in production.
    process.env['NODE_ENV'] = 'production';
    const { ask, watched } = await open(stage, [PER_USER]);
    await useUp(stage, ask, 'ada');
    for (const path of ['/chat/42', '/summary']) {
      const refused = await ask('ada', path);
      assert.deepEqual([refused.status, refused.headers['retry-after']], [429, RETRY_AFTER]);
      assert.doesNotMatch(refused.text, STACK);
    }
    assert.equal((await ask('grace')).status, 200);
    assert.equal(stage.simulator.requests.length, 2);
    await stage.finish(4);
    const blocked = ['blocked', 'spend_limit', 'budget_exceeded', 0, null];
    assert.deepEqual(watched.calls.map(rowOf), [
      ['ada', 'POST /chat/:room', 'ok', null, null, 1, 200],
      ['ada', 'POST /chat/:room', ...blocked],
      ['ada', 'summarise', ...blocked],
      ['grace', 'POST /chat/:room', 'ok', null, null, 1, 200],
    ]);
  },

  async 'the handler of budget errors answers with a problem, and nobody else’s figures'(stage) {
    const { ask } = await open(stage, [PER_USER], { handlesBudgetErrors: true });
    await useUp(stage, ask, 'ada');
    await useUp(stage, ask, 'grace');
    const refused = await ask('ada');
    assert.deepEqual(
      [refused.status, refused.type, refused.body],
      [429, 'application/problem+json', PROBLEM],
    );
    const { headers } = refused;
    assert.deepEqual([headers['retry-after'], headers['cache-control']], [RETRY_AFTER, 'no-store']);
    assert.equal((await ask('alan')).status, 200);
    assert.equal(stage.simulator.requests.length, 3);
  },

  async 'a feature that is paused is 503 until it is resumed; other features work'(stage) {
    for (const handlesBudgetErrors of [false, true]) {
      const { ask, watched } = await open(stage, [], { handlesBudgetErrors });
      const sent = stage.simulator.requests.length;
      watched.monitor.pause('summarise');
      const refused = await ask('ada', '/summary');
      assert.deepEqual([refused.status, refused.headers['retry-after']], [503, undefined]);
      if (handlesBudgetErrors) {
        assert.deepEqual(refused.body, {
          ...PROBLEM,
          title: 'This feature is paused',
          status: 503,
          detail: 'The feature "summarise" is paused.',
          ...{ budget: 'summarise', reason: 'paused', resetsAt: null },
        });
      }
      assert.equal((await ask('ada', '/chat/42')).status, 200);
      watched.monitor.resume('summarise');
      assert.equal((await ask('ada', '/summary')).status, 200);
      assert.equal(stage.simulator.requests.length, sent + 2);
    }
  },

  async 'a budget of a feature is about the feature that the route was given'(stage) {
    const { ask, watched } = await open(stage, [PER_FEATURE], { handlesBudgetErrors: true });
    await useUp(stage, ask, 'ada', '/summary');
    const refused = await ask('grace', '/summary');
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, RETRY_AFTER]);
    assert.equal((refused.body as { budget: string }).budget, 'feature-day');
    assert.equal((await ask('grace', '/chat/42')).status, 200);
    await stage.finish(3);
    assert.deepEqual(
      watched.calls.map(({ feature, outcome }) => [feature, outcome]),
      [
        ['summarise', 'ok'],
        ['summarise', 'blocked'],
        ['POST /chat/:room', 'ok'],
      ],
    );
  },

  async 'a handler may catch it and answer for itself'(stage) {
    const { ask } = await open(stage, [PER_USER], { handlesBudgetErrors: true });
    await useUp(stage, ask, 'ada');
    const { status, body } = await ask('ada', '/catches');
    assert.deepEqual([status, body], [200, { name: 'BudgetExceededError', budget: 'user-day' }]);
  },

  async 'errors of Claude and of the application are not taken for it'(stage) {
    const usual = await open(stage, [PER_USER]);
    const { ask, watched } = await open(stage, [PER_USER], { handlesBudgetErrors: true });
    stage.simulator.respond(() => answers.rateLimited({ retryAfter: 7 }));
    for (const [path, status] of [
      ['/passes-on', 429],
      ['/breaks', 500],
    ] as const) {
      const seen = await ask('ada', path);
      assert.deepEqual([path, ...lookAt(seen)], [path, ...lookAt(await usual.ask('ada', path))]);
      assert.equal(seen.status, status);
      assert.notEqual(seen.type, 'application/problem+json');
    }
    await stage.finish(2);
    assert.deepEqual(watched.calls.map(rowOf), [
      ['ada', 'POST /passes-on', 'error', 'rate_limit', 'rate_limit_error', 1, 429],
    ]);
  },
};

interface Open {
  readonly watched: Watched;
  /** Posts as this user. */
  ask(user: string, path?: string): PromiseLike<ContractResponse>;
}

async function open(
  stage: Stage,
  budgets: readonly object[],
  application: Partial<ContractApplication> = {},
): Promise<Open> {
  const watched = stage.createMonitor({ clock, budgets });
  const { agent } = await stage.start({
    ...application,
    adapters: [{ monitor: watched.monitor }],
    authenticate: (header) => Promise.resolve({ id: header('x-user') }),
    routes: [
      { method: 'POST', path: '/chat/:room', handle: () => asking(stage) },
      { method: 'POST', path: '/summary', feature: 'summarise', handle: () => asking(stage) },
      {
        method: 'POST',
        path: '/catches',
        async handle() {
          const { name, budget } = (await errorOf(stage.ask('call'))) as Error & Budgeted;
          return { name, budget };
        },
      },
      {
        method: 'POST',
        path: '/passes-on',
        async handle() {
          const cause = (await errorOf(stage.ask('call'))) as Error & { status: number };
          // What frameworks look at, without the SDK's `headers`, which not all of them can read.
          const { status } = cause;
          const seen = { status, statusCode: status, expose: true };
          throw Object.assign(new Error('Claude is busy.', { cause }), seen);
        },
      },
      {
        method: 'POST',
        path: '/breaks',
        handle: () => Promise.reject(new Error('mine')),
      },
    ],
  });
  const ask = (user: string, path = '/chat/42') =>
    agent.post(path).set({ 'x-user': user }).send({});
  return { watched, ask };
}

interface Budgeted {
  readonly budget: string;
}

async function asking(stage: Stage): Promise<unknown> {
  await stage.ask('call');
  return { asked: true };
}

/** The first call passes: what it costs is known when it is answered. */
async function useUp(stage: Stage, ask: Open['ask'], user: string, path?: string): Promise<void> {
  stage.simulator.enqueue(COSTLY);
  const { status, body } = await ask(user, path);
  assert.deepEqual([status, body], [200, { asked: true }]);
}

function rowOf(call: Watched['calls'][number]): unknown[] {
  const { userId, feature, outcome, error, attempts, status } = call;
  const { kind = null, type = null } = error ?? {};
  return [userId, feature, outcome, kind, type, attempts.length, status];
}

/** An answer, without what differs from one run to the next: frames of a stack. */
function lookAt({ status, type, text }: ContractResponse): unknown[] {
  return [status, type, text.split(/\n|<br>/)[0]];
}
