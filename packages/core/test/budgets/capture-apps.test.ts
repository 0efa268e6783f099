import { createApps, INSTALLED_SDKS, type Apps } from '../apps.js';

/**
 * Budgets in processes of their own, where a calendar has to be loaded first, rejections that nobody
 * handles end the process, and garbage is collected; clients are found, not handed over.
 */
let apps: Apps;
beforeAll(() => {
  apps = createApps();
});
afterAll(() => apps.remove());

const PRELUDE = `
  const simulator = await testing.createSimulator({
    respond: { usage: { input_tokens: 10, output_tokens: 64, inference_geo: 'global' } },
  });
  const records = [];
  const watch = (options) => {
    const clock = { now: () => Date.UTC(2026, 10, 23, 12), monotonic: () => performance.now() };
    const quiet = { log: false, onNotice() {} };
    const monitor = core.createMonitor({ ...quiet, instrument: true, clock, ...options });
    monitor.on({ name: 'test', record: (call) => void records.push(call) });
    return monitor;
  };
  const client = new Anthropic({ apiKey: 'k', baseURL: simulator.url });
  const ask = {
    model: 'claude-sonnet-5-5',
    max_tokens: 64,
    messages: [{ role: 'user', content: 'Hi' }],
  };
  const moneyOf = async (monitor) => {
    const { budgets } = await monitor.snapshot();
    const { spentUsd, heldUsd, uncertainUsd } = budgets[0].scopes[0] ?? {};
    return { spentUsd, heldUsd, uncertainUsd };
  };
  const errorOf = (promise) => promise.then(() => null, (error) => error);
`;
const HEADS = {
  'main.mjs': `
    import { Anthropic } from '@anthropic-ai/sdk';
    import * as core from '../core.mjs';
    import * as testing from '../testing.mjs';
    ${PRELUDE}`,
  'main.cjs': `
    const { Anthropic } = require('@anthropic-ai/sdk');
    const core = require('../core.cjs');
    const testing = require('../testing.cjs');
    (async () => {
    ${PRELUDE}`,
};

type Entry = keyof typeof HEADS;

async function start(name: string, sdk: string, entry: Entry, body: string, flags?: string[]) {
  const app = apps.create(
    `${name}-${entry}-${INSTALLED_SDKS.findIndex(([, at]) => at === sdk)}`,
    sdk,
  );
  const source = `${HEADS[entry]}${body}${entry === 'main.cjs' ? '})();' : ''}`;
  return apps.run(app, entry, source, flags);
}

const KINDS = INSTALLED_SDKS.flatMap(([version, sdk]) =>
  (Object.keys(HEADS) as Entry[]).map((entry) => [version, entry, sdk] as const),
);

describe.each(KINDS)('with SDK %s in %s', (_version, entry, sdk) => {
  it('a found client is refused, without a request or an unhandled rejection', async () => {
    const report = await start(
      'refused',
      sdk,
      entry,
      `
      const monitor = watch({ budgets: [{ usd: 0, per: 'day' }] });
      const first = await errorOf(client.messages.create(ask));
      const same = client.messages.create(ask);
      const twice = (await errorOf(same)) === (await errorOf(same.asResponse()));
      const helper = await errorOf(client.messages.stream(ask).finalMessage());
      const heard = await new Promise((resolve) => client.messages.stream(ask).on('error', resolve));
      const clone = await errorOf(client.withOptions({ maxRetries: 0 }).messages.create(ask));
      const report = {
        errors: [first, clone].map((error) => error instanceof core.BudgetExceededError),
        helpers: [helper, heard].map((error) =>
          error instanceof core.BudgetExceededError && error instanceof Anthropic.AnthropicError),
        twice,
        requests: simulator.requests.length,
        outcomes: records.map(({ outcome }) => outcome),
        unobserved: (await monitor.snapshot()).coverage.unobserved,
      };
      await monitor.close();
      await simulator.close();
      console.log(JSON.stringify(report));`,
    );
    expect(report).toEqual({
      errors: [true, true],
      helpers: [true, true],
      twice: true,
      requests: 0,
      outcomes: Array(5).fill('blocked'),
      unobserved: 0,
    });
  });

  it('a found client sends the cheaper model, and its own object stays as it is', async () => {
    const report = await start(
      'changed',
      sdk,
      entry,
      `
      const budgets = [{ usd: 0.0005, per: 'day', action: 'downgrade', models: ['claude-haiku-5-5'] }];
      const monitor = watch({ budgets });
      await client.messages.create(ask);
      await client.messages.stream(ask).finalMessage();
      for await (const _ of await client.messages.create({ ...ask, stream: true }));
      const models = simulator.requests.map(({ body }) => body.model);
      const money = await moneyOf(monitor);
      await monitor.close();
      await simulator.close();
      console.log(JSON.stringify({ models, money, own: ask.model }));`,
    );
    // 10 tokens at $0.1 a million, 64 at $0.5, three times.
    expect(report).toEqual({
      models: Array(3).fill('claude-haiku-5-5'),
      money: { spentUsd: 0.000099, heldUsd: 0, uncertainUsd: 0 },
      own: 'claude-sonnet-5-5',
    });
  });
});

