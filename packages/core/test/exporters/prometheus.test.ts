import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { alert } from '../../src/alerts/rules.js';
import { BOUNDS } from '../../src/exporters/prometheus/histogram.js';
import { prometheusExporter } from '../../src/exporters/prometheus.js';
import { createMonitor } from '../../src/monitor.js';
import { prices } from '../../src/prices.js';
import { parseText, sumOf } from './prometheus-parser.js';
import { MODEL, newRegistry, NOW, ready, rigOf, scrape, valuesOf } from './prometheus-fixture.js';
import type { CallBudget } from '../../src/budget.js';

const usage = {
  input_tokens: 100,
  output_tokens: 50,
  cache_read_input_tokens: 1000,
  cache_creation_input_tokens: 30,
  cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
};
const call = { model: MODEL, usage, feature: 'chat' };

describe('series of calls', () => {
  it('have every outcome and token class from the first call on, so that increases are seen', async () => {
    const { monitor, scrape: read } = rigOf();
    monitor.record(call);
    const families = await read();
    const of = `model=${MODEL},feature=chat`;
    expect(valuesOf(families, 'claude_requests_total')).toEqual({
      [`${of},outcome=ok`]: 1,
      [`${of},outcome=refused`]: 0,
      [`${of},outcome=error`]: 0,
      [`${of},outcome=cancelled`]: 0,
      [`${of},outcome=aborted`]: 0,
      [`${of},outcome=truncated`]: 0,
      [`${of},outcome=blocked`]: 0,
      [`${of},outcome=abandoned`]: 0,
    });
    expect(valuesOf(families, 'claude_tokens_total')).toEqual({
      [`${of},type=uncached_input`]: 100,
      [`${of},type=cache_read`]: 1000,
      [`${of},type=cache_write_5m`]: 10,
      [`${of},type=cache_write_1h`]: 20,
      [`${of},type=output`]: 50,
    });
    // 100 × 2 + 1000 × 0.10 + 10 × 2.5 + 20 × 4 + 50 × 10 = 905 millionths of a dollar
    expect(valuesOf(families, 'claude_cost_usd_total')).toEqual({ [of]: 0.000905 });
  });

  it('add up costs that sums of decimal dollars would lose', async () => {
    const { monitor, scrape: read } = rigOf();
    for (let i = 0; i < 1_000; i += 1) {
      monitor.record({ ...call, usage: { input_tokens: 5, output_tokens: 0 } });
    }
    const { cost } = (await monitor.snapshot()).totals;
    const [value] = Object.values(valuesOf(await read(), 'claude_cost_usd_total'));
    expect(value).toBe(cost.nanoUsd / 1e9);
    expect(value).toBe(0.01);
    let drifted = 0;
    for (let i = 0; i < 1_000; i += 1) drifted += 0.00001;
    expect(drifted).not.toBe(0.01);
  });

  it('tell failures by kind, and calls without a price by reason', async () => {
    const { monitor, scrape: read } = rigOf();
    const failed = { status: 529, error: { type: 'overloaded_error', message: 'Overloaded' } };
    monitor.record({ model: MODEL, outcome: 'error', error: failed, status: 529 });
    monitor.record({ model: MODEL, outcome: 'aborted', error: new Error('mine') });
    monitor.record({ model: 'no-such-model', usage });
    const families = await read();
    const { totals } = await monitor.snapshot();
    for (const [kind, count] of Object.entries(totals.errors)) {
      expect(valuesOf(families, 'claude_errors_total')).toEqual({
        [`model=${MODEL},category=${kind}`]: count,
      });
    }
    expect(Object.keys(totals.errors)).toHaveLength(1);
    expect(valuesOf(families, 'claude_unpriced_requests_total')).toMatchObject({
      'model=no-such-model,reason=unknown_model': 1,
    });
  });

  it('put durations into buckets from 0.1 to 120 seconds, bounds included', async () => {
    const { monitor, scrape: read } = rigOf();
    for (const callMs of [0, 100, 100.001, 119_999, 120_000, 120_001, Infinity]) {
      monitor.record({ ...call, callMs, ttftMs: callMs === 100 ? 50 : null });
    }
    expect([BOUNDS[0], BOUNDS.at(-1)]).toEqual([0.1, 120]);
    const families = await read();
    const buckets = families
      .get('claude_request_duration_seconds')
      ?.series.map(({ name, labels, value }) => [labels['le'] ?? name.split('_').at(-1), value]);
    expect(Object.fromEntries(buckets ?? [])).toMatchObject({
      ...{ 0.1: 2, 0.25: 3, 60: 3, 120: 5, '+Inf': 6, count: 6 },
      sum: expect.closeTo(0.1 + 0.100001 + 119.999 + 120 + 120.001, 9) as number,
    });
    const { latency } = (await monitor.snapshot()).totals;
    expect(latency?.callMs?.count).toBe(6);
    expect(sumOf(families, 'claude_time_to_first_token_seconds_count')).toBe(1n);
  });

  it('count a call of a downgrade with the model that was sent', async () => {
    const { exporter, monitor, scrape: read } = rigOf();
    const record = monitor.record(call);
    const budget: CallBudget = {
      verdict: 'downgrade',
      reason: 'limit',
      budget: 'b',
      heldNanoUsd: 1,
      sentModel: 'claude-haiku-4-5',
      sentMaxTokens: null,
      wouldBlock: [],
    };
    exporter.record({ ...record, budget });
    expect(valuesOf(await read(), 'claude_retries_total')).toEqual({
      [`model=${MODEL},feature=chat`]: 0,
      'model=claude-haiku-4-5,feature=chat': 0,
    });
  });
});

