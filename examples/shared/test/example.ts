import Anthropic from '@anthropic-ai/sdk';
import type { Snapshot } from '@claude-metrics/core';
import type { Simulator } from '@claude-metrics/testing';
import { createTraffic, startSimulator, users, type Running, type Start } from 'example-shared';

/** An example as a visitor would see it, some traffic later. */
const TOKEN = 'a token of at least thirty-two characters'.replaceAll(' ', '-');
const STEPS = 14;

/** Tests of one example; `start` starts it as its `main` does. */
export function describeExample(start: Start): void {
  let simulator: Simulator;
  let application: Running;
  let before: string | undefined;

  beforeAll(async () => {
    before = process.env['CLAUDE_METRICS_AUTH_TOKEN'];
    process.env['CLAUDE_METRICS_AUTH_TOKEN'] = TOKEN;
    jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    simulator = await startSimulator();
    const client = new Anthropic({ apiKey: 'test', baseURL: simulator.url });
    application = await start({ client, port: 0 });
    const { url } = application;
    await createTraffic({ url, tokens: [...users.keys()] }).steps(STEPS);
    await simulator.idle();
  });

  afterAll(async () => {
    await application.close();
    await simulator.close();
    jest.restoreAllMocks();
    if (before === undefined) delete process.env['CLAUDE_METRICS_AUTH_TOKEN'];
    else process.env['CLAUDE_METRICS_AUTH_TOKEN'] = before;
  });

  async function ask<T>(path: string): Promise<T> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    return (await (
      await fetch(`${application.url}/claude-metrics${path}`, { headers })
    ).json()) as T;
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
    expect(byUser.map(({ key }) => key).sort()).toEqual(['ada', 'alan', 'grace']);
    expect(coverage).toMatchObject({ unobserved: 0, unpriced: {}, unattributedUser: 0 });
    expect(health).toMatchObject({ ok: true, faults: {} });
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
}
