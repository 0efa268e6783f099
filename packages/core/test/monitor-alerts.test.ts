import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AlertMessage } from '../src/alert.js';
import { alert } from '../src/alerts/rules.js';
import { createMonitor, type Monitor } from '../src/monitor.js';
import type { MonitorOptions } from '../src/monitor-options.js';
import { channel } from '../src/notify/channels.js';
import { until } from './capture/run.js';
import { settle } from './ledger-fixture.js';
import { MINUTE, NOW } from './state-fixture.js';

let monitor: Monitor;
let said: string[];
let told: AlertMessage[];
const clock = { at: NOW };
const EVERY = 15_000;

// Only the interval of the evaluations is in our hands; sockets and promises go on as ever.
beforeAll(() => {
  jest.useFakeTimers({
    doNotFake: [
      ...(['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask'] as const),
      ...(['setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout'] as const),
    ],
  });
});
afterAll(() => jest.useRealTimers());
beforeEach(() => {
  said = [];
  told = [];
  clock.at = NOW;
});
afterEach(() => monitor.close());

function start(options: MonitorOptions): void {
  monitor = createMonitor({
    log: false,
    clock: { now: () => clock.at, monotonic: () => clock.at },
    onNotice: (text) => said.push(text),
    onError: (error) => {
      throw error;
    },
    channels: [],
    sinks: [{ name: 'test', record() {}, alert: (message) => void told.push(message) }],
    ...options,
  });
}

const always = () => alert.condition('always', () => true);

/** Lets `ms` pass, with an evaluation every 15 seconds. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += EVERY) {
    clock.at += EVERY;
    jest.advanceTimersByTime(EVERY);
    for (let turn = 0; turn < 5; turn += 1) await settle();
  }
}

async function evaluated() {
  await pass(EVERY);
  return monitor.alerts();
}

function calls(count: number, outcome: 'ok' | 'error' = 'ok'): void {
  const usage = outcome === 'ok' ? { input_tokens: 100, output_tokens: 100 } : null;
  for (let i = 0; i < count; i += 1) {
    monitor.record({ model: 'claude-sonnet-5-5', outcome, usage, userId: 'ada', status: 529 });
  }
}

describe('alerts of a monitor', () => {
  it('reach sinks and channels, the snapshot and the page, and resolve', async () => {
    const heard: AlertMessage[] = [];
    start({
      alerts: [alert.errorRateAbove(0.05, { window: '5m', severity: 'critical' })],
      channels: [channel.callback((message) => void heard.push(message))],
      dashboardUrl: 'https://example.com/claude-metrics',
    });
    calls(100, 'error');
    const page = await evaluated();
    expect(page.firing).toHaveLength(1);
    expect(page.channels).toMatchObject([{ name: 'callback' }]);
    const { alerts } = await monitor.snapshot();
    expect(alerts).toEqual({ firing: page.firing, pending: 0, silenced: 0 });
    await until(() => heard.length === 1);
    expect(heard[0]).toMatchObject({ type: 'firing', link: 'https://example.com/claude-metrics' });
    await pass(10 * MINUTE);
    await until(() => heard.length === 2);
    expect(told.map(({ type }) => type)).toEqual(['firing', 'resolved']);
    expect((await monitor.alerts()).recent).toHaveLength(1);
  });

  it('are looked at by a timer, also without traffic and without anybody asking', async () => {
    start({ alerts: [always()], alertEveryMs: 60_000 });
    jest.advanceTimersByTime(59_999);
    await settle();
    expect(told).toEqual([]);
    jest.advanceTimersByTime(1);
    await until(() => told.length === 1);
  });

  it('can be silenced and told again', async () => {
    start({ alerts: [alert.errorRateAbove(0.05, { window: '5m', cooldown: '5m' })] });
    calls(100, 'error');
    const { firing } = await evaluated();
    const id = firing[0]?.id ?? '';
    expect(monitor.silence(id, 60 * MINUTE)).toMatchObject({
      silencedUntil: new Date(clock.at + 60 * MINUTE).toISOString(),
    });
    expect(await monitor.alerts()).toMatchObject({ silenced: [{ id }] });
    expect(monitor.silence(id, null)).toMatchObject({ silencedUntil: null });
    expect(monitor.silence('no-such-alert-00', 1)).toBeNull();
  });

  it('say when a budget is nearly used up', async () => {
    start({
      budgets: [{ usd: 1, per: 'day', of: 'user' }],
      alerts: [alert.budgetAbove(0.8)],
    });
    await monitor.adjust({ budget: 'user-day', scope: 'ada', usd: 0.79, reason: 'a test' });
    expect((await evaluated()).firing).toEqual([]);
    await monitor.adjust({ budget: 'user-day', scope: 'ada', usd: 0.02, reason: 'a test' });
    const { firing } = await evaluated();
    expect(firing).toMatchObject([{ group: { by: 'budget' } }]);
    expect(firing[0]?.title).toContain('ada');
  });

  it('know what people think of answers', async () => {
    start({ alerts: [alert.acceptanceRateBelow(0.7, { minAnswers: 10, window: '1h' })] });
    for (let i = 0; i < 20; i += 1) {
      const { id } = monitor.record({ model: 'claude-sonnet-5-5', usage: { input_tokens: 1 } });
      await monitor.feedback({ callId: id, action: i < 8 ? 'accept' : 'reject' });
    }
    expect((await evaluated()).firing).toMatchObject([{ value: 0.4, limit: 0.7 }]);
  });

  it('of a channel that is dead delay nothing, and show in health', async () => {
    const server: Server = createServer((_req, res) => void res.writeHead(404).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    start({
      onError: () => {},
      alerts: [always()],
      channels: [channel.slack({ url: `http://127.0.0.1:${port}/services/secret` })],
    });
    await pass(EVERY);
    await until(() => monitor.health().faults['alerts.slack'] !== undefined);
    expect(JSON.stringify(monitor.health())).not.toContain('secret');
    server.close();
  });

  it('go to a line on stderr where no channel is given', async () => {
    const write = jest.spyOn(console, 'error').mockReturnValue();
    start({ alerts: [always()], channels: undefined });
    await pass(EVERY);
    await until(() => write.mock.calls.length > 0);
    const line = JSON.parse(String(write.mock.calls[0]?.[0])) as Record<string, unknown>;
    write.mockRestore();
    expect(JSON.stringify(line)).toContain('always');
  });

  it.each([
    [{ alerts: [{ kind: 'nonsense' }] }, 'a rule made by alert.errorRateAbove()'],
    [{ alerts: 'all' }, 'options.alerts must be an array of rules'],
    [{ channels: [{ name: 'x' }] }, 'channel'],
    [{ dashboardUrl: 'example.com' }, 'options.dashboardUrl must be an address'],
    [{ alertEveryMs: 10 }, 'options.alertEveryMs must be an integer'],
    [{ perRequestWarnUsd: 0 }, 'options.perRequestWarnUsd must be a number of USD'],
  ])('refuse %j in words', (options, words) => {
    expect(() => start(options as unknown as MonitorOptions)).toThrow(TypeError);
    expect(() => start(options as unknown as MonitorOptions)).toThrow(words);
  });
});
