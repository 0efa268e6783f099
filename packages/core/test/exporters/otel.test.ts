import { createHash, createHmac } from 'node:crypto';
import { metrics } from '@opentelemetry/api';
import { otelExporter, type OtelEvent, type OtelMetrics } from '../../src/exporters/otel.js';
import { createMonitor } from '../../src/monitor.js';
import { countOf, having, newMetrics, observed, quiet, sumOf } from './otel-fixture.js';
import type { CallInput } from '../../src/import.js';
import type { OtelOptions } from '../../src/exporters/otel.js';

/** Names, units, buckets and attributes of metrics, their bounds, and what is refused. */

const USAGE = {
  input_tokens: 100,
  output_tokens: 50,
  cache_read_input_tokens: 1_000,
  cache_creation_input_tokens: 30,
  cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
  output_tokens_details: { thinking_tokens: 40 },
};
const CALL: CallInput = {
  ...{ model: 'claude-haiku-4-5', servedModel: 'claude-haiku-4-5-20251001' },
  ...{ usage: USAGE, callMs: 2_500, stream: true, ttftMs: 300, userId: 'ada', feature: 'chat' },
};
const CHAT = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'anthropic',
  'gen_ai.request.model': 'claude-haiku-4-5',
  'gen_ai.response.model': 'claude-haiku-4-5-20251001',
  'claude_metrics.feature': 'chat',
};

async function pointsOf(calls: readonly CallInput[], options: Partial<OtelOptions> = {}) {
  const to = newMetrics();
  const monitor = observed(to, options);
  for (const call of calls) monitor.record(call);
  await to.flush();
  await monitor.close();
  return to.points();
}

describe('metrics', () => {
  it('have the names, units and attributes of the conventions, and ours for cost', async () => {
    const points = await pointsOf([CALL]);
    const tokens = { ...CHAT, 'gen_ai.token.modality': 'unknown' };
    const usage = 'gen_ai.client.inference.usage';
    const seen = points.map(({ name, unit, sum, attributes }) => [name, unit, sum, attributes]);
    const cost = having(points, 'claude_metrics.cost_nano_usd')[0]!.sum;
    expect(cost).toBeGreaterThan(1_000);
    expect(seen).toEqual([
      ['gen_ai.client.operation.duration', 's', 2.5, { ...CHAT, 'claude_metrics.outcome': 'ok' }],
      ['gen_ai.client.operation.time_to_first_chunk', 's', 0.3, CHAT],
      [`${usage}.input_tokens`, '{token}', 1_130, tokens],
      [`${usage}.cache_read.input_tokens`, '{token}', 1_000, tokens],
      [`${usage}.cache_write.input_tokens`, '{token}', 30, tokens],
      [`${usage}.output_tokens`, '{token}', 50, tokens],
      [`${usage}.reasoning.output_tokens`, '{token}', 40, tokens],
      ['claude_metrics.cost', '{USD}', cost / 1e9, CHAT],
      ['claude_metrics.cost_nano_usd', '{nano_USD}', cost, CHAT],
    ]);
    expect(new Set(points.map(({ scope }) => scope.name))).toEqual(
      new Set(['@claude-metrics/core']),
    );
  });

  it('of time have buckets up to minutes', async () => {
    const [duration, first] = await pointsOf([CALL]);
    expect(duration?.bounds).toEqual([
      0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
    ]);
    expect(first?.bounds).toEqual(duration?.bounds);
  });

  it('tell a failure by its kind, and an end that is no failure by its outcome alone', async () => {
    const points = await pointsOf([
      { model: 'm', outcome: 'error', error: { status: 529 } },
      { model: 'm', outcome: 'truncated', usage: USAGE },
      { model: 'm', outcome: 'aborted' },
    ]);
    const ends = having(points, 'gen_ai.client.operation.duration').map(({ attributes }) => [
      attributes['claude_metrics.outcome'],
      attributes['error.type'],
    ]);
    expect(ends).toEqual([
      ['error', 'overloaded'],
      ['truncated', 'truncated'],
      ['aborted', undefined],
    ]);
  });

  it('count no tokens of what is no inference, and 0 of one that had none', async () => {
    const points = await pointsOf([
      { model: 'm', operation: 'count_tokens' },
      { model: 'm', outcome: 'error', error: { status: 500 } },
    ]);
    const [input, ...more] = having(points, 'gen_ai.client.inference.usage.input_tokens');
    expect(more).toEqual([]);
    expect(input).toMatchObject({ sum: 0, attributes: { 'gen_ai.operation.name': 'chat' } });
    expect(
      countOf(points, 'gen_ai.client.operation.duration', {
        'gen_ai.operation.name': 'count_tokens',
      }),
    ).toBe(1);
  });

  it('say of a call without a price why it has none, and count no cost', async () => {
    const points = await pointsOf([{ model: 'no-such-model', usage: USAGE }]);
    const of = { 'claude_metrics.unpriced_reason': 'unknown_model' };
    expect(sumOf(points, 'claude_metrics.unpriced_calls', of)).toBe(1n);
    expect(having(points, 'claude_metrics.cost_nano_usd')).toEqual([]);
  });

  it('have the old histogram of tokens when it is asked for', async () => {
    const points = await pointsOf([CALL], { tokenUsage: true });
    const old = having(points, 'gen_ai.client.token.usage');
    expect(old.map(({ attributes, sum }) => [attributes['gen_ai.token.type'], sum])).toEqual([
      ['input', 1_130],
      ['output', 50],
    ]);
    expect(old[0]?.bounds).toHaveLength(14);
  });
});

