import Anthropic from '@anthropic-ai/sdk';
import type { Monitor, Snapshot } from '@claude-metrics/core';
import type { Simulator } from '@claude-metrics/testing';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The example as a visitor would see it, some traffic later. */
interface Example {
  createApp(parts: object): { app: { listen(port: number): Server }; monitor: Monitor };
}
const { createApp } = require('../src/app.mjs') as Example;
const { startSimulator } = require('../src/claude.mjs') as {
  startSimulator(): Promise<Simulator>;
};
const { createTraffic } = require('../src/traffic.mjs') as {
  createTraffic(parts: object): { steps(count: number): Promise<void> };
};

const TOKEN = 'a token of at least thirty-two characters'.replaceAll(' ', '-');
const STEPS = 14;

let simulator: Simulator;
let monitor: Monitor;
let server: Server;
let url: string;
let before: string | undefined;

beforeAll(async () => {
  before = process.env['CLAUDE_METRICS_AUTH_TOKEN'];
  process.env['CLAUDE_METRICS_AUTH_TOKEN'] = TOKEN;
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  simulator = await startSimulator();
  const client = new Anthropic({ apiKey: 'test', baseURL: simulator.url });
  const users = new Map(['ada', 'grace', 'alan'].map((id) => [`token-of-${id}`, { id }]));
  const { app, monitor: made } = createApp({ client, users });
  monitor = made;
  server = await new Promise((resolve) => {
    const listening: Server = app.listen(0).once('listening', () => resolve(listening));
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await createTraffic({ url, tokens: [...users.keys()] }).steps(STEPS);
  await simulator.idle();
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await monitor.close();
  await simulator.close();
  jest.restoreAllMocks();
  if (before === undefined) delete process.env['CLAUDE_METRICS_AUTH_TOKEN'];
  else process.env['CLAUDE_METRICS_AUTH_TOKEN'] = before;
});

async function ask<T>(path: string): Promise<T> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await (await fetch(`${url}/claude-metrics${path}`, { headers })).json()) as T;
}

it('is closed to everybody else', async () => {
  expect((await fetch(`${url}/claude-metrics/snapshot`)).status).toBe(401);
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
