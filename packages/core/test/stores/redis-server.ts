/**
 * Redis servers of one test file, each with a folder and a port of its own, and clients of both libraries
 * to them. All is stopped and removed at the end.
 */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why the tests cannot be run here, or `null`. */
export const missing: string | null = (() => {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'redis-server is not installed';
  }
})();
if (missing !== null && process.env['CI'] === 'true') throw new Error(missing);

/** Skips with the reason in the name. */
export const describeRedis: jest.Describe =
  missing === null
    ? describe
    : (Object.assign(
        (name: unknown, tests: jest.EmptyFunction) =>
          describe.skip(`${String(name)} (${missing})`, tests),
        describe.skip,
      ) as jest.Describe);

export interface RedisServer {
  readonly port: number;
  readonly args: readonly string[];
  /** Sends one command with redis-cli, and gives what it prints. */
  cli(...command: readonly string[]): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
  /** With the same port and folder. */
  start(): Promise<void>;
}

const folders: string[] = [];
const toStop: (() => unknown)[] = [];

/** Something to be closed when the tests are over, the last first. */
export function atEnd(stop: () => unknown): void {
  toStop.push(stop);
}

export async function stopAll(): Promise<void> {
  for (const stop of toStop.splice(0).toReversed()) await stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startServer(...args: readonly string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-redis-'));
  folders.push(folder);
  // A cluster's own port is 10,000 higher; both have to exist.
  let port = await freePort();
  while (port > 55_000) port = await freePort();
  let child: ChildProcess | null = null;
  let ended: Promise<unknown> = Promise.resolve();

  const server: RedisServer = {
    port,
    args,
    cli: (...command) =>
      new Promise((resolve, reject) => {
        execFile('redis-cli', ['-p', String(port), ...command], (error, stdout) => {
          if (error) reject(error);
          else resolve(stdout.trim());
        });
      }),
    signal: (signal) => void child?.kill(signal),
    async stop() {
      child?.kill('SIGCONT');
      child?.kill('SIGKILL');
      await ended;
      child = null;
    },
    async start() {
      const own = ['--port', String(port), '--dir', folder, '--bind', '127.0.0.1', '--save', ''];
      const started = spawn('redis-server', [...own, '--loglevel', 'warning', ...args], {
        stdio: 'ignore',
      });
      child = started;
      ended = new Promise((resolve) => started.once('exit', resolve));
      await answering(port, started);
    },
  };
  atEnd(() => server.stop());
  await server.start();
  return server;
}

/** Waits until something accepts connections there. */
async function answering(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => socket.end(() => resolve(true)));
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

/** Three nodes without replicas, that know each other and have all slots. */
export async function startCluster(): Promise<readonly RedisServer[]> {
  const one = () =>
    startServer('--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--appendonly', 'no');
  const nodes = await Promise.all([one(), one(), one()]);
  const ranges = ['0 5460', '5461 10922', '10923 16383'];
  for (const [i, node] of nodes.entries()) {
    await node.cli('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1));
    await node.cli('CLUSTER', 'ADDSLOTSRANGE', ...ranges[i]!.split(' '));
    if (i > 0) await node.cli('CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]!.port));
  }
  for (const node of nodes) {
    while (!/cluster_state:ok[^]*cluster_known_nodes:3/.test(await node.cli('CLUSTER', 'INFO')));
  }
  return nodes;
}

/** A way to a server that can be led to another one, as after a failover. */
export async function startSwitch(target: number) {
  const sockets = new Set<Socket>();
  let port = target;
  const server = createTcpServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', cut).on('close', cut);
    }
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cutAll = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  atEnd(() => {
    cutAll();
    return new Promise((resolve) => server.close(resolve));
  });
  return {
    port: (server.address() as AddressInfo).port,
    leadTo(next: number) {
      port = next;
      cutAll();
    },
  };
}