describe('names from outside', () => {
  it('beyond the cap count as (other), and nothing is lost', async () => {
    const calls = Array.from({ length: 300 }, (_, i) => ({ ...CALL, feature: `feature ${i}` }));
    const points = await pointsOf(calls, { maxFeatures: 7 });
    const features = having(points, 'gen_ai.client.inference.usage.input_tokens');
    expect(features).toHaveLength(8);
    expect(sumOf(points, 'gen_ai.client.inference.usage.input_tokens')).toBe(300n * 1_130n);
    expect(
      sumOf(points, 'gen_ai.client.inference.usage.input_tokens', {
        'claude_metrics.feature': '(other)',
      }),
    ).toBe(293n * 1_130n);
  });

  it('of models and providers are capped as well', async () => {
    const calls = Array.from({ length: 200 }, (_, i) => ({
      ...{ ...CALL, model: `model ${i}`, provider: `provider ${i}` },
    }));
    const points = await pointsOf(calls);
    const names = (key: string) => new Set(points.map(({ attributes }) => attributes[key])).size;
    expect(names('gen_ai.request.model')).toBeLessThanOrEqual(51);
    expect(names('gen_ai.provider.name')).toBe(21);
    expect(countOf(points, 'gen_ai.client.operation.duration')).toBe(200);
  });

  it('that look like ours are told apart from ours', async () => {
    const points = await pointsOf([
      { ...CALL, feature: '(other)' },
      { ...CALL, feature: null },
    ]);
    const features = having(points, 'claude_metrics.cost').map(
      ({ attributes }) => attributes['claude_metrics.feature'],
    );
    expect(features).toEqual(['\\(other)', '(unattributed)']);
  });

  it('of users are nowhere', async () => {
    const points = await pointsOf([CALL], { tokenUsage: true });
    expect(JSON.stringify(points)).not.toContain('ada');
    expect(JSON.stringify(points)).not.toContain('user');
  });
});

describe('a provider', () => {
  afterEach(() => metrics.disable());

  it('that nobody has registered gets nothing, and nothing goes wrong', async () => {
    const monitor = createMonitor({ ...quiet, sinks: [otelExporter({ metrics })] });
    monitor.record(CALL);
    expect(monitor.health().faults).toEqual({});
    await monitor.close();
  });

  it('may be registered after us, and be replaced', async () => {
    const [first, second] = [newMetrics(), newMetrics()];
    const monitor = createMonitor({ ...quiet, sinks: [otelExporter({ metrics })] });
    monitor.record(CALL);
    metrics.setGlobalMeterProvider(first.provider);
    for (let i = 0; i < 3; i += 1) monitor.record(CALL);
    metrics.disable();
    metrics.setGlobalMeterProvider(second.provider);
    monitor.record(CALL);
    await Promise.all([first.flush(), second.flush()]);
    const counts = [first, second].map((each) =>
      countOf(each.points(), 'gen_ai.client.operation.duration'),
    );
    expect(counts).toEqual([3, 1]);
    await monitor.close();
  });

  it('is left running when a monitor closes', async () => {
    const to = newMetrics();
    await observed(to).close();
    const next = observed(to);
    next.record(CALL);
    await to.flush();
    expect(countOf(to.points(), 'gen_ai.client.operation.duration')).toBe(1);
    await next.close();
  });

  it.each([
    ['whose meter throws', () => ({ getMeter: fail })],
    [
      'whose instruments throw',
      () => ({ getMeter: () => ({ createCounter: fail, createHistogram: fail }) }),
    ],
    ['that counts nothing but trouble', () => ({ getMeter: () => troubled })],
  ] as const)('%s changes no figure, and is counted', async (_, make) => {
    const monitor = createMonitor({
      ...quiet,
      sinks: [otelExporter({ metrics: make() as OtelMetrics })],
    });
    monitor.record(CALL);
    const { totals } = await monitor.snapshot();
    expect(totals.calls).toBe(1);
    expect(monitor.health().faults).toEqual({
      'sink:otel': { count: 1, lastMessage: 'Error: broken' },
    });
    await monitor.close();
  });
});

