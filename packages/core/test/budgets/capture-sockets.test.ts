import { createSimulator } from '@claude-metrics/testing';
import { withContext } from '../../src/context.js';
import { createMonitor } from '../../src/monitor.js';
import type { CallRecord } from '../../src/record.js';
import type { BudgetReport } from '../../src/budget.js';
import { SDKS, type Sdk } from '../capture/sdk.js';
import { nanoOf } from './capture-bill.js';
import { createRandom, plansOf } from './capture-plans.js';
import { limitsOf, planOf, play, troubled } from './capture-schedule.js';
import { fetchOfThisRealm, NOON, shortenPauses, turns } from './capture-stage.js';

/** The same schedules through a whole monitor and real sockets, looked at between the turns. */
const CALLS = 300;
/** No more than a snapshot shows. */
const USERS = 20;
const IDLE_MS = 600_000;

async function playOverSockets(Anthropic: Sdk, seed: number) {
  const random = createRandom(seed);
  const plans = plansOf(random, CALLS, USERS);
  const simulator = await createSimulator({
    respond({ headers, retryCount }) {
      const attempt = planOf(plans, headers).attempts[retryCount];
      if (attempt?.kind === 'timeout') return { ending: 'hang', beforeHeaders: true };
      return attempt?.kind === 'answer' ? attempt.answer : {};
    },
  });
  let passed = 0;
  const monitor = createMonitor({
    ...{ log: false, onNotice() {}, onError() {}, abandonAfterMs: IDLE_MS },
    clock: { now: () => NOON, monotonic: () => passed },
    budgets: limitsOf(random, CALLS, USERS),
  });
  const records: CallRecord[] = [];
  monitor.on({ name: 'test', record: (call) => void records.push(call) });
  const client = new Anthropic({
    apiKey: 'sk-ant-test',
    baseURL: simulator.url,
    logLevel: 'off',
    fetch: troubled((url, init) => fetchOfThisRealm(url, init), plans) as never,
  });
  shortenPauses(client);
  monitor.observe(client);

  const violations: string[] = [];
  let looks = 0;
  const look = async (): Promise<readonly BudgetReport[]> => {
    const { budgets } = await monitor.snapshot();
    looks += 1;
    for (const { name, scopes } of budgets) {
      for (const { scope, spentUsd, heldUsd, limitUsd } of scopes) {
        if (nanoOf(spentUsd) + nanoOf(heldUsd) <= nanoOf(limitUsd)) continue;
        violations.push(`${name} of ${scope}: ${spentUsd} + ${heldUsd} > ${limitUsd}`);
      }
    }
    return budgets;
  };
  const kept: { controller: AbortController }[] = [];
  let underWay = plans.length;
  for (let turn = 0; underWay > 0; turn += 1) {
    plans.forEach((plan, i) => {
      if (plan.startTurn !== turn) return;
      const { userId, feature } = plan;
      const end = () => void (underWay -= 1);
      withContext({ userId, feature }, () => play(client, plan, i, kept)).then(end, end);
    });
    await turns(1);
    await look();
  }
  for (const { controller } of kept.slice(0, kept.length / 2)) controller.abort();
  await turns(5);
  for (let i = 0; i < 3; i += 1) {
    passed += IDLE_MS;
    await look();
  }
  const reports = await look();
  for (const { controller } of kept) controller.abort();
  const { faults } = monitor.health();
  await monitor.close();
  await simulator.close();
  return { violations, looks, records, reports, faults, requests: simulator.requests.length };
}

/** What a record says that its call was charged with: all that may have been billed. */
function chargeOf({ cost, budget, attempts }: CallRecord): number {
  const held = budget?.heldNanoUsd ?? 0;
  const lost = attempts
    .slice(0, -1)
    .filter(({ status, mayHaveBilled }) => status === null && mayHaveBilled).length;
  return (cost?.nanoUsd ?? held) + lost * held;
}

describe.each(SDKS)('@anthropic-ai/sdk $version', ({ Anthropic }) => {
  it.each([1, 2, 3])(
    'seed %d: 300 calls keep every limit, and nothing stays held',
    async (seed) => {
      const { violations, looks, records, reports, ...played } = await playOverSockets(
        Anthropic,
        seed,
      );
      expect(violations).toEqual([]);
      expect(looks).toBeGreaterThan(10);
      expect(played.faults).toEqual({});
      const spent = records.reduce((sum, record) => sum + chargeOf(record), 0);
      for (const { scopes } of reports) {
        expect(scopes.every(({ heldUsd, overrunUsd }) => heldUsd === 0 && overrunUsd === 0)).toBe(
          true,
        );
        expect(scopes.reduce((sum, { spentUsd }) => sum + nanoOf(spentUsd), 0)).toBe(spent);
      }
      // Those whose connection never stood are attempts, but no requests.
      const attempts = records.flatMap((record) => record.attempts);
      expect(attempts.length).toBeGreaterThanOrEqual(played.requests);
    },
  );
});
