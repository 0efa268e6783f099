import { createApps, INSTALLED_SDKS, type Apps } from './apps.js';

/** What becomes of answers that nobody reads, of processes that are done, and of memory. */
let apps: Apps;
beforeAll(() => {
  apps = createApps();
});
afterAll(() => apps.remove());

const PRELUDE = `
  import { Anthropic } from '@anthropic-ai/sdk';
  import * as core from '../core.mjs';
  import * as testing from '../testing.mjs';
  const simulator = await testing.createSimulator();
  const monitor = core.createMonitor({ log: false });
  const records = [];
  monitor.on({ name: 'test', record: ({ outcome, priceStatus }) => void records.push({ outcome, priceStatus }) });
  const options = { apiKey: 'k', baseURL: simulator.url };
  const client = monitor.observe(new Anthropic(options));
  const ask = { model: 'claude-sonnet-5-5', max_tokens: 64, messages: [{ role: 'user', content: 'Hi' }] };
  const turn = () => new Promise((resolve) => setTimeout(resolve, 10));
`;

describe.each(INSTALLED_SDKS)('with SDK %s', (version, sdk) => {
  it('a stream that is dropped unread closes its connection and leaves one record', async () => {
    const app = apps.create(`dropped-${version}`, sdk);
    const report = await apps.run(
      app,
      'main.mjs',
      `${PRELUDE}
      simulator.respond({ content: 'word '.repeat(99), ending: 'hang', endAfterEvents: 5 });
      async function drop(client) {
        await client.messages.create({ ...ask, stream: true });
      }
      await drop(client);
      const bare = new Anthropic(options);
      await drop(bare);
      for (let i = 0; i < 300 && simulator.requests.some((each) => each.ending === 'pending'); i += 1) {
        globalThis.gc();
        await turn();
      }
      const endings = simulator.requests.map((each) => each.ending);
      console.log(JSON.stringify({ endings, records }));
      process.exit();`,
      ['--expose-gc'],
    );
    expect(report).toEqual({
      endings: ['client_closed', 'client_closed'],
      records: [{ outcome: 'abandoned', priceStatus: 'unpriced' }],
    });
  });

  it('a stream that is held unread through collections still gives all its events', async () => {
    const app = apps.create(`held-${version}`, sdk);
    const report = await apps.run(
      app,
      'main.mjs',
      `${PRELUDE}
      const stream = await client.messages.create({ ...ask, stream: true });
      for (let i = 0; i < 10; i += 1) {
        globalThis.gc();
        await turn();
      }
      let events = 0;
      for await (const _ of stream) events += 1;
      await monitor.close();
      await simulator.close();
      console.log(JSON.stringify({ whole: events === simulator.requests[0].eventsSent - 1, records }));`,
      ['--expose-gc'],
    );
    // The SDK swallows the ping.
    expect(report).toEqual({
      whole: true,
      records: [{ outcome: 'ok', priceStatus: 'priced' }],
    });
  });

  it('a process that has nothing else to do exits, though its monitor was never closed', async () => {
    const app = apps.create(`exits-${version}`, sdk);
    const report = await apps.run(
      app,
      'main.mjs',
      `${PRELUDE}
      core.defaultMonitor({ log: false, instrument: true });
      await client.messages.create(ask);
      await simulator.close();
      console.log(JSON.stringify(records));`,
    );
    expect(report).toEqual([{ outcome: 'ok', priceStatus: 'priced' }]);
  });

  it('holds no request, answer or stream after a call', async () => {
    const app = apps.create(`memory-${version}`, sdk);
    const report = await apps.run(
      app,
      'main.mjs',
      `${PRELUDE}
      simulator.respond({ content: 'word '.repeat(20_000), chunkText: 5_000 });
      const calls = async (count) => {
        for (let i = 0; i < count; i += 1) {
          await client.messages.create({ ...ask, max_tokens: 20_000, system: 's'.repeat(100_000) });
          for await (const _ of await client.messages.create({ ...ask, max_tokens: 20_000, stream: true }));
        }
        simulator.reset();
        simulator.respond({ content: 'word '.repeat(20_000), chunkText: 5_000 });
        for (let i = 0; i < 3; i += 1) {
          globalThis.gc();
          await turn();
        }
        return process.memoryUsage().heapUsed;
      };
      await calls(30);
      const before = await calls(10);
      const after = await calls(60);
      await monitor.close();
      await simulator.close();
      console.log(JSON.stringify({ grownBy: after - before }));`,
      ['--expose-gc'],
    );
    // 120 calls whose bodies are 180 KB together: 20 MB, if they were held.
    expect((report as { grownBy: number }).grownBy).toBeLessThan(4_000_000);
  });
});