function fail(): never {
  throw new Error('broken');
}
const troubled = {
  createCounter: () => ({ add: fail }),
  createHistogram: () => ({ record: fail }),
};

describe('feedback', () => {
  /** Takes events as a logger of OpenTelemetry does. */
  function newLogs() {
    const events: OtelEvent[] = [];
    const scopes: string[] = [];
    const getLogger = (name: string) => {
      scopes.push(name);
      return { emit: (event: OtelEvent) => void events.push(event) };
    };
    return { events, scopes, logs: { getLogger } };
  }

  it('is an event of the evaluation, without what somebody wrote', async () => {
    const { events, scopes, logs } = newLogs();
    const monitor = observed(newMetrics(), { logs });
    const { id } = monitor.record({ ...CALL, messageId: 'msg_1' });
    await monitor.feedback({
      messageId: 'msg_1',
      action: 'edit',
      score: 0.5,
      comment: 'My name is',
    });
    expect(scopes).toEqual(['@claude-metrics/core']);
    expect(events).toEqual([
      {
        eventName: 'gen_ai.evaluation.result',
        attributes: {
          'gen_ai.evaluation.name': 'user_feedback',
          'gen_ai.evaluation.score.label': 'edit',
          'gen_ai.evaluation.score.value': 0.5,
          'gen_ai.response.id': 'msg_1',
          'gen_ai.request.model': 'claude-haiku-4-5',
          'claude_metrics.call_id': id,
          'claude_metrics.feature': 'chat',
          'user.hash': createHash('sha256').update('ada').digest('hex').slice(0, 32),
        },
      },
    ]);
    await monitor.close();
  });

  it('has no more than is known', async () => {
    const { events, logs } = newLogs();
    const monitor = observed(newMetrics(), { logs, userHashKey: false });
    const { id } = monitor.record({ model: 'm', userId: 'ada' });
    await monitor.feedback({ callId: id, action: 'reject' });
    expect(events[0]?.attributes).toEqual({
      'gen_ai.evaluation.name': 'user_feedback',
      'gen_ai.evaluation.score.label': 'reject',
      'gen_ai.request.model': 'm',
      'claude_metrics.call_id': id,
    });
    await monitor.close();
  });

  it('goes nowhere without a place for logs', async () => {
    const monitor = observed(newMetrics());
    const { id } = monitor.record(CALL);
    expect(await monitor.feedback({ callId: id, action: 'accept' })).toBe(true);
    expect(monitor.health().faults).toEqual({});
    await monitor.close();
  });

  it('hashes users with the key, in UTF-8', async () => {
    const { events, logs } = newLogs();
    const userHashKey = 'a secret of the tests';
    const monitor = observed(newMetrics(), { logs, userHashKey });
    const { id } = monitor.record({ model: 'm', userId: 'Zoë' });
    await monitor.feedback({ callId: id, action: 'accept' });
    const bytes = Buffer.from('Zoë', 'utf8');
    const hash = createHmac('sha256', userHashKey).update(bytes).digest('hex').slice(0, 32);
    expect(events[0]?.attributes?.['user.hash']).toBe(hash);
    await monitor.close();
  });
});

describe('options', () => {
  it.each([
    [undefined, 'options.metrics must be an object with getMeter(), got null'],
    [{}, 'options.metrics must be an object with getMeter(), got null'],
    [{ metrics: 7 }, 'options.metrics must be an object with getMeter(), got 7'],
    [{ metrics, logs: {} }, 'options.logs must be an object with getLogger(), got an object'],
    [{ metrics, maxFeatures: 0 }, 'options.maxFeatures must be an integer from 1 to 1000, got 0'],
    [{ metrics, tokenUsage: 1 }, 'options.tokenUsage must be true or false, got 1'],
    [{ metrics, userHashKey: 'short' }, 'must be a secret of at least 16 characters, or false'],
    [{ metrics, userHashKey: true }, 'must be a secret of at least 16 characters, or false'],
    [{ metrics, meter: 1 }, 'there is no option "meter"'],
  ])('%j are refused in words', (options, message) => {
    expect(() => otelExporter(options as never)).toThrow(TypeError);
    expect(() => otelExporter(options as never)).toThrow(message);
  });

  it('a key that is refused is not shown', () => {
    expect(() => otelExporter({ metrics, userHashKey: 'pa55word' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('pa55word') }) as Error,
    );
  });
});
