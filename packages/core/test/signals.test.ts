/** Closing at a signal, in real processes that are really sent one. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { emptyFolder } from '../../../scripts/empty-folder.cjs';
import { createMonitor } from '../src/monitor.js';
import type { ClosingSignal } from '../src/signals.js';
import { bundleOf } from './programs.js';
import { repository } from './sources.js';
import { cleanUp } from './stores/sqlite-fixture.js';

const NOW = Date.parse('2026-11-24T14:00:30Z');
const clock = { now: () => NOW, monotonic: () => 0 };
const folder = emptyFolder();
const core = join(folder, 'core.cjs');
let files = 0;
/** That are still running after a test that failed. */
const running = new Set<ChildProcess>();

beforeAll(() => bundleOf('index.ts', core));
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  return cleanUp();
});

/** Has recorded two calls whose cells are in no file yet, and goes on until something ends it. */
const APPLICATION = `
  const core = require(${JSON.stringify(core)});
  const [file, ...closeOn] = process.argv.slice(1);
  const clock = { now: () => ${NOW}, monotonic: () => 0 };
  const make = (more) => core.createMonitor({ log: false, clock, store: file, closeOn, ...more });
  const usage = { input_tokens: 1_000, output_tokens: 500 };
  const work = (monitor) => {
    for (const userId of ['ada', 'bob']) monitor.record({ model: 'claude-opus-5-5', usage, userId });
  };
  setInterval(() => {}, 1_000);
  setImmediate(() => console.log('ready'));`;

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** Beside `ready`. */
  readonly lines: readonly string[];
  /** That the file has afterwards. */
  readonly calls: number;
}

interface Sent {
  readonly closeOn?: readonly ClosingSignal[];
  readonly signals?: readonly ClosingSignal[];
}

/** Runs the application with \`more\` of its own, and sends it signals when it is ready. */
async function end(more: string, { closeOn = ['SIGTERM'], signals = ['SIGTERM'] }: Sent = {}) {
  files += 1;
  mkdirSync(join(folder, String(files)));
  const file = join(folder, String(files), 'figures.db');
  const child = spawn(process.execPath, ['-e', APPLICATION + more, file, ...closeOn], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') for (const each of signals) child.kill(each);
    else lines.push(line);
  }
  const [code, signal] = await exited;
  running.delete(child);
  return { code, signal, lines, calls: await callsIn(file) } satisfies Ended;
}

async function callsIn(file: string): Promise<number> {
  if (!existsSync(file)) return 0;
  const monitor = createMonitor({ log: false, clock, store: file });
  const { totals } = await monitor.snapshot({ rangeMs: 3_600_000 });
  await monitor.close();
  return totals.calls;
}

const ONE = 'const monitor = make(); work(monitor);';

