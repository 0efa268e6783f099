/** Names come from outside: none of them makes a line, a series or a label of its own, or too many. */
import fc from 'fast-check';
import { Counter } from 'prom-client';
import { keyOf } from '../../src/cell.js';
import { label } from '../../src/context.js';
import { capsOf } from '../../src/exporters/prometheus/table.js';
import { sumOf, type Families, type Series } from './prometheus-parser.js';
import { MODEL, newRegistry, rigOf, scrape, valuesOf } from './prometheus-fixture.js';

const usage = { input_tokens: 100, output_tokens: 50 };
const BOTH = [
  ['the text format', false],
  ['OpenMetrics', true],
] as const;

const seriesOf = (families: Families): Series[] =>
  [...families.values()].flatMap(({ series }) => series);
const labelled = (families: Families, name: string): Set<string | undefined> =>
  new Set(seriesOf(families).flatMap(({ labels }) => (name in labels ? [labels[name]] : [])));

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    ...[
      '',
      ' ',
      '"',
      '\\',
      '\n',
      '\r\n# EOF\n',
      '"} 1\nevil_total{a="',
      '\\"} 1',
      '{}',
      '#',
      '# HELP',
    ],
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', '(other)', '\\(other)'],
    ...['(unattributed)', '\u0000', '\u202E', '\uD800', '\u2028', 'é', '💥', 'x'.repeat(100_000)],
    ...['a,model:b', 'le', '+Inf', 'NaN'],
  ),
);

describe.each(BOTH)('in %s', (_name, open) => {
  it('whatever users, features and models are called, a strict parser reads the same calls', async () => {
    const before = Object.getOwnPropertyNames(Object.prototype).join();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(hostile, hostile, hostile), { minLength: 1, maxLength: 8 }),
        async (names) => {
          const { monitor, registry } = rigOf({ registry: newRegistry(open) });
          const models = new Set<string>();
          const features = new Set<string>();
          names.forEach(([userId, feature, name], i) => {
            const model = label(name) === null ? MODEL : name;
            const requestId = `req_${name}`;
            const outcome = i % 2 === 0 ? 'ok' : 'error';
            monitor.record({ model, userId, feature, requestId, outcome, usage, callMs: i });
            models.add(keyOf(label(model)));
            features.add(keyOf(label(feature)));
          });
          const families = await scrape(registry);
          expect(labelled(families, 'model')).toEqual(models);
          expect(labelled(families, 'feature')).toEqual(features);
          expect(sumOf(families, 'claude_requests_total')).toBe(BigInt(names.length));
          const { cost } = (await monitor.snapshot()).totals;
          expect(sumOf(families, 'claude_cost_usd_total', {}, 1e9)).toBe(BigInt(cost.nanoUsd));
          expect([...families.keys()].filter((each) => !each.startsWith('claude_'))).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before);
  });

  it('names of budgets and rules, steps and prices are no lines either', async () => {
    const evil = 'a"} 1\nevil_total{b="\\\u202E';
    const { monitor, registry } = rigOf(
      { registry: newRegistry(open) },
      { budgets: [{ name: evil, usd: 1, per: 'call', of: 'all', action: 'warn' }] },
    );
    monitor.fault(evil, new Error(evil));
    const safe = label(evil) as string;
    const families = await scrape(registry);
    expect(valuesOf(families, 'claude_monitor_faults_total')).toEqual({ [`step=${safe}`]: 1 });
    expect(labelled(families, 'budget')).toEqual(new Set([safe]));
    expect(safe).not.toContain('\n');
  });
});

it('no user, session, tag or id of a message is anywhere in it', async () => {
  const { monitor, registry } = rigOf({ registry: newRegistry(true) });
  monitor.record({
    ...{ model: MODEL, usage, userId: 'secret-user', sessionId: 'secret-session' },
    ...{ tags: { 'secret-tag': 'secret-value' }, messageId: 'msg_secret', requestId: 'req_shown' },
  });
  const text = await registry.metrics();
  expect(text).toContain('req_shown');
  expect(text).not.toContain('secret');
  const names = new Set(
    seriesOf(await scrape(registry)).flatMap((each) => Object.keys(each.labels)),
  );
  expect([...names].sort()).toEqual([
    ...['feature', 'le', 'model', 'outcome', 'price_version', 'type'],
  ]);
});

