import { checkOptions, rule } from '../options.js';
import { expositionIn, type PrometheusRegistry } from './prometheus/registry.js';
import { isOpenMetrics, pageOf } from './prometheus/text.js';
import type { CallRecord, Sink } from '../record.js';
import type { MetricsPage, SinkMonitor } from '../status.js';

/**
 * Metrics for Prometheus in a registry of prom-client, which is the application's own. Docs:
 * `docs/prometheus.md`.
 */
export interface PrometheusOptions {
  /**
   * A `Registry` of prom-client, such as its `register`: our metrics are beside yours there. With the
   * content type of OpenMetrics, buckets and errors have request ids as exemplars.
   */
  readonly registry: PrometheusRegistry;
  /** What names of metrics begin with. Default `claude_`. */
  readonly prefix?: string | undefined;
  /**
   * Series of calls at most: beyond it features, and then models, count as `(other)`. Default 5,000;
   * of a registry with our metrics, what was said first.
   */
  readonly maxSeries?: number | undefined;
}

export interface PrometheusExporter extends Sink {
  readonly name: 'prometheus';
  record(call: CallRecord): void;
  attach(monitor: SinkMonitor): () => void;
  /** The whole registry, for an endpoint of your own; `accept` is the header of the request. */
  metrics(accept?: string): Promise<MetricsPage>;
}

export type { MetricsPage, PrometheusRegistry };

const rules = {
  registry: rule.methods('metrics', 'getMetricsAsJSON', 'getSingleMetric', 'registerMetric'),
  prefix: {
    allowed: '1 to 64 letters, digits, "_" and ":", and no digit first',
    ok: (value: unknown) => typeof value === 'string' && /^[a-zA-Z_:][\w:]{0,63}$/.test(value),
  },
  maxSeries: rule.integer(1_000, 1_000_000),
};

/**
 * A sink that counts calls for Prometheus, and the `/metrics` of the mount.
 *
 * @throws TypeError for an option that does not exist or cannot be right, and for a registry that has
 * other metrics of these names.
 *
 * @example
 * import { register } from 'prom-client';
 * const monitor = createMonitor({ sinks: [prometheusExporter({ registry: register })] });
 */
export function prometheusExporter(options: PrometheusOptions): PrometheusExporter {
  checkOptions('prometheusExporter', options ?? {}, rules);
  if (options?.registry === undefined) {
    checkOptions('prometheusExporter', { registry: null }, rules);
  }
  const { registry, prefix = 'claude_', maxSeries = 5_000 } = options;
  const { table, attach } = expositionIn(registry, prefix, maxSeries);
  return {
    name: 'prometheus',
    record: (call) => table.record(call, isOpenMetrics(registry)),
    attach,
    metrics: (accept) => pageOf(registry, accept),
  };
}
