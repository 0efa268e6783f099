import type { Sdk } from '../capture/sdk.js';
import { expectedOf, saidOf } from './capture-bill.js';
import { playSchedule, type Played } from './capture-schedule.js';

/**
 * Random schedules with one version of the SDK. Each has a seed, which is in the name of its test;
 * `BUDGET_SEED` begins elsewhere, `BUDGET_SCHEDULES` plays so many. A large one takes about two seconds:
 * CI plays 50 in each of four files, 200 in all, other runs 2 in each. What is rare in a large one is the
 * rule in a small one.
 */
const FIRST = Number(process.env['BUDGET_SEED'] ?? 20_261_123);
const IN_CI = process.env['CI'] === 'true';
const COUNT = Number(process.env['BUDGET_SCHEDULES'] ?? (IN_CI ? 50 : 2));
const LARGE = { calls: 2_000, users: 50, schedules: COUNT };
const SMALL = { calls: 40, users: 5, schedules: IN_CI ? 200 : 60 };
/** Small ones that make one test. */
const TOGETHER = 20;

/**
 * @param part Which seeds: files are played side by side, and a process that has played many is slow.
 */
export function schedules(Anthropic: Sdk, part: 0 | 1): void {
  const met = new Set<string>();

  beforeAll(() => {
    jest.useFakeTimers({
      doNotFake: [
        ...(['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask'] as const),
        ...(['setImmediate', 'clearImmediate'] as const),
      ],
    });
  });
  afterAll(() => void jest.useRealTimers());

  async function check(seed: number, calls: number, users: number): Promise<void> {
    const played = await playSchedule(Anthropic, seed, calls, users);
    for (const what of metIn(played)) met.add(what);
    const { reports, attempts, violations, looks, ...rest } = played;
    expect(violations).toEqual([]);
    expect(looks).toBeGreaterThanOrEqual(played.records.length);
    expect(rest).toMatchObject({ faults: {}, dropped: {}, pending: 0 });
    for (const report of reports) {
      for (const { heldUsd, overrunUsd, unpricedCalls } of report.scopes) {
        expect({ heldUsd, overrunUsd, unpricedCalls }).toEqual({
          ...{ heldUsd: 0, overrunUsd: 0, unpricedCalls: 0 },
        });
      }
      expect({ [report.name]: saidOf(report) }).toEqual({
        [report.name]: expectedOf(report, attempts),
      });
    }
  }

  it.each(seeds(part * LARGE.schedules, LARGE.schedules))(
    'seed %d: 2,000 calls of 50 users keep every limit, and the budgets say what the bill says',
    (seed) => check(seed, LARGE.calls, LARGE.users),
  );

  it.each(seeds(1_000 + part * SMALL.schedules, SMALL.schedules / TOGETHER))(
    'seed %d and 19 after it: 40 calls of 5 users do, too',
    async (seed) => {
      for (let i = 0; i < TOGETHER; i += 1) {
        try {
          await check(seed * TOGETHER + i, SMALL.calls, SMALL.users);
        } catch (error) {
          throw new Error(`Seed ${seed * TOGETHER + i}`, { cause: error });
        }
      }
    },
  );

  it('all of that was met on the way', () => {
    expect([...met].sort()).toEqual(
      [
        ...['ok', 'error', 'refused', 'aborted', 'cancelled', 'truncated', 'blocked', 'abandoned'],
        ...['allow', 'warn', 'clamp', 'downgrade', 'block'],
        ...['all-day', 'user-hour', 'feature-day', 'model-week'].map((name) => `by ${name}`),
        ...['retried', 'blocked retry', 'lost', 'over the hour'],
      ].sort(),
    );
  });
}

function seeds(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => FIRST + from + i);
}

function* metIn({ records, reports }: Played): Generator<string> {
  const hour = Date.parse(reports[1]!.from!);
  for (const { at, outcome, budget, attempts } of records) {
    yield outcome;
    if (budget) yield budget.verdict;
    if (outcome === 'blocked' && budget) yield `by ${budget.budget}`;
    if (attempts.length > 1) yield 'retried';
    if (attempts.some(({ status, mayHaveBilled }) => status === null && mayHaveBilled))
      yield 'lost';
    if (outcome === 'blocked' && attempts.length > 0) yield 'blocked retry';
    if (at < hour) yield 'over the hour';
  }
}