describe.each(INSTALLED_SDKS)('with SDK %s', (_version, sdk) => {
  it('the first calls wait for the calendar, and none spends beyond the limit', async () => {
    const report = await start(
      'first',
      sdk,
      'main.mjs',
      `
      const monitor = watch({ budgets: [{ usd: 0.01, per: 'month' }] });
      const call = { model: ask.model, usage: { input_tokens: 0, output_tokens: 900 } };
      // $0.009 before anything could be loaded.
      monitor.record(call);
      const ends = await Promise.allSettled(
        Array.from({ length: 5 }, () => client.messages.create(ask)),
      );
      const served = ends.filter(({ status }) => status === 'fulfilled').length;
      const money = await moneyOf(monitor);
      await monitor.close();
      await simulator.close();
      const requests = simulator.requests.length;
      console.log(JSON.stringify({ served, requests, money, records: records.length }));`,
    );
    // A call holds $0.00091 at most and costs $0.00066.
    expect(report).toEqual({
      served: 1,
      requests: 1,
      money: { spentUsd: 0.00966, heldUsd: 0, uncertainUsd: 0 },
      records: 6,
    });
  });

  it('a call that comes at once waits for the calendar, and passes if its monitor is closed', async () => {
    const report = await start(
      'at-once',
      sdk,
      'main.mjs',
      `
      // As on a Node without a calendar of its own, where one has to be loaded.
      delete globalThis.Temporal;
      const monitors = [];
      const within = (meanwhile) => (request, next, context) => {
        const monitor = core.createMonitor({ log: false, budgets: [{ usd: 0, per: 'day' }] });
        monitor.on({ name: 'test', record: (call) => void records.push(call) });
        monitors.push(monitor);
        const sent = monitor.middleware()(request, next, context);
        meanwhile(monitor);
        return sent;
      };
      const options = { apiKey: 'k', baseURL: simulator.url };
      const waits = new Anthropic({ ...options, middleware: [within(() => {})] });
      const closes = new Anthropic({ ...options, middleware: [within((monitor) => monitor.close())] });
      const both = [waits.messages.create(ask), closes.messages.create(ask)];
      const [refused, passed] = await Promise.allSettled(both);
      const outcomes = records.map(({ outcome }) => outcome);
      await monitors[0].close();
      await simulator.close();
      const timers = process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
      const { name } = refused.reason;
      console.log(JSON.stringify({ name, type: passed.value?.type, outcomes, timers }));`,
    );
    expect(report).toEqual({
      name: 'BudgetExceededError',
      type: 'message',
      outcomes: ['blocked'],
      timers: 0,
    });
  });

  it('a stream that is dropped unread lets go of its hold, and is charged in full', async () => {
    const report = await start(
      'dropped',
      sdk,
      'main.mjs',
      `
      const monitor = watch({ budgets: [{ usd: 1, per: 'day' }] });
      simulator.respond({ content: 'word '.repeat(99), ending: 'hang', endAfterEvents: 5 });
      async function drop() {
        await client.messages.create({ ...ask, inference_geo: 'global', stream: true });
      }
      await drop();
      const before = await moneyOf(monitor);
      for (let i = 0; i < 300 && records.length === 0; i += 1) {
        globalThis.gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const after = await moneyOf(monitor);
      const [{ outcome, budget }] = records;
      const held = budget.heldNanoUsd / 1e9;
      console.log(JSON.stringify({
        before: before.heldUsd === held && before.spentUsd === 0 && held > 0.0006,
        after: after.heldUsd === 0 && after.spentUsd === held && after.uncertainUsd === held,
        outcome,
      }));
      process.exit();`,
      ['--expose-gc'],
    );
    expect(report).toEqual({ before: true, after: true, outcome: 'abandoned' });
  });
});