it('features that look like labels stay apart, which they do not in a Counter of prom-client', async () => {
  const pairs = [
    ['a', 'b,model:c'],
    ['a,model:b', 'c'],
  ] as const;
  const { monitor, registry, scrape: read } = rigOf();
  const theirs = new Counter({
    ...{ name: 'theirs', help: 'Theirs.', labelNames: ['feature', 'model'] },
    registers: [registry],
  });
  for (const [feature, model] of pairs) {
    monitor.record({ model, feature, usage });
    theirs.inc({ feature, model });
  }
  const families = await read();
  expect(Object.keys(valuesOf(families, 'claude_retries_total'))).toHaveLength(2);
  expect(Object.keys(valuesOf(families, 'theirs'))).toHaveLength(1);
});

it('records that no monitor has made are made safe here', async () => {
  const { exporter, monitor, scrape: read } = rigOf();
  const record = monitor.record({ model: MODEL, usage, feature: 'chat' });
  const evil = `a"} 1\nevil 2\r\u202E${'x'.repeat(500)}`;
  exporter.record({ ...record, model: evil, feature: evil });
  const safe = label(evil) as string;
  expect(labelled(await read(), 'feature')).toEqual(new Set(['chat', safe]));
  expect(labelled(await read(), 'model')).toEqual(new Set([MODEL, safe]));
});

describe('the cap', () => {
  const streamed = { usage, callMs: 900, ttftMs: 300, stream: true };
  const errors = [400, 401, 404, 413, 429, 500, 529].map((status) => ({ status }));

  it('holds with any number of features and models, and every sum stays exact', async () => {
    const { monitor, scrape: read } = rigOf();
    for (let i = 0; i < 30_000; i += 1) {
      const failure = errors[i % 17];
      monitor.record({
        ...{ model: `model-${i % 101}`, feature: `feature-${i}`, ...streamed },
        ...(failure && { outcome: 'error', error: failure, status: failure.status }),
      });
    }
    for (let i = 0; i < 5; i += 1) monitor.record({ ...streamed, model: MODEL, feature: 'late' });
    const families = await read();
    const ofCalls = seriesOf(families).filter(({ labels }) => 'model' in labels);
    expect(ofCalls.length).toBeLessThanOrEqual(5_000);
    expect(ofCalls.length).toBeGreaterThan(4_000);
    const { totals } = await monitor.snapshot();
    expect(sumOf(families, 'claude_requests_total')).toBe(BigInt(totals.calls));
    expect(sumOf(families, 'claude_cost_usd_total', {}, 1e9)).toBe(BigInt(totals.cost.nanoUsd));
    expect(sumOf(families, 'claude_time_to_first_token_seconds_count')).toBe(30_005n);
    const other = { model: '(other)', feature: '(other)' };
    expect(sumOf(families, 'claude_requests_total', other)).toBeGreaterThan(25_000n);
  });

  it('keeps the model of a feature that has no room, and what came first', async () => {
    const { monitor, scrape: read } = rigOf({ maxSeries: 1_000 });
    const { models, pairs } = capsOf(1_000);
    expect(models).toBe(2);
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < pairs + 10; i += 1) {
        monitor.record({ ...streamed, model: 'a', feature: `f-${i}` });
      }
      monitor.record({ ...streamed, model: 'b', feature: 'new' });
      monitor.record({ ...streamed, model: 'c', feature: 'f-0' });
    }
    const families = await read();
    const calls = (model: string, feature: string) =>
      sumOf(families, 'claude_requests_total', { model, feature });
    expect(calls('a', 'f-0')).toBe(2n);
    expect(calls('a', '(other)')).toBe(20n);
    expect(calls('b', '(other)')).toBe(2n);
    expect(calls('(other)', '(other)')).toBe(2n);
    expect(labelled(families, 'model')).toEqual(new Set(['a', 'b', '(other)']));
    expect(seriesOf(families).filter(({ labels }) => 'model' in labels).length).toBeLessThanOrEqual(
      1_000,
    );
  });
});
