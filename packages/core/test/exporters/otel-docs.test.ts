/** docs/opentelemetry.md says what there is. */
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { answers, createSimulator } from '@claude-metrics/testing';
import Anthropic from '@anthropic-ai/sdk';
import { otelExporter, type OtelEvent } from '../../src/exporters/otel.js';
import { createMonitor, type Monitor } from '../../src/monitor.js';
import { optionsOf, readPage, run, spansOf } from '../docs-page.js';
import { newMetrics, newTraces, observed, quiet } from './otel-fixture.js';

const page = readPage('opentelemetry');
const USAGE = {
  ...{ input_tokens: 10, output_tokens: 9, cache_read_input_tokens: 8 },
  ...{ cache_creation_input_tokens: 7, output_tokens_details: { thinking_tokens: 6 } },
};
const CALL = { model: 'claude-haiku-4-5', servedModel: 'claude-haiku-4-5', usage: USAGE };

function namesUnder(heading: string): string[] {
  return page.tableUnder(heading).map(([name]) => spansOf(name)[0] ?? 'no name');
}

it('metrics, their types and units, and their attributes are in the tables', async () => {
  const to = newMetrics();
  const monitor = observed(to, { tokenUsage: true });
  monitor.record({ ...CALL, stream: true, ttftMs: 1 });
  monitor.record({ model: 'no-such-model', usage: USAGE });
  monitor.record({ model: 'm', outcome: 'error', error: { status: 500 } });
  await to.flush();
  await monitor.close();
  const points = to.points();
  const seen = new Map(
    points.map(({ name, unit, bounds }) => [
      name,
      [bounds.length > 0 ? 'histogram' : 'counter', unit],
    ]),
  );
  const rows = page.tableUnder('Metrics');
  expect(
    Object.fromEntries(
      rows.map(([name, type, unit]) => [spansOf(name)[0], [type, spansOf(unit)[0]]]),
    ),
  ).toEqual(Object.fromEntries(seen));
  const attributes = new Set(points.flatMap((point) => Object.keys(point.attributes)));
  expect(namesUnder('Attributes').sort()).toEqual([...attributes].sort());
});

it('options and attributes of spans and events are in the tables', async () => {
  expect(namesUnder('Options').sort()).toEqual(
    optionsOf((wrong) => otelExporter({ metrics, ...wrong })),
  );
  const simulator = await createSimulator();
  simulator.respond(() => answers.text('Paris', { usage: USAGE }));
  const traces = newTraces();
  const events: OtelEvent[] = [];
  const logs = { getLogger: () => ({ emit: (event: OtelEvent) => void events.push(event) }) };
  const monitor = observed(newMetrics(), { logs });
  const openTelemetry = { tracerProvider: traces.provider };
  const client = monitor.observe(
    new Anthropic({ apiKey: 'test', baseURL: simulator.url, openTelemetry }),
  );
  const messages = [{ role: 'user' as const, content: 'Where?' }];
  const { id } = await monitor.withContext({ userId: 'ada', feature: 'chat' }, () =>
    client.messages.create({ model: CALL.model, max_tokens: 9, messages }),
  );
  await monitor.feedback({ messageId: id, action: 'accept', score: 1 });
  const ours = Object.keys(traces.spans()[0]?.attributes ?? {}).filter((name) =>
    /^(claude_metrics|user)\./.test(name),
  );
  expect(namesUnder('Spans').sort()).toEqual(ours.sort());
  expect(namesUnder('Feedback').sort()).toEqual(Object.keys(events[0]?.attributes ?? {}).sort());
  await monitor.close();
  await simulator.close();
});

it('its examples run', async () => {
  const [start, view] = page.blocks('js') as [string, string];
  const used: Monitor[] = [];
  const app = { use: (monitor: Monitor) => void used.push(monitor) };
  const claudeMonitor = (options: object) => createMonitor({ ...quiet, ...options });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const readers = [
    new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 86_400_000 }),
  ];
  await run(start, { metrics, app, claudeMonitor, otelExporter });
  const provider = (await run(`${view}\nreturn provider;`, {
    MeterProvider,
    readers,
  })) as MeterProvider;
  metrics.setGlobalMeterProvider(provider);
  used[0]?.record(CALL);
  await provider.forceFlush();
  metrics.disable();
  await used[0]?.close();
  const names = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((each) => each.metrics))
    .map(({ descriptor }) => descriptor.name);
  expect(names).toContain('gen_ai.client.inference.duration');
  expect(names).not.toContain('gen_ai.client.operation.duration');
});
