/** What the doctor finds in a project, in figures and on a machine; and that it finds nothing else. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { lookAtMachine, lookAtSnapshot, lookAtStore } from '../../src/cli/doctor-figures.js';
import { lookAtProject } from '../../src/cli/doctor-project.js';
import { createMonitor, memoryStore, type Snapshot } from '../../src/index.js';
import { LATER } from './cli-fixture.js';
import type { Diagnosis } from '../../src/cli/diagnosis.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'claude-metrics-doctor-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(files: Readonly<Record<string, string>>): Diagnosis[] {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return lookAtProject(folder);
}

const installed = (name: string, version: string, under = '') => ({
  [`${under}node_modules/${name}/package.json`]: JSON.stringify({ name, version }),
});
const SOUND = "app.use(claudeMonitor());\napp.get('/', hello);\n";

describe('a project', () => {
  it('in order has no findings', () => {
    const files = { 'app.mjs': SOUND, ...installed('@anthropic-ai/sdk', '1.12.0') };
    expect(put({ ...files, ...installed('@claude-metrics/core', '0.1.0') })).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string>>, string, RegExp]>([
    [
      'routes before the monitor',
      { 'app.ts': "app.get('/', hi);\napp.use(claudeMonitor());" },
      'middleware order',
      /app\.ts has routes before/,
    ],
    [
      'a middleware after ours',
      { 'c.js': 'new Anthropic({ middleware: [monitor.middleware(), retry] });' },
      'middleware order',
      /before another middleware/,
    ],
    [
      'an SDK that cannot be observed',
      installed('@anthropic-ai/sdk', '0.99.0'),
      'unobserved clients',
      /sdk 0\.99\.0/,
    ],
    [
      'two versions of core',
      {
        ...installed('@claude-metrics/core', '0.1.0'),
        ...installed('@claude-metrics/koa', '0.2.0'),
        ...installed('@claude-metrics/core', '0.2.0', 'node_modules/@claude-metrics/koa/'),
      },
      'double instrumentation',
      /2 versions: 0\.1\.0, 0\.2\.0/,
    ],
    [
      'another instrumentation',
      installed('dd-trace', '5.0.0'),
      'double instrumentation',
      /dd-trace/,
    ],
    [
      'two monitors',
      { 'a.ts': SOUND, 'b.ts': 'const monitor = createMonitor();' },
      'double instrumentation',
      /set up in 2 places/,
    ],
    [
      'workers without a store',
      { 'a.ts': SOUND, 'ecosystem.config.js': 'module.exports = { instances: 4 };' },
      'workers',
      /no store is shared/,
    ],
  ])('with %s', (_, files, check, text) => {
    const found = put(files);
    expect(found.map((each) => each.check)).toEqual([check]);
    expect(found[0]?.text).toMatch(text);
    expect(found[0]?.fix).not.toBe('');
  });

  it('is not judged by its comments, its dependencies and its tests', () => {
    const wrong = "app.get('/', hi);\napp.use(claudeMonitor());";
    const files = {
      'node_modules/x/a.js': wrong,
      'test/a.test.js': wrong,
      'app.js': `// ${wrong.replace('\n', '\n// ')}\n${SOUND}`,
    };
    expect(put(files)).toEqual([]);
  });

  it('with workers that share a store is in order', () => {
    const app = "app.use(claudeMonitor({ store: 'figures.db' }));";
    expect(put({ 'a.ts': app, 'main.ts': 'cluster.fork();' })).toEqual([]);
  });
});

describe('figures', () => {
  async function snapshot(
    change: (whole: Snapshot) => Partial<Snapshot> = () => ({}),
  ): Promise<Snapshot> {
    const clock = { now: () => LATER, monotonic: () => 0 };
    const monitor = createMonitor({ log: false, instrument: false, clock, onNotice() {} });
    const usage = { input_tokens: 10, output_tokens: 5 };
    monitor.record({ model: 'claude-opus-5-5', usage, userId: 'ada', feature: 'summarise' });
    const whole = await monitor.snapshot();
    await monitor.close();
    return { ...whole, ...change(whole) };
  }
  const look = (of: Snapshot, zone = 'UTC') => lookAtSnapshot(of, LATER, zone);

  it('in order have no findings', async () => {
    expect(look(await snapshot())).toEqual([]);
  });

  it('tell of clients that nobody observes', async () => {
    const found = look(
      await snapshot(({ coverage }) => ({ coverage: { ...coverage, unobserved: 3 } })),
    );
    expect(found).toMatchObject([{ check: 'unobserved clients' }]);
    expect(found[0]?.text).toMatch(/^3 requests to Claude/);
  });

  it('tell of workers that count apart, of zones, and of what was dropped', async () => {
    const text = 'These are the figures of worker 1 of 4 only.';
    const worker = { kind: 'pm2', index: 1, count: 4 } as const;
    const workers = look(await snapshot(() => ({ source: { shared: false, worker, text } })));
    expect(workers).toMatchObject([{ check: 'workers', text }]);
    expect(look(await snapshot(), 'Asia/Tokyo')).toMatchObject([{ check: 'time zone' }]);
    const health = { ok: true, faults: {}, dropped: { 'ledger.tooOld': 2 }, notices: [] };
    expect(look(await snapshot(() => ({ health })))).toMatchObject([{ check: 'health' }]);
  });

  it('of a store tell of missing prices, retired models, and calls from the future', async () => {
    const store = memoryStore();
    const clock = { now: () => LATER, monotonic: () => 0 };
    const monitor = createMonitor({ store, log: false, instrument: false, clock, onNotice() {} });
    const usage = { input_tokens: 10, output_tokens: 5 };
    monitor.record({ model: 'claude-opus-5-5', usage });
    await monitor.snapshot();
    expect(await lookAtStore(store, LATER)).toEqual([]);
    monitor.record({ model: 'claude-opus-4-1', usage });
    monitor.record({ model: 'claude-new-1', usage });
    await monitor.snapshot();
    await monitor.close();
    const found = await lookAtStore(store, LATER - 4 * 3_600_000);
    expect(found.map(({ check }) => check).sort()).toEqual(['clock', 'models', 'prices']);
    expect(found.find(({ check }) => check === 'models')?.text).toMatch(
      /was retired on 2026-08-05/,
    );
  });
});

it('tells of a TZ that Node does not know', () => {
  expect(lookAtMachine('UTC', 'Mars/Base')).toMatchObject([{ check: 'time zone' }]);
  expect(lookAtMachine('UTC', 'Europe/Paris')).toEqual([]);
  expect(lookAtMachine('UTC', undefined)).toEqual([]);
});
