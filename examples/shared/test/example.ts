import Anthropic from '@anthropic-ai/sdk';
import type { AlertsPage, CallsPage, Snapshot } from '@claude-metrics/core';
import type { Simulator } from '@claude-metrics/testing';
import { createTraffic, startSimulator, type Running, type Start } from 'example-shared';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An example as a visitor would see it, some traffic later. */
const TOKEN = 'a token of at least thirty-two characters'.replaceAll(' ', '-');
const STEPS = 16;

/** Timers that go on as ever: all but intervals. */
const EVERYTHING_ELSE = [
  ...(['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask'] as const),
  ...(['setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout'] as const),
];

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 200 && !(await holds()); turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Lines on stderr. */
function stderrLines(): string[] {
  return jest.mocked(console.error).mock.calls.map(([line]) => String(line));
}

/**
 * Tests of one example; `start` starts it as its `main` does, and `told` is where it is told of alerts.
 */
export function describeExample(start: Start, told = stderrLines): void {
  let simulator: Simulator;
  let client: Anthropic;
  let application: Running;
  let folder: string;
  const before = { ...process.env };

  beforeAll(async () => {
    process.env['CLAUDE_METRICS_AUTH_TOKEN'] = TOKEN;
    folder = mkdtempSync(join(tmpdir(), 'claude-metrics-example-'));
    process.env['DB_FILE'] = join(folder, 'figures.db');
    jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    jest.spyOn(console, 'error').mockReturnValue();
    jest.spyOn(console, 'warn').mockReturnValue();
    // Alerts are looked at when the test says so.
    jest.useFakeTimers({ doNotFake: EVERYTHING_ELSE });
    simulator = await startSimulator();
    client = new Anthropic({ apiKey: 'test', baseURL: simulator.url });
    application = await start({ client, port: 0 });
    const { url } = application;
    await createTraffic({ url }).steps(STEPS);
    await simulator.idle();
  });

  afterAll(async () => {
    await application.close();
    await simulator.close();
    jest.useRealTimers();
    jest.restoreAllMocks();
    for (const name of ['CLAUDE_METRICS_AUTH_TOKEN', 'DB_FILE']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    rmSync(folder, { recursive: true, force: true });
  });

  async function ask<T>(path: string): Promise<T> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    return (await (
      await fetch(`${application.url}/claude-metrics${path}`, { headers })
    ).json()) as T;
  }

  /** Eve, whose trial is over, asks once more. */
  function askAsEve(): Promise<Response> {
    return fetch(`${application.url}/chat/trial`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer token-of-eve' },
      body: JSON.stringify({ text: 'And another question?' }),
    });
  }

  it('is closed to everybody else', async () => {
    expect((await fetch(`${application.url}/claude-metrics/snapshot`)).status).toBe(401);
  });

  it('shows spend, calls, tokens, latency, errors, retries, features and users', async () => {
    const { totals, byModel, byFeature, byUser, coverage, health } =
      await ask<Snapshot>('/snapshot?range=1h');
    expect(totals.cost.nanoUsd).toBeGreaterThan(0);
    expect(totals.retries).toBeGreaterThan(0);
    expect(totals.outcomes).toMatchObject({ refused: 2, aborted: 2, error: 2 });
    expect(totals.outcomes.blocked).toBeGreaterThan(0);
    expect(totals.errors).toEqual({ context_too_long: 2 });
    for (const tokens of ['uncachedInput', 'cacheRead', 'cacheWrite5m', 'output'] as const) {
      expect(totals.tokens[tokens]).toBeGreaterThan(0);
    }
    expect(byModel.map(({ key }) => key).sort()).toEqual([
      'claude-haiku-5-5',
      'claude-opus-5-5',
      'claude-sonnet-5-5',
    ]);
    for (const { latency } of byModel) expect(latency?.callMs?.p95).toBeGreaterThan(0);
    const sonnet = byModel.find(({ key }) => key === 'claude-sonnet-5-5');
    expect(sonnet?.latency?.ttftMs?.p50).toBeGreaterThan(0);
    expect(byFeature.map(({ key }) => key).sort()).toEqual([
      'POST /chat/:room',
      'classify',
      'summarise',
    ]);
    expect(byUser.map(({ key }) => key).sort()).toEqual(['ada', 'alan', 'eve', 'grace']);
    expect(coverage).toMatchObject({ unobserved: 0, unpriced: {}, unattributedUser: 0 });
    expect(health).toMatchObject({ ok: true, faults: {} });
  });

  it('refuses who has used up a budget, and shows it, and the alert that follows', async () => {
    const answer = await askAsEve();
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    const { budgets } = await ask<Snapshot>('/snapshot?range=1h');
    const trial = budgets.find(({ name }) => name === 'trial');
    expect(trial?.scopes).toMatchObject([{ scope: 'eve', limitUsd: 0.016 }]);
    const { spentUsd, heldUsd, refusedCalls } = trial!.scopes[0]!;
    expect(refusedCalls).toBeGreaterThan(0);
    expect(spentUsd).toBeGreaterThan(0);
    expect(spentUsd + heldUsd).toBeLessThanOrEqual(0.016);
    expect(budgets.find(({ name }) => name === 'users')).toMatchObject({ shadow: true });
    jest.advanceTimersByTime(15_000);
    await until(async () => (await ask<AlertsPage>('/alerts')).firing.length > 0);
    const { firing } = await ask<AlertsPage>('/alerts');
    expect(firing).toMatchObject([{ group: { by: 'budget', key: 'trial of eve' } }]);
    expect(told()).toContainEqual(expect.stringContaining('trial of eve'));
  });

  it('tells the same sum by call, model, feature and user, to the nano-dollar', async () => {
    const { totals, byModel, byFeature, byUser } = await ask<Snapshot>('/snapshot?range=1h');
    const page = await ask<{ calls: { cost: { nanoUsd: number } | null }[] }>('/calls?limit=200');
    const sums = [
      page.calls.reduce((sum, { cost }) => sum + (cost?.nanoUsd ?? 0), 0),
      ...[byModel, byFeature, byUser].map((groups) =>
        groups.reduce((sum, { cost }) => sum + cost.nanoUsd, 0),
      ),
    ];
    expect(sums).toEqual(Array(4).fill(totals.cost.nanoUsd));
  });

  it('has its figures and its calls again after a restart, and refuses who was refused', async () => {
    const path = '/snapshot?range=1h';
    const earlier = await ask<Snapshot>(path);
    const { kept } = await ask<CallsPage>('/calls');
    expect(earlier.totals.calls).toBeGreaterThan(0);
    expect(kept).toBe(earlier.totals.calls);
    await application.close();
    application = await start({ client, port: 0 });
    const later = await ask<Snapshot>(path);
    const figures = ({ totals, byModel, byFeature, byUser }: Snapshot) => [
      ...[totals, byModel, byFeature, byUser],
    ];
    expect(figures(later)).toEqual(figures(earlier));
    expect(later.source.shared).toBe(true);
    expect(await ask<CallsPage>('/calls')).toMatchObject({ kept });
    const spent = ({ budgets }: Snapshot) =>
      budgets
        .flatMap(({ name, scopes }) =>
          scopes.map((each) => `${name}, ${each.scope}: ${each.spentUsd}`),
        )
        .sort();
    expect(spent(later)).toEqual(spent(earlier));
    expect((await askAsEve()).status).toBe(429);
  });
}