describe('what the monitor says of itself', () => {
  it('is there with budgets, the one that used most for those of many, and never a name of a user', async () => {
    const {
      monitor,
      registry,
      scrape: read,
    } = rigOf(
      {},
      {
        budgets: [
          { name: 'all', usd: 10, per: 'month', of: 'all', action: 'warn' },
          { name: 'each', usd: 1, per: 'day', of: 'user', action: 'block' },
        ],
      },
    );
    const million = { model: MODEL, usage: { input_tokens: 100_000, output_tokens: 0 } };
    for (const userId of ['ada', 'bob', 'bob']) monitor.record({ ...million, userId });
    await ready(monitor);
    const { budgets } = await monitor.snapshot();
    expect(budgets[1]?.scopes.map(({ scope }) => scope)).toEqual(['bob', 'ada']);
    const families = await read();
    expect(valuesOf(families, 'claude_budget_usage_ratio')).toEqual({
      'budget=all': 0.06,
      'budget=each': 0.4,
    });
    expect(valuesOf(families, 'claude_budget_spent_usd')).toEqual({ 'budget=all': 0.6 });
    expect(valuesOf(families, 'claude_budget_limit_usd')).toEqual({ 'budget=all': 10 });
    expect(valuesOf(families, 'claude_budget_decisions_total')).toMatchObject({
      'budget=each,verdict=block': 0,
    });
    expect(await registry.metrics()).not.toMatch(/ada|bob/);
  });

  it('is there with alerts that fire, which go back to 0 and not away', async () => {
    let now = NOW;
    const { monitor, scrape: read } = rigOf(
      {},
      {
        alerts: [alert.errorRateAbove(0.05, { name: 'errors', by: 'feature' })],
        channels: [],
        clock: { now: () => now, monotonic: () => now - NOW },
      },
    );
    for (const feature of ['chat', 'search']) {
      for (let i = 0; i < 100; i += 1) monitor.record({ ...call, feature, outcome: 'error' });
    }
    const look = async (minutes: number) => {
      for (let i = 0; i < minutes * 4; i += 1) {
        now += 15_000;
        await monitor.evaluateAlerts();
      }
    };
    expect(valuesOf(await read(), 'claude_alerts_firing')).toEqual({});
    await look(2);
    const firing = await monitor.alerts();
    expect(firing.firing).toHaveLength(2);
    const of = `rule=errors,severity=${firing.firing[0]?.severity}`;
    expect(valuesOf(await read(), 'claude_alerts_firing')).toEqual({ [of]: 2 });
    await look(30);
    expect((await monitor.alerts()).firing).toEqual([]);
    expect(valuesOf(await read(), 'claude_alerts_firing')).toEqual({ [of]: 0 });
  });

  it('is there with faults, drops, and the version of the prices', async () => {
    const { monitor, scrape: read } = rigOf();
    monitor.fault('mine', new Error('x'));
    monitor.fault('mine', new Error('x'));
    await monitor.feedback({ messageId: 'msg_unknown', action: 'accept' });
    const { health, coverage } = await monitor.snapshot();
    const families = await read();
    expect(valuesOf(families, 'claude_monitor_faults_total')).toEqual({ 'step=mine': 2 });
    const dropped = Object.entries(health.dropped).map(([what, n]) => [`what=${what}`, n]);
    expect(dropped).toHaveLength(1);
    expect(valuesOf(families, 'claude_monitor_dropped_total')).toEqual(Object.fromEntries(dropped));
    expect(valuesOf(families, 'claude_unobserved_requests_total')).toEqual({ '': 0 });
    expect(valuesOf(families, 'claude_build_info')).toEqual({
      [`price_version=${coverage.priceVersion}`]: 1,
    });
  });

  it('is not asked any more of a monitor that is closed, and its calls stay', async () => {
    const { monitor, scrape: read } = rigOf();
    monitor.record(call);
    await monitor.close();
    const families = await read();
    expect(valuesOf(families, 'claude_build_info')).toEqual({});
    expect(sumOf(families, 'claude_requests_total')).toBe(1n);
  });

  it('is not asked any more of a monitor that the exporter was taken off', async () => {
    const { exporter, monitor } = rigOf();
    const other = createMonitor({ log: false, prices: { ...prices, version: 'own' } });
    const registry = newRegistry();
    const apart = prometheusExporter({ registry });
    const take = other.on(apart);
    expect(valuesOf(await scrape(registry), 'claude_build_info')).toEqual({
      'price_version=own': 1,
    });
    take();
    expect(valuesOf(await scrape(registry), 'claude_build_info')).toEqual({});
    expect(exporter.name).toBe('prometheus');
    await Promise.all([monitor.close(), other.close()]);
  });

  it('leaves out what a monitor cannot say, counts that, and shows calls all the same', async () => {
    const registry = newRegistry();
    const exporter = prometheusExporter({ registry });
    const faults: unknown[] = [];
    exporter.attach({
      status: () => Promise.reject(new Error('down')),
      fault: (step, error) => faults.push([step, String(error)]),
    });
    const { monitor } = rigOf();
    exporter.record(monitor.record(call));
    const families = await scrape(registry);
    expect(sumOf(families, 'claude_requests_total')).toBe(1n);
    expect(valuesOf(families, 'claude_build_info')).toEqual({});
    expect(faults).toEqual([['prometheus.status', 'Error: down']]);
  });
});

