import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createApps, type Apps } from './apps.js';

/** Contexts come and go with their requests, and nothing of them stays. */
let apps: Apps;
beforeAll(() => {
  apps = createApps();
});
afterAll(() => apps.remove());

const carriers = {
  AsyncLocalStorage: 'undefined',
  'cls-hooked': `createRequire(import.meta.url)('cls-hooked').createNamespace('leak')`,
} as const;

/** Heap after 100,000 requests, less the heap after 20,000. Each request holds 500 bytes while it lasts. */
async function growth(carrier: keyof typeof carriers, keep: string): Promise<number> {
  const app = apps.create(`${carrier}-${keep === '' ? 'flat' : 'leaking'}`, null);
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  const cls = dirname(require.resolve('cls-hooked/package.json'));
  symlinkSync(cls, join(app, 'node_modules', 'cls-hooked'));
  const report = await apps.run(
    app,
    'main.mjs',
    `
    import { createRequire } from 'node:module';
    import { bindContext, createMonitor, setContext, withContext } from '../core.mjs';
    const namespace = ${carriers[carrier]};
    const monitor = createMonitor({ log: false, namespace, onError: () => {}, onNotice: () => {} });
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const kept = [];
    let wrong = 0;
    function call(expected) {
      const { userId } = monitor.record({ model: 'claude-sonnet-5-5', usage: { input_tokens: 1 } });
      if (userId !== expected) wrong += 1;
    }
    async function handle(req) {
      await turn();
      req.user = { id: 'user-' + (req.id % 100) };
      call(req.user.id);
      setContext({ sessionId: 's-' + req.id, tags: { size: req.body.length + '' } });
      await withContext({ userId: 'inner' }, async () => {
        await null;
        call('inner');
      });
      setTimeout(bindContext(() => call(req.user.id)));
      await turn();
      ${keep}
    }
    async function requests(from, to) {
      for (let id = from; id < to; id += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, i) => {
          const req = { id: id + i, body: Buffer.alloc(500, 97).toString('latin1') };
          const names = { userId: () => req.user?.id, feature: () => 'POST /' + req.body.length };
          return monitor.withDefaults(names, () => handle(req));
        }));
      }
      for (let i = 0; i < 5; i += 1) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        globalThis.gc();
      }
      return process.memoryUsage().heapUsed;
    }
    const before = await requests(0, 20_000);
    const after = await requests(20_000, 100_000);
    const { totals } = await monitor.snapshot();
    await monitor.close();
    console.log(JSON.stringify({ grownBy: after - before, calls: totals.calls, wrong, kept: kept.length }));`,
    ['--expose-gc'],
  );
  const { grownBy, calls, wrong, kept } = report as Record<string, number>;
  expect([calls, wrong, kept]).toEqual([300_000, 0, keep === '' ? 0 : 100_000]);
  return grownBy ?? NaN;
}

/** 38 bytes a request, less than the smallest scope; one that is held costs over 500. */
const BOUND = 3_000_000;

describe.each(Object.keys(carriers) as (keyof typeof carriers)[])('over %s', (carrier) => {
  it('the heap after 100,000 requests is what it was after 20,000', async () => {
    expect(await growth(carrier, '')).toBeLessThan(BOUND);
  }, 120_000);

  it('a context that is held would be noticed', async () => {
    expect(await growth(carrier, 'kept.push(bindContext(() => {}));')).toBeGreaterThan(10 * BOUND);
  }, 120_000);
});
