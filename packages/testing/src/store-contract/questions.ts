import { down, numbers, numbersOf, openCalls, pagesOf } from './calls.js';
import { expectGiven, expectThat, failureOf, show } from './expectation.js';
import { hostileRecords, numberOf } from './records.js';
import type { Cases } from './stage.js';
import type { ContractCallsQuery } from './subject.js';

/** What can be asked about recent calls, and what cannot. */

/** A message is to be read, whatever was asked. */
const MAX_MESSAGE = 500;
const MODELS = ['claude-sonnet-5-5', 'claude-opus-5-5'];
const FEATURES = ['chat', 'search', null];
const USERS = ['ada', 'grace', null, '(other)', '__proto__'];
const OUTCOMES = ['ok', 'refused', 'error', 'cancelled', 'aborted', 'truncated', 'blocked'];

/** Call number `i`; with 210 calls, every combination occurs. */
const of = (i: number) => ({
  model: MODELS[i % 2]!,
  feature: FEATURES[i % 3]!,
  userId: USERS[i % 5]!,
  outcome: OUTCOMES[i % 7]!,
});

export const questionCases: Cases = {
  async 'filters by model, feature, user and outcome, each by itself'(stage) {
    const opened = await openCalls(stage, 1_000);
    await opened.add(numbers(0, 210, of));
    for (const query of [
      ...MODELS.map((model) => ({ model })),
      ...FEATURES.map((name) => ({ feature: keyOf(name) })),
      ...USERS.map((name) => ({ user: keyOf(name) })),
      ...OUTCOMES.map((outcome) => ({ outcome })),
      ...['nobody', '(other)', 'toString', '', '%', '_', 'ADA'].map((user) => ({ user })),
      ...['claude', 'constructor', 'claude-sonnet-5-_'].map((model) => ({ model })),
    ]) {
      const given = numbersOf(await opened.page({ ...query, limit: 200 }));
      expectGiven(given, matching(query, 210), `calls with ${show(query)}`);
    }
  },

  async 'filters by several names together'(stage) {
    const { random } = stage;
    const opened = await openCalls(stage, 1_000);
    await opened.add(numbers(0, 210, of));
    for (let i = 0; i < 40; i += 1) {
      const { model, feature, userId, outcome } = of(random.below(210));
      const all = { model, feature: keyOf(feature), user: keyOf(userId), outcome };
      const names = random.shuffled(Object.entries(all)).slice(0, 2 + random.below(3));
      const query = Object.fromEntries(names) as ContractCallsQuery;
      const given = numbersOf(await opened.page({ ...query, limit: 200 }));
      expectGiven(given, matching(query, 210), `calls with ${show(query)}`);
    }
  },

  async 'filters by hostile names'(stage) {
    const opened = await openCalls(stage, 1_000);
    const records = hostileRecords();
    await opened.add(records);
    for (const record of records) {
      const { model, feature, userId } = record;
      const query = { model: keyOf(model), feature: keyOf(feature), user: keyOf(userId) };
      const given = numbersOf(await opened.page(query));
      expectGiven(given, [numberOf(record)], `calls with ${show(query)}`);
    }
  },

  async 'gives pages of what a filter lets through, and a next only if there is more'(stage) {
    const opened = await openCalls(stage, 1_000);
    await opened.add(numbers(0, 210, of));
    let count = 210;
    const arrive = () => opened.add(numbers(count, (count += 10), of));
    const pages = await pagesOf(opened, { user: 'ada', limit: 10 }, arrive);
    const expected = matching({ user: 'ada' }, 210);
    expectGiven(pages.flat(), expected, 'pages of 10 with user "ada", while new calls arrive');
    const last = matching({ user: 'ada' }, count).length;
    const { next } = await opened.page({ user: 'ada', limit: last });
    expectGiven(next, null, `next of a page that has all ${last} calls with user "ada"`);
    const { kept } = await opened.page({ user: 'nobody' });
    expectGiven(kept, count, 'kept, which counts all calls, of a page for nobody');
  },

  async 'refuses a limit that makes no sense, with a QueryError'(stage) {
    const { page, add } = await openCalls(stage, 100);
    await add(numbers(0, 5));
    for (const limit of [0, -1, 201, 1.5, NaN, Infinity, -Infinity, 1e9]) {
      await expectRefused(() => page({ limit }), `limit ${limit}`);
    }
    for (const limit of [1, 5, 200, undefined]) {
      const given = numbersOf(await page({ limit }));
      expectGiven(given, down(5, Math.min(limit ?? 50, 5)), `calls with limit ${limit}`);
    }
  },

  async 'refuses a cursor that it never gave, with a QueryError'(stage) {
    const { page, add } = await openCalls(stage, 100);
    await add(numbers(0, 30));
    for (const before of CURSORS) await expectRefused(() => page({ before }), show(before));
  },
};

const CURSORS = [
  ...['', ' ', '-1', '1.5', 'no cursor of yours', '\0', '\ud800', '__proto__', '{"$gt":""}'],
  ...["'; DROP TABLE calls; --", '\u0661', 'x'.repeat(10_000), '9'.repeat(400)],
];

async function expectRefused(ask: () => unknown, what: string): Promise<void> {
  const failure = await failureOf(ask);
  const { name, message, status } = (failure ?? {}) as Partial<Error> & { status?: unknown };
  const refused = name === 'QueryError' && status === 400;
  const got = failure === null ? 'an answer' : show(failure);
  expectThat(refused, `${what}: expected a QueryError with status 400, the store gave ${got}`);
  const length = message?.length ?? 0;
  expectThat(
    length > 0 && length <= MAX_MESSAGE,
    `${what}: expected a message of up to ${MAX_MESSAGE} characters, the store gave ${length}`,
  );
}

/** Names of records as keys, which is what filters take. */
function keyOf(name: string | null): string {
  if (name === null) return '(unattributed)';
  return /^\\*\((other|unattributed)\)$/.test(name) ? `\\${name}` : name;
}

function matching(query: ContractCallsQuery, count: number): number[] {
  return down(count, count).filter((i) => {
    const { model, feature, userId, outcome } = of(i);
    return (
      (query.model ?? model) === model &&
      (query.feature ?? keyOf(feature)) === keyOf(feature) &&
      (query.user ?? keyOf(userId)) === keyOf(userId) &&
      (query.outcome ?? outcome) === outcome
    );
  });
}
