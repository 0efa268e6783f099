/**
 * Three real processes with the same rule and a webhook, over a file and over a server. The one that
 * leads is killed, or stopped: what a real HTTP server of ours was sent is what counts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { emptyFolder } from '../../../../scripts/empty-folder.cjs';
import type { AlertsPage } from '../../src/alert.js';
import { createApps, type Apps } from '../apps.js';
import { describeRedis, startServer, stopAll, type RedisServer } from '../stores/redis-server.js';

const root = join(__dirname, '../../../..');
const PROCESSES = 3;
/** From one evaluation to the next: a claim is 4 seconds. */
const EVERY = 1_000;
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

const PROGRAM = `
  const { createRequire } = require('node:module');
  const load = createRequire(process.cwd() + '/package.json');
  const [core, redis] = [require('./core.cjs'), require('./redis.cjs')];
  const { url, file, port } = JSON.parse(process.argv[2]);
  const client = port && new (load('ioredis').Redis)(port);
  const monitor = core.createMonitor({
    store: client ? redis.redisStore({ client }) : core.sqliteStore({ file, lockTimeoutMs: 60_000 }),
    log: false,
    onNotice() {},
    alerts: [core.alert.errorRateAbove(0.05, { window: '5m', severity: 'critical' })],
    alertEveryMs: ${EVERY},
    channels: [core.channel.webhook({
      url, secret: '${SECRET}', headers: { 'x-process': String(process.pid) },
    })],
  });
  process.on('message', async ({ outcome, count, close }) => {
    const usage = outcome === 'ok' ? { input_tokens: 1, output_tokens: 1 } : null;
    for (let i = 0; i < count; i += 1) monitor.record({ model: 'claude-sonnet-5-5', outcome, usage });
    const page = await monitor.alerts();
    if (close) {
      await monitor.close();
      client?.disconnect();
    }
    process.send({ page, faults: monitor.health().faults }, () => close && process.disconnect());
  });
  process.send('ready');`;

interface Answer {
  readonly page: AlertsPage;
  readonly faults: object;
}

let apps: Apps;
let program: string;
let folder: string;
let receiver: Server;
/** What the webhook was sent, and by which process. */
let heard: { readonly type: string; readonly pid: number }[];
let children: ChildProcess[];

beforeAll(async () => {
  apps = createApps();
  const app = apps.create('alerts', null);
  const entry = join(root, 'packages', 'core', 'src', 'stores', 'redis.ts');
  apps.bundle(join(root, 'packages', 'core', 'src', 'index.ts'), join(app, 'core.cjs'));
  apps.bundle(entry, join(app, 'redis.cjs'), '--format=cjs');
  program = join(app, 'program.cjs');
  writeFileSync(program, PROGRAM);
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const { type } = JSON.parse(body) as { type: string };
      heard.push({ type, pid: Number(request.headers['x-process']) });
      response.writeHead(204).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
});
afterAll(() => {
  apps.remove();
  receiver.close();
});
beforeEach(() => {
  [heard, children] = [[], []];
  folder = emptyFolder();
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function start(store: object): Promise<void> {
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/alerts`;
  for (let i = 0; i < PROCESSES; i += 1) {
    const child = spawn(process.execPath, [program, JSON.stringify({ url, ...store })], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.push(child);
  }
  await Promise.all(children.map(message));
}

/** The next thing it says; a process that has ended says nothing any more. */
async function message(child: ChildProcess): Promise<unknown> {
  const listening = new AbortController();
  const { signal } = listening;
  const ended = once(child, 'exit', { signal }).then(([code, by]) => {
    throw new Error(`the process ended with ${code ?? by}`);
  });
  try {
    const said = once(child, 'message', { signal }) as Promise<[unknown]>;
    return (await Promise.race([said, ended]))[0];
  } finally {
    listening.abort();
  }
}

async function ask(child: ChildProcess, what: object = {}): Promise<Answer> {
  const answer = message(child);
  child.send(what);
  return (await answer) as Answer;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Waits until somebody has looked at the rules so many times more, as `child` hears of it. */
async function looked(child: ChildProcess, rounds: number): Promise<void> {
  let { at } = (await ask(child)).page;
  for (let round = 0; round < rounds; round += 1) {
    const before = at;
    await until(async () => ({ at } = (await ask(child)).page).at !== before);
  }
}

const types = () => heard.map(({ type }) => type);

/** Takes the leader away by `signal`, and gives it with the others. */
async function takeOver(signal: 'SIGKILL' | 'SIGSTOP') {
  await ask(children[0]!, { outcome: 'error', count: 30 });
  await until(() => heard.length > 0);
  // Every process has had its turn.
  await looked(children[0]!, 2);
  expect(types()).toEqual(['alert.firing']);
  const leader = children.find(({ pid }) => pid === heard[0]!.pid)!;
  const others = children.filter((child) => child !== leader);
  const [bob] = others as [ChildProcess, ChildProcess];
  const { firing } = (await ask(bob)).page;
  expect(firing).toHaveLength(1);
  leader.kill(signal);
  // Nobody has looked since, until another one leads.
  await looked(bob, 2);
  expect((await ask(bob)).page.firing).toMatchObject([{ firedAt: firing[0]!.firedAt }]);
  expect(types()).toEqual(['alert.firing']);
  await ask(bob, { outcome: 'ok', count: 2_000 });
  await until(() => heard.length > 1);
  await looked(bob, 2);
  expect(types()).toEqual(['alert.firing', 'alert.resolved']);
  expect(heard[1]!.pid).not.toBe(leader.pid);
  return { leader, others };
}

async function closeAll(processes: readonly ChildProcess[]): Promise<void> {
  for (const child of processes) {
    const exited = once(child, 'exit');
    expect((await ask(child, { close: true })).faults).toEqual({});
    expect(await exited).toEqual([0, null]);
  }
}

describe('alerts of three processes', () => {
  it('over a file are told once, although the process that told them is killed', async () => {
    await start({ file: join(folder, 'claude-metrics.db') });
    const { others } = await takeOver('SIGKILL');
    await closeAll(others);
    expect(types()).toEqual(['alert.firing', 'alert.resolved']);
  }, 120_000);
});

describeRedis('alerts of three processes over a server', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(stopAll);
  beforeEach(() => server.cli('FLUSHALL'));

  it('are told once, although the process that told them is killed', async () => {
    await start({ port: server.port });
    const { others } = await takeOver('SIGKILL');
    await closeAll(others);
    expect(types()).toEqual(['alert.firing', 'alert.resolved']);
  }, 120_000);

  it('are not told by a process that was stopped meanwhile and goes on', async () => {
    await start({ port: server.port });
    const { leader, others } = await takeOver('SIGSTOP');
    leader.kill('SIGCONT');
    await until(async () => (await ask(leader)).page.firing.length === 0);
    await looked(leader, 2);
    expect(types()).toEqual(['alert.firing', 'alert.resolved']);
    await closeAll([leader, ...others]);
  }, 120_000);
});
