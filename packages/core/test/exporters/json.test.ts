import { PassThrough, Writable } from 'node:stream';
import { jsonLines } from '../../src/exporters/json.js';
import { createMonitor } from '../../src/monitor.js';
import type { CallInput } from '../../src/import.js';

const usage = {
  input_tokens: 100,
  output_tokens: 50,
  cache_read_input_tokens: 1000,
  cache_creation_input_tokens: 30,
  cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
};

async function linesOf(...calls: CallInput[]): Promise<Record<string, unknown>[]> {
  const stream = new PassThrough();
  const monitor = createMonitor({ log: false, sinks: [jsonLines({ stream })] });
  for (const call of calls) monitor.record(call);
  await monitor.close();
  const text = String(stream.read() ?? '');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('jsonLines', () => {
  it('writes one line a call, with the fields people search by', async () => {
    const at = Date.parse('2026-11-01T10:00:00.000Z');
    const [line] = await linesOf({
      model: 'claude-sonnet-5-5',
      usage,
      at,
      userId: 'ada',
      feature: 'chat',
      requestId: 'req_1',
      callMs: 1234.5678,
      ttftMs: 321,
      tags: { team: 'blue' },
    });
    // 100 × 2 + 1000 × 0.10 + 10 × 2.5 + 20 × 4 + 50 × 10 = 905 millionths of a dollar
    expect(line).toMatchObject({
      level: 'info',
      event: 'claude.call',
      timestamp: '2026-11-01T10:00:00.000Z',
      requestId: 'req_1',
      model: 'claude-sonnet-5-5',
      userId: 'ada',
      feature: 'chat',
      tags: { team: 'blue' },
      inputTokens: 100,
      outputTokens: 50,
      cacheReadTokens: 1000,
      cacheCreationTokens: 30,
      latencyMs: 1234.568,
      ttftMs: 321,
      statusCode: 200,
      error: null,
      costUsd: 0.000905,
      traceId: null,
      retries: 0,
    });
  });

  it('says what is unknown as null, not as zero', async () => {
    const [line] = await linesOf({ model: 'no-such-model', usage });
    expect(line).toMatchObject({ costUsd: null, priceStatus: 'unpriced', level: 'warn' });
  });

  it('keeps one call on one line, whatever its names hold', async () => {
    const hostile = 'a\nb\r\u2028\u202E{"level":"x"}\u0000\uD800';
    const lines = await linesOf({
      model: 'claude-opus-5-5',
      userId: hostile,
      feature: '__proto__',
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.['userId']).toBe('a\uFFFDb\uFFFD\uFFFD\uFFFD{"level":"x"}\uFFFD\uFFFD');
    expect(lines[0]?.['feature']).toBe('__proto__');
  });

  it('waits for a slow stream, drops and counts beyond its bound, and goes on', async () => {
    const waiting: (() => void)[] = [];
    const written: string[] = [];
    const stream = new Writable({
      highWaterMark: 1,
      write(chunk, _encoding, done) {
        written.push(String(chunk));
        waiting.push(done);
      },
    });
    let dropped = 0;
    const sink = jsonLines({ stream, maxLines: 3, onDrop: (count) => (dropped += count) });
    const monitor = createMonitor({ log: false, sinks: [sink] });
    const tick = () => new Promise((resolve) => setImmediate(resolve));
    monitor.record({ model: 'claude-opus-5-5' });
    await tick();
    for (let i = 0; i < 5; i += 1) monitor.record({ model: 'claude-opus-5-5' });
    await tick();
    expect(written).toHaveLength(1);
    expect(dropped).toBe(2);
    waiting.shift()?.();
    await tick();
    expect(written[1]?.trimEnd().split('\n')).toHaveLength(3);
    await monitor.close();
  });

  it('survives a stream that is broken', async () => {
    const errors: unknown[] = [];
    const stream = new Writable({
      write: (_chunk, _encoding, done) => done(new Error('EPIPE')),
    });
    const sink = jsonLines({ stream, onError: (error) => errors.push(error) });
    const monitor = createMonitor({ log: false, sinks: [sink] });
    monitor.record({ model: 'claude-opus-5-5' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(String(errors[0])).toContain('EPIPE');
    await monitor.close();
  });
});
