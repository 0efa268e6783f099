import { CALL_METRICS } from './call-metrics.js';
import { createTally, type Metric, type Reading } from './metric.js';
import { STATUS_METRICS } from './status-metrics.js';
import { createTable, type CallTable } from './table.js';
import type { MonitorStatus, SinkMonitor } from '../../status.js';
import type { Sample } from './histogram.js';

/**
 * Our metrics in a registry of prom-client. They are registered as objects of ours rather than as its
 * `Counter`s: those tell series apart by text in which a feature named `a,model:b` is another one.
 *
 * - **family**: one metric as a registry wants it: it has a name, and gives its series when asked.
 * - **exposition**: all our families in one registry, and the table they are read from. Who comes to the
 *   same registry again, another monitor for example, counts into the same.
 */

/** `Registry` of prom-client, as much of it as is used. */
export interface PrometheusRegistry {
  readonly contentType: string;
  metrics(): Promise<string>;
  getMetricsAsJSON(): Promise<readonly object[]>;
  getSingleMetric(name: string): unknown;
  registerMetric(metric: never): void;
}

export interface Family {
  /** A registry of OpenMetrics takes `_total` off when it is first scraped. */
  name: string;
  readonly help: string;
  readonly type: Metric['type'];
  readonly labelNames: readonly string[];
  readonly aggregator: 'sum' | 'max' | 'first';
  get(): Promise<Omit<Family, 'get' | 'reset' | 'labelNames'> & { readonly values: Sample[] }>;
  /** All counters of calls begin anew: they are of the same calls. */
  reset(): void;
}

export interface Exposition {
  readonly table: CallTable;
  /** Reads the status of this monitor at every scrape, until the function that it returns is called. */
  attach(monitor: SinkMonitor): () => void;
  /** By the name that they are registered with. */
  readonly families: ReadonlyMap<string, Family>;
}

const METRICS = [...CALL_METRICS, ...STATUS_METRICS];

const expositions = new WeakMap<PrometheusRegistry, Map<string, Exposition>>();

/**
 * The exposition of a registry under a prefix, new if there is none.
 *
 * @throws TypeError when the registry has another metric of such a name, or takes none.
 */
export function expositionIn(
  registry: PrometheusRegistry,
  prefix: string,
  maxSeries: number,
): Exposition {
  const known = expositions.get(registry) ?? new Map<string, Exposition>();
  let exposition = known.get(prefix);
  // After `registry.clear()` nobody sees the old one any more.
  const isThere = [...(exposition?.families ?? [])].some(
    ([name, family]) => registry.getSingleMetric(name) === family,
  );
  if (!exposition || !isThere) exposition = createExposition(prefix, maxSeries);
  register(registry, exposition.families);
  expositions.set(registry, known.set(prefix, exposition));
  return exposition;
}

function createExposition(prefix: string, maxSeries: number): Exposition {
  const table = createTable(maxSeries);
  const fired = createTally();
  const monitors = new Set<SinkMonitor>();
  let reading: Promise<Reading> | null = null;

  /** One that cannot say how it is doing has no series for that; those of calls are there. */
  async function statusOf(monitor: SinkMonitor): Promise<MonitorStatus[]> {
    try {
      return [await monitor.status()];
    } catch (error) {
      monitor.fault('prometheus.status', error);
      return [];
    }
  }

  /** A registry asks all families at once. */
  function read(): Promise<Reading> {
    return (reading ??= Promise.all([...monitors].map(statusOf))
      .then((statuses) => ({ table, statuses: statuses.flat(), fired }))
      .finally(() => (reading = null)));
  }

  const families = METRICS.map((metric) => familyOf(metric, prefix, read, table));
  return {
    table,
    families: new Map(families.map((family) => [family.name, family])),
    attach(monitor) {
      monitors.add(monitor);
      return () => void monitors.delete(monitor);
    },
  };
}

function familyOf(
  metric: Metric,
  prefix: string,
  read: () => Promise<Reading>,
  table: CallTable,
): Family {
  const { help, type, labels, aggregator = 'sum' } = metric;
  const family: Family = {
    name: prefix + metric.name,
    ...{ help, type, aggregator, labelNames: labels },
    async get() {
      const values = metric.read(await read(), family.name);
      return { name: family.name, help, type, aggregator, values };
    },
    reset: () => table.clear(),
  };
  return family;
}

/** All or none: what is in the way is looked for first. */
function register(registry: PrometheusRegistry, families: ReadonlyMap<string, Family>): void {
  const missing = [...families].filter(([name, family]) => {
    const found = registry.getSingleMetric(name);
    if (found === undefined || found === family) return found === undefined;
    throw new TypeError(
      `[claude-metrics] prometheusExporter: options.registry already has a metric "${name}", and it ` +
        'is not ours. Pass another `prefix`, or another registry.',
    );
  });
  for (const [name, family] of missing) {
    family.name = name;
    registry.registerMetric(family as never);
  }
}
