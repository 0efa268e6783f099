import Anthropic from '@anthropic-ai/sdk';
import { createSimulator, type Simulator } from '@claude-metrics/testing';
import { withContext } from '../src/context.js';
import { defaultMonitor, observe } from '../src/default.js';
import { createMonitor } from '../src/monitor.js';
import type { CallRecord, Sink } from '../src/record.js';
import { QUESTION, type Client } from './capture/sdk.js';

let simulator: Simulator;
let client: Client;
let records: CallRecord[];
let sink: Sink;

beforeAll(async () => {
  simulator = await createSimulator();
});
afterAll(() => simulator.close());
beforeEach(() => {
  client = new Anthropic({ apiKey: 'sk-ant-test', baseURL: simulator.url });
  records = [];
  sink = { name: 'test', record: (call) => void records.push(call) };
});
afterEach(() => defaultMonitor().close());

describe('the default monitor', () => {
  it('is one, until it is closed', async () => {
    const first = defaultMonitor({ log: false });
    expect(defaultMonitor()).toBe(first);
    await first.close();
    expect(defaultMonitor({ log: false })).not.toBe(first);
  });

  it('says which options of a later call it ignores, and takes those that are the same', () => {
    const said: string[] = [];
    const onNotice = (text: string) => said.push(text);
    defaultMonitor({ log: false, onNotice });
    defaultMonitor({ log: false, onNotice, sinks: undefined });
    expect(said).toEqual([]);
    defaultMonitor({ log: true, abandonAfterMs: 5_000 });
    expect(said).toEqual([expect.stringContaining('ignored: log, abandonAfterMs.')]);
  });

  it('can be told later to observe every client', async () => {
    defaultMonitor({ log: false, sinks: [sink] });
    defaultMonitor({ instrument: true });
    await client.messages.create(QUESTION);
    expect(records).toHaveLength(1);
  });
});

describe('observe()', () => {
  it('gives back the same client', () => {
    expect(observe(client)).toBe(client);
  });

  it('may come before the application makes its monitor', async () => {
    observe(client);
    defaultMonitor({ log: false, sinks: [sink] });
    await client.messages.create(QUESTION);
    expect(records).toHaveLength(1);
  });

  it('twice, and beside auto-observation, records once', async () => {
    observe(observe(client));
    defaultMonitor({ log: false, sinks: [sink], instrument: true });
    observe(client);
    await client.messages.create(QUESTION);
    await client.withOptions({ timeout: 1_000 }).messages.create(QUESTION);
    expect(records).toHaveLength(2);
    expect(new Set(records.map(({ id }) => id)).size).toBe(2);
  });

  it('leaves the calls of another monitor’s context to that monitor', async () => {
    observe(client);
    defaultMonitor({ log: false, sinks: [sink] });
    const other = createMonitor({ log: false });
    await other.withContext({}, () => client.messages.create(QUESTION));
    expect(records).toHaveLength(0);
    expect((await other.snapshot()).totals.calls).toBe(1);
    await other.close();
  });

  it('follows the default monitor when a new one is made', async () => {
    observe(client);
    await defaultMonitor({ log: false }).close();
    defaultMonitor({ log: false, sinks: [sink] });
    await withContext({ userId: 'ada' }, () => client.messages.create(QUESTION));
    expect(records.map(({ userId }) => userId)).toEqual(['ada']);
  });
});