describe('a process with a file of figures', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'brings them into it at %s, and ends by that signal',
    async (signal) => {
      const sent = { closeOn: [signal], signals: [signal] };
      expect(await end(ONE, sent)).toEqual({ code: null, signal, lines: [], calls: 2 });
    },
  );

  it('ends as it would without us when it did not ask for more', async () => {
    const listens = `${ONE} console.log(process.listenerCount('SIGTERM'));`;
    expect(await end(listens, { closeOn: [] })).toEqual({
      ...{ code: null, signal: 'SIGTERM', lines: ['0'], calls: 0 },
    });
  });

  it('hears only the signals it asked for', async () => {
    const sent = { closeOn: ['SIGINT'], signals: ['SIGTERM'] } as const;
    expect(await end(ONE, sent)).toMatchObject({ signal: 'SIGTERM', calls: 0 });
  });

  it.each(['once', 'on'])(
    'ends by the code of the application where that listens by %s, whoever came first',
    async (listen) => {
      const own = `process.${listen}('SIGTERM', async () => {
        await monitor.close();
        console.log('closed by the application');
        process.exit(7);
      });`;
      const expected = { code: 7, signal: null, lines: ['closed by the application'], calls: 2 };
      expect(await end(`${ONE} ${own}`)).toEqual(expected);
      expect(await end(`let monitor; ${own} monitor = make(); work(monitor);`)).toEqual(expected);
    },
  );

  it('goes on where the application listens and does not want to end', async () => {
    const own = `process.once('SIGTERM', async () => {
      await monitor.close();
      console.log('still here');
      setTimeout(() => {
        console.log(process.listenerCount('SIGTERM'));
        process.exit(0);
      }, 50);
    });`;
    expect(await end(own + ONE)).toMatchObject({ code: 0, lines: ['still here', '0'], calls: 2 });
  });

  it('ends by the signal that a framework sends again when it is done, as Nest does', async () => {
    const framework = `const hook = async (signal) => {
      await new Promise((resolve) => setImmediate(resolve));
      process.removeListener('SIGTERM', hook);
      process.kill(process.pid, signal);
    };
    process.on('SIGTERM', hook);`;
    const slow = `monitor.on({ name: 'slow', record() {}, close: () => new Promise((done) => setTimeout(done, 50)) });`;
    expect(await end(framework + ONE + slow)).toMatchObject({ signal: 'SIGTERM', calls: 2 });
  });

  it.each(['signal-exit', 'write-file-atomic/node_modules/signal-exit'])(
    'ends by the signal where %s listens as well',
    async (name) => {
      const path = JSON.stringify(join(repository, 'node_modules', name));
      const exit = `const found = require(${path});
        (found.onExit ?? found)(() => require('node:fs').writeSync(1, 'leaving\\n'));`;
      const expected = { code: null, signal: 'SIGTERM', lines: ['leaving'], calls: 2 };
      expect(await end(exit + ONE)).toEqual(expected);
      expect(await end(ONE + exit)).toEqual(expected);
    },
  );

  it('is not interrupted by a second signal', async () => {
    const slow = `monitor.on({ name: 'slow', record() {}, close: () => new Promise((done) => {
      const { emit } = process;
      process.emit = (name, ...values) => {
        if (name === 'SIGINT') setImmediate(done);
        return emit.call(process, name, ...values);
      };
      process.kill(process.pid, 'SIGTERM');
      process.kill(process.pid, 'SIGINT');
    }) });`;
    const sent = { closeOn: ['SIGTERM', 'SIGINT'] } as const;
    expect(await end(ONE + slow, sent)).toMatchObject({ signal: 'SIGINT', calls: 2 });
  });

  it('waits for every monitor, and then ends once', async () => {
    const two = `const other = make({ store: undefined });
      other.on({ name: 'slow', record() {}, close: () => new Promise((done) => setTimeout(() => {
        console.log('closed, too');
        done();
      }, 50)) });`;
    const expected = { signal: 'SIGTERM', lines: ['closed, too'], calls: 2 };
    expect(await end(ONE + two)).toMatchObject(expected);
    expect(await end(two + ONE)).toMatchObject(expected);
  });

  it('closes the default monitor as whoever calls its close() does', async () => {
    const own = `const monitor = core.defaultMonitor({ log: false, clock, store: file, closeOn });
      work(monitor);
      process.on('SIGTERM', async () => {
        await monitor.close();
        console.log(core.defaultMonitor({ log: false }) === monitor);
        process.exit(3);
      });`;
    expect(await end(own)).toEqual({ code: 3, signal: null, lines: ['false'], calls: 2 });
  });

  it('ends although closing fails, and within its time', async () => {
    const bad = `const monitor = make({ onError() {} });
      work(monitor);
      monitor.close = () => { throw new Error('boom'); };`;
    expect(await end(bad)).toMatchObject({ signal: 'SIGTERM', calls: 0 });
    const never = `const close = monitor.close;
      monitor.close = () => close({ timeoutMs: 20 });
      monitor.on({ name: 'never', record() {}, close: () => new Promise(() => {}) });`;
    expect(await end(ONE + never)).toMatchObject({ signal: 'SIGTERM', calls: 2 });
  });
});

describe('a monitor', () => {
  it('listens for no signal that it was not asked to, and for none after close()', async () => {
    const count = () => ['SIGTERM', 'SIGHUP'].map((each) => process.listenerCount(each));
    const before = count();
    await createMonitor({ log: false }).close();
    expect(count()).toEqual(before);
    const monitor = createMonitor({ log: false, closeOn: ['SIGHUP', 'SIGHUP'] });
    expect(count()).toEqual([before[0], before[1]! + 1]);
    await monitor.close();
    expect(count()).toEqual(before);
  });

  it.each([['SIGKILL'], ['SIGSTOP'], ['sigterm'], [15]])('takes no %s', (signal) => {
    const wrong = { closeOn: [signal] as unknown as ClosingSignal[] };
    expect(() => createMonitor(wrong)).toThrow(
      /createMonitor: options\.closeOn must be an array of signals that end a process, of SIGTERM, /,
    );
  });
});
