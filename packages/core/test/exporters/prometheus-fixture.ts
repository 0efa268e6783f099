import { Registry, type RegistryContentType } from 'prom-client';
import { prometheusExporter, type PrometheusOptions } from '../../src/exporters/prometheus.js';
import { createMonitor, type Monitor } from '../../src/monitor.js';
import { parseOpenMetrics, parseText, type Families, type Series } from './prometheus-parser.js';
import type { MonitorOptions } from '../../src/monitor-options.js';

/** Monitors that count into registries of prom-client, and what is scraped of those. */

export const NOW = Date.parse('2026-11-24T14:00:00Z');
export const MODEL = 'claude-sonnet-5-5';

export function newRegistry(open = false): Registry<RegistryContentType> {
  const registry = new Registry<RegistryContentType>();
  if (open) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return registry;
}

export interface Rig {
  readonly registry: Registry<RegistryContentType>;
  readonly exporter: ReturnType<typeof prometheusExporter>;
  readonly monitor: Monitor;
  /** What a scrape reads now. */
  scrape(): Promise<Families>;
}

export function rigOf(
  options: Partial<PrometheusOptions> & { registry?: Registry<RegistryContentType> } = {},
  more: MonitorOptions = {},
): Rig {
  const { registry = newRegistry() } = options;
  const exporter = prometheusExporter({ ...options, registry });
  const clock = { now: () => NOW, monotonic: () => 0 };
  const monitor = createMonitor({
    ...{ log: false, clock, onNotice() {}, onError() {} },
    ...more,
    sinks: [exporter],
  });
  return { registry, exporter, monitor, scrape: () => scrape(registry) };
}

export async function scrape(registry: Registry<RegistryContentType>): Promise<Families> {
  const text = await registry.metrics();
  return registry.contentType === Registry.OPENMETRICS_CONTENT_TYPE
    ? parseOpenMetrics(text)
    : parseText(text);
}

/** Until the calendar is there, nothing is in the budgets. */
export async function ready(monitor: Monitor): Promise<void> {
  await monitor.canSpend({ model: MODEL, max_tokens: 1, messages: [] });
}

/** Values by their labels, of one metric: `model=a,feature=b`. */
export function valuesOf(families: Families, name: string): Record<string, number> {
  const family = families.get(name) ?? families.get(name.replace(/_total$/, ''));
  return Object.fromEntries((family?.series ?? []).map((each) => [textOf(each), each.value]));
}

function textOf({ labels }: Series): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}
