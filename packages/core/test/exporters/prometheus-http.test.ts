/** `/metrics` under the mount, over real sockets, as Prometheus asks for it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, Gauge, Registry, Summary } from 'prom-client';
import { bodyOf, createHttp, type HttpOptions } from '../../src/http.js';
import { createMonitor } from '../../src/monitor.js';
import { prefersText } from '../../src/exporters/prometheus/text.js';
import { parseOpenMetrics, parseText, sumOf } from './prometheus-parser.js';
import { MODEL, newRegistry, NOW, rigOf, type Rig } from './prometheus-fixture.js';
import type { Snapshot } from '../../src/snapshot.js';

const TOKEN = 'a-token-of-more-than-thirty-two-characters';
/** What Prometheus 2.53 and 3.5 send. */
const PROMETHEUS = [
  'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,' +
    'text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;' +
    'version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;' +
    'q=0.3,*/*;q=0.2',
];
const TEXT = Registry.PROMETHEUS_CONTENT_TYPE;
const OPEN = Registry.OPENMETRICS_CONTENT_TYPE;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve({ monitor }: Pick<Rig, 'monitor'>, options: HttpOptions = {}) {
  const http = createHttp(monitor, { authToken: TOKEN, env: {}, now: () => NOW, ...options });
  const server = createServer((req, res) => {
    const [path = '', search = ''] = (req.url ?? '').split(/\?(.*)/s);
    const header = (name: string) => [req.headers[name]].flat().join(', ') || undefined;
    void http
      .handle({
        ...{ method: req.method ?? '', path, query: new URLSearchParams(search), header },
        ...{ url: req.url ?? '', secure: false, native: req, readBody: bodyOf(req) },
      })
      .then(({ status, headers, body }) => res.writeHead(status, headers).end(body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return (path: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    });
}

const call = { model: MODEL, usage: { input_tokens: 7, output_tokens: 3 }, feature: 'chat' };

it.each(PROMETHEUS)('has the same totals as /snapshot, for Accept %#', async (accept) => {
  for (const open of [false, true]) {
    const rig = rigOf({ registry: newRegistry(open) });
    for (let i = 0; i < 10; i += 1) rig.monitor.record({ ...call, userId: `u-${i}` });
    const ask = await serve(rig);
    const { totals } = (await (await ask('/snapshot')).json()) as Snapshot;
    const response = await ask('/metrics', { accept });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      open ? OPEN : TEXT,
    ]);
    const families = (open ? parseOpenMetrics : parseText)(await response.text());
    expect(sumOf(families, 'claude_requests_total')).toBe(10n);
    const { nanoUsd } = totals.cost;
    expect(sumOf(families, 'claude_cost_usd_total', {}, 1e9)).toBe(BigInt(nanoUsd));
    expect(nanoUsd).toBe(440_000);
    expect(response.headers.get('cache-control')).toBe('no-store');
  }
});

it('answers a client that takes no OpenMetrics in plain text, before and after it was scraped', async () => {
  const registry = newRegistry(true);
  const registers = [registry];
  new Counter({ name: 'mine_total', help: 'M\\i\n"ne".', labelNames: ['a'], registers }).inc({
    a: '"\\\n',
  });
  new Counter({ name: 'bare', help: 'Bare.', registers }).inc(2);
  new Gauge({ name: 'gauge', help: 'Gauge.', registers }).set(-Infinity);
  new Summary({ name: 'summary', help: 'Summary.', registers }).observe(1);
  const rig = rigOf({ registry });
  rig.monitor.record({ ...call, requestId: 'req_1' });
  const ask = await serve(rig);
  const texts = [];
  for (let i = 0; i < 2; i += 1) {
    const plain = await ask('/metrics', { accept: 'text/plain' });
    expect(plain.headers.get('content-type')).toBe(TEXT);
    texts.push(await plain.text());
    const open = await ask('/metrics', { accept: PROMETHEUS[0] as string });
    expect(open.headers.get('content-type')).toBe(OPEN);
    parseOpenMetrics(await open.text());
  }
  expect(texts[1]).toBe(texts[0]);
  const families = parseText(texts[0] ?? '');
  expect(families.get('mine_total')).toMatchObject({
    help: 'M\\i\n"ne".',
    series: [{ labels: { a: '"\\\n' }, value: 1 }],
  });
  expect(families.get('bare')?.series[0]?.value).toBe(2);
  expect(families.get('gauge')?.series[0]?.value).toBe(-Infinity);
  expect(families.get('summary')?.series.length).toBeGreaterThan(2);
  expect(sumOf(families, 'claude_requests_total')).toBe(1n);
  expect(texts[0]).not.toContain('req_1');
});

it.each([
  [undefined, false],
  ['*/*', false],
  ['text/html,application/xhtml+xml,*/*;q=0.8', false],
  [PROMETHEUS[0], false],
  [PROMETHEUS[1], false],
  ['application/openmetrics-text', false],
  ['text/plain', true],
  ['TEXT/PLAIN; version=0.0.4', true],
  ['text/plain;q=0.9, application/openmetrics-text;q=0.2', true],
  ['text/*, application/openmetrics-text;q=0', true],
  ['text/plain;q=nonsense', false],
  [',;,q=1', false],
])('takes Accept %j for a wish for plain text: %s', (accept, expected) => {
  expect(prefersText(accept)).toBe(expected);
});

describe('access', () => {
  it('is decided as for everything else under the mount', async () => {
    const rig = rigOf();
    const ask = await serve(rig);
    expect((await ask('/metrics', { authorization: '' })).status).toBe(401);
    expect((await ask('/metrics', { authorization: `Bearer ${'x'.repeat(40)}` })).status).toBe(401);
    const closed = await serve(rig, {
      authToken: undefined,
      env: { NODE_ENV: 'production' },
    });
    expect((await closed('/metrics')).status).toBe(404);
    const asked: unknown[] = [];
    const own = await serve(rig, {
      authToken: undefined,
      authorize: (req) => asked.push((req as { url: string }).url) < 0,
    });
    expect((await own('/metrics')).status).toBe(403);
    expect(asked).toEqual(['/metrics']);
  });

  it('without an exporter there is no such path, nor in the description', async () => {
    const monitor = createMonitor({ log: false, onNotice() {} });
    const ask = await serve({ monitor });
    expect((await ask('/metrics')).status).toBe(404);
    expect(await (await ask('/openapi.json')).text()).not.toContain('/metrics');
    const withOne = await serve(rigOf());
    expect(await (await withOne('/openapi.json')).text()).toContain('/metrics');
    await monitor.close();
  });

  it('a parameter is a 400, as there is none', async () => {
    const ask = await serve(rigOf());
    const response = await ask('/metrics?name[]=claude_requests_total');
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toMatch('application/problem+json');
  });
});

it('a metric of yours that throws is a 500 that says nothing of it, and is counted', async () => {
  const registry = newRegistry();
  new Gauge({
    ...{ name: 'broken', help: 'Broken.', registers: [registry] },
    collect() {
      throw new Error('a secret');
    },
  });
  const rig = rigOf({ registry });
  const ask = await serve(rig);
  const response = await ask('/metrics');
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret');
  expect(rig.monitor.health().faults['http']).toMatchObject({ count: 1 });
  registry.removeSingleMetric('broken');
  expect((await ask('/metrics')).status).toBe(200);
});
