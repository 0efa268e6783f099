import { createSimulator, type SimulatedRequest } from '@claude-metrics/testing';
import { createMonitor, type Monitor } from '../../src/monitor.js';
import type { MonitorOptions } from '../../src/monitor-options.js';
import type { CallRecord } from '../../src/record.js';
import { see, type Seen } from './seen.js';
import { until, type Scenario } from './scenarios.js';
import type { Client, Sdk } from './sdk.js';

/** One run of a scenario against a server of its own. */
export interface Run {
  readonly seen: Seen;
  /** What the server saw: comparable from run to run. */
  readonly wire: readonly unknown[];
  /** Records made before the monitor was closed, and all of them. */
  readonly early: number;
  readonly records: readonly CallRecord[];
  readonly faults: object;
}

export interface Way {
  readonly name: string;
  /** Makes the client of a scenario observed by `monitor`. */
  observe(monitor: Monitor, client: Client): void;
  readonly options?: MonitorOptions;
}

export const WAYS: readonly Way[] = [
  { name: 'observe()', observe: (monitor, client) => void monitor.observe(client) },
  {
    name: 'the client option middleware',
    observe(monitor, client) {
      client.middleware = [...client.middleware, monitor.middleware()];
    },
  },
  {
    name: 'observed twice',
    observe(monitor, client) {
      monitor.observe(monitor.observe(client));
      client.middleware = [...client.middleware, monitor.middleware()];
    },
  },
];

export async function runScenario(
  scenario: Scenario,
  Anthropic: Sdk,
  way: Way | null,
): Promise<Run> {
  const simulator = await createSimulator();
  const records: CallRecord[] = [];
  const quiet = { log: false, onNotice: () => {}, onError: () => {} } as const;
  const monitor = way ? createMonitor({ ...quiet, ...way.options }) : undefined;
  monitor?.on({ name: 'test', record: (call) => void records.push(call) });
  const client = new Anthropic({
    apiKey: 'sk-ant-test',
    baseURL: simulator.url,
    logLevel: 'off',
    fetch: fetchOfThisRealm,
    ...scenario.client,
  });
  if (monitor) way?.observe(monitor, client);
  simulator.enqueue(...(scenario.script ?? []));

  const seen = await see(() => scenario.run({ client, simulator, Anthropic }));
  await simulator.idle();
  // What the end of a body brings about comes a few turns after it.
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const early = records.length;
  await monitor?.close();
  const faults = monitor?.health().faults ?? {};
  const wire = simulator.requests.map((request) => wireOf(request, scenario));
  await simulator.close();
  return { seen, wire, early, records, faults };
}

/**
 * Jest runs tests in a realm of its own, where Node's DOMException is no Error. In an application it
 * is one, and SDK 0.103 asks.
 */
async function fetchOfThisRealm(...args: Parameters<typeof fetch>): Promise<Response> {
  try {
    return await fetch(...args);
  } catch (error) {
    if (error instanceof Error) throw error;
    const { name, message } = error as Error;
    throw Object.assign(new Error(message, { cause: error }), { name });
  }
}

const VOLATILE = new Set(['host', 'connection', 'content-length', 'traceparent']);

function wireOf(request: SimulatedRequest, { tcpDecides }: Scenario): unknown {
  const headers = Object.entries(request.headers).filter(([name]) => !VOLATILE.has(name));
  const { method, path, query, rawBody, retryCount, status, ending } = request;
  return {
    ...{ method, path, query, rawBody, retryCount, status },
    headers: Object.fromEntries(headers),
    ending: tcpDecides === true ? 'whatever' : ending,
  };
}

export { until };