describe('a registry', () => {
  it('has our metrics beside yours, with your default labels', async () => {
    const registry = newRegistry();
    collectDefaultMetrics({ register: registry as Registry });
    registry.setDefaultLabels({ app: 'shop' });
    const mine = new Gauge({ name: 'mine', help: 'Mine.', registers: [registry] });
    mine.set(3);
    const { monitor } = rigOf({ registry });
    monitor.record(call);
    const families = await scrape(registry);
    expect(valuesOf(families, 'mine')).toEqual({ 'app=shop': 3 });
    expect(families.has('process_cpu_user_seconds_total')).toBe(true);
    expect(sumOf(families, 'claude_requests_total', { app: 'shop', outcome: 'ok' })).toBe(1n);
  });

  it('of two monitors adds their calls up, and has every series once', async () => {
    const budgets = [{ name: 'all', usd: 10, per: 'day', of: 'all', action: 'warn' }] as const;
    const one = rigOf({}, { budgets });
    const two = rigOf({ registry: one.registry }, { budgets });
    const big = { model: MODEL, usage: { input_tokens: 100_000, output_tokens: 0 } };
    one.monitor.record(big);
    for (let i = 0; i < 2; i += 1) two.monitor.record(big);
    await Promise.all([one, two].map(({ monitor }) => ready(monitor)));
    two.monitor.fault('mine', new Error('x'));
    one.monitor.fault('mine', new Error('x'));
    const families = await one.scrape();
    expect(sumOf(families, 'claude_requests_total')).toBe(3n);
    expect(valuesOf(families, 'claude_budget_usage_ratio')).toEqual({ 'budget=all': 0.04 });
    expect(valuesOf(families, 'claude_monitor_faults_total')).toEqual({ 'step=mine': 2 });
    await two.monitor.close();
    expect(valuesOf(await one.scrape(), 'claude_budget_usage_ratio')).toEqual({
      'budget=all': 0.02,
    });
  });

  it('keeps two monitors apart under two prefixes', async () => {
    const one = rigOf();
    const two = rigOf({ registry: one.registry, prefix: 'batch_' });
    one.monitor.record(call);
    const families = await two.scrape();
    expect(sumOf(families, 'claude_requests_total')).toBe(1n);
    expect(sumOf(families, 'batch_requests_total')).toBe(0n);
  });

  it('that was cleared begins anew, and one that lost a metric gets it back', async () => {
    const { registry, monitor } = rigOf();
    monitor.record(call);
    registry.removeSingleMetric('claude_requests_total');
    const second = rigOf({ registry });
    expect(sumOf(await second.scrape(), 'claude_requests_total')).toBe(1n);
    registry.clear();
    const third = rigOf({ registry });
    expect(sumOf(await third.scrape(), 'claude_requests_total')).toBe(0n);
    third.monitor.record(call);
    expect(sumOf(await third.scrape(), 'claude_requests_total')).toBe(1n);
    registry.resetMetrics();
    expect(sumOf(await third.scrape(), 'claude_requests_total')).toBe(0n);
  });

  it('with another metric of our name is refused before anything is registered', () => {
    const registry = newRegistry();
    const other = new Counter({
      name: 'claude_cost_usd_total',
      help: 'Mine.',
      registers: [registry],
    });
    expect(() => prometheusExporter({ registry })).toThrow(
      new TypeError(
        '[claude-metrics] prometheusExporter: options.registry already has a metric ' +
          '"claude_cost_usd_total", and it is not ours. Pass another `prefix`, or another registry.',
      ),
    );
    expect(registry.getMetricsAsArray()).toEqual([other]);
    expect(() => prometheusExporter({ registry, prefix: 'app_claude_' })).not.toThrow();
  });

  it('that throws never fails a call, and is counted', async () => {
    const registry = newRegistry();
    const { monitor } = rigOf({ registry });
    Object.defineProperty(registry, 'contentType', {
      get() {
        throw new Error('broken');
      },
    });
    expect(monitor.record(call).outcome).toBe('ok');
    expect(monitor.health().faults['sink:prometheus']).toMatchObject({ count: 1 });
    await expect(monitor.metrics?.()).rejects.toThrow('broken');
  });

  it('of workers of node:cluster adds up calls, and takes budgets once', async () => {
    const workers = [1, 2].map(() =>
      rigOf({}, { budgets: [{ name: 'all', usd: 10, per: 'day', of: 'all', action: 'warn' }] }),
    );
    const big = { model: MODEL, usage: { input_tokens: 100_000, output_tokens: 0 }, callMs: 300 };
    workers.forEach(({ monitor }, i) => {
      for (let n = 0; n <= i; n += 1) monitor.record(big);
    });
    await Promise.all(workers.map(({ monitor }) => ready(monitor)));
    // As they come from workers: by JSON, without methods.
    const told = await Promise.all(workers.map(({ registry }) => registry.getMetricsAsJSON()));
    const copies = JSON.parse(JSON.stringify(told)) as object[];
    const families = parseText(await AggregatorRegistry.aggregate(copies).metrics());
    expect(sumOf(families, 'claude_requests_total')).toBe(3n);
    expect(sumOf(families, 'claude_request_duration_seconds_count')).toBe(3n);
    expect(valuesOf(families, 'claude_budget_usage_ratio')).toEqual({ 'budget=all': 0.04 });
    expect(Object.values(valuesOf(families, 'claude_build_info'))).toEqual([1]);
  });
});

