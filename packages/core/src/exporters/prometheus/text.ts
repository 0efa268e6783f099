import type { MetricsPage } from '../../status.js';
import type { PrometheusRegistry } from './registry.js';

/**
 * A whole registry as it is scraped.
 *
 * The registry says which format it has. One of OpenMetrics answers a client that does not take that in
 * the plain text format, which prom-client itself could only do for good.
 */
export const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS = 'application/openmetrics-text';

export function isOpenMetrics({ contentType }: PrometheusRegistry): boolean {
  return contentType.startsWith(OPEN_METRICS);
}

/** @throws what a metric of the registry throws when it is asked. */
export async function pageOf(registry: PrometheusRegistry, accept?: string): Promise<MetricsPage> {
  if (isOpenMetrics(registry) && prefersText(accept)) {
    return { type: TEXT, body: await plainTextOf(registry) };
  }
  return { type: registry.contentType, body: await registry.metrics() };
}

/** Whether a client takes plain text rather than OpenMetrics; without a word it takes either. */
export function prefersText(accept = '*/*'): boolean {
  const ranges = accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.toLowerCase().split(';');
    const weight = parameters.map((each) => each.trim()).find((each) => each.startsWith('q='));
    return { type: type.trim(), q: weight === undefined ? 1 : Number(weight.slice(2)) || 0 };
  });
  // The nearest range counts; a type may be there in several versions.
  const weightOf = (...types: string[]): number => {
    for (const type of types) {
      const found = ranges.filter((range) => range.type === type).map(({ q }) => q);
      if (found.length > 0) return Math.max(...found);
    }
    return 0;
  };
  const text = weightOf('text/plain', 'text/*', '*/*');
  return text > weightOf(OPEN_METRICS, 'application/*', '*/*');
}

/** As prom-client gives it for JSON. */
interface Exposed {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly {
    readonly labels: Readonly<Record<string, unknown>>;
    readonly value: number;
    readonly metricName?: string;
  }[];
}

async function plainTextOf(registry: PrometheusRegistry): Promise<string> {
  const metrics = (await registry.getMetricsAsJSON()) as readonly Exposed[];
  return metrics.map((metric) => familyText(metric, nameIn(registry, metric.name))).join('\n');
}

/** A scrape in OpenMetrics takes `_total` off the names of counters; the registry has them with it. */
function nameIn(registry: PrometheusRegistry, name: string): string {
  const isShortened = registry.getSingleMetric(name) === undefined;
  return isShortened && registry.getSingleMetric(`${name}_total`) ? `${name}_total` : name;
}

function familyText({ help, type, values }: Exposed, name: string): string {
  const lines = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
  for (const { labels, value, metricName = name } of values) {
    const parts = Object.entries(labels).map(
      ([key, each]) => `${key}="${escaped(String(each)).replaceAll('"', '\\"')}"`,
    );
    const braces = parts.length > 0 ? `{${parts.join(',')}}` : '';
    lines.push(`${metricName}${braces} ${numberText(value)}`);
  }
  return `${lines.join('\n')}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
