/** The examples of docs/alerts.md do what the page says, with a real receiver and a real monitor. */
import { execFileSync } from 'node:child_process';
import nodemailer from 'nodemailer';
import * as core from '../src/index.js';
import { keyOf } from '../src/notify/signature.js';
import { readPage, run } from './docs-page.js';
import { message, settled } from './notify/fixture.js';
import { startReceiver, status, type Receiver } from './notify/receiver.js';

const page = readPage('alerts');
const example = JSON.parse(page.blocks('json')[0] ?? '') as {
  readonly timestamp: string;
  readonly data: { readonly alert: core.Alert; readonly link: string };
};
const blockWith = (words: string) => page.blocks('js').find((code) => code.includes(words)) ?? '';
const { alert, channel, createMonitor } = core;
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NOW = Date.parse(example.timestamp);
const EVERY = 15_000;

let receiver: Receiver;
const monitors: core.Monitor[] = [];

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
beforeEach(async () => void (receiver = await startReceiver()));
afterEach(async () => {
  await Promise.all(monitors.splice(0).map((each) => each.close()));
  await receiver.close();
});

function start(options: core.MonitorOptions): core.Monitor {
  const clock = { now: () => NOW, monotonic: () => 0 };
  const monitor = createMonitor({ log: false, clock, onNotice() {}, ...options });
  monitors.push(monitor);
  return monitor;
}

/** A monitor in which the alert of the page fires, and its message has been sent. */
async function fire(): Promise<core.Monitor> {
  const { url } = receiver;
  const monitor = start({
    alerts: [alert.errorRateAbove(0.05, { by: 'feature' })],
    channels: [channel.webhook({ url, secret: SECRET, now: () => NOW })],
    dashboardUrl: example.data.link,
  });
  for (let i = 0; i < 1_000; i += 1) {
    const outcome = i < 72 ? 'error' : 'ok';
    monitor.record({ model: 'claude-sonnet-5-5', feature: 'chat', outcome });
  }
  jest.advanceTimersByTime(EVERY);
  while ((await monitor.alerts()).channels[0]?.sent !== 1) await settled();
  return monitor;
}

it('a webhook sends what the page shows, to the letter', async () => {
  await fire();
  expect(JSON.parse(receiver.received[0]?.body ?? '')).toEqual(example);
  expect(page.text).toContain(`alerts/${example.data.alert.id}/silence`);
});

describe('the function that verifies a webhook', () => {
  it.each<[string, boolean, { at?: number; body?: string; secret?: string; given?: string }]>([
    ['takes what was sent', true, {}],
    ['takes it a little later, and by a clock that is behind', true, { at: NOW - 299_000 }],
    ['takes no old message', false, { at: NOW + 301_000 }],
    ['takes no other body', false, { body: '{}' }],
    ['takes no other secret', false, { secret: `whsec_${Buffer.alloc(32).toString('base64')}` }],
    ['takes one of several signatures', true, { given: 'v1,AAAA ' }],
    ['takes no other signature', false, { given: `v1,${'A'.repeat(43)}= v1a,x ` }],
  ])('%s', async (_does, expected, { at = NOW + 1_000, body, secret = SECRET, given }) => {
    await fire();
    const code = blockWith('function isGenuine');
    const { createHmac, timingSafeEqual } = await import('node:crypto');
    const names = { createHmac, timingSafeEqual, Date: { now: () => at } };
    const isGenuine = (await run(`${code}; return isGenuine;`, names)) as (
      headers: object,
      body: string,
      secret: string,
    ) => boolean;
    const { headers, body: sent } = receiver.received[0]!;
    const signature = String(headers['webhook-signature']);
    const all = expected ? `${given ?? ''}${signature}` : (given ?? signature);
    expect(isGenuine({ ...headers, 'webhook-signature': all }, body ?? sent, secret)).toBe(
      expected,
    );
    expect(isGenuine({}, sent, secret)).toBe(false);
  });

  it('has a secret of the kind that the page makes', () => {
    const [, script = ''] = /^node -p "(.*)"$/m.exec(page.text) ?? [];
    const made = execFileSync(process.execPath, ['-p', script], { encoding: 'utf8' });
    expect(keyOf(made.trim())).toHaveLength(32);
  });
});

it('alerts are read and silenced as the page says', async () => {
  const monitor = await fire();
  const code = blockWith('await monitor.alerts()');
  const names = '{ firing, pending, silenced, recent, channels, failing }';
  expect(await run(`${code}; return ${names};`, { monitor })).toMatchObject({
    ...{ pending: [], silenced: [], recent: [], failing: [] },
    firing: [example.data.alert],
    channels: [{ name: 'webhook', sent: 1, failed: 0, dropped: 0, queued: 0, lastError: null }],
  });
  const { firing, silenced } = await monitor.alerts();
  expect([firing, silenced.map(({ id }) => id)]).toEqual([[], [example.data.alert.id]]);
});

it('a channel of one’s own sends, and says whether to try again', async () => {
  const code = blockWith('const teams = ');
  const names = { ...core, claudeMonitor: start, TEAMS_URL: receiver.url };
  const teams = (await run(`${code}; return teams;`, names)) as core.Channel;
  const { signal } = new AbortController();
  receiver.answers(status(200), status(404), status(503));
  await teams.send(message({ text: 'Hello' }), signal);
  expect(JSON.parse(receiver.received[0]?.body ?? '')).toEqual({ text: 'Hello' });
  await expect(teams.send(message(), signal)).rejects.toMatchObject({ retry: false });
  await expect(teams.send(message(), signal)).rejects.toMatchObject({ retry: true });
});

it('every other example makes what it says', async () => {
  const made: (core.MonitorOptions | core.Channel)[] = [];
  const noting = Object.entries(channel).map(([kind, make]) => [
    kind,
    (...options: unknown[]) => {
      const one = (make as (...options: unknown[]) => core.Channel)(...options);
      made.push(one);
      return one;
    },
  ]);
  const names = {
    ...{ alert, nodemailer, channel: Object.fromEntries(noting) as typeof channel },
    claudeMonitor: (options: core.MonitorOptions) => start(options) && made.push(options),
    logger: { info() {}, warn() {}, error() {}, fatal() {} },
    queue: { publish() {} },
    process: {
      env: {
        SLACK_URL: 'https://hooks.example/1',
        PAGERDUTY_KEY: 'k'.repeat(32),
        ALERT_SECRET: SECRET,
      },
    },
  };
  const rest = page
    .blocks('js')
    .filter((code) => !/isGenuine|const teams|await monitor/.test(code));
  const inReadme = readPage('../README').blocks('js');
  rest.push(...inReadme.filter((code) => /^ +(budgets|alerts): /m.test(code)));
  for (const code of rest) await run(code, names);
  const kinds = made.map((each) => ('name' in each ? each.name : 'monitor'));
  expect(kinds).toEqual([
    ...['slack', 'monitor', 'log', 'log', 'log', 'callback', 'webhook', 'slack'],
    ...['pagerDuty', 'email'],
    // The two of the README.
    ...['monitor', 'slack', 'monitor'],
  ]);
});