describe('exemplars', () => {
  const failing = { ...call, outcome: 'error', error: { status: 529 }, status: 529 } as const;

  it('name the request, in a registry of OpenMetrics', async () => {
    const { monitor, scrape: read } = rigOf({ registry: newRegistry(true) });
    monitor.record({ ...call, requestId: 'req_fast', callMs: 50, at: NOW });
    monitor.record({ ...call, requestId: 'req_slow', callMs: 7_000, ttftMs: 400, at: NOW });
    monitor.record({ ...failing, requestId: 'req_bad', callMs: 8_000, at: NOW });
    const families = await read();
    const of = (name: string) =>
      (families.get(name)?.series ?? []).flatMap(({ exemplar }) => exemplar ?? []);
    expect(of('claude_request_duration_seconds')).toEqual([
      { labels: { request_id: 'req_fast' }, value: 0.05, timestamp: NOW / 1_000 + 0.05 },
      { labels: { request_id: 'req_bad' }, value: 8, timestamp: NOW / 1_000 + 8 },
    ]);
    expect(of('claude_time_to_first_token_seconds')).toMatchObject([
      { labels: { request_id: 'req_slow' }, value: 0.4 },
    ]);
    expect(of('claude_errors')).toMatchObject([{ labels: { request_id: 'req_bad' }, value: 1 }]);
  });

  it('are neither kept nor shown in the text format', async () => {
    const { monitor, registry, scrape: read } = rigOf();
    monitor.record({ ...failing, requestId: 'req_1', callMs: 50 });
    await read();
    expect(await registry.metrics()).not.toContain('req_1');
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    expect(await registry.metrics()).not.toContain('req_1');
    monitor.record({ ...failing, requestId: 'req_2', callMs: 50 });
    expect(await registry.metrics()).toContain('req_2');
  });

  it('leave out what is no request id: it comes from a header', async () => {
    const { monitor, scrape: read } = rigOf({ registry: newRegistry(true) });
    for (const requestId of ['a"} 1\n# EOF\n', 'x'.repeat(79), 'ünïcode', '']) {
      monitor.record({ ...failing, requestId, callMs: 50 });
    }
    const families = await read();
    const all = [...families.values()].flatMap(({ series }) => series);
    expect(all.filter(({ exemplar }) => exemplar !== null)).toEqual([]);
  });

  it('have the trace, and no more than 128 characters with the longest id', async () => {
    const { exporter, monitor, scrape: read } = rigOf({ registry: newRegistry(true) });
    const record = monitor.record({ ...call, requestId: 'r'.repeat(78), callMs: 50 });
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    exporter.record({ ...record, traceId });
    exporter.record({ ...record, callMs: 5_000, traceId: 'no trace' });
    const found = (await read()).get('claude_request_duration_seconds')?.series ?? [];
    expect(found.flatMap(({ exemplar }) => (exemplar ? [exemplar.labels] : []))).toEqual([
      { request_id: 'r'.repeat(78), trace_id: traceId },
      { request_id: 'r'.repeat(78) },
    ]);
  });
});

describe('options', () => {
  it.each([
    [{}, /options\.registry must be an object with metrics\(\).*, got null/],
    [{ registry: {} }, /options\.registry must be an object with metrics\(\)/],
    [{ registry: new Registry(), prefix: '1_' }, /options\.prefix must be 1 to 64 letters/],
    [{ registry: new Registry(), prefix: 'a b' }, /options\.prefix must be/],
    [{ registry: new Registry(), maxSeries: 999 }, /options\.maxSeries must be an integer/],
    [{ registry: new Registry(), user: true }, /there is no option "user"/],
  ])('%# that cannot be right are told at start', (options, message) => {
    expect(() => prometheusExporter(options as never)).toThrow(message);
    expect(() => prometheusExporter(options as never)).toThrow(TypeError);
  });
});
