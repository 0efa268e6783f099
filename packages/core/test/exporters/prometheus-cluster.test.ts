/** Workers of node:cluster, as docs/prometheus.md has them: real processes, one scrape for all. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readPage } from '../docs-page.js';
import { createApps, type Apps } from '../apps.js';
import { parseText, sumOf } from './prometheus-parser.js';
import { MODEL, valuesOf } from './prometheus-fixture.js';

const WORKERS = 3;

let apps: Apps;
let app: string;
beforeAll(() => {
  apps = createApps();
  app = apps.create('shop', null);
  const entry = join(__dirname, '../../src/exporters/prometheus.ts');
  // A file of its own beside core, as it is published.
  apps.bundle(entry, join(app, 'prometheus.mjs'), '--format=esm');
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  symlinkSync(dirname(require.resolve('prom-client')), join(app, 'node_modules', 'prom-client'));
});
afterAll(() => apps.remove());

/** The example of the page, with calls, and with a question instead of a server. */
function program(): string {
  const example = readPage('prometheus')
    .blocks('js')
    .find((code) => code.includes('clusterMetrics'));
  const [imports, rest = ''] = (example ?? '').split('\n\nconst all');
  const server = /  createServer\([^]*listen\(9464\);\n/;
  expect(rest).toMatch(server);
  const ready = `
    await Promise.all(Object.values(cluster.workers).map(
      (worker) => new Promise((resolve) => worker.once('message', resolve))));
    console.log(JSON.stringify({ text: await all.clusterMetrics(), type: all.contentType }));
    for (const worker of Object.values(cluster.workers)) worker.kill('SIGKILL');\n`;
  const calls = `
    const usage = { input_tokens: 100_000, output_tokens: 0 };
    for (let i = 0; i < cluster.worker.id; i += 1) {
      monitor.record({ model: '${MODEL}', feature: 'chat', usage, callMs: 300 });
    }
    await monitor.canSpend({ model: '${MODEL}', max_tokens: 1, messages: [] });
    process.send('ready');\n}`;
  return `import cluster from 'node:cluster';
    import { createMonitor } from '../core.mjs';
    import { prometheusExporter } from './prometheus.mjs';
    ${imports}
    const all${rest
      .replace(server, () => ready)
      .replace('availableParallelism()', String(WORKERS))
      .replace(
        `store: 'claude-metrics.db'`,
        `log: false, budgets: [{ name: 'all', usd: 10, per: 'day', of: 'all', action: 'warn' }]`,
      )
      .replace(/\}\n*$/, () => calls)}`;
}

it('the calls of all workers are added up, and of budgets the fullest is told', async () => {
  const { text, type } = (await apps.run(app, 'main.mjs', program())) as Record<string, string>;
  expect(type).toMatch(/^text\/plain/);
  const families = parseText(text ?? '');
  expect(sumOf(families, 'claude_requests_total', { outcome: 'ok', feature: 'chat' })).toBe(6n);
  expect(sumOf(families, 'claude_cost_usd_total', {}, 1e9)).toBe(6n * 200_000_000n);
  expect(sumOf(families, 'claude_request_duration_seconds_bucket', { le: '0.5' })).toBe(6n);
  expect(valuesOf(families, 'claude_budget_usage_ratio')).toEqual({ 'budget=all': 0.06 });
  expect(Object.values(valuesOf(families, 'claude_build_info'))).toEqual([1]);
}, 30_000);
