import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { createMonitor, type Monitor } from '../../src/monitor.js';
import { otelExporter, type OtelOptions } from '../../src/exporters/otel.js';
import type { MonitorOptions } from '../../src/monitor-options.js';

/** Applications with a real OpenTelemetry SDK, and what that exports. */

export type Attributes = Readonly<Record<string, unknown>>;

/** One series at one export: what was counted, or how often and how much was measured. */
export interface Point {
  readonly name: string;
  readonly unit: string;
  readonly scope: { readonly name: string; readonly version?: string | undefined };
  readonly attributes: Attributes;
  readonly count: number;
  readonly sum: number;
  readonly bounds: readonly number[];
}

export interface Metrics {
  readonly provider: MeterProvider;
  /** Collects, and exports. */
  flush(): Promise<void>;
  /** Of every export so far. */
  points(): readonly Point[];
}

/** `delta`: each export says what is new; else all since the beginning, so the last one says it. */
export function newMetrics(delta = true): Metrics {
  const { DELTA, CUMULATIVE } = AggregationTemporality;
  const exporter = new InMemoryMetricExporter(delta ? DELTA : CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 86_400_000 });
  const provider = new MeterProvider({ readers: [reader] });
  return {
    provider,
    flush: () => provider.forceFlush(),
    points() {
      const exports = exporter.getMetrics();
      return (delta ? exports : exports.slice(-1)).flatMap(pointsOf);
    },
  };
}

type Export = ReturnType<InMemoryMetricExporter['getMetrics']>[number];

function pointsOf({ scopeMetrics }: Export): Point[] {
  return scopeMetrics.flatMap(({ scope, metrics }) =>
    metrics.flatMap((metric): Point[] => {
      const { name, unit } = metric.descriptor;
      if (metric.dataPointType === DataPointType.SUM) {
        return metric.dataPoints.map(({ attributes, value }) => ({
          ...{ name, unit, scope, attributes, count: 1, sum: value, bounds: [] },
        }));
      }
      if (metric.dataPointType !== DataPointType.HISTOGRAM) throw new Error(`what is ${name}?`);
      return metric.dataPoints.map(({ attributes, value }) => ({
        ...{ name, unit, scope, attributes, count: value.count, sum: value.sum ?? NaN },
        bounds: value.buckets.boundaries,
      }));
    }),
  );
}

/** Those of one metric that have these attributes. */
export function having(points: readonly Point[], name: string, wanted: Attributes = {}) {
  return points.filter(
    (point) =>
      point.name === name &&
      Object.entries(wanted).every(([key, value]) => point.attributes[key] === value),
  );
}

/** Whole numbers, added without a rounding error. */
export function sumOf(points: readonly Point[], name: string, wanted?: Attributes): bigint {
  return having(points, name, wanted).reduce((sum, point) => sum + BigInt(point.sum), 0n);
}

export function countOf(points: readonly Point[], name: string, wanted?: Attributes): number {
  return having(points, name, wanted).reduce((sum, { count }) => sum + count, 0);
}

export function newTraces() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  return { provider, spans: () => exporter.getFinishedSpans() };
}

export const quiet: MonitorOptions = { log: false, onNotice() {}, onError() {} };

/** A monitor that counts into the metrics of a test. */
export function observed(metrics: Metrics, options: Partial<OtelOptions> = {}): Monitor {
  return createMonitor({
    ...quiet,
    sinks: [otelExporter({ metrics: metrics.provider, ...options })],
  });
}
