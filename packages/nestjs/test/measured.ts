import Anthropic from '@anthropic-ai/sdk';
import { createMonitor, type CallRecord, type Monitor } from '@claude-metrics/core';
import { createSimulator, type Simulator } from '@claude-metrics/testing';

/** A monitor with its records, and a client of the real SDK that it observes. */
export interface Measured {
  readonly simulator: Simulator;
  readonly monitor: Monitor;
  readonly client: Anthropic;
  ask(): Promise<unknown>;
  /** `user: feature` of every call so far, sorted. */
  calls(): Promise<string[]>;
  close(): Promise<void>;
}

export async function measure(): Promise<Measured> {
  const simulator = await createSimulator();
  const monitor = createMonitor({ log: false });
  const records: CallRecord[] = [];
  monitor.on({ name: 'test', record: (call) => void records.push(call) });
  const client = monitor.observe(
    new Anthropic({ apiKey: 'sk-ant-test', baseURL: simulator.url, maxRetries: 0 }),
  );
  return {
    simulator,
    monitor,
    client,
    ask: () =>
      client.messages.create({
        model: 'claude-sonnet-5-5',
        max_tokens: 64,
        messages: [{ role: 'user', content: 'Say hello.' }],
      }),
    async calls() {
      await simulator.idle();
      await monitor.snapshot();
      return records.map(({ userId, feature }) => `${userId}: ${feature}`).sort();
    },
    async close() {
      await monitor.close();
      await simulator.close();
    },
  };
}
