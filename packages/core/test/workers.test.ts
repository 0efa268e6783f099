/** Which worker a process is: told by PM2's environment, and by real workers of `node:cluster`. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyFolder } from '../../../scripts/empty-folder.cjs';
import { bundleOf } from './programs.js';
import { sourceOf, workerOf, type Worker } from '../src/workers.js';
import type { SnapshotSource } from '../src/workers.js';

const ALONE = {};
const pm2 = (more: Record<string, string> = {}) => ({
  ...{ pm_id: '7', PM2_HOME: '/home/shop/.pm2', name: 'shop', exec_mode: 'cluster_mode' },
  ...{ instances: '4', NODE_APP_INSTANCE: '2', instance_var: 'NODE_APP_INSTANCE' },
  ...more,
});
const THIRD: Worker = { kind: 'pm2', index: 3, count: 4 };

describe('a process of PM2', () => {
  it.each([
    ['in cluster mode', pm2(), THIRD],
    ['in fork mode', pm2({ exec_mode: 'fork_mode' }), THIRD],
    [
      'with a variable of its own',
      pm2({ instance_var: 'WHICH', WHICH: '0' }),
      { ...THIRD, index: 1 },
    ],
    [
      'that scaling has added',
      pm2({ NODE_APP_INSTANCE: '5' }),
      { ...THIRD, index: 6, count: null },
    ],
    ['that scaling has added to one', pm2({ instances: '1' }), { ...THIRD, count: null }],
    ['whose number of instances is not told', pm2({ instances: '' }), { ...THIRD, count: null }],
    ['of an application with one', pm2({ instances: '1', NODE_APP_INSTANCE: '0' }), null],
    ['of an application with no number', pm2({ instances: '', NODE_APP_INSTANCE: '0' }), null],
    ['whose own number makes no sense', pm2({ NODE_APP_INSTANCE: '-1' }), null],
    ['whose own number is text', pm2({ NODE_APP_INSTANCE: 'two' }), null],
  ])('%s', (_what, env, expected) => {
    expect(workerOf(env, ALONE)).toEqual(expected);
  });

  it('has the number that PM2 gives, not that of the daemon’s cluster', () => {
    expect(workerOf(pm2(), { worker: { id: 31 } })).toEqual(THIRD);
    expect(
      workerOf(pm2({ instances: '1', NODE_APP_INSTANCE: '0' }), { worker: { id: 31 } }),
    ).toBeNull();
  });

  it('in fork mode may have workers of its own, and be one', () => {
    const env = pm2({ exec_mode: 'fork_mode', instances: '1', NODE_APP_INSTANCE: '0' });
    const own = { kind: 'cluster', count: null };
    expect(workerOf(env, { worker: { id: 2 } })).toEqual({ ...own, index: 2 });
    expect(workerOf(env, { workers: { 1: {}, 2: {} } })).toEqual({ ...own, index: 0, count: 2 });
  });

  it('is not taken for one because of a variable that others use, too', () => {
    expect(workerOf({ NODE_APP_INSTANCE: '2', instances: '4' }, ALONE)).toBeNull();
    expect(workerOf({ exec_mode: 'cluster_mode' }, { worker: { id: 2 } })?.kind).toBe('cluster');
  });
});

describe('a source', () => {
  it('says what figures of one worker leave out, and where to go from there', () => {
    expect(sourceOf(false, THIRD).text).toBe(
      'These are the figures of worker 3 of 4 only, and alerts go by them. ' +
        'To see all workers together, give them one store: docs/cluster.md.',
    );
    expect(sourceOf(false, { ...THIRD, count: null }).text).toContain('worker 3 of several only');
    expect(sourceOf(false, THIRD, true).text).toContain('Each worker has every budget for itself.');
    const primary = { kind: 'cluster', index: 0, count: 2 } as const;
    expect(sourceOf(false, primary).text).toContain(
      'the primary process only; its workers count apart',
    );
  });

  it('has nothing to say of a shared store, or where nobody else is known of', () => {
    expect(sourceOf(true, THIRD)).toEqual({ shared: true, worker: THIRD, text: null });
    expect(sourceOf(false, null)).toEqual({ shared: false, worker: null, text: null });
  });
});

describe('node:cluster', () => {
  const folder = emptyFolder();
  const program = join(folder, 'app.cjs');

  beforeAll(() => {
    bundleOf('index.ts', join(folder, 'core.cjs'));
    writeFileSync(
      program,
      `const cluster = require('node:cluster');
      const { createMonitor, memoryStore } = require('./core.cjs');
      const shared = process.env.SHARED === 'yes';
      const store = { ...memoryStore(), ...(shared && { shared }) };
      const monitor = createMonitor({ log: false, store });
      const sourceNow = () => monitor.snapshot().then(({ source }) => source);
      async function primary() {
        const before = await sourceNow();
        const count = Number(process.env.WORKERS);
        const workers = Array.from({ length: count }, () => cluster.fork());
        const sources = await Promise.all(
          workers.map((worker) => new Promise((told) => worker.once('message', told))),
        );
        const after = await sourceNow();
        for (const worker of workers) worker.kill();
        process.send({ before, sources, after }, () => process.disconnect());
      }
      if (cluster.isPrimary) void primary();
      else void sourceNow().then((source) => process.send(source));`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  interface Told {
    readonly before: SnapshotSource;
    readonly sources: readonly SnapshotSource[];
    readonly after: SnapshotSource;
  }

  async function run(env: Record<string, string>): Promise<Told> {
    const inherited = { PATH: process.env['PATH'] };
    const child = fork(program, { cwd: folder, env: { ...inherited, ...env } });
    const [told] = (await once(child, 'message')) as [Told];
    await once(child, 'exit');
    return told;
  }

  it('tells each worker which one it is, and the primary how many there are', async () => {
    const { before, sources, after } = await run({ WORKERS: '3' });
    expect(before).toEqual({ shared: false, worker: null, text: null });
    expect(sources.map(({ worker }) => worker).sort((a, b) => a!.index - b!.index)).toEqual(
      [1, 2, 3].map((index) => ({ kind: 'cluster', index, count: null })),
    );
    for (const { text, worker } of sources) {
      expect(text).toContain(`figures of worker ${worker?.index} of several only`);
    }
    expect(after).toMatchObject({ worker: { kind: 'cluster', index: 0, count: 3 } });
    expect(after.text).toContain('of the primary process only');
  });

  it('is no reason for a warning where workers share a store', async () => {
    const { sources, after } = await run({ WORKERS: '2', SHARED: 'yes' });
    for (const source of [...sources, after]) {
      expect(source).toMatchObject({ shared: true, text: null, worker: { kind: 'cluster' } });
    }
  });

  it('of PM2 is told by the number that PM2 gives', async () => {
    const { sources } = await run({ WORKERS: '2', ...pm2() });
    for (const { worker } of sources) expect(worker).toEqual(THIRD);
  });
});
