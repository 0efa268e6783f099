/** docs/prometheus.md says what there is. */
import { Registry, register } from 'prom-client';
import { CALL_METRICS } from '../../src/exporters/prometheus/call-metrics.js';
import { BOUNDS, HISTOGRAM_SERIES } from '../../src/exporters/prometheus/histogram.js';
import { prometheusExporter } from '../../src/exporters/prometheus.js';
import { STATUS_METRICS } from '../../src/exporters/prometheus/status-metrics.js';
import { capsOf, PAIR_SERIES } from '../../src/exporters/prometheus/table.js';
import { createMonitor } from '../../src/monitor.js';
import { optionsOf, readPage, run, spansOf } from '../docs-page.js';
import { newRegistry, rigOf } from './prometheus-fixture.js';

const page = readPage('prometheus');
const metrics = [...CALL_METRICS, ...STATUS_METRICS];
const known = new Map(metrics.map((metric) => [`claude_${metric.name}`, metric]));

it('every metric is in the table, with its type and its labels', () => {
  const rows = page.tableUnder('Metrics').map(([name, type, labels]) => ({
    name: spansOf(name)[0],
    type,
    labels: spansOf(labels),
  }));
  const there = metrics.map(({ name, type, labels }) => ({ name: `claude_${name}`, type, labels }));
  expect(rows).toEqual(there);
});

it('a registry has exactly these, and their series exactly these labels', async () => {
  const { monitor, scrape: read } = rigOf();
  const usage = { input_tokens: 1, output_tokens: 1 };
  monitor.record({ model: 'no-such-model', usage, ttftMs: 1, stream: true });
  monitor.record({ model: 'm', outcome: 'error', error: { status: 529 } });
  const families = await read();
  expect([...families.keys()]).toEqual([...known.keys()]);
  for (const [name, { series }] of families) {
    const labels = [...(known.get(name)?.labels ?? [])].sort();
    for (const each of series) {
      expect(
        Object.keys(each.labels)
          .filter((label) => label !== 'le')
          .sort(),
      ).toEqual(labels);
    }
  }
});

it('every name, and every label beside it, that the examples use is there', () => {
  const code = [
    ...page.tableUnder('Questions and their PromQL').flatMap(([, query]) => spansOf(query)),
    ...page.blocks('yaml'),
  ].join('\n');
  const used = [...code.matchAll(/\bclaude_\w+/g)].map(([name]) => name);
  expect(new Set(used).size).toBeGreaterThan(8);
  for (const name of used) expect(known.has(name.replace(/_bucket$/, ''))).toBe(true);
  const all = new Set(['le', ...metrics.flatMap(({ labels }) => labels)]);
  const labels = [...code.matchAll(/by \(([^)]*)\)|\b(\w+)(?==~?"|!=")/g)].flatMap(
    ([, by, matched]) => by?.split(', ') ?? [matched ?? ''],
  );
  expect(labels.length).toBeGreaterThan(10);
  expect(labels.filter((label) => !all.has(label))).toEqual([]);
  expect(code.match(/\(/g)?.length).toBe(code.match(/\)/g)?.length);
});

it('options, buckets and numbers of series are as it says', () => {
  const make = (wrong: object) => prometheusExporter({ registry: newRegistry(), ...wrong });
  const options = page.tableUnder('Options').map(([name]) => spansOf(name)[0]);
  expect(options.sort()).toEqual(optionsOf(make));
  const [first, second] = [capsOf(5_000), capsOf(50_000)];
  const bounds = [...BOUNDS];
  const last = bounds.pop();
  for (const text of [
    `end at ${bounds.join(', ')} and ${last} seconds`,
    `A pair has ${PAIR_SERIES - HISTOGRAM_SERIES} series, ${PAIR_SERIES} with streams`,
    `room for ${first.pairs} pairs and ${first.models} models`,
    `room for ${second.pairs} pairs of ${second.models} models`,
  ]) {
    expect(page.text.replaceAll('\n', ' ')).toContain(text);
  }
});

it('its examples run', async () => {
  const used: object[] = [];
  const app = { use: (sink: object) => used.push(sink) };
  const [start, exemplars, serving] = page.blocks('js') as [string, string, string];
  const claudeMonitor = (options: object) => createMonitor({ log: false, ...options });
  await run(start, { register, app, claudeMonitor, prometheusExporter });
  const [monitor] = used as [ReturnType<typeof createMonitor>];
  monitor.record({ model: 'm' });
  expect(await register.metrics()).toContain('claude_requests_total{model="m"');
  await monitor.close();
  register.clear();

  const exporter = (await run(`${exemplars}\nreturn exporter;`, {
    ...{ Registry, prometheusExporter },
  })) as ReturnType<typeof prometheusExporter>;
  const sent: unknown[] = [];
  const res = {
    set: (name: string, value: string) => (sent.push(name, value), res),
    send: (body: string) => sent.push(body),
  };
  await run(serving, { exporter, req: { headers: {} }, res });
  expect(sent.slice(0, 2)).toEqual(['content-type', Registry.OPENMETRICS_CONTENT_TYPE]);
  expect(sent[2]).toMatch(/# EOF\n$/);
});
